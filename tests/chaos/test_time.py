"""Every schedule fires once in each local week: whatever clocks do, and whoever was down meanwhile.

What is expected is told by what the clocks on the walls show (`chaos.wall`), not by our own arithmetic. Full: all IANA
zones x 7 days x 48 half hours x 3 years. What Labcoat does instead of counting seven days, or of asking a cron trigger,
is shown to be needed: both fail on the same schedules.
"""

import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from itertools import pairwise, product
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import pytest
from apscheduler.triggers.cron import CronTrigger
from sqlalchemy import delete, select, update

from builders import CHANNEL, OWNER, WORKSPACE, a_dossier, a_prototype
from chaos import wall
from labcoat.db import channels, outbox
from labcoat.db.database import Database, Transaction
from labcoat.db.tables import schema
from labcoat.domain.channel import ChannelSettings
from labcoat.domain.ids import ChannelId, HypothesisNumber
from labcoat.domain.notice import NoticeKind
from labcoat.domain.schedule import at_local, latest_digest_slot, nudge_slot
from labcoat.usecases.people import digests, nudges
from usecases.storing import stored, told

Size = Callable[[int, int], int]
Latest = Callable[..., tuple[date, datetime]]
WEEK, SECOND = timedelta(days=7), timedelta(seconds=1)
FIRST_MONDAY = date(2026, 1, 5)
FIRST = (FIRST_MONDAY - wall.FIRST_MONDAY) // WEEK
HALF_HOURS = tuple(time(hour, minute) for hour in range(24) for minute in (0, 30))
STRANGE = (
    "Europe/Berlin", "America/New_York", "America/Havana", "America/Santiago", "Africa/Cairo", "Africa/Casablanca",
    "Asia/Beirut", "Australia/Lord_Howe", "Pacific/Chatham", "Atlantic/Azores", "Pacific/Apia", "Asia/Kathmandu", "UTC",
)  # fmt: skip
"""Clocks that change at midnight, by half an hour, twice a year for a month, or never."""


def _zones(size: Size) -> Sequence[str]:
    everywhere = sorted(available_timezones())
    return everywhere[: size(0, len(everywhere))] or STRANGE


def test_every_zone_weekday_and_half_hour_fires_once_in_every_local_week(
    size: Size, tell: Callable[[str], None]
) -> None:
    weeks = size(53, 157)  # of one year, and of three
    schedules = [*product(_zones(size), range(7), HALF_HOURS[:: size(6, 1)])]
    for zone, weekday, clock in schedules:
        assert _wrong_weeks(latest_digest_slot, zone, weekday, clock, weeks=weeks) == []
    tell(f"{len(schedules)} schedules of {weeks} weeks")


def _wrong_weeks(latest: Latest, zone: str, weekday: int, clock: time, *, weeks: int) -> list[datetime]:
    """Return the slots, told by what the walls show, at which a week does not fall due, or a second before which it is.

    Then it stays the newest one until the next week's slot, a second before which that is looked at.
    """
    wrong = []
    for week, slot in enumerate(wall.slots(zone, weekday, clock)[FIRST : FIRST + weeks], start=FIRST):
        monday = wall.FIRST_MONDAY + week * WEEK
        at_slot = latest(slot, zone=zone, weekday=weekday, clock=clock)
        before, _ = latest(slot - SECOND, zone=zone, weekday=weekday, clock=clock)
        if at_slot != (monday, slot) or before != monday - WEEK:
            wrong.append(slot)
    return wrong


def _seven_days_later(
    now: datetime, *, zone: str, weekday: int = 0, clock: time = time(9, 30)
) -> tuple[date, datetime]:
    """Count seven days from the first slot, as a timer does."""
    first = wall.slots(zone, weekday, clock)[0]
    passed = (now - first) // WEEK
    return wall.FIRST_MONDAY + passed * WEEK, first + passed * WEEK


def _second_time(now: datetime, *, zone: str, weekday: int = 0, clock: time = time(9, 30)) -> tuple[date, datetime]:
    """Take the second of two equal local times."""
    return latest_digest_slot(now, zone=zone, weekday=weekday, clock=clock.replace(fold=1))


@pytest.mark.parametrize(
    ("latest", "zone", "weekday", "clock"),
    [
        (_seven_days_later, "Europe/Berlin", 0, time(9, 30)),
        (_second_time, "Europe/Berlin", 6, time(2)),
        (_second_time, "America/Santiago", 6, time(0)),
    ],
)
def test_control_other_schedules_are_found_wrong(latest: Latest, zone: str, weekday: int, clock: time) -> None:
    assert _wrong_weeks(latest, zone, weekday, clock, weeks=53) != []
    assert _wrong_weeks(latest_digest_slot, zone, weekday, clock, weeks=53) == []


def test_the_walls_are_read_as_the_zones_say() -> None:
    """Berlin 2026, by the law: 29 March and 25 October at 1:00 UTC. Source: Directive 2000/84/EC."""
    berlin = [(since, ahead) for since, ahead in wall.changes("Europe/Berlin") if since.year == 2026]

    assert berlin == [
        (datetime(2026, 3, 29, 1, tzinfo=UTC), timedelta(hours=2)),
        (datetime(2026, 10, 25, 1, tzinfo=UTC), timedelta(hours=1)),
    ]
    left_out, twice = date(2026, 3, 29), date(2026, 10, 25)
    assert wall.instant(left_out, time(2, 30), "Europe/Berlin") == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert wall.instant(twice, time(2, 30), "Europe/Berlin") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def _made(week_of: Callable[[datetime], date], ticks: Iterable[datetime]) -> list[date]:
    """Play what the tick does: make the newest week that is due, unless it, or a later one, was made."""
    made: list[date] = []
    for now in ticks:
        week = week_of(now)
        if not made or week > made[-1]:
            made.append(week)
    return made


