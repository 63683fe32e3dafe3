"""Looks and data that are not complete yet: how far a look needs them, how long it waits, and for what."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from labcoat.domain import schedule

MOST_HOURS, MOST_HOURS_IF_FINAL = timedelta(hours=24), timedelta(hours=72)
"""A look is made then with what there is."""
ASKED_EVERY = timedelta(minutes=15)
_LONGEST_DAY = timedelta(hours=25)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyAfter:
    """When a source's load of each day is done, on local clocks; it then has the data of all days before.

    zone: whose clocks and days these are; None for the plan's.
    """

    clock: time
    zone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Short:
    """A source whose data end before a look's do. complete_to: none are missing before it.

    ready_at: when the rest is promised, None where nobody says.
    """

    source: str
    complete_to: datetime
    ready_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """A look that waits for its data.

    slot: of the first look that waited; later ones took its place. until: it is made then, whatever there is.
    """

    slot: datetime
    until: datetime
    is_final: bool
    short: tuple[Short, ...]

    @property
    def is_promised(self) -> bool:
        """Whether all that is missing has an hour at which it will be there."""
        return all(one.ready_at is not None for one in self.short)


def promised(ready: ReadyAfter, *, source: str, needed: datetime, zone: str, now: datetime) -> Short:
    """Return how far a source with a `ready_after` is complete now, and when it will be up to `needed`."""
    zone = ready.zone or zone
    today = schedule.local_date(now, zone)
    is_loaded = schedule.at_local(today, ready.clock, zone) <= now
    complete_to = schedule.midnight(today if is_loaded else today - timedelta(days=1), zone)
    day = schedule.local_date(needed, zone)
    if schedule.midnight(day, zone) < needed:
        day += timedelta(days=1)
    return Short(source=source, complete_to=complete_to, ready_at=schedule.at_local(day, ready.clock, zone))


def start_of_day(slot: datetime, zone: str) -> datetime:
    """Return how far a daily look needs its data: to where its day begins in its zone, or in UTC if that is earlier.

    Many warehouses end their days by UTC, which in the west is after a morning's look began its own day.

    >>> start_of_day(datetime(2026, 12, 1, 13, tzinfo=UTC), "America/New_York").isoformat()
    '2026-12-01T00:00:00+00:00'
    """
    return min(schedule.midnight(schedule.local_date(slot, one), one) for one in (zone, "UTC"))


def wait_for(short: Sequence[Short], *, slot: datetime, is_final: bool, known: Wait | None) -> Wait:
    """Return the wait of a look, which goes on from a known one of its kind unless a day was missed in between."""
    is_same = known is not None and known.is_final is is_final and (is_final or slot <= known.slot + _LONGEST_DAY)
    first = known.slot if known is not None and is_same else slot
    until = first + (MOST_HOURS_IF_FINAL if is_final else MOST_HOURS)
    return Wait(slot=first, until=until, is_final=is_final, short=tuple(short))


def next_try(wait: Wait, now: datetime) -> datetime:
    """Return when to ask again: once all that is promised is there, else at the next quarter of an hour.

    Quarters of the clock, so that the looks that wait for one source share one question.
    """
    quarter = now - (now - _EPOCH) % ASKED_EVERY + ASKED_EVERY
    there = [one.ready_at for one in wait.short if one.ready_at is not None]
    return min(max(there) if wait.is_promised else quarter, wait.until)
