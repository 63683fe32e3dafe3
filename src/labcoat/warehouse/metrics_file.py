"""Read the metrics file: where the user's data is and what each metric means.

A wrong file is refused as a whole, at the start, with the line to mend: a metric that is quietly ignored costs a look.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from labcoat.domain.plan import SameDay
from labcoat.stats.rule import Direction, MetricKind
from labcoat.warehouse import sources, sql, times, yaml_document
from labcoat.warehouse.sources import Identifier, Model, Source, Text
from labcoat.warehouse.yaml_document import MetricsFileError

__all__ = ["Exposures", "Metric", "MetricsFile", "MetricsFileError", "load"]

_Place = tuple[str | int, ...]


def _metric_name(name: str) -> str:
    # Slack shows 75 characters of an option.
    if name == name.strip() and name.isprintable() and 1 <= len(name) <= 75:
        return name
    message = "A metric's name has 1 to 75 characters on one line, without spaces around it"
    raise ValueError(message)


def _format(text: str) -> str:
    if text.count("{}") == 1 and len(text) <= 20 and text.isprintable():
        return text
    message = "`format` has {} where the number goes, as '€ {}' or '{} s'"
    raise ValueError(message)


COVARIATE_WITH_TIME = (
    "A `covariate` goes with data without times: rows after the exposure would decide it. Leave out `time`, or replace "
    "the covariate by `pre_period_days`"
)
MetricName = Annotated[str, AfterValidator(_metric_name)]
TimeFormat = Annotated[str, AfterValidator(times.checked_format)]
Days = Annotated[float, Field(strict=True, ge=0, le=366, allow_inf_nan=False)]


class _Rows(Model):
    """Rows of the user's data: a table, or what a SELECT gives.

    A column's field names it. A field that is left out means the column of its own name, if there is one; one that is
    null means none.
    """

    table: Text | None = None
    sql: Text | None = Field(default=None, max_length=20_000)


class Exposures(_Rows):
    """Which unit saw which variant, and when; rows may repeat, the first of a unit counts.

    exposed_at: UTC where it has no zone. experiment: the column of the experiment's key; None if all rows are of one.
    time_format: how text or numbers of `exposed_at` are read; None where the type or the whole column tells.
    partition: the column of the day of each row, or of its load, that the engine keeps rows apart by.
    """

    source: str
    unit: Text | None = None
    variant: Text | None = None
    exposed_at: Text | None = None
    experiment: Text | None = None
    time_format: TimeFormat | None = None
    partition: Text | None = None

    @model_validator(mode="after")
    def _names_its_columns(self) -> Self:
        if (self.table is None) == (self.sql is None):
            message = "Exposures need `table` or `sql`, and not both"
            raise ValueError(message)
        return self


class Metric(_Rows):
    """One metric over the units of its exposures; a unit without rows counts as 0.

    exposures: None if the file has one only. Without `table` and `sql` its columns are columns of the exposures' rows.
    value, denominator: summed over a unit's rows; without `value` the rows are counted. time: of each row; only rows
    in the window after the exposure count. partition: as of the exposures.
    pre_period_days: the same before it, as a covariate (CUPED).
    covariate, covariate_denominator: known before the exposure, for data without times; one row a unit.
    window_days: only units exposed that long ago are measured; 0 measures at once. cap: a unit's larger values count as
    this. complete_at_exposure: a unit's value never changes after its first row. time_format: as that of exposures.
    same_day: whether rows of the exposure's own day count, for rows that have days only. floor: a unit's smaller values
    count as this. source: that of its exposures, if it is said at all.
    """

    exposures: str | None = None
    kind: MetricKind
    direction: Direction
    description: str = ""
    owner: str = ""
    format: Annotated[str, AfterValidator(_format)] | None = None
    unit: Text | None = None
    time: Text | None = None
    partition: Text | None = None
    value: Text | None = None
    denominator: Text | None = None
    covariate: Text | None = None
    covariate_denominator: Text | None = None
    window_days: Days = 0.0
    pre_period_days: Days = 0.0
    cap: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    complete_at_exposure: bool = False
    time_format: TimeFormat | None = None
    same_day: SameDay | None = None
    floor: Annotated[float, Field(allow_inf_nan=False)] | None = None
    source: Text | None = None

    @property
    def has_own_rows(self) -> bool:
        """Whether it has rows of its own beside the exposures."""
        return self.table is not None or self.sql is not None

    @property
    def is_growing(self) -> bool:
        """Whether a unit's value may still change once it is counted."""
        return not (self.window_days or self.complete_at_exposure)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for is_wrong, message in self._faults():
            if is_wrong:
                raise ValueError(message)
        return self

    def _faults(self) -> Iterator[tuple[bool, str]]:
        is_ratio = self.kind is MetricKind.RATIO
        yield self.table is not None and self.sql is not None, "A metric has `table` or `sql`, not both"
        is_none = "denominator" in self.model_fields_set or not self.has_own_rows
        yield is_ratio and is_none and self.denominator is None, "A ratio needs `denominator`, a column"
        yield not is_ratio and self.denominator is not None, "Only `kind: ratio` has a `denominator`"
        yield not is_ratio and self.covariate_denominator is not None, "Only a ratio has a `covariate_denominator`"
        beside = not self.has_own_rows
        yield (
            beside and self.value is None,
            "A metric needs `value`, a column of its exposures' rows, or rows of its own (`table` or `sql`)",
        )
        yield beside and self.time is not None, "`time` goes with `table` or `sql`: rows of the metric's own"
        is_untimed = beside or (self.table is not None and self.time is None)
        yield self.partition is not None and is_untimed, "`partition` needs `time`, the column of each row's time"
        yield beside and self.unit is not None, "`unit` goes with `table` or `sql`; its exposures name the unit"
        has_no_time = self.table is not None and self.time is None and "time" in self.model_fields_set
        needs_time = self.pre_period_days and (beside or has_no_time)
        yield bool(needs_time), "`pre_period_days` needs `time`, the column of each row's time"
        yield (
            bool(self.pre_period_days) and self.covariate is not None,
            "A metric has `pre_period_days` or `covariate`, not both",
        )
        yield self.covariate is not None and self.time is not None, COVARIATE_WITH_TIME
        yield beside and self.same_day is not None, "`same_day` goes with `table` or `sql`: rows of the metric's own"
        yield beside and self.time_format is not None, "`time_format` goes with `time`; its exposures have their own"
        yield self.cap is not None and self.kind is MetricKind.PROPORTION, "A proportion has no `cap`"
        yield self.floor is not None and self.kind is MetricKind.PROPORTION, "A proportion has no `floor`"
        is_crossed = self.floor is not None and self.cap is not None and self.floor >= self.cap
        yield is_crossed, f"`floor` is {self.floor} and `cap` {self.cap}: a floor is below the cap"
        is_share_with_format = self.format is not None and self.kind is MetricKind.PROPORTION
        yield is_share_with_format, "A proportion is written in percent; leave out `format`"
        yield (
            is_ratio and self.covariate is not None and self.covariate_denominator is None,
            "The covariate of a ratio is a ratio: it needs `covariate_denominator`",
        )


