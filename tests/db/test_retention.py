"""What was sent long ago is forgotten in batches; what waits, was given up or is shown somewhere stays."""

from datetime import timedelta

from builders import CHANNEL, H12, WORKSPACE
from labcoat.db import clock, outbox, retention
from labcoat.db.database import Database
from labcoat.domain.facts import CardChanged
from labcoat.domain.notice import Notice, NoticeKind

LEASE = timedelta(minutes=1)


def put(database: Database, subject: str, *, end: str = "") -> None:
    with database.writing() as tx:
        outbox.put(
            tx,
            Notice(
                kind=NoticeKind.CARD,
                workspace=WORKSPACE,
                channel=CHANNEL,
                subject=subject,
                fact=CardChanged(hypothesis=H12),
            ),
        )
        if not end:
            return
        claim = outbox.claim(tx, at=clock.lease_now(tx), lease=LEASE)
        assert claim is not None
        if end == outbox.SENT:
            outbox.settle(tx, claim, channel=CHANNEL, ts="1.0")
        else:
            outbox.dead_letter(tx, claim, problem="x", may_be_sent=False)


def test_only_what_was_sent_before_is_forgotten_and_its_message_is_still_known(database: Database) -> None:
    for number in range(3):
        put(database, f"card H-{number}", end=outbox.SENT)
    put(database, "card H-8", end=outbox.DEAD)
    put(database, "card H-9")
    with database.writing() as tx:
        early = retention.forget_sent(tx, before=clock.lease_now(tx) - timedelta(days=1))
        first = retention.forget_sent(tx, before=clock.lease_now(tx) + timedelta(days=1), limit=2)
        second = retention.forget_sent(tx, before=clock.lease_now(tx) + timedelta(days=1), limit=2)

    with database.reading() as tx:
        assert (early, first, second) == (0, 2, 1)
        assert outbox.count(tx) == {outbox.DEAD: 1, outbox.PENDING: 1}
        assert outbox.find_post(tx, WORKSPACE, "card H-0") is not None