def test_clock_jumps_and_downtime_skip_no_week_that_has_a_tick(size: Size) -> None:
    chance = random.Random(7)
    for zone in _zones(size):
        weekday, clock = chance.randrange(7), chance.choice(HALF_HOURS)
        seen = [*_jumping(chance, weeks=size(20, 150), hours=4)]

        made = _made(partial(_week_due, zone=zone, weekday=weekday, clock=clock), seen)

        expected = partial(wall.newest_week, zone=zone, weekday=weekday, clock=clock)
        assert made == _made(expected, seen), zone


def _week_due(now: datetime, *, zone: str, weekday: int, clock: time) -> date:
    return latest_digest_slot(now, zone=zone, weekday=weekday, clock=clock)[0]


def _jumping(chance: random.Random, *, weeks: int, hours: int) -> Iterator[datetime]:
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
            now += timedelta(hours=chance.randrange(1, 2 * hours), minutes=chance.randrange(60))


@dataclass(slots=True)
class Channel:
    """What a channel chose, and the weeks that it must have a digest of, told by what the walls show."""

    name: ChannelId
    settings: ChannelSettings
    version: int = 0
    expected: list[date] = field(default_factory=list)

    def expects(self, now: datetime) -> None:
        weekday, clock, zone = self.settings.digest_slot
        week = wall.newest_week(now, zone=str(zone), weekday=weekday, clock=clock)
        if not self.expected or week > self.expected[-1]:
            self.expected.append(week)


def test_every_channel_has_one_digest_a_week_however_often_it_moves_it(
    migrated_sqlite: Path, tmp_path: Path, size: Size
) -> None:
    chance, database = random.Random(11), _copied(migrated_sqlite, tmp_path)
    named = [Channel(ChannelId(f"C{zone}"), ChannelSettings(zone=zone)) for zone in STRANGE]
    _begin(database, named)

    for now in _jumping(chance, weeks=size(26, 150), hours=20):
        moves = [one for one in named if chance.random() < 0.1]
        _moves(database, moves, chance)
        _ticks(database, now)
        for one in named:
            one.expects(now)

    made = _digests(database)
    database.dispose()
    assert made == {(one.name, week): 1 for one in named for week in one.expected}


def test_control_without_its_claim_a_week_is_told_again(migrated_sqlite: Path, tmp_path: Path) -> None:
    database, now = _copied(migrated_sqlite, tmp_path), datetime(2026, 3, 3, tzinfo=UTC)
    one = Channel(ChannelId("C1"), ChannelSettings(zone="UTC"))
    _begin(database, [one])

    for _ in range(2):
        _ticks(database, now)
        one.expects(now)
        with database.writing() as tx:
            tx.execute(delete(schema.digests))
            tx.execute(update(schema.digest_channels).values(newest_monday=None))

    made = _digests(database)
    database.dispose()
    assert made != {(one.name, week): 1 for week in one.expected}


def _copied(migrated: Path, folder: Path) -> Database:
    shutil.copy(migrated, folder / "labcoat.db")
    return Database(f"sqlite:///{folder / 'labcoat.db'}")


def _begin(database: Database, named: Sequence[Channel]) -> None:
    """Give each channel a hypothesis that stays open, so that no digest is silent."""
    long_ago = datetime(2025, 12, 1, tzinfo=UTC)
    with database.writing() as tx:
        for number, one in enumerate(named, start=1):
            stored(tx, a_dossier(number=number, channel=one.name, filed_at=long_ago), at=long_ago)
            channels.save(tx, WORKSPACE, one.name, one.settings, version=0)
            one.version = 1


def _moves(database: Database, moved: Sequence[Channel], chance: random.Random) -> None:
    with database.writing() as tx:
        for one in moved:
            weekday, clock, zone = chance.randrange(7), chance.choice(HALF_HOURS), chance.choice(STRANGE)
            one.settings = ChannelSettings(zone=zone, digest_weekday=weekday, digest_time=clock)
            channels.save(tx, WORKSPACE, one.name, one.settings, version=one.version)
            one.version += 1


def _ticks(database: Database, now: datetime) -> None:
    """Do what the clock's job does, with a process that comes too late to each of them."""
    with database.reading() as tx:
        due = digests.due(tx, zone="UTC", now=now)
    for _ in range(2):
        for workspace, named in due.items():
            with database.writing() as tx:
                digests.send_due(tx, workspace, named, zone="UTC", now=now)
                # A digest that is sent would not keep its double out, as one that waits does.
                tx.execute(update(schema.outbox).values(state=outbox.SENT, finished_at=now))


def _digests(database: Database) -> Counter[tuple[ChannelId, date]]:
    """Return how many digests of each week each channel is told."""
    column = schema.outbox.c
    query = select(column.channel, column.subject).where(column.kind == NoticeKind.DIGEST)
    with database.reading() as tx:
        return Counter((channel, date.fromisoformat(subject[-10:])) for channel, subject in tx.execute(query))


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
    ours = _made(partial(_week_due, zone=zone, weekday=weekday, clock=clock), ticks)

    assert by_cron[week] == times
    assert week in ours


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