class MetricsFile(Model):
    """All sources, exposures and metrics by name, in the file's order."""

    sources: dict[Identifier, Source]
    exposures: dict[Identifier, Exposures]
    metrics: dict[MetricName, Metric]

    def exposures_of(self, metric: Metric) -> str:
        """Return the name of the exposures whose units a metric is measured on."""
        return metric.exposures or next(iter(self.exposures))

    def can_have_window(self, metric: Metric) -> bool:
        """Return whether a metric's rows can be cut off some days after the exposure, as far as the file tells."""
        exposures = self.exposures[self.exposures_of(metric)]
        return metric.has_own_rows and _has_column(metric, "time") and _has_column(exposures, "exposed_at")


def _has_column(part: Exposures | Metric, field: str) -> bool:
    """Return whether the file names a field's column; of a SELECT the field's own name is meant, as it is read."""
    named: str | None = getattr(part, field)
    return named is not None or (part.sql is not None and re.search(rf"\b{field}\b", part.sql) is not None)


def load(path: Path, *, environment: Mapping[str, str] | None = None) -> MetricsFile:
    """Return the file's sources, exposures and metrics, checked except for what only the data can tell.

    environment: where `${NAME}` is looked up. Raises MetricsFileError with the lines to change, the first one first.
    """
    document = yaml_document.read(path)
    try:
        metrics_file = MetricsFile.model_validate(
            _without_anchors(document.content),
            context={"folder": path.parent.absolute(), "environment": environment or {}},
        )
    except ValidationError as error:
        # Not `from error`: it quotes what the file says, and somebody may have written a password there.
        raise _refused(document, [(_place(detail), _words(detail)) for detail in error.errors()]) from None
    if mistakes := list(_mistakes(metrics_file)):
        raise _refused(document, mistakes)
    return metrics_file


def _without_anchors(content: object) -> object:
    """Return the content without what only holds YAML's anchors, under names that begin with x-."""
    if not isinstance(content, dict):
        return content
    return {name: part for name, part in content.items() if not str(name).startswith("x-")}


def _refused(document: yaml_document.Document, problems: Sequence[tuple[_Place, str]]) -> MetricsFileError:
    found = dict.fromkeys((document.line(place), message) for place, message in problems)
    (line, message), *others = sorted(found, key=lambda problem: problem[0])
    return MetricsFileError(line, message, others=others)


def _place(detail: ErrorDetails) -> _Place:
    """Return where an error is, without the engine's name that pydantic puts into the path of a source."""
    loc = detail["loc"]
    return (*loc[:2], *loc[3:]) if loc[:1] == ("sources",) and len(loc) > 2 and loc[2] != "[key]" else loc


