"""Read the metrics file: where the user's data is and what each metric means.

A wrong file is refused as a whole, at the start, with the line to mend: a metric that is quietly ignored costs a look.
"""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, model_validator
from pydantic_core import ErrorDetails

from labcoat.stats.results import Direction, MetricKind
from labcoat.warehouse import sql

_Place = tuple[str | int, ...]

# Engine's own catalogs; a source of that name would hide them.
_RESERVED = frozenset({"memory", "system", "temp", "main"})
_DEPTH = 4  # metrics / name / field, sources / name / tables / name


class MetricsFileError(Exception):
    """The metrics file can't be used; the message says what to change.

    line: 1 is the first; None if the file as a whole is meant.
    """

    def __init__(self, line: int | None, message: str) -> None:
        super().__init__(message if line is None else f"Line {line}: {message}")
        self.line = line
        self.message = message


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _identifier(name: str) -> str:
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,62}", name) and name.casefold() not in _RESERVED:
        return name
    message = (
        f"`{name}` can't be used as a name in SQL. Use letters, digits and _, and none of: memory, system, temp, main"
    )
    raise ValueError(message)


def _metric_name(name: str) -> str:
    # Slack shows 75 characters of an option.
    if name == name.strip() and name.isprintable() and 1 <= len(name) <= 75:
        return name
    message = "A metric's name has 1 to 75 characters on one line, without spaces around it"
    raise ValueError(message)


def _beside_the_file(path: Path, context: ValidationInfo) -> Path:
    folder: Path = context.context["folder"] if context.context else Path()
    return folder / path


def _csv(path: Path) -> Path:
    # DuckDB would read * ? [ as a pattern over other files.
    if path.suffix.lower() == ".csv" and not set(str(path)) & set("*?["):
        return path
    message = f"`{path.name}` can't be read as CSV. Name one file that ends in .csv, with no * ? [ in its path"
    raise ValueError(message)


def _kind(kind: MetricKind) -> MetricKind:
    if kind is not MetricKind.RATIO:
        return kind
    message = "`kind` must be 'mean' or 'proportion'. A ratio can't be read from a source yet; try `labcoat analyse`"
    raise ValueError(message)


Identifier = Annotated[str, AfterValidator(_identifier)]
MetricName = Annotated[str, AfterValidator(_metric_name)]
LocalFile = Annotated[Path, AfterValidator(_beside_the_file)]
CsvFile = Annotated[LocalFile, AfterValidator(_csv)]


class Source(_Model):
    """Files one engine reads: a database, CSV files under table names, or both.

    database, tables: absolute, or relative to the working directory if the metrics file's own path is.
    """

    engine: Literal["duckdb"]
    database: LocalFile | None = None
    tables: dict[Identifier, CsvFile] = {}

    @model_validator(mode="after")
    def _has_files(self) -> Self:
        if self.database is None and not self.tables:
            message = "A source needs `database` or `tables`"
            raise ValueError(message)
        return self


class Metric(_Model):
    """One metric: a SELECT of unit, variant, value and perhaps exposed_at (UTC) and experiment, one row per unit.

    window_days: only units exposed that long ago are measured; 0 measures at once.
    complete_at_exposure: a unit's value never changes after its first row; without it or a window, looks are
    approximate.
    """

    source: str
    kind: Annotated[MetricKind, AfterValidator(_kind)]
    direction: Direction
    description: str = ""
    window_days: Annotated[float, Field(strict=True, ge=0, le=366, allow_inf_nan=False)] = 0.0
    complete_at_exposure: bool = False
    sql: str


class MetricsFile(_Model):
    """All sources and metrics by name, in the file's order."""

    sources: dict[Identifier, Source]
    metrics: dict[MetricName, Metric]


