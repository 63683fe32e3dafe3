"""What each step puts in the outbox: the card always, a line in its thread, and whoever must know."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from builders import (
    CHANNEL,
    DAY,
    E7,
    H12,
    LEAD,
    NOW,
    OTHER,
    OTHER_LEAD,
    OWNER,
    WORKSPACE,
    a_dossier,
    a_lead,
    a_member,
    a_plan,
    a_prototype,
    a_request,
    a_statement,
    an_experiment,
    some_evidence,
)
from labcoat.db import history, outbox
from labcoat.db.database import Transaction
from labcoat.domain import notices
from labcoat.domain.dossier import Dossier
from labcoat.domain.evidence import EvidenceKind
from labcoat.domain.facts import CardChanged, NotDelivered, RequestChanged, StepTaken
from labcoat.domain.hypothesis import Outcome
from labcoat.domain.lifecycle import ExperimentState, RequestState, Stage
from labcoat.domain.need import Tenfold
from labcoat.domain.notice import Notice, NoticeKind
from labcoat.usecases.experiments import experiments
from labcoat.usecases.hypotheses import hypotheses, prototypes, requests
from labcoat.usecases.people import undelivered
from usecases.storing import CARD, LOUD_STORY, STORY, Told, deliver_all, facts_of, stored, told

DRAFT = a_dossier(an_experiment(), prototypes=(a_prototype(),))
RUNNING = a_dossier(an_experiment(ExperimentState.RUNNING))
STOPPED = a_dossier(an_experiment(ExperimentState.STOPPED))
WAITING = replace(STOPPED, requests=(a_request(),))
ASKED_FROM_PROTOTYPE = a_dossier(
    prototypes=(a_prototype(),), evidence=(some_evidence(),), requests=(a_request(experiment=None),)
)
APPROVED = a_dossier(
    an_experiment(ExperimentState.STOPPED), stage=Stage.PRODUCTIONIZE, requests=(a_request(RequestState.APPROVED),)
)
TO_BOTH = [Told(NoticeKind.REQUEST, LEAD), Told(NoticeKind.REQUEST, OTHER_LEAD)]
ANSWER = Told(NoticeKind.ANSWER, OWNER)

Action = Callable[[Transaction, Dossier], Dossier]


def _close(tx: Transaction, one: Dossier) -> Dossier:
    return hypotheses.close(
        tx, one, by=a_member(), outcome=Outcome.REFUTED, learning="No.", days_spent=2, overrides=None, now=NOW
    )


def _ask(tx: Transaction, one: Dossier) -> Dossier:
    return requests.ask(
        tx,
        one,
        by=a_member(),
        of=LEAD,
        conclusion=Outcome.SUPPORTED,
        learning="It works.",
        amount_days=20,
        no_experiment_reason=None,
        no_experiment_note="",
        zone="UTC",
        now=NOW,
    )


CASES: dict[str, tuple[Dossier, Action, list[Told]]] = {
    "prototype": (
        a_dossier(),
        lambda tx, one: prototypes.begin(
            tx, one, by=a_member(), summary="By hand", cap_days=3, stop_when="no", build_guess_days=None, now=NOW
        ),
        [CARD, STORY],
    ),
    "add evidence": (
        a_dossier(prototypes=(a_prototype(),)),
        lambda tx, one: prototypes.add_evidence(
            tx,
            one,
            by=a_member(OTHER),
            kind=EvidenceKind.INTERVIEW,
            count=5,
            summary="Yes.",
            link=None,
            spent_days=1,
            offline=None,
            now=NOW,
        ),
        [CARD, STORY],
    ),
    "plan": (
        a_dossier(),
        lambda tx, one: experiments.plan(tx, one, a_plan(), by=a_member(), reason="a button", now=NOW),
        [CARD, STORY],
    ),
    "plan while a request waits": (
        ASKED_FROM_PROTOTYPE,
        lambda tx, one: experiments.plan(tx, one, a_plan(), by=a_member(), reason=None, now=NOW),
        [CARD, STORY, *TO_BOTH],
    ),
    "start": (
        DRAFT,
        lambda tx, one: experiments.start(tx, one, E7, by=a_member(), since=NOW, now=NOW),
        [CARD, LOUD_STORY],
    ),
    "cancel": (
        DRAFT,
        lambda tx, one: experiments.cancel(tx, one, E7, by=a_member(), reason="no", now=NOW),
        [CARD, STORY],
    ),
    "stop": (
        RUNNING,
        lambda tx, one: experiments.stop(tx, one, E7, by=a_member(OTHER), ended_at=NOW, reason=None, now=NOW),
        [CARD, STORY],
    ),
    "run again": (
        STOPPED,
        lambda tx, one: experiments.run_again(tx, one, E7, by=a_member(), now=NOW),
        [CARD, STORY],
    ),
    "run again while a request waits": (
        WAITING,
        lambda tx, one: experiments.run_again(tx, one, E7, by=a_member(), now=NOW),
        [CARD, STORY, *TO_BOTH],
    ),
    "ask": (STOPPED, _ask, [CARD, STORY, Told(NoticeKind.REQUEST, LEAD)]),
    "approve": (
        WAITING,
        lambda tx, one: requests.approve(tx, one, 1, by=a_lead(), reason=None, seen_version=1, now=NOW),
        [CARD, LOUD_STORY, *TO_BOTH, ANSWER],
    ),
    "send back": (
        WAITING,
        lambda tx, one: requests.send_back(tx, one, 1, by=a_lead(), reason="n?", now=NOW),
        [CARD, STORY, *TO_BOTH, ANSWER],
    ),
    "decline": (
        WAITING,
        lambda tx, one: requests.decline(tx, one, 1, by=a_lead(), reason="too dear", now=NOW),
        [CARD, STORY, *TO_BOTH, ANSWER],
    ),
    "expire": (
        WAITING,
        lambda tx, one: requests.expire(tx, one, now=NOW + 99 * DAY),
        [CARD, STORY, *TO_BOTH, ANSWER],
    ),
    "close": (a_dossier(), _close, [CARD, LOUD_STORY]),
    "close while a request waits": (WAITING, _close, [CARD, LOUD_STORY, *TO_BOTH]),
    "ship": (
        APPROVED,
        lambda tx, one: hypotheses.ship(
            tx, one, by=a_member(), link="https://x", holds=dict.fromkeys(Tenfold, True), days_spent=9, now=NOW
        ),
        [CARD, LOUD_STORY],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_step_tells_who_must_know(tx: Transaction, case: str) -> None:
    before, act, expected = CASES[case]
    dossier = stored(tx, before)
    if dossier.waiting_request is not None:
        _send_to_both_leads(tx, dossier)

    after = act(tx, dossier)

    assert told(tx) == expected
    assert after.hypothesis.version == dossier.hypothesis.version + 1


def _send_to_both_leads(tx: Transaction, dossier: Dossier) -> None:
    """Both leads have the request's message already, so it must be edited."""
    for lead in (LEAD, OTHER_LEAD):
        outbox.put(tx, notices.request(dossier, 1, lead))
    deliver_all(tx)


