"""The outbox: in order per target, one holder at a time, nothing twice and nothing lost."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Select, func, insert, select, text, update

import postgres
from builders import CHANNEL, H12, LEAD, OTHER, OWNER, WORKSPACE
from labcoat.db import backlog, clock, due_notices, outbox, undelivered
from labcoat.db.clock import machine_now
from labcoat.db.database import Database
from labcoat.db.outbox import CLOCKS_APART, Claim, UncertainWindow
from labcoat.db.tables import schema
from labcoat.domain.facts import BegunWithMessage, HomeChanged
from labcoat.domain.ids import ChannelId, UserId, WorkspaceId
from labcoat.domain.notice import Notice, NoticeKind

LEASE = timedelta(seconds=60)
LATER = machine_now() + timedelta(hours=1)
"""When everything that is put below may be claimed."""


def a_notice(
    word: str = "one",
    *,
    channel: ChannelId | None = CHANNEL,
    person: UserId | None = None,
    subject: str | None = None,
    workspace: WorkspaceId = WORKSPACE,
) -> Notice:
    return Notice(
        kind=NoticeKind.STORY if subject is None else NoticeKind.CARD,
        workspace=workspace,
        channel=None if person else channel,
        person=person,
        subject=subject,
        parent="card H-12",
        is_loud=True,
        fact=BegunWithMessage(hypothesis=H12, link=word, author=""),
    )


def word_of(claim: outbox.Claim) -> str:
    assert isinstance(claim.notice.fact, BegunWithMessage)
    return claim.notice.fact.link


def put(database: Database, *notices: Notice) -> None:
    with database.writing() as tx:
        for notice in notices:
            outbox.put(tx, notice)


def claim(database: Database, *, at: datetime = LATER) -> Claim | None:
    with database.writing() as tx:
        return outbox.claim(tx, at=at, lease=LEASE)


def claimed(database: Database, *, at: datetime = LATER) -> Claim:
    found = claim(database, at=at)
    assert found is not None
    return found


def settle(database: Database, one: Claim, *, ts: str = "1.2") -> None:
    with database.writing() as tx:
        outbox.settle(tx, one, channel=CHANNEL, ts=ts)


def counts(database: Database) -> dict[str, int]:
    with database.reading() as tx:
        return outbox.count(tx)


def test_a_notice_comes_back_as_it_was_put(database: Database) -> None:
    put(database, a_notice(subject="card H-12"))

    one = claimed(database)

    assert one.notice == a_notice(subject="card H-12")
    assert (one.attempts, one.failures, one.may_be_sent, one.claimed_at) == (1, 0, False, LATER)


def test_a_target_is_told_in_order_and_one_at_a_time(database: Database) -> None:
    put(database, a_notice("one"), a_notice("two"))

    first = claimed(database)
    meanwhile = claim(database)
    settle(database, first)
    second = claimed(database)

    assert meanwhile is None
    assert [word_of(one) for one in (first, second)] == ["one", "two"]


@pytest.mark.parametrize(
    "other",
    [
        a_notice("two", channel=ChannelId("C2")),
        a_notice("two", person=OWNER),
        a_notice("two", workspace=WorkspaceId("T2")),
    ],
)
def test_other_targets_do_not_wait(database: Database, other: Notice) -> None:
    put(database, a_notice("one"), other)

    claimed(database)

    assert claimed(database).notice == other


def test_a_person_waits_only_for_their_own(database: Database) -> None:
    put(database, a_notice("one", person=OWNER), a_notice("two", person=LEAD), a_notice("three", person=OWNER))

    words = [word_of(claimed(database)) for _ in range(2)]

    assert words == ["one", "two"]
    assert claim(database) is None


def test_nothing_is_claimed_before_its_time(database: Database) -> None:
    put(database, a_notice())
    one = claimed(database)
    with database.writing() as tx:
        outbox.retry(tx, one, at=LATER + LEASE, may_be_sent=False, problem="rate limit")

    assert claim(database, at=LATER + LEASE - timedelta(seconds=1)) is None
    assert claimed(database, at=LATER + LEASE).attempts == 2


@pytest.mark.parametrize("may_be_sent", [True, False])
def test_a_retry_knows_whether_slack_may_have_taken_it(database: Database, *, may_be_sent: bool) -> None:
    put(database, a_notice("one"), a_notice("two"))
    with database.writing() as tx:
        one = outbox.claim(tx, at=LATER, lease=LEASE)
        assert one is not None
        outbox.retry(tx, one, at=LATER, may_be_sent=may_be_sent, problem="connection dropped")

    again = claimed(database)

    assert (again.id, again.key, again.may_be_sent) == (one.id, one.key, may_be_sent)


def test_the_day_that_ends_the_tries_begins_with_the_first(database: Database) -> None:
    put(database, a_notice())
    monday = LATER + timedelta(days=3)

    first = claimed(database, at=monday)
    with database.writing() as tx:
        outbox.retry(tx, first, at=monday + LEASE, may_be_sent=False, problem="connection dropped")
    second = claimed(database, at=monday + LEASE)

    assert (first.tried_since, second.tried_since) == (monday, monday)


def test_a_look_up_that_stopped_goes_on_where_it_was(database: Database) -> None:
    put(database, a_notice())
    one = claimed(database)
    doubt = UncertainWindow(since=LATER, until=LATER + LEASE, cursor="page 7")
    with database.writing() as tx:
        outbox.retry(tx, one, at=LATER, may_be_sent=True, problem="ratelimited", doubt=doubt)

    again = claimed(database)
    with database.writing() as tx:
        outbox.retry(tx, again, at=LATER, may_be_sent=False, problem="connection dropped")

    assert again.doubt == doubt
    assert claimed(database).doubt == UncertainWindow(since=LATER - CLOCKS_APART)


def test_what_a_dead_process_had_may_have_been_sent_while_its_lease_ran(database: Database) -> None:
    put(database, a_notice())
    claimed(database)

    again = claimed(database, at=LATER + timedelta(days=9))

    assert again.doubt == UncertainWindow(since=LATER - CLOCKS_APART, until=LATER + LEASE + CLOCKS_APART)


@pytest.mark.parametrize("is_being_sent", [True, False])
def test_a_dead_edit_is_left_to_a_newer_one_of_its_subject(database: Database, *, is_being_sent: bool) -> None:
    card = a_notice(subject="card H-12")
    put(database, card)
    dead = claimed(database)
    with database.writing() as tx:
        outbox.dead_letter(tx, dead, problem="not_in_channel", may_be_sent=False)
    put(database, card, a_notice())
    newer = claimed(database) if is_being_sent else None

    with database.writing() as tx:
        retried = undelivered.retry(tx, number=dead.id)

    assert retried == 1
    assert (claim(database) is None) == is_being_sent
    assert newer is None or newer.id != dead.id
    assert counts(database) == {"sending": 1, "pending": 1}


def test_the_oldest_does_not_seem_older_after_a_retry_by_hand(database: Database) -> None:
    put(database, a_notice())
    one = claimed(database)
    with database.writing() as tx:
        outbox.dead_letter(tx, one, problem="not_in_channel", may_be_sent=False)
        tx.execute(update(schema.outbox).values(created_at=LATER - timedelta(days=30)))

    with database.writing() as tx:
        undelivered.retry(tx)
        oldest = backlog.measure(tx).oldest_seconds

    assert oldest < timedelta(minutes=10).total_seconds()


def test_a_retry_that_waits_holds_up_its_target_only(database: Database) -> None:
    put(database, a_notice("one"), a_notice("two"), a_notice("three", person=OWNER))
    one = claimed(database)
    with database.writing() as tx:
        outbox.retry(tx, one, at=LATER + LEASE, may_be_sent=True, problem="connection dropped")

    assert claimed(database).notice.person == OWNER
    assert claim(database) is None


def test_when_a_lease_ends_the_notice_may_have_been_sent(database: Database) -> None:
    put(database, a_notice())
    first = claimed(database)

    assert claim(database, at=LATER + LEASE - timedelta(seconds=1)) is None
    again = claimed(database, at=LATER + LEASE)

    assert (again.id, again.key, again.may_be_sent, again.attempts, again.failures) == (first.id, first.key, True, 2, 1)


def test_only_the_holder_settles(database: Database) -> None:
    put(database, a_notice(subject="card H-12"))
    late = claimed(database)
    holder = claimed(database, at=LATER + LEASE)

    settle(database, late, ts="late")
    unsettled = counts(database)
    settle(database, holder, ts="holder")

    assert (unsettled, counts(database)) == ({"sending": 1}, {"sent": 1})
    with database.reading() as tx:
        post = outbox.find_post(tx, WORKSPACE, "card H-12")
    assert post is not None
    assert post.ts == "holder"


def test_only_the_holder_retries_or_buries(database: Database) -> None:
    put(database, a_notice())
    late = claimed(database)
    claimed(database, at=LATER + LEASE)

    with database.writing() as tx:
        outbox.retry(tx, late, at=LATER, may_be_sent=False, problem="late")
        outbox.dead_letter(tx, late, problem="late", may_be_sent=False)

    assert counts(database) == {"sending": 1}


def test_what_is_settled_stays_settled(database: Database) -> None:
    put(database, a_notice())
    one = claimed(database)
    settle(database, one)

    with database.writing() as tx:
        outbox.dead_letter(tx, one, problem="late", may_be_sent=False)

    assert counts(database) == {"sent": 1}


def test_a_buried_notice_is_seen_and_blocks_nobody(database: Database) -> None:
    put(database, a_notice("one"), a_notice("two"))
    with database.writing() as tx:
        one = outbox.claim(tx, at=LATER, lease=LEASE)
        assert one is not None
        outbox.dead_letter(tx, one, problem="channel_not_found", may_be_sent=False)

    assert word_of(claimed(database)) == "two"
    with database.reading() as tx:
        assert [one.problem for one in undelivered.list_of(tx, limit=9)] == ["channel_not_found"]


def test_a_pending_edit_of_a_subject_is_not_doubled(database: Database) -> None:
    card, other = a_notice(subject="card H-12"), a_notice(subject="card H-13")

    put(database, card, card, other)
    put(database, card, a_notice("one", subject="card H-12", workspace=WorkspaceId("T2")))

    assert counts(database) == {"pending": 3}


def test_an_edit_that_is_being_sent_is_followed_by_another(database: Database) -> None:
    card = a_notice(subject="card H-12")
    put(database, card)
    first = claimed(database)

    put(database, card)
    settle(database, first, ts="1.2")
    second = claimed(database)
    settle(database, second, ts="9.9")

    assert second.id != first.id
    with database.reading() as tx:
        post = outbox.find_post(tx, WORKSPACE, "card H-12")
    assert post is not None
    assert (post.channel, post.ts) == (CHANNEL, "1.2")


def test_a_forgotten_post_is_sent_anew(database: Database) -> None:
    put(database, a_notice(subject="card H-12"))
    settle(database, claimed(database))

    with database.writing() as tx:
        outbox.forget_post(tx, WORKSPACE, "card H-12")

        assert outbox.find_post(tx, WORKSPACE, "card H-12") is None


def test_a_lease_can_be_made_longer_by_its_holder_only(database: Database) -> None:
    put(database, a_notice())
    late = claimed(database)
    with database.writing() as tx:
        is_renewed = outbox.renew(tx, late, until=LATER + 2 * LEASE)

    assert is_renewed
    assert claim(database, at=LATER + LEASE) is None
    claimed(database, at=LATER + 2 * LEASE)
    with database.writing() as tx:
        assert not outbox.renew(tx, late, until=LATER + 3 * LEASE)


def test_a_home_keeps_nobody_s_messages_waiting(database: Database) -> None:
    home = Notice(kind=NoticeKind.HOME, workspace=WORKSPACE, person=OWNER, subject="home UOWNER", fact=HomeChanged())
    put(database, home, a_notice("one", person=OWNER))

    assert [claimed(database).notice.kind for _ in range(2)] == [NoticeKind.HOME, NoticeKind.STORY]


def test_the_one_that_waits_longest_is_told_first(database: Database) -> None:
    put(database, a_notice("one", person=OWNER), a_notice("two", person=LEAD))
    first = claimed(database)
    with database.writing() as tx:
        outbox.retry(tx, first, at=LATER, may_be_sent=False, problem="ratelimited")

    assert [word_of(claimed(database)) for _ in range(2)] == ["two", "one"]


@pytest.mark.parametrize("hours", [-2, 2])
def test_a_process_whose_clock_is_wrong_neither_takes_leases_too_early_nor_keeps_them(
    postgres_server: postgres.Server, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    """On PostgreSQL all go by the database's clock."""
    with postgres_server.shared_database() as url:
        database = Database(url)
        monkeypatch.setattr(clock, "machine_now", lambda: datetime.now(UTC) + timedelta(hours=hours))
        put(database, a_notice())
        with database.writing() as tx:
            mine = outbox.claim(tx, at=clock.lease_now(tx), lease=LEASE)
        monkeypatch.undo()
        with database.writing() as tx:
            now = clock.lease_now(tx)
            others = [outbox.claim(tx, at=now + later, lease=LEASE) for later in (timedelta(0), LEASE + LEASE)]
        database.dispose()

    assert mine is not None
    assert [one is not None for one in others] == [False, True]


