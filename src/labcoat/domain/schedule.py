"""When looks, digests and nudges are due: the only place where local time becomes an instant.

Slots are computed from the calendar of a zone, never counted in hours, so that a change of daylight saving time moves
none of them. A local time that a change skips is read with the offset before it: an hour later on the clock.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MONDAY = 0
DIGEST_WEEKDAY = MONDAY
DIGEST_TIME = time(9, 30)
NUDGE_TIME = time(10, 0)
_SATURDAY = 5


def at_local(day: date, clock: time, zone: str) -> datetime:
    """Return the UTC instant at which the zone's clocks show this time.

    >>> at_local(date(2026, 7, 6), time(9, 30), "Europe/Berlin").isoformat()
    '2026-07-06T07:30:00+00:00'
    """
    return datetime.combine(day, clock, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def local_date(moment: datetime, zone: str) -> date:
    """Return the calendar day that the zone has at this instant."""
    return moment.astimezone(ZoneInfo(zone)).date()


def latest_look_slot(now: datetime, *, since: datetime, zone: str, hour: int) -> datetime | None:
    """Return the newest daily look slot after `since` that is not in the future; None before the first."""
    slot = at_local(local_date(now, zone), time(hour), zone)
    if slot > now:
        slot = at_local(local_date(now, zone) - timedelta(days=1), time(hour), zone)
    return slot if slot > since else None


def days_between(start: datetime, end: datetime) -> float:
    """Return the time between two instants in days."""
    return (end - start).total_seconds() / 86_400


def day_of_slot(slot: datetime, *, since: datetime) -> int:
    """Return which day of the experiment a daily slot ends, to the nearest whole day.

    Spending may follow any calendar that is fixed before the start. Whole days make the slot nearest the planned
    end the final one; exact days would spend nearly everything hours before it and leave the final look nothing.
    """
    return round(days_between(since, slot))


def next_look_slot(now: datetime, *, since: datetime, zone: str, hour: int) -> datetime:
    """Return the first daily look slot after both `since` and `now`."""
    earliest = max(now, since)
    slot = at_local(local_date(earliest, zone), time(hour), zone)
    return slot if slot > earliest else at_local(local_date(earliest, zone) + timedelta(days=1), time(hour), zone)


def latest_digest_slot(now: datetime, *, zone: str) -> tuple[date, datetime]:
    """Return the newest Monday whose digest is due, and its instant; the Monday is the period's key."""
    today = local_date(now, zone)
    monday = today - timedelta(days=(today.weekday() - DIGEST_WEEKDAY) % 7)
    slot = at_local(monday, DIGEST_TIME, zone)
    if slot > now:
        monday -= timedelta(days=7)
        slot = at_local(monday, DIGEST_TIME, zone)
    return monday, slot


def is_working_day(day: date) -> bool:
    """Whether people work on this day of the week.

    >>> is_working_day(date(2026, 11, 23)), is_working_day(date(2026, 11, 22))
    (True, False)
    """
    return day.weekday() < _SATURDAY


def add_working_days(moment: datetime, days: int, *, zone: str) -> datetime:
    """Return the same local time that many working days later; what falls on a weekend moves to Monday.

    >>> add_working_days(datetime(2026, 11, 20, 9, tzinfo=UTC), 1, zone="UTC").isoformat()
    '2026-11-23T09:00:00+00:00'
    """
    local = moment.astimezone(ZoneInfo(zone))
    day = local.date()
    for _ in range(days):
        day += timedelta(days=1)
        while not is_working_day(day):
            day += timedelta(days=1)
    while not is_working_day(day):
        day += timedelta(days=1)
    return at_local(day, local.time(), zone)


def nudge_slot(earliest: datetime, *, zone: str) -> datetime:
    """Return the first 10:00 from Tuesday to Friday that is not before `earliest`; Mondays belong to the digest."""
    day = local_date(earliest, zone)
    while True:
        slot = at_local(day, NUDGE_TIME, zone)
        if slot >= earliest and is_working_day(day) and day.weekday() != MONDAY:
            return slot
        day += timedelta(days=1)
