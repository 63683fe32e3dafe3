"""Local slots: at the same time on the zone's clocks on every day, across every change of daylight saving time."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labcoat.domain.schedule import (
    add_working_days,
    at_local,
    day_of_slot,
    days_between,
    is_quiet_at,
    is_working_day,
    latest_digest_slot,
    latest_look_slot,
    local_date,
    next_digest_slot,
    next_look_slot,
    nudge_slot,
)

HOUR = timedelta(hours=1)
ZONES = ("Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kolkata")

# Changes of daylight saving time, by the IANA database: zone, the local day, the hour asked for, the expected instant.
CHANGES = [
    # Berlin goes from 02:00 to 03:00 on 29 March 2026, and from 03:00 to 02:00 on 25 October.
    ("Europe/Berlin", date(2026, 3, 28), 8, "2026-03-28T07:00"),
    ("Europe/Berlin", date(2026, 3, 29), 8, "2026-03-29T06:00"),
    ("Europe/Berlin", date(2026, 3, 29), 2, "2026-03-29T01:00"),  # 02:00 is skipped: an hour later, at 03:00
    ("Europe/Berlin", date(2026, 10, 25), 8, "2026-10-25T07:00"),
    ("Europe/Berlin", date(2026, 10, 25), 2, "2026-10-25T00:00"),  # 02:00 is there twice: the first
    # Sao Paulo went from 00:00 to 01:00 on 4 November 2018, and from 00:00 to 23:00 on 17 February 2018.
    ("America/Sao_Paulo", date(2018, 11, 4), 0, "2018-11-04T03:00"),
    ("America/Sao_Paulo", date(2018, 11, 4), 8, "2018-11-04T10:00"),
    ("America/Sao_Paulo", date(2018, 2, 17), 23, "2018-02-18T01:00"),
    ("America/Sao_Paulo", date(2018, 2, 18), 8, "2018-02-18T11:00"),
    # Lord Howe moves by half an hour: from 02:00 to 02:30 on 4 October 2026, from 02:00 to 01:30 on 5 April.
    ("Australia/Lord_Howe", date(2026, 10, 4), 2, "2026-10-03T15:30"),
    ("Australia/Lord_Howe", date(2026, 10, 4), 8, "2026-10-03T21:00"),
    ("Australia/Lord_Howe", date(2026, 4, 5), 8, "2026-04-04T21:30"),
]


@pytest.mark.parametrize(("zone", "day", "hour", "expected"), CHANGES)
def test_a_slot_keeps_its_local_time_across_a_change(zone: str, day: date, hour: int, expected: str) -> None:
    assert at_local(day, time(hour), zone) == datetime.fromisoformat(f"{expected}+00:00")


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("hour", [0, 2, 8, 23])
def test_there_is_one_look_a_local_day(zone: str, hour: int) -> None:
    since = datetime(2018, 1, 1, tzinfo=UTC)
    slots = set()
    for tick in range(24 * 366):
        slot = latest_look_slot(since + tick * HOUR, since=since, zone=zone, hour=hour)
        if slot is not None:
            assert slot <= since + tick * HOUR
            slots.add(slot)

    days = [local_date(slot, zone) for slot in sorted(slots)]
    assert days == [days[0] + timedelta(days=index) for index in range(len(days))]
    assert len(days) in (365, 366)


@pytest.mark.parametrize("zone", ZONES)
def test_the_next_look_is_the_first_slot_that_is_to_come(zone: str) -> None:
    since = datetime(2026, 1, 1, tzinfo=UTC)
    for tick in range(0, 24 * 366, 5):
        now = since + tick * HOUR
        coming = next_look_slot(now, since=since, zone=zone, hour=8)

        assert coming > now
        assert coming.astimezone(ZoneInfo(zone)).hour == 8
        assert latest_look_slot(coming, since=since, zone=zone, hour=8) == coming
        assert latest_look_slot(coming - timedelta(seconds=1), since=since, zone=zone, hour=8) != coming


def test_there_is_no_look_slot_before_the_start() -> None:
    since = datetime(2026, 7, 6, 6, tzinfo=UTC)  # Berlin's 08:00 exactly

    assert latest_look_slot(since, since=since, zone="Europe/Berlin", hour=8) is None
    assert latest_look_slot(since + 23 * HOUR, since=since, zone="Europe/Berlin", hour=8) is None
    assert latest_look_slot(since + 24 * HOUR, since=since, zone="Europe/Berlin", hour=8) == since + 24 * HOUR


def test_an_experiment_of_the_future_is_looked_at_after_its_start() -> None:
    since = datetime(2026, 7, 8, 12, tzinfo=UTC)

    coming = next_look_slot(since - 50 * HOUR, since=since, zone="UTC", hour=8)

    assert coming == datetime(2026, 7, 9, 8, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])
def test_a_digest_is_due_once_in_every_local_week(zone: str) -> None:
    start = datetime(2025, 1, 1, tzinfo=UTC)
    made: list[date] = []
    for tick in range(24 * 365 * 3):
        monday, slot = latest_digest_slot(start + tick * HOUR, zone=zone)
        if not made or monday > made[-1]:
            made.append(monday)
            assert monday.weekday() == 0
            local = slot.astimezone(ZoneInfo(zone))
            assert (local.date(), local.time()) == (monday, time(9, 30))
            assert len(made) == 1 or start + tick * HOUR - slot < HOUR

    assert made == [made[0] + timedelta(weeks=week) for week in range(len(made))]
    assert len(made) == 157  # 156 weeks begin in the three years, and one had begun before


SETTINGS = st.tuples(
    st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]),
    st.integers(0, 6),
    st.times(time(0), time(23, 59)),
)


def _simulated(changes: list[tuple[int, tuple[str, int, time]]]) -> list[tuple[datetime, date]]:
    """Return when digests are made, and for which week, while a channel changes its mind at these hours."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    changing, (zone, weekday, clock) = dict(changes), ("Europe/Berlin", 0, time(9, 30))
    made: list[tuple[datetime, date]] = []
    for tick in range(24 * 7 * 20):
        zone, weekday, clock = changing.get(tick, (zone, weekday, clock))
        monday, _ = latest_digest_slot(start + tick * HOUR, zone=zone, weekday=weekday, clock=clock)
        if not made or monday > made[-1][1]:
            made.append((start + tick * HOUR, monday))
    return made