def test_a_claim_reads_only_what_is_unfinished(database: Database) -> None:
    """Whatever was told before: 3,000 rows here; benchmarks/tick.py measures with a million."""
    at = LATER - timedelta(hours=2)
    sent = {
        "workspace": WORKSPACE,
        "kind": NoticeKind.STORY,
        "channel": CHANNEL,
        "target": CHANNEL,
        "is_loud": False,
        "details": {},
        "state": outbox.SENT,
        "created_at": at,
        "tried_since": at,
        "next_try_at": at,
        "finished_at": at,
    }
    with database.writing() as tx:
        tx.execute(insert(schema.outbox), [sent | {"key": f"old-{number}"} for number in range(3000)])
    put(database, *(a_notice(str(number)) for number in range(9)))
    if not database.is_sqlite:  # which has no statistics in use either
        with database.writing() as tx:
            tx.execute(text("ANALYZE"))

    plans = [explained(database, query.params(at=LATER)) for query in due_notices.NEXT_DUE]
    plans.append(explained(database, outbox.PENDING_EDITS.params(workspace=WORKSPACE, subjects=["card H-1"])))

    for plan in plans:
        assert "ix_outbox_unfinished" in plan
        assert "Seq Scan" not in plan
        assert "SCAN outbox" not in plan
        assert "SCAN earlier" not in plan
        assert all("ix_outbox_unfinished" in line for line in plan.splitlines() if "SCAN due" in line)


