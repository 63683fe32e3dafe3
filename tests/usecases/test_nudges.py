"""Nudges: each step once, one message a person however many items wait."""

from dataclasses import replace
from datetime import UTC, datetime

from builders import (
    DAY,
    LEAD,
    NOW,
    OTHER,
    OTHER_LEAD,
    OWNER,
    WORKSPACE,
    a_dossier,
    a_request,
    an_ending,
    an_experiment,
)
from labcoat.db import people
from labcoat.db.database import Transaction
from labcoat.domain.dossier import Dossier
from labcoat.domain.ids import UserId
from labcoat.domain.lifecycle import ExperimentState
from labcoat.domain.notice import NoticeKind
from labcoat.domain.nudge import NudgeCase
from labcoat.domain.person import Person
from labcoat.usecases import nudges
from usecases.storing import Told, deliver_all, details_of, stored, told

FRIDAY = datetime(2026, 11, 27, 10, tzinfo=UTC)
"""The first nudge after a stop at NOW."""
TUESDAY = datetime(2026, 12, 1, 10, tzinfo=UTC)
"""The first nudge about a request that was asked at NOW."""


def _stopped(number: int, *, owner: UserId = OWNER) -> Dossier:
    experiment = replace(an_experiment(ExperimentState.STOPPED, number=number), stopped_at=NOW)
    return a_dossier(experiment, number=number, owner=owner)


def _send(tx: Transaction, *, now: datetime) -> int:
    due = nudges.due(tx, zone="UTC", now=now)
    return sum(nudges.send(tx, workspace, mine, now=now) for workspace, mine in due.items())


def _nudge(person: UserId) -> Told:
    return Told(NoticeKind.NUDGE, person)


def test_a_nudge_is_sent_when_due_and_once(tx: Transaction) -> None:
    stored(tx, _stopped(1))

    sent = [_send(tx, now=now) for now in (FRIDAY - DAY, FRIDAY, FRIDAY, FRIDAY + 3 * DAY)]

    assert sent == [0, 1, 0, 0]
    assert told(tx) == [_nudge(OWNER)]


def test_items_of_one_person_come_in_one_message(tx: Transaction) -> None:
    stored(tx, _stopped(1))
    stored(tx, _stopped(2))
    stored(tx, _stopped(3, owner=OTHER))

    assert _send(tx, now=FRIDAY) == 3
    assert told(tx) == [_nudge(OWNER), _nudge(OTHER)]
    carried = [nudges.from_details(details["nudges"]) for details in details_of(tx, NoticeKind.NUDGE)]
    assert [[nudge.hypothesis for nudge in mine] for mine in carried] == [[1, 2], [3]]
    assert {nudge.case for mine in carried for nudge in mine} == {NudgeCase.UNDECIDED}


def test_two_replicas_send_a_nudge_once(tx: Transaction) -> None:
    stored(tx, _stopped(1))
    mine = nudges.due(tx, zone="UTC", now=FRIDAY)[WORKSPACE]

    assert nudges.send(tx, WORKSPACE, mine, now=FRIDAY) == 1
    assert nudges.send(tx, WORKSPACE, mine, now=FRIDAY) == 0
    assert told(tx) == [_nudge(OWNER)]


def test_after_downtime_only_the_newest_step_is_sent(tx: Transaction) -> None:
    stored(tx, _stopped(1))

    assert _send(tx, now=FRIDAY + 5 * DAY) == 1
    assert _send(tx, now=FRIDAY + 5 * DAY) == 0


def test_the_owners_own_zone_counts(tx: Transaction) -> None:
    stored(tx, _stopped(1))
    people.know(tx, WORKSPACE, Person(user=OWNER, zone="Asia/Kolkata"), at=NOW)  # 10:00 there is 04:30 UTC

    assert nudges.due(tx, zone="UTC", now=FRIDAY.replace(hour=4, minute=29)) == {}
    assert len(nudges.due(tx, zone="UTC", now=FRIDAY.replace(hour=4, minute=30))[WORKSPACE]) == 1


def test_the_other_leads_get_the_request_with_their_nudge(tx: Transaction) -> None:
    stored(tx, a_dossier(an_experiment(ExperimentState.STOPPED), requests=(a_request(asked_at=NOW),)))

    assert _send(tx, now=TUESDAY) == 2
    assert told(tx) == [_nudge(LEAD), _nudge(OTHER_LEAD), Told(NoticeKind.REQUEST, OTHER_LEAD)]


def test_what_is_closed_or_young_nudges_nobody(tx: Transaction) -> None:
    closed = _stopped(1)
    stored(tx, closed.with_hypothesis(replace(closed.hypothesis, ending=an_ending())))
    stored(tx, a_dossier(an_experiment(ExperimentState.RUNNING, number=2, since=NOW), number=2))
    deliver_all(tx)

    assert nudges.due(tx, zone="UTC", now=TUESDAY) == {}