def _words(detail: ErrorDetails) -> str:
    """Phrase what pydantic found."""
    place = [str(part) for part in _place(detail) if part != "[key]"]
    field = f"`{place[-1]}`" if place else "The metrics file"
    where = f"`{'.'.join(place[:-1])}`" if place[:-1] else "the metrics file"
    match detail["type"]:
        case "missing":
            return f"{where[0].upper()}{where[1:]} needs {field}."
        case "union_tag_not_found":
            return f"{field} needs `engine`."
        case "union_tag_invalid":
            return f"`engine` must be {detail['ctx']['expected_tags']}."
        case "extra_forbidden":
            return f"{field} is not known in {where}. {_known(place, detail)}"
        case "enum" | "literal_error":
            return f"{field} must be {detail['ctx']['expected']}."
        case "value_error":
            return f"{detail['ctx']['error']}."
        case "model_type" | "dict_type" | "model_attributes_type":
            return f"{field} must have lines of `name: ...` below it."
    return f"{field}: {detail['msg']}."


def _known(place: list[str], detail: ErrorDetails) -> str:
    model: type[Model] = MetricsFile
    if len(place) > 1:
        parts: Mapping[str, type[Model]] = {"exposures": Exposures, "metrics": Metric}
        model = parts.get(place[0]) or sources.MODELS[str(detail["loc"][2])]
    names = [field.alias or name for name, field in model.model_fields.items()]
    near = get_close_matches(place[-1], names, n=1)
    return f"Did you mean `{near[0]}`?" if near else f"It may have: {', '.join(names)}."


def _mistakes(file: MetricsFile) -> Iterator[tuple[_Place, str]]:
    """Yield what is wrong between the parts, each with its place."""
    for name, declared in file.sources.items():
        if declared.freshness is not None:
            try:
                sql.one_column(declared.freshness, name="complete_to", dialect=sql.dialect_of(declared.engine))
            except sql.SqlError as error:
                yield ("sources", name, "freshness"), str(error)
    if not file.exposures:
        yield ("exposures",), "The metrics file needs `exposures`: which unit saw which variant."
        return
    for name, exposures in file.exposures.items():
        if exposures.source not in file.sources:
            known = ", ".join(file.sources) or "none"
            yield ("exposures", name, "source"), f"There is no source `{exposures.source}`. The file has: {known}."
        else:
            yield from _mistakes_in_sql(file, ("exposures", name), exposures, exposures.source)
    for name, metric in file.metrics.items():
        place = ("metrics", name)
        if metric.exposures is None and len(file.exposures) > 1:
            yield place, f"`{name}` needs `exposures`, one of: {', '.join(file.exposures)}."
        elif metric.exposures is not None and metric.exposures not in file.exposures:
            known = ", ".join(file.exposures)
            yield (*place, "exposures"), f"There are no exposures `{metric.exposures}`. The file has: {known}."
        elif (source := file.exposures[file.exposures_of(metric)].source) in file.sources:
            yield from _mistakes_in_source(file, name, metric, source)
            yield from _mistakes_in_sql(file, place, metric, source)


def _mistakes_in_source(file: MetricsFile, name: str, metric: Metric, source: str) -> Iterator[tuple[_Place, str]]:
    """Yield that a metric's rows are in another source than the exposures: one query can't read both."""
    do = (
        f"One query reads both, so add `exposures` of that source with the same units, and name it in `{name}`; or "
        f"make the rows a table or view of `{source}`."
    )
    if metric.source is not None and metric.source != source:
        yield (
            ("metrics", name, "source"),
            f"The exposures of `{name}` are in `{source}`, not in `{metric.source}`. {do}",
        )
    elif metric.table is not None and metric.table.casefold() not in _tables(file.sources[source], metric.table):
        others = [one for one, other in file.sources.items() if metric.table.casefold() in _tables(other, "")]
        if others:
            where = f"`{metric.table}` is a table of `{others[0]}`, and the exposures of `{name}` are in `{source}`."
            yield ("metrics", name, "table"), f"{where} {do}"


def _tables(source: Source, asked: str) -> frozenset[str]:
    """Return a source's tables in lower case, `asked` among them where only the source itself can tell."""
    listed: Mapping[str, Path] = getattr(source, "tables", {})
    is_whole = bool(listed) and getattr(source, "database", None) is None
    return frozenset(table.casefold() for table in (*listed, *(() if is_whole else (asked,))))


def _mistakes_in_sql(
    file: MetricsFile, place: _Place, rows: Exposures | Metric, source: str
) -> Iterator[tuple[_Place, str]]:
    try:
        if rows.sql is not None:
            sql.check(rows.sql, dialect=sql.dialect_of(file.sources[source].engine))
        elif rows.table is not None:
            sql.check_table(rows.table)
    except sql.SqlError as error:
        yield (*place, "sql" if rows.sql is not None else "table"), str(error)
