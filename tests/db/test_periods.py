"""A week is made once and a person's day is taken once, whoever is first."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date, timedelta
from threading import Barrier

import pytest
from sqlalchemy import select

import postgres
from builders import CHANNEL, LEAD, NOW, OTHER, OWNER, WORKSPACE
from labcoat.db import deliveries, periods
from labcoat.db.database import Database, Transaction
from labcoat.db.deliveries import AlreadyHandledError
from labcoat.db.periods import MadeDigest
from labcoat.db.tables import schema
from labcoat.domain.ids import ChannelId

MONDAY = date(2026, 11, 23)
REPLICAS = 4


def _make_week(database: Database, *, monday: date = MONDAY, wait: Callable[[], object] = lambda: None) -> bool:
    with database.writing() as tx:
        held = periods.hold_channels(tx, WORKSPACE, [CHANNEL])
        wait()
        mine = [one.channel for one in held if one.newest is None or one.newest < monday]
        made = MadeDigest(monday=monday, made_at=NOW, said_nothing_open=monday == MONDAY)
        periods.add_digests(tx, WORKSPACE, dict.fromkeys(mine, made))
        return bool(mine)


def _home(database: Database) -> None:
    with database.writing() as tx:
        periods.add_channel(tx, WORKSPACE, CHANNEL, first_filed_at=NOW)


def test_a_channels_week_is_made_once(database: Database) -> None:
    _home(database)
    assert _make_week(database, monday=MONDAY - timedelta(days=7))
    assert _make_week(database)
    assert not _make_week(database)


def test_a_week_is_made_once_by_replicas_at_the_same_time(database: Database) -> None:
    _home(database)
    all_ready = Barrier(REPLICAS)

    def make(_: int) -> bool:
        all_ready.wait(timeout=10)
        return _make_week(database)

    with ThreadPoolExecutor(REPLICAS) as threads:
        assert sum(threads.map(make, range(REPLICAS))) == 1


def test_a_channel_that_another_replica_holds_is_left_to_it(postgres_server: postgres.Server) -> None:
    with postgres_server.shared_database() as url:
        database = Database(url)
        _home(database)
        with ThreadPoolExecutor(1) as other:
            assert _make_week(database, wait=lambda: _is_left(other, database))
        database.dispose()


def _is_left(other: ThreadPoolExecutor, database: Database) -> None:
    assert not other.submit(_make_week, database).result(timeout=10)


def _claim_day(database: Database, day: date, *, most_a_week: int | None = 2) -> bool:
    with database.writing() as tx:
        return periods.claim_nudge_day(tx, WORKSPACE, OWNER, day, most_a_week=most_a_week)


def _days(tx: Transaction) -> list[date]:
    return list(tx.execute(select(schema.nudge_days.c.day)).scalars())


def test_a_persons_day_is_claimed_once_by_replicas_at_the_same_time(database: Database) -> None:
    all_ready = Barrier(REPLICAS)

    def claim(_: int) -> bool:
        all_ready.wait(timeout=10)
        return _claim_day(database, MONDAY)

    with ThreadPoolExecutor(REPLICAS) as threads:
        assert sum(threads.map(claim, range(REPLICAS))) == 1


def test_of_a_persons_week_two_days_are_claimed_by_replicas_at_the_same_time(database: Database) -> None:
    all_ready = Barrier(REPLICAS)

    def claim(place: int) -> bool:
        all_ready.wait(timeout=10)
        return _claim_day(database, MONDAY + timedelta(days=place))

    with ThreadPoolExecutor(REPLICAS) as threads:
        assert 1 <= sum(threads.map(claim, range(REPLICAS))) <= 2
    with database.reading() as tx:
        assert len(_days(tx)) <= 2


def test_a_week_has_two_days_and_the_next_has_two_of_its_own(database: Database) -> None:
    taken = [_claim_day(database, MONDAY + timedelta(days=place)) for place in range(9)]

    assert taken == [True, True, False, False, False, False, False, True, True]


def test_what_was_told_already_counts_and_is_never_refused(database: Database) -> None:
    told = [_claim_day(database, MONDAY + timedelta(days=place), most_a_week=None) for place in range(3)]

    assert told == [True, True, True]
    assert not _claim_day(database, MONDAY + timedelta(days=3))


def test_what_else_a_transaction_wrote_survives_a_lost_claim(database: Database) -> None:
    with database.writing() as tx:
        assert periods.claim_nudge_day(tx, WORKSPACE, OWNER, MONDAY, most_a_week=2)

    with database.writing() as tx:
        assert periods.claim_nudge_day(tx, WORKSPACE, LEAD, MONDAY, most_a_week=2)
        assert not periods.claim_nudge_day(tx, WORKSPACE, OWNER, MONDAY, most_a_week=2)
        assert periods.claim_nudge_day(tx, WORKSPACE, OTHER, MONDAY, most_a_week=2)

    with database.reading() as tx:
        assert _days(tx) == [MONDAY] * 3


def test_the_newest_week_is_remembered(database: Database) -> None:
    _home(database)
    _make_week(database, monday=date(2026, 11, 16))
    _make_week(database)

    with database.reading() as tx:
        newest = periods.newest_digests(tx, WORKSPACE, [CHANNEL, ChannelId("C2")])

    assert newest == {CHANNEL: MadeDigest(monday=MONDAY, made_at=NOW, said_nothing_open=True)}


def _accept(database: Database, key: str = "delivery") -> None:
    with database.writing() as tx:
        periods.claim_nudge_day(tx, WORKSPACE, OWNER, MONDAY, most_a_week=2)
        deliveries.accept(tx, key, at=NOW)


def test_a_replayed_delivery_has_no_second_effect(database: Database) -> None:
    with database.writing() as tx:
        deliveries.accept(tx, "delivery", at=NOW)

    with pytest.raises(AlreadyHandledError):
        _accept(database)

    with database.reading() as tx:
        assert _days(tx) == []


def test_of_two_exact_replays_at_the_same_time_one_has_an_effect(database: Database) -> None:
    both_ready = Barrier(2)

    def accept(_: int) -> bool:
        both_ready.wait(timeout=10)
        try:
            _accept(database)
        except AlreadyHandledError:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(accept, range(2))) == [False, True]


def test_a_delivery_whose_effect_failed_may_come_again(database: Database) -> None:
    with suppress(ZeroDivisionError), database.writing() as tx:
        deliveries.accept(tx, "delivery", at=NOW)
        raise ZeroDivisionError

    _accept(database)


def test_old_deliveries_are_forgotten(database: Database) -> None:
    _accept(database)
    with database.writing() as tx:
        deliveries.forget(tx, before=NOW)
    with pytest.raises(AlreadyHandledError):
        _accept(database)

    with database.writing() as tx:
        deliveries.forget(tx, before=NOW.replace(hour=13))
        deliveries.accept(tx, "delivery", at=NOW)
