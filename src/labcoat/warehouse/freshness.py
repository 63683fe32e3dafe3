"""How far the data of a source are complete, as its own `freshness` query says."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from labcoat.warehouse import exposure_scan, sql
from labcoat.warehouse.engines import engine
from labcoat.warehouse.engines.engine import ColumnType
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.metrics_file import MetricsFile
from labcoat.warehouse.sources import Source

FIELD = "freshness"
ASKED_OF = "The freshness of "
"""How every message of it begins, so that it is told from other trouble of the source."""
AHEAD_AT_MOST = timedelta(minutes=5)
"""Two machines' clocks may differ so much."""
_NAME = "complete_to"
OF_TEXT = "SELECT CAST(e.complete_to AS TEXT) AS complete_to FROM freshness AS e LIMIT 2"
OF_TIME = "SELECT CAST(CAST(e.complete_to AS TIMESTAMPTZ) AS TEXT) AS complete_to FROM freshness AS e LIMIT 2"


def ask(metrics_file: MetricsFile, names: Iterable[str], *, now: datetime) -> dict[str, datetime | SourceError]:
    """Return how far each of these sources is complete, or why it can't be told; without a query it is left out."""
    found: dict[str, datetime | SourceError] = {}
    for name in names:
        source = metrics_file.sources.get(name)
        if source is not None and source.freshness is not None:
            try:
                found[name] = _ask(source, name, now=now)
            except SourceError as error:
                found[name] = error
    return found


def _ask(source: Source, name: str, *, now: datetime) -> datetime:
    assert source.freshness is not None
    dialect = sql.dialect_of(source.engine)
    rows = sql.Rows(select=source.freshness)
    try:
        text = sql.one_column(source.freshness, name=_NAME, dialect=dialect)
        with engine.opened(source, name=name, tables=sql.table_names(rows, dialect=dialect)) as opened:
            (column,) = opened.columns(text)
            if _is_day(column.type, column.type_name):
                raise _wrong(
                    name,
                    "a day without a time of day, so it isn't clear whether that day itself is complete. "
                    "Select the instant, as MAX(day) + INTERVAL '1' DAY, cast to a timestamp",
                )
            if column.type in (ColumnType.NUMBER, ColumnType.BOOLEAN):
                raise _wrong(name, f"{column.type_name}, which is no time. Convert it to a timestamp in UTC")
            ours = OF_TEXT if column.type is ColumnType.TEXT else OF_TIME
            bounds = sql.Bounds(since=now, until=now)
            given = opened.rows(sql.write(ours, {"freshness": sql.Rows(select=text)}, dialect=dialect, bounds=bounds))
    except sql.SqlError as error:
        message = f"{ASKED_OF}{name}: {error}"
        raise SourceError(message, permanent=True, field=FIELD) from error
    except SourceError as error:
        if error.message.startswith(ASKED_OF):
            raise
        message = f"{ASKED_OF}{name}: {error.message}"
        raise SourceError(message, permanent=error.permanent, field=FIELD) from error
    return _instant(name, given, now=now)


def _instant(name: str, given: list[tuple[object, ...]], *, now: datetime) -> datetime:
    if len(given) != 1:
        raise _wrong(
            name,
            f"{'several rows' if given else 'no row'}. Select one row with one instant, as MAX(loaded_at)",
        )
    ((value,),) = given
    if value is None or not str(value).strip():
        raise _wrong(
            name,
            "NULL: nothing seems to be loaded yet",
            permanent=False,
        )
    found = exposure_scan.moment(value)
    if found is None or not re.search(r"\d:\d", str(value)):
        raise _wrong(name, f"“{str(value)[:40]}”, which is no time. Select a timestamp in UTC, or one with a zone")
    if found > now + AHEAD_AT_MOST:
        raise _wrong(
            name,
            f"{found.astimezone(UTC):%Y-%m-%d %H:%M} UTC, which is in the future. Times without a zone are read as "
            "UTC: convert it in the query",
        )
    return min(found, now)


def _is_day(kind: ColumnType, type_name: str) -> bool:
    return kind is ColumnType.TIME and type_name.upper().split("(")[0] in ("DATE", "DATE32")


def _wrong(name: str, what: str, *, permanent: bool = True) -> SourceError:
    return SourceError(f"{ASKED_OF}{name}: its query gives {what}.", permanent=permanent, field=FIELD)
