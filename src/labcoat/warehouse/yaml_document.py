"""YAML with the line of every key, so that whoever mends the file is told where."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

_Place = tuple[str | int, ...]
_DEPTH = 4  # metrics / name / field, sources / name / tables / name


class MetricsFileError(Exception):
    """The metrics file can't be used; the message says what to change.

    line: 1 is the first; None if the file as a whole is meant. others: what else is wrong, each with its line.
    """

    def __init__(self, line: int | None, message: str, *, others: Sequence[tuple[int, str]] = ()) -> None:
        super().__init__(message if line is None else f"Line {line}: {message}")
        self.line = line
        self.message = message
        self.others = tuple(others)


@dataclass(frozen=True, slots=True)
class Document:
    """A file's content, and the line of each of its keys by their path."""

    content: object
    lines: Mapping[_Place, int]

    def line(self, place: _Place) -> int:
        """Return the line of a place, or of the nearest key above it."""
        named = tuple(str(part) for part in place)
        return next((self.lines[named[:end]] for end in range(len(named), 0, -1) if named[:end] in self.lines), 1)


def read(path: Path) -> Document:
    """Return the file's content; raise MetricsFileError if it is no YAML, or says something twice."""
    text = _text(path)
    node, content = _parse(text)
    lines: dict[_Place, int] = {}
    _note_lines(node, place=(), lines=lines)
    return Document(content, lines)


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