def test_filing_shows_the_card_and_no_story(tx: Transaction) -> None:
    filed = hypotheses.file(tx, WORKSPACE, a_statement(), by=a_member(OTHER), owner=OWNER, channel=CHANNEL, now=NOW)

    assert told(tx) == [CARD]
    assert (filed.hypothesis.number, filed.hypothesis.version) == (1, 1)


def test_a_story_names_its_entry(tx: Transaction) -> None:
    _close(tx, stored(tx, a_dossier()))

    (taken,) = facts_of(tx, StepTaken)

    assert taken == StepTaken(hypothesis=H12, entry=history.newest_id(tx, WORKSPACE, H12))


def test_the_owner_of_a_card_that_cannot_be_shown_is_told(tx: Transaction) -> None:
    dossier = stored(tx, a_dossier())
    number = dossier.hypothesis.number
    fact = CardChanged(hypothesis=number)
    card = Notice(kind=NoticeKind.CARD, workspace=WORKSPACE, channel=CHANNEL, fact=fact)
    line = replace(card, kind=NoticeKind.STORY, fact=StepTaken(hypothesis=number, entry=1))

    undelivered.tell(tx, card, problem="not_in_channel")
    undelivered.tell(tx, line, problem="not_in_channel")

    assert told(tx) == [Told(NoticeKind.PROBLEM, OWNER)]


def test_the_owner_of_a_request_that_reaches_nobody_is_told(tx: Transaction) -> None:
    dossier = stored(tx, a_dossier())
    fact = RequestChanged(hypothesis=dossier.hypothesis.number, position=1)
    request = Notice(kind=NoticeKind.REQUEST, workspace=WORKSPACE, person=LEAD, fact=fact)

    undelivered.tell(tx, request, problem="user_disabled")

    assert told(tx) == [Told(NoticeKind.PROBLEM, OWNER)]
    assert facts_of(tx, NotDelivered)[0].person == LEAD