@given(st.lists(st.tuples(st.integers(0, 24 * 7 * 20), SETTINGS), max_size=6))
@settings(max_examples=60, deadline=None)
def test_a_week_has_one_digest_however_often_its_time_changes(changes: list[tuple[int, tuple[str, int, time]]]) -> None:
    weeks = [monday for _, monday in _simulated(changes)]

    assert all(monday.weekday() == 0 for monday in weeks)
    assert len(weeks) == len(set(weeks))  # none twice
    # None is missing, but where a channel moves between zones in the very hours that a week begins.
    assert all(later - earlier <= timedelta(weeks=2) for earlier, later in pairwise(weeks))


@given(st.lists(st.tuples(st.integers(0, 24 * 7 * 20), st.integers(0, 6), st.integers(0, 23)), max_size=6))
@settings(max_examples=60, deadline=None)
def test_in_one_zone_every_week_has_its_digest(changes: list[tuple[int, int, int]]) -> None:
    made = _simulated([(tick, ("Europe/Berlin", weekday, time(hour))) for tick, weekday, hour in changes])

    weeks = [monday for _, monday in made]
    assert weeks == [weeks[0] + timedelta(weeks=index) for index in range(len(weeks))]


@pytest.mark.parametrize("weekday", range(7))
def test_a_digest_comes_on_the_chosen_weekday_and_time(weekday: int) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for tick in range(0, 24 * 366, 7):
        now = start + tick * HOUR
        monday, slot = latest_digest_slot(now, zone="Europe/Berlin", weekday=weekday, clock=time(15, 30))
        local = slot.astimezone(ZoneInfo("Europe/Berlin"))

        assert slot <= now < slot + timedelta(days=7, hours=1)
        assert (local.weekday(), local.time()) == (weekday, time(15, 30))
        assert local.date() - monday == timedelta(days=weekday)


@pytest.mark.parametrize(
    ("made", "weekday", "expected"),
    [
        # It is Wednesday, 25 November 2026, 12:00; clocks show 09:30 when it comes.
        (date(2026, 11, 23), 0, "2026-11-30T09:30"),  # made on Monday: the next Monday
        (date(2026, 11, 23), 4, "2026-12-04T09:30"),  # moved to Friday: not this one, whose week has its digest
        (date(2026, 11, 16), 4, "2026-11-27T09:30"),  # not made yet: this Friday
        (date(2026, 11, 16), 1, "2026-11-25T12:00"),  # moved from Friday to Tuesday, which has passed: now
        (None, 0, "2026-11-30T09:30"),  # a channel without any
    ],
)
def test_when_the_next_digest_comes(made: date | None, weekday: int, expected: str) -> None:
    now = datetime(2026, 11, 25, 12, tzinfo=UTC)

    assert next_digest_slot(now, zone="UTC", weekday=weekday, made=made) == datetime.fromisoformat(f"{expected}+00:00")


