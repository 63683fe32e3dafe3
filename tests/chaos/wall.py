"""What the clocks on a zone's walls show, found by asking them at instants; when they show a time follows from that.

This is the other way round than `labcoat.domain.schedule`, which turns a local time into an instant.
"""

from bisect import bisect_right
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

BEGIN, END = datetime(2025, 11, 1, tzinfo=UTC), datetime(2029, 3, 1, tzinfo=UTC)
STEP, SECOND, WEEK = timedelta(hours=12), timedelta(seconds=1), timedelta(days=7)
FIRST_MONDAY = date(2025, 12, 1)
WEEKS = 165


def shown(moment: datetime, zone: str) -> datetime:
    """Return what the zone's clocks show at an instant."""
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def _ahead(moment: datetime, zone: str) -> timedelta:
    return shown(moment, zone) - moment.replace(tzinfo=None)


@cache
def changes(zone: str) -> tuple[tuple[datetime, timedelta], ...]:
    """Return since when the zone's clocks are how far ahead of UTC."""
    found = [(BEGIN, _ahead(BEGIN, zone))]
    instants = [BEGIN + step * STEP for step in range((END - BEGIN) // STEP)]
    for early, late in pairwise(instants):
        if _ahead(early, zone) != _ahead(late, zone):
            first = _first_second(early, late, zone)
            found.append((first, _ahead(first, zone)))
    return tuple(found)


def _first_second(early: datetime, late: datetime, zone: str) -> datetime:
    """Return the first second between two instants at which the zone's clocks have changed."""
    before = _ahead(early, zone)
    while late - early > SECOND:
        middle = early + (late - early) // SECOND // 2 * SECOND
        early, late = (middle, late) if _ahead(middle, zone) == before else (early, middle)
    return late


def instant(day: date, clock: time, zone: str) -> datetime:
    """Return the first instant at which the zone's clocks show this; of a time that they leave out, when they would."""
    wanted = datetime.combine(day, clock).replace(tzinfo=UTC)
    known = changes(zone)
    ends = [*(since for since, _ in known[1:]), END]
    for (since, ahead), end in zip(known, ends, strict=True):
        if since <= wanted - ahead < end:
            return wanted - ahead
    # Left out: it comes so long after the change as it would have come without one.
    return max(wanted - ahead for (_, ahead), end in zip(known, ends, strict=True) if wanted - ahead >= end)


@cache
def slots(zone: str, weekday: int, clock: time) -> tuple[datetime, ...]:
    """Return when a weekly digest is due, from that of `FIRST_MONDAY` on."""
    return tuple(instant(FIRST_MONDAY + week * WEEK + timedelta(days=weekday), clock, zone) for week in range(WEEKS))


def newest_week(now: datetime, *, zone: str, weekday: int, clock: time) -> date:
    """Return the Monday of the newest week whose digest is due."""
    return FIRST_MONDAY + (bisect_right(slots(zone, weekday, clock), now) - 1) * WEEK
