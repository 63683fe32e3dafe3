"""Guardrails and other metrics as people write them, one a line: "refund rate down, margin 0.2 points, today 2 %"."""

import re
from dataclasses import dataclass

from labcoat.stats.rule import Direction

# What follows "margin" is blamed if it is no size; "today" and "sd" may be words of a metric's name.
_PART = re.compile(r"[\s,;]+(?P<part>margin|(?:today|sd)(?=\s+[+-]?[\d.,]))\s+", re.IGNORECASE)
_DIRECTION = re.compile(r"\s+(?P<direction>up|down)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricLine:
    """One line, its numbers as they were typed, "" for what it does not say."""

    name: str
    is_secondary: bool = False
    is_mean: bool = False
    direction: Direction | None = None
    margin: str = ""
    today: str = ""
    deviation: str = ""


def read(text: str) -> tuple[MetricLine, ...]:
    """Return what each line says; nothing is checked.

    >>> read("secondary clicks up")[0].is_secondary
    True
    >>> one = read("mean latency down, margin 5 %, today 230, sd 80")[0]
    >>> one.name, one.margin, one.today, one.deviation
    ('latency', '5 %', '230', '80')
    """
    return tuple(_line(line.strip()) for line in text.splitlines() if line.strip())


def _line(line: str) -> MetricLine:
    is_secondary, rest = _without_prefix(line, "secondary ")
    is_mean, rest = _without_prefix(rest, "mean ")
    head, *pieces = _PART.split(rest)
    parts = {part.lower(): said.strip(" ,;") for part, said in zip(pieces[::2], pieces[1::2], strict=True)}
    head = head.strip(" ,;")
    match = _DIRECTION.search(head)
    return MetricLine(
        name=(head[: match.start()] if match else head).strip(" ,;"),
        is_secondary=is_secondary,
        is_mean=is_mean,
        direction=Direction(match["direction"].lower()) if match else None,
        margin=parts.get("margin", ""),
        today=parts.get("today", ""),
        deviation=parts.get("sd", ""),
    )


def _without_prefix(line: str, prefix: str) -> tuple[bool, str]:
    has_it = line.lower().startswith(prefix)
    return has_it, line[len(prefix) :].strip() if has_it else line