def explained(database: Database, query: Select[Any]) -> str:
    """Return how the database would find it."""
    word = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
    with database.reading() as tx:
        said = query.compile(dialect=tx.dialect, compile_kwargs={"literal_binds": True})
        return "\n".join(str(row[-1]) for row in tx.execute(text(f"{word} {said}".replace(":", "\\:"))))


def test_two_processes_never_hold_the_same_notice(database: Database) -> None:
    people = [UserId(f"U{index}") for index in range(6)]
    put(database, *(a_notice(str(person), person=person) for person in people))
    all_ready = Barrier(3)

    def work(_: int) -> list[int]:
        all_ready.wait(timeout=10)
        mine = []
        while (one := claim(database)) is not None:
            mine.append(one.id)
        return mine

    with ThreadPoolExecutor(3) as threads:
        held = [identity for mine in threads.map(work, range(3)) for identity in mine]

    assert len(held) == len(set(held))
    while (one := claim(database)) is not None:
        held.append(one.id)
    assert len(held) == len(set(held)) == 6


def test_those_who_have_a_message_are_told_what_became_of_it(database: Database) -> None:
    put(
        database,
        a_notice(person=LEAD, subject=f"request H-1 2 {LEAD}"),
        a_notice(person=OTHER, subject=f"request H-1 2 {OTHER}"),
        a_notice(person=OWNER, subject=f"request H-1 21 {OWNER}"),
    )

    with database.reading() as tx:
        assert outbox.people_told(tx, WORKSPACE, subject_prefix="request H-1 2 ") == [LEAD, OTHER]
        assert outbox.people_told(tx, WorkspaceId("T2"), subject_prefix="request H-1 2 ") == []


def test_the_bell_rings_after_a_commit_that_put_notices(database: Database) -> None:
    rung: list[dict[str, int]] = []
    database.on_notices = lambda: rung.append(counts(database))

    put(database)
    with suppress(ZeroDivisionError), database.writing() as tx:
        outbox.put(tx, a_notice())
        raise ZeroDivisionError
    put(database)
    silent = list(rung)
    put(database, a_notice())

    assert silent == []
    assert rung == [{"pending": 1}]


def test_a_row_that_nobody_can_read_ends_at_once_and_keeps_nobody_waiting(database: Database) -> None:
    put(database, a_notice("one"), a_notice("two"))
    with database.writing() as tx:
        first = tx.execute(select(func.min(schema.outbox.c.id))).scalar_one()
        tx.execute(update(schema.outbox).where(schema.outbox.c.id == first).values(details={"type": "Gone", "v": 9}))

    assert word_of(claimed(database)) == "two"
    with database.reading() as tx:
        row = tx.execute(select(schema.outbox).where(schema.outbox.c.id == first)).mappings().one()
    assert (row["state"], row["problem"]) == (outbox.DEAD, outbox.UNREADABLE)
    assert row["finished_at"] is not None