def load(path: Path) -> MetricsFile:
    """Return the file's sources and metrics, checked except for what only the data can tell.

    Raises MetricsFileError with the first line to change.
    """
    node, document = _parse(_text(path))
    lines: dict[_Place, int] = {}
    _note_lines(node, place=(), lines=lines)
    try:
        metrics_file = MetricsFile.model_validate(document, context={"folder": path.parent})
    except ValidationError as error:
        problems = [(_line(detail["loc"], lines=lines), _words(detail)) for detail in error.errors()]
        line, message = min(problems, key=lambda problem: problem[0])
        raise MetricsFileError(line, message) from error
    for place, message in _mistakes(metrics_file):
        raise MetricsFileError(_line(place, lines=lines), message)
    return metrics_file


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"{path.name} is not text in UTF-8. Save it as UTF-8."
        raise MetricsFileError(None, message) from error
    except OSError as error:
        message = f"{path.name} can't be read ({error.strerror}). Check the path in LABCOAT_METRICS."
        raise MetricsFileError(None, message) from error


def _parse(text: str) -> tuple[yaml.Node | None, object]:
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader), yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = f"This is not valid YAML: {error.problem}."
        raise MetricsFileError(mark.line + 1 if mark else None, message) from error
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date such as 2026-02-31
        message = f"This is not valid YAML: {str(error).splitlines()[0]}."
        raise MetricsFileError(None, message) from error


def _note_lines(node: yaml.Node | None, *, place: _Place, lines: dict[_Place, int]) -> None:
    """Fill in the line of each key, and refuse a key that comes twice, which YAML itself would drop."""
    # The depth also ends the walk where an alias points back at its own parent.
    if not isinstance(node, yaml.MappingNode) or len(place) >= _DEPTH:
        return
    seen: dict[str, int] = {}
    for key, value in node.value:
        name, line = str(key.value), key.start_mark.line + 1
        if name.casefold() in seen:
            message = f"`{name}` is already on line {seen[name.casefold()]}. Rename or remove one of them."
            raise MetricsFileError(line, message)
        seen[name.casefold()] = line
        lines[(*place, name)] = line
        _note_lines(value, place=(*place, name), lines=lines)


def _line(place: _Place, *, lines: dict[_Place, int]) -> int:
    named = tuple(str(part) for part in place)
    return next((lines[named[:end]] for end in range(len(named), 0, -1) if named[:end] in lines), 1)


def _words(detail: ErrorDetails) -> str:
    """Phrase what pydantic found."""
    place = [str(part) for part in detail["loc"] if part != "[key]"]
    field = f"`{place[-1]}`" if place else "The metrics file"
    where = f"`{'.'.join(place[:-1])}`" if place[:-1] else "the metrics file"
    match detail["type"]:
        case "missing":
            return f"{where[0].upper()}{where[1:]} needs {field}."
        case "extra_forbidden":
            return f"{field} is not known in {where}. {_known(place)}"
        case "enum" | "literal_error":
            return f"{field} must be {detail['ctx']['expected']}."
        case "value_error":
            return f"{detail['ctx']['error']}."
        case "model_type" | "dict_type" | "model_attributes_type":
            return f"{field} must have lines of `name: ...` below it."
    return f"{field}: {detail['msg']}."


def _known(place: list[str]) -> str:
    model: type[_Model] = MetricsFile if len(place) == 1 else Source if place[0] == "sources" else Metric
    near = get_close_matches(place[-1], model.model_fields, n=1)
    return f"Did you mean `{near[0]}`?" if near else f"It may have: {', '.join(model.model_fields)}."


def _mistakes(metrics_file: MetricsFile) -> Iterator[tuple[_Place, str]]:
    for name, metric in metrics_file.metrics.items():
        if metric.source not in metrics_file.sources:
            sources = ", ".join(metrics_file.sources) or "none"
            yield ("metrics", name, "source"), f"There is no source `{metric.source}`. The file has: {sources}."
        try:
            sql.check(metric.sql)
        except sql.SqlError as error:
            yield ("metrics", name, "sql"), str(error)
