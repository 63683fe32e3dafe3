"""Every schedule fires once in each local week: whatever clocks do, and whoever was down meanwhile.

Full: all IANA zones x 7 days x 48 half hours x 3 years. What Labcoat does instead of counting seven days, or of asking
a cron trigger, is shown to be needed: both fail on the same schedules.
"""

import random
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from apscheduler.triggers.cron import CronTrigger

from builders import CHANNEL, OWNER, WORKSPACE, a_dossier, a_prototype
from labcoat.db.database import Database, Transaction
from labcoat.domain.ids import HypothesisNumber
from labcoat.domain.notice import NoticeKind
from labcoat.domain.schedule import at_local, latest_digest_slot, next_digest_slot, nudge_slot
from labcoat.usecases import digests, nudges
from usecases.storing import stored, told

Size = Callable[[int, int], int]
WEEK, SECOND = timedelta(days=7), timedelta(seconds=1)
FIRST_MONDAY = date(2026, 1, 5)
HALF_HOURS = tuple(time(hour, minute) for hour in range(24) for minute in (0, 30))
STRANGE = (
    "Europe/Berlin", "America/New_York", "America/Havana", "America/Santiago", "Africa/Cairo", "Africa/Casablanca",
    "Asia/Beirut", "Australia/Lord_Howe", "Pacific/Chatham", "Atlantic/Azores", "Pacific/Apia", "Asia/Kathmandu", "UTC",
)  # fmt: skip
"""Clocks that change at midnight, by half an hour, twice a year for a month, or never."""


def _zones(size: Size) -> Sequence[str]:
    everywhere = sorted(available_timezones())
    return everywhere[: size(0, len(everywhere))] or STRANGE


def test_every_zone_weekday_and_half_hour_fires_once_in_every_local_week(size: Size) -> None:
    weeks = size(53, 157)  # of one year, and of three
    clocks = HALF_HOURS[:: size(6, 1)]
    for zone in _zones(size):
        for weekday in range(7):
            for clock in clocks:
                _require_once_a_week(zone, weekday, clock, weeks=weeks)


def _require_once_a_week(zone: str, weekday: int, clock: time, *, weeks: int) -> None:
    """A moment before its slot a week is not due, at its slot it is; then it stays so until the next one's slot."""
    before = None
    for week in range(weeks):
        monday = FIRST_MONDAY + week * WEEK
        slot = at_local(monday + timedelta(days=weekday), clock, zone)
        assert latest_digest_slot(slot, zone=zone, weekday=weekday, clock=clock) == (monday, slot), (zone, slot)
        earlier, _ = latest_digest_slot(slot - SECOND, zone=zone, weekday=weekday, clock=clock)
        assert earlier == monday - WEEK, (zone, slot)
        assert before is None or timedelta(days=6) < slot - before < timedelta(days=8), (zone, slot)
        before = slot


def _fired(schedule: Callable[[datetime], date], ticks: Iterator[datetime]) -> Counter[date]:
    """Play what the tick does: make the newest week that is due, unless it, or a later one, was made."""
    fired: Counter[date] = Counter()
    made = date.min
    for now in ticks:
        week = schedule(now)
        if week > made:
            fired[week] += 1
            made = week
    return fired


def test_clock_jumps_and_downtime_skip_no_week_that_has_a_tick_and_double_none(size: Size) -> None:
    chance = random.Random(7)
    for zone in _zones(size):
        weekday, clock = chance.randrange(7), chance.choice(HALF_HOURS)
        seen = [*_jumping(chance, weeks=size(20, 157))]
        due = partial(_week_due, zone=zone, weekday=weekday, clock=clock)

        fired = _fired(due, iter(seen))

        assert set(fired.values()) == {1}, zone
        # A week may be missing only if no tick, up to the next week's slot, was as late as its own.
        assert set(fired) == _weeks_with_a_tick(seen, zone, weekday, clock), zone


def _week_due(now: datetime, *, zone: str, weekday: int, clock: time) -> date:
    return latest_digest_slot(now, zone=zone, weekday=weekday, clock=clock)[0]


def _jumping(chance: random.Random, *, weeks: int) -> Iterator[datetime]:
    """Ticks of a clock that jumps an hour or a day, forward and back, and of a process that is down for weeks."""
    now = datetime(2026, 1, 7, 3, tzinfo=UTC)
    end = now + weeks * WEEK
    while now < end:
        yield now
        jump = chance.random()
        if jump < 0.02:
            now -= timedelta(hours=chance.choice((1, 2, 24)))
        elif jump < 0.03:
            now += timedelta(days=chance.choice((1, 9, 21)))
        else:
            now += timedelta(hours=chance.choice((1, 3, 6)), minutes=chance.randrange(60))


def _weeks_with_a_tick(seen: Sequence[datetime], zone: str, weekday: int, clock: time) -> set[date]:
    """Return the weeks that were the newest due at some tick, told by their slots alone."""
    slots = {
        at_local(FIRST_MONDAY + week * WEEK + timedelta(days=weekday), clock, zone): FIRST_MONDAY + week * WEEK
        for week in range(-1, 200)
    }
    ordered = sorted(slots)
    found: set[date] = set()
    latest = seen[0]
    for now in seen:
        if now >= latest:  # after a jump back the newest week was made already
            found.add(slots[ordered[bisect_right(ordered, now) - 1]])
            latest = now
    return found


