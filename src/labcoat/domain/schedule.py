"""When looks, digests and nudges are due: the only place where local time becomes an instant.

Slots are computed from the calendar of a zone, never counted in hours, so that a change of daylight saving time moves
none of them. A local time that a change skips is read with the offset before it: an hour later on the clock.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MONDAY = 0
DIGEST_TIME = time(9, 30)
NUDGE_TIME = time(10, 0)
NUDGE_HOURS = timedelta(hours=8)
"""How long after its slot a nudge may still be sent."""
_SATURDAY = 5


def at_local(day: date, clock: time, zone: str) -> datetime:
    """Return the UTC instant at which the zone's clocks show this time.

    >>> at_local(date(2026, 7, 6), time(9, 30), "Europe/Berlin").isoformat()
    '2026-07-06T07:30:00+00:00'
    """
    return datetime.combine(day, clock, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def midnight(day: date, zone: str) -> datetime:
    """Return the instant at which a day begins in the zone."""
    return at_local(day, time(0), zone)


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
    end the final one; exact days would spend nearly everything hours before it and leave the final look nothing
    (decision 4).
    """
    return round(days_between(since, slot))


def next_look_slot(now: datetime, *, since: datetime, zone: str, hour: int) -> datetime:
    """Return the first daily look slot after both `since` and `now`."""
    earliest = max(now, since)
    slot = at_local(local_date(earliest, zone), time(hour), zone)
    return slot if slot > earliest else at_local(local_date(earliest, zone) + timedelta(days=1), time(hour), zone)


def latest_digest_slot(
    now: datetime, *, zone: str, weekday: int = MONDAY, clock: time = DIGEST_TIME
) -> tuple[date, datetime]:
    """Return the Monday of the newest week whose digest is due, and that digest's instant; the Monday is the key.

    weekday: of the digest, Monday is 0. However often a channel moves its digest, a week is one key and so one digest.
    """
    today = local_date(now, zone)
    day = today - timedelta(days=(today.weekday() - weekday) % 7)
    slot = at_local(day, clock, zone)
    if slot > now:
        day -= timedelta(days=7)
        slot = at_local(day, clock, zone)
    return day - timedelta(days=weekday), slot


def next_digest_slot(
    now: datetime, *, zone: str, weekday: int = MONDAY, clock: time = DIGEST_TIME, made: date | None = None
) -> datetime:
    """Return when the next digest comes; now if it is due. made: the newest week that has its digest."""
    monday, _ = latest_digest_slot(now, zone=zone, weekday=weekday, clock=clock)
    if made is not None and monday > made:
        return now
    due = max(monday, made or monday) + timedelta(days=7 + weekday)
    return at_local(due, clock, zone)


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


def nudge_slot(earliest: datetime, *, zone: str, quiet: tuple[int, int] | None = None) -> datetime:
    """Return the first 10:00 from Tuesday to Friday that is not before `earliest`; Mondays belong to the digest.

    quiet: local hours from and until which nobody is nudged; what falls into them comes at their end.
    """
    day = local_date(earliest, zone) - timedelta(days=1)  # yesterday's may have been moved to today
    while True:
        slot = _after_quiet_hours(day, NUDGE_TIME, zone, quiet)
        its_day = local_date(slot, zone)
        if slot >= earliest and is_working_day(its_day) and its_day.weekday() != MONDAY:
            return slot
        day += timedelta(days=1)


def _after_quiet_hours(day: date, clock: time, zone: str, quiet: tuple[int, int] | None) -> datetime:
    if quiet is None or not is_quiet(clock.hour, quiet):
        return at_local(day, clock, zone)
    is_over_tomorrow = quiet[1] <= clock.hour
    return at_local(day + timedelta(days=is_over_tomorrow), time(quiet[1]), zone)


def open_nudge_slot(now: datetime, *, zone: str, quiet: tuple[int, int] | None = None) -> datetime | None:
    """Return the slot whose nudges may be sent now, None outside of the hours after one.

    What could not be sent at ten comes the same day while people work, or at the next slot: never at night.
    """
    slot = nudge_slot(now - NUDGE_HOURS, zone=zone, quiet=quiet)
    return slot if slot <= now and not is_quiet_at(now, zone=zone, quiet=quiet) else None


def after_quiet(moment: datetime, *, zone: str, quiet: tuple[int, int] | None) -> datetime:
    """Return the moment itself, or the end of the quiet hours that it falls into."""
    if quiet is None or not is_quiet_at(moment, zone=zone, quiet=quiet):
        return moment
    local = moment.astimezone(ZoneInfo(zone))
    is_over_tomorrow = quiet[1] <= local.hour
    return at_local(local.date() + timedelta(days=is_over_tomorrow), time(quiet[1]), zone)


def month_slot(earliest: datetime, *, months: int, zone: str, quiet: tuple[int, int] | None = None) -> datetime:
    """Return the first nudge slot of a month: of the first such not before `earliest`, and so many months later.

    >>> month_slot(datetime(2026, 11, 3, 11, tzinfo=UTC), months=1, zone="UTC").isoformat()
    '2027-01-01T10:00:00+00:00'
    """
    first = local_date(earliest, zone).replace(day=1)
    if _first_of_month(first, zone, quiet) < earliest:
        first = _later_month(first, 1)
    return _first_of_month(_later_month(first, months), zone, quiet)


def _first_of_month(first: date, zone: str, quiet: tuple[int, int] | None) -> datetime:
    return nudge_slot(midnight(first, zone), zone=zone, quiet=quiet)


def _later_month(first: date, months: int) -> date:
    years, month = divmod(first.month - 1 + months, 12)
    return first.replace(year=first.year + years, month=month + 1)


def week_slot(
    earliest: datetime, *, weekday: int, weeks: int, zone: str, quiet: tuple[int, int] | None = None
) -> datetime:
    """Return the nudge slot of a weekday: the first such not before `earliest`, and so many weeks later."""
    day = local_date(earliest, zone)
    day += timedelta(days=(weekday - day.weekday()) % 7)
    if nudge_slot(midnight(day, zone), zone=zone, quiet=quiet) < earliest:
        day += timedelta(days=7)
    return nudge_slot(midnight(day + timedelta(days=7 * weeks), zone), zone=zone, quiet=quiet)


def is_quiet_at(moment: datetime, *, zone: str, quiet: tuple[int, int] | None) -> bool:
    """Whether nobody in the zone is nudged at this instant."""
    return quiet is not None and is_quiet(moment.astimezone(ZoneInfo(zone)).hour, quiet)


def is_quiet(hour: int, quiet: tuple[int, int]) -> bool:
    """Whether nobody is nudged in this local hour.

    >>> [is_quiet(hour, (18, 9)) for hour in (17, 18, 3, 9)]
    [False, True, True, False]
    """
    start, end = quiet
    return start <= hour < end if start < end else hour >= start or hour < end
