"""Refuse data that contradict what was found at the first look: the same rows would be read otherwise than before.

What leaves every moment and every number as it was is no contradiction: a wider type, ISO text in place of a type.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from labcoat.domain.findings import Findings, FoundColumn, FoundRows
from labcoat.warehouse import definitions
from labcoat.warehouse.engines.engine import ColumnType
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.found_columns import COVARIATES, TIMES
from labcoat.warehouse.groups import Answer
from labcoat.warehouse.measures import FEWEST_AT_MIDNIGHT
from labcoat.warehouse.metrics_file import MetricsFile
from labcoat.warehouse.resolving import AskedMetric, Resolved

_NUMBERS = ("value", "denominator", *COVARIATES)
_BACK = "Put it back as it was, if need be by a cast in `sql`, or stop the experiment and run it again."
_HELD = {
    ColumnType.NUMBER: "numbers",
    ColumnType.BOOLEAN: "true and false",
    ColumnType.TEXT: "text",
    ColumnType.TIME: "times",
}


def found(
    metrics_file: MetricsFile,
    exposures: str,
    resolved: Resolved,
    answer: Answer,
    *,
    asked: Sequence[AskedMetric],
    metrics: Sequence[AskedMetric],
) -> Findings:
    """Return what a read found for one experiment. asked: the metrics of all measures. metrics: of the experiment.

    Of a metric of which no row counted, nothing: no number rests on it yet.
    """
    is_timed = any(measure.time is not None for measure in resolved.measures)
    timed = sum(group.timed for group in answer.groups) if is_timed else 0
    midnights = sum(group.exposed for group in answer.groups) - timed if is_timed else 0
    seen = FoundRows(
        definition=definitions.hash_of_exposures(metrics_file.exposures[exposures]),
        columns=_with_clock(resolved.found, timed=timed, midnights=midnights),
    )
    by_name = {}
    for one, measure in zip(asked, resolved.measures, strict=True):
        measured = [group.metrics[one] for group in answer.groups]
        if one in metrics and any(each.with_rows for each in measured):
            timed, midnights = (sum(each.faults[name] for each in measured) for name in ("timed", "days"))
            by_name[one.name] = FoundRows(
                definition=definitions.hash_of(metrics_file, one.name, one.measuring),
                columns=_with_clock(measure.found, timed=timed, midnights=midnights),
            )
    return Findings(exposures={exposures: seen}, metrics=by_name)


def _with_clock(
    columns: Mapping[str, FoundColumn | None], *, timed: int, midnights: int
) -> dict[str, FoundColumn | None]:
    """Return columns with what their rows tell. timed, midnights: rows with a time of day, and those at midnight."""
    has_clock = True if timed else False if midnights >= FEWEST_AT_MIDNIGHT else None
    return {
        field: replace(column, has_clock=has_clock)
        if field in TIMES and column is not None and not column.is_day
        else column
        for field, column in columns.items()
    }


def kept(before: Findings, now: Findings) -> Findings:
    """Return what stands of both: what was found first, and what was not known then; raise SourceError.

    What the metrics file defines anew since then is found anew.
    """
    return Findings(
        exposures={
            name: _kept(f"Exposures {name}", before.exposures.get(name), rows) for name, rows in now.exposures.items()
        },
        metrics={name: _kept(f"Metric {name}", before.metrics.get(name), rows) for name, rows in now.metrics.items()},
    )


def _kept(who: str, before: FoundRows | None, now: FoundRows) -> FoundRows:
    if before is None or before.definition != now.definition:
        return now
    columns = dict(now.columns)
    for field, column in now.columns.items():
        if field not in before.columns:
            continue
        first = before.columns[field]
        for wrong in _contradictions(field, first, column):
            message = f"{who}: {wrong}"
            raise SourceError(message, permanent=True, field=field)
        columns[field] = first if first is None or column is None else _filled(first, column)
    return replace(before, columns=columns)


def _filled(first: FoundColumn, now: FoundColumn) -> FoundColumn:
    if first.is_day:
        return first
    return replace(
        first,
        has_clock=first.has_clock if first.has_clock or now.has_clock is None else now.has_clock,
        has_zone=now.has_zone if first.has_zone is None else first.has_zone,
    )


def _contradictions(field: str, first: FoundColumn | None, now: FoundColumn | None) -> Iterator[str]:
    """Yield how a field is read otherwise than at the first look, each with what to do."""
    if first is None or now is None:
        if now is not None:
            yield (
                f"`{field}` is the column {now.name} now, and there was none at the first look. Write `{field}: null` "
                "to go on as before, or stop the experiment and run it again."
            )
        elif first is not None:
            yield f"`{field}` was the column {first.name} at the first look, and there is none now. {_BACK}"
        return
    if first.name.casefold() != now.name.casefold():
        yield f"`{field}` was the column {first.name} at the first look, and is {now.name} now. {_BACK}"
    if field in TIMES:
        yield from _of_times(first, now)
    elif (field == "unit" and _is_another_kind(first, now)) or (field in _NUMBERS and _is_text_now(first, now)):
        yield f"{now.name} held {_held(first)} at the first look, and holds {_held(now)} now. {_BACK}"
    elif field in _NUMBERS and first.is_percent is not now.is_percent:
        then, later = ("percent signs", "none") if first.is_percent else ("no percent signs", "some")
        yield f"{now.name} had {then} at the first look, and has {later} now. {_BACK}"


def _is_another_kind(first: FoundColumn, now: FoundColumn) -> bool:
    return first.kind != now.kind and ColumnType.UNKNOWN not in (first.kind, now.kind)


def _is_text_now(first: FoundColumn, now: FoundColumn) -> bool:
    """Whether numbers became text, which may be written in any style; text that becomes numbers was read as these."""
    return now.kind == ColumnType.TEXT and _is_another_kind(first, now)


def _held(column: FoundColumn) -> str:
    what = _HELD.get(ColumnType(column.kind))
    return f"{what} ({column.type_name})" if what else column.type_name


def _of_times(first: FoundColumn, now: FoundColumn) -> Iterator[str]:
    name = now.name
    if _order(first) != _order(now):
        yield f"{name} was written as {_written(first)} at the first look, and as {_written(now)} now. {_BACK}"
    if first.has_clock is not False and (now.is_day or (first.has_clock and now.has_clock is False)):
        yield f"{name} had times of day at the first look, and has days only now. {_BACK}"
    if first.is_day and now.has_clock:
        yield f"{name} had days only at the first look, and has times of day now. {_BACK}"
    if None not in (first.has_zone, now.has_zone) and first.has_zone != now.has_zone:
        then, later = ("with", "without") if first.has_zone else ("without", "with")
        yield (
            f"{name} had times {then} a zone at the first look ({first.type_name}), and has times {later} one now "
            f"({now.type_name}), which may be other moments. {_BACK}"
        )


def _order(column: FoundColumn) -> str:
    """Return what decides how a text is read as a date: its order, not what stands between the numbers."""
    if not column.formats:
        return "iso"
    is_named = any(sign in column.formats[0] for sign in ("%b", "%B"))
    return "named" if is_named else next(sign for sign in column.formats[0] if sign in "dmYy")


def _written(column: FoundColumn) -> str:
    if column.formats:
        return f"`{column.formats[0]}`"
    return column.type_name if column.kind == ColumnType.TIME else "ISO (2026-11-05)"