def test_digest_that_moves_within_the_week_doubles_none(size: Size) -> None:
    chance = random.Random(11)
    for _ in range(size(20, 400)):
        zone, made, fired = chance.choice(STRANGE), date.min, Counter[date]()
        now = datetime(2026, 2, 4, tzinfo=UTC)
        while now < datetime(2026, 6, 1, tzinfo=UTC):
            weekday, clock = chance.randrange(7), chance.choice(HALF_HOURS)
            assert next_digest_slot(now, zone=zone, weekday=weekday, clock=clock, made=made) >= now
            week, _ = latest_digest_slot(now, zone=zone, weekday=weekday, clock=clock)
            if week > made:
                fired[week] += 1
                made = week
            now += timedelta(hours=chance.randrange(1, 60))
        assert set(fired.values()) == {1}


def test_control_adding_seven_days_leaves_the_local_time() -> None:
    zone, clock = "Europe/Berlin", time(9, 30)
    first = at_local(FIRST_MONDAY, clock, zone)

    added = {(first + week * WEEK).astimezone(ZoneInfo(zone)).time() for week in range(53)}
    ours = {at_local(FIRST_MONDAY + week * WEEK, clock, zone).astimezone(ZoneInfo(zone)).time() for week in range(53)}

    assert added == {clock, time(10, 30)}
    assert ours == {clock}


@pytest.mark.parametrize(
    ("zone", "weekday", "clock", "week", "times"),
    [
        ("America/Santiago", 6, time(0), date(2026, 8, 31), 0),  # Sunday begins at 1:00
        ("Asia/Beirut", 5, time(23), date(2026, 10, 19), 2),  # Saturday has 23:00 twice
        ("Europe/Berlin", 6, time(2), date(2026, 10, 19), 2),
    ],
)
def test_control_a_cron_trigger_skips_and_doubles_weeks_that_we_do_not(
    zone: str, weekday: int, clock: time, week: date, times: int
) -> None:
    start, end = datetime(2026, 8, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
    trigger = CronTrigger(day_of_week=weekday, hour=clock.hour, minute=clock.minute, timezone=zone)
    by_cron: Counter[date] = Counter()
    now = trigger.get_next_fire_time(None, start)
    while now < end:
        by_cron[now.astimezone(ZoneInfo(zone)).date() - timedelta(days=weekday)] += 1
        now = trigger.get_next_fire_time(now, now.astimezone(UTC) + SECOND)

    ticks = (start + tick * timedelta(hours=1) for tick in range(24 * 122))
    ours = _fired(partial(_week_due, zone=zone, weekday=weekday, clock=clock), ticks)

    assert by_cron[week] == times
    assert ours[week] == 1


def test_nudge_slots_are_one_a_day_in_every_zone(size: Size) -> None:
    for zone in _zones(size):
        moment, seen = datetime(2026, 1, 1, tzinfo=UTC), []
        for _ in range(size(100, 4 * 157)):
            moment = nudge_slot(moment, zone=zone)
            seen.append(moment.astimezone(ZoneInfo(zone)).date())
            moment += SECOND
        assert len(set(seen)) == len(seen)
        assert {day.weekday() for day in seen} == {1, 2, 3, 4}
        assert all((later - day).days in (1, 4) for day, later in pairwise(seen))


def test_three_weeks_down_make_one_late_digest_and_one_message_a_person(database: Database) -> None:
    down_since = datetime(2026, 11, 2, 9, tzinfo=UTC)
    back_at = datetime(2026, 11, 24, 10, tzinfo=UTC)  # a Tuesday; digests of three Mondays were missed
    with database.writing() as tx:
        for number in range(1, 8):
            one = a_dossier(number=number, prototypes=(a_prototype(),), filed_at=down_since)
            stored(tx, one, at=down_since - number * timedelta(hours=9))

    with database.writing() as tx:
        sent = [_tick(tx, back_at + minutes * timedelta(minutes=20)) for minutes in range(12)]
        kinds = [(one.kind, one.to) for one in told(tx)]
        newest = digests.compose(tx, WORKSPACE, CHANNEL, now=back_at, zone="UTC")

    assert sent == [(1, 7), *[(0, 0)] * 11]
    assert kinds == [(NoticeKind.DIGEST, CHANNEL), (NoticeKind.NUDGE, OWNER)]
    assert newest.monday == date(2026, 11, 23)
    assert newest.is_late


def _tick(tx: Transaction, now: datetime) -> tuple[int, int]:
    """Do what the clock's jobs do; return how many digests were made, and how many nudges told."""
    made = digests.send_due(tx, WORKSPACE, [CHANNEL], zone="UTC", now=now)
    asked = nudges.find(tx, WORKSPACE, zone="UTC", now=now)
    assert {one.number for one in asked} <= {HypothesisNumber(number) for number in range(1, 8)}
    return made, nudges.send(tx, WORKSPACE, asked, zone="UTC", now=now)
