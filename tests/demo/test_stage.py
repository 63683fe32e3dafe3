"""When the demo begins, where its time stops on the way, and what its documentation promises."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from labcoat.demo import past, people
from labcoat.demo.bot import next_stop
from labcoat.demo.stage import OPENING_DAYS, opening_morning

BERLIN = ZoneInfo(people.ZONE)


@pytest.mark.parametrize("days", range(14))
def test_opening_begins_on_a_tuesday_and_ends_on_the_newest_thursday(days: int) -> None:
    today = datetime(2026, 11, 16, 12, tzinfo=UTC) + timedelta(days=days)

    begins = opening_morning(today).astimezone(BERLIN)
    ends = begins + timedelta(days=OPENING_DAYS)

    assert (begins.weekday(), begins.hour, ends.weekday()) == (1, 9, 3)
    assert timedelta(0) <= today.date() - ends.date() < timedelta(days=7)


def test_time_stops_where_something_is_due() -> None:
    at = datetime(2026, 11, 22, 21, tzinfo=BERLIN)
    stops = []
    for _ in range(6):
        at = next_stop(at.astimezone(UTC)).astimezone(BERLIN)
        stops.append(f"{at:%a %H:%M}")

    assert stops == ["Mon 08:00", "Mon 09:30", "Mon 10:00", "Mon 14:00", "Mon 20:00", "Tue 08:00"]


def test_stops_follow_the_change_of_clocks() -> None:
    before = datetime(2026, 10, 24, 21, tzinfo=BERLIN)  # summer time ends that night

    assert next_stop(before.astimezone(UTC)) == datetime(2026, 10, 25, 7, tzinfo=UTC)


def test_page_about_the_sandbox_counts_the_past_right() -> None:
    page = (Path(__file__).parents[2] / "docs/sandbox.md").read_text(encoding="utf-8")

    assert f"{past.HYPOTHESES} hypotheses of the past year" in page