@pytest.mark.parametrize(
    ("earliest", "quiet", "expected"),
    [
        # Wednesday is 25 November 2026.
        ("2026-11-25T08:00", None, "2026-11-25T10:00"),
        ("2026-11-25T08:00", (18, 9), "2026-11-25T10:00"),  # ten is after them
        ("2026-11-25T08:00", (9, 12), "2026-11-25T12:00"),  # at their end
        ("2026-11-25T11:00", (9, 12), "2026-11-25T12:00"),  # which is still to come
        ("2026-11-25T13:00", (9, 12), "2026-11-26T12:00"),
        ("2026-11-25T08:00", (10, 8), "2026-11-25T08:00"),  # Tuesday's, at the end of the night
        ("2026-11-27T09:00", (10, 8), "2026-12-01T08:00"),  # Friday's would come on Saturday: on Tuesday
    ],
)
def test_quiet_hours_move_a_nudge_to_their_end(earliest: str, quiet: tuple[int, int] | None, expected: str) -> None:
    slot = nudge_slot(datetime.fromisoformat(f"{earliest}+00:00"), zone="UTC", quiet=quiet)

    assert slot == datetime.fromisoformat(f"{expected}+00:00")


@pytest.mark.parametrize("quiet", [(start, end) for start in range(24) for end in range(24) if start != end])
def test_no_nudge_comes_in_quiet_hours_nor_outside_its_days(quiet: tuple[int, int]) -> None:
    for day in range(8):
        earliest = datetime(2026, 3, 26, 17, tzinfo=UTC) + timedelta(days=day)  # over a change of the clocks
        slot = nudge_slot(earliest, zone="Europe/Berlin", quiet=quiet)
        local = slot.astimezone(ZoneInfo("Europe/Berlin"))

        assert slot >= earliest
        assert 1 <= local.weekday() <= 4
        assert not is_quiet_at(slot, zone="Europe/Berlin", quiet=quiet)


@pytest.mark.parametrize(
    ("day", "is_working"), [(date(2026, 11, 20), True), (date(2026, 11, 21), False), (date(2026, 11, 22), False)]
)
def test_people_work_from_monday_to_friday(day: date, *, is_working: bool) -> None:
    assert is_working_day(day) is is_working


@pytest.mark.parametrize(
    ("moment", "days", "expected"),
    [
        ("2026-11-18T09:00", 1, "2026-11-19T09:00"),  # Wednesday: Thursday
        ("2026-11-20T09:00", 1, "2026-11-23T09:00"),  # Friday: Monday
        ("2026-11-20T09:00", 10, "2026-12-04T09:00"),  # two weeks
        ("2026-11-21T09:00", 0, "2026-11-23T09:00"),  # Saturday counts as Monday
        ("2026-11-22T09:00", 1, "2026-11-23T09:00"),  # the working day after a Sunday is Monday
    ],
)
def test_working_days_leave_weekends_out(moment: str, days: int, expected: str) -> None:
    start = datetime.fromisoformat(f"{moment}+00:00")

    assert add_working_days(start, days, zone="UTC") == datetime.fromisoformat(f"{expected}+00:00")


def test_working_days_keep_the_local_time_across_a_change() -> None:
    friday = datetime(2026, 3, 27, 14, tzinfo=UTC)  # 15:00 in Berlin, before summer time

    assert add_working_days(friday, 1, zone="Europe/Berlin") == datetime(2026, 3, 30, 13, tzinfo=UTC)


def test_the_weekend_is_the_zones_own() -> None:
    friday_evening_in_new_york = datetime(2026, 11, 21, 1, tzinfo=UTC)

    after = add_working_days(friday_evening_in_new_york, 1, zone="America/New_York")

    assert after == datetime(2026, 11, 24, 1, tzinfo=UTC)


@pytest.mark.parametrize("zone", ZONES)
def test_nudges_come_at_ten_from_tuesday_to_friday_only(zone: str) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for tick in range(0, 24 * 366, 3):
        earliest = start + tick * HOUR
        local = nudge_slot(earliest, zone=zone).astimezone(ZoneInfo(zone))

        assert local >= earliest
        assert local.time() == time(10)
        assert 1 <= local.weekday() <= 4
        assert local - earliest <= timedelta(days=4)


def test_the_slot_nearest_the_planned_end_is_the_final_day() -> None:
    since = datetime(2026, 11, 2, 16, tzinfo=UTC)  # Monday 17:00 in Berlin; looked at from Tuesday 08:00 on
    days = []
    for index in range(1, 8):
        slot = at_local(date(2026, 11, 2) + timedelta(days=index), time(8), "Europe/Berlin")
        days.append(day_of_slot(slot, since=since))

    assert days == [1, 2, 3, 4, 5, 6, 7]


def test_days_between_two_instants_are_not_rounded() -> None:
    since = datetime(2026, 11, 2, 16, tzinfo=UTC)

    assert days_between(since, since + timedelta(hours=36)) == 1.5
