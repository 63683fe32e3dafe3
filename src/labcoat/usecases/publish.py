"""Saving a step together with what must be told about it: the card and a line in its thread."""

from datetime import datetime

from labcoat.db import dossiers, nudging, outbox, people
from labcoat.db.database import Transaction
from labcoat.domain.dossier import Dossier, involved
from labcoat.domain.facts import (
    CardChanged,
    DecisionQuestioned,
    DigestMade,
    Fact,
    NotDelivered,
    RequestAnswered,
    RequestChanged,
    StepTaken,
)
from labcoat.domain.ids import UserId
from labcoat.domain.lifecycle import Step
from labcoat.domain.notice import Notice, NoticeKind, card_subject, request_subject
from labcoat.domain.stall import NudgeCase
from labcoat.usecases.people import following, home, nudge_resolution

_LOUD = frozenset({Step.START, Step.APPROVE, Step.CLOSE, Step.PIVOT, Step.SHIP})
"""Steps whose line the channel sees too; filing is seen by the card itself."""


def save(
    tx: Transaction,
    old: Dossier | None,
    new: Dossier,
    *,
    step: Step,
    by: UserId | None,
    now: datetime,
    reason: str | None = None,
    ends: frozenset[NudgeCase] = frozenset(),
) -> Dossier:
    """Save a step, and put its card and story in the outbox. Raises dossiers.Changed if someone was quicker.

    ends: cases of nudges that this step ends beside those that any such step does.
    """
    if by is not None:
        people.meet(tx, new.hypothesis.workspace, by)
        new = _with_stand_in(tx, new, by, now)
    saved, entry_id = dossiers.save(tx, old, new, step=step, by=by, at=now, reason=reason)
    taken = StepTaken(hypothesis=saved.hypothesis.number, entry=entry_id)
    line = _line(saved, taken, is_loud=step in _LOUD)
    _show(tx, saved, *(() if step is Step.FILE else (line,)))
    asked = [request.asked_of for request in saved.requests[-1:]]
    home.refresh(tx, saved.hypothesis.workspace, by, saved.hypothesis.owner, saved.hypothesis.deputy, *asked)
    following.tell(tx, saved, step=step, by=by, entry=entry_id)
    nudge_resolution.settle(tx, saved, entry=entry_id, ends=ends)
    return saved


def _with_stand_in(tx: Transaction, dossier: Dossier, by: UserId, now: datetime) -> Dossier:
    """Whoever acts while they stand in for the owner has a part in it, and may not approve it later."""
    owner = dossier.hypothesis.owner
    if owner is None or owner == by:
        return dossier
    away = people.away(tx, dossier.hypothesis.workspace, now).get(owner)
    is_standing_in = away is not None and away.stand_in == by
    return dossier.with_hypothesis(involved(dossier.hypothesis, by)) if is_standing_in else dossier


def refresh_card(tx: Transaction, dossier: Dossier) -> None:
    """Let the card, and the messages about a request that waits, show what is true now; it may have begun to stall."""
    nudging.invalidate(tx, dossier.hypothesis.workspace, dossier.hypothesis.number)
    _show(tx, dossier)


def _show(tx: Transaction, dossier: Dossier, *lines: Notice) -> None:
    """Bring the card and what is shown of a waiting request up to date; lines: of its thread, put together with it."""
    if dossier.waiting_request is not None:
        refresh_requests(tx, dossier, dossier.waiting_request.position)
    card = Notice(
        kind=NoticeKind.CARD,
        workspace=dossier.hypothesis.workspace,
        channel=dossier.hypothesis.channel,
        subject=card_subject(dossier.hypothesis.number),
        fact=CardChanged(hypothesis=dossier.hypothesis.number),
    )
    outbox.put(tx, card, *lines)


def tell_in_thread(tx: Transaction, dossier: Dossier, fact: Fact) -> None:
    """Put a line that is no step of the lifecycle in the card's thread."""
    outbox.put(tx, _line(dossier, fact))


def _line(dossier: Dossier, fact: Fact, *, is_loud: bool = False) -> Notice:
    return Notice(
        kind=NoticeKind.STORY,
        workspace=dossier.hypothesis.workspace,
        channel=dossier.hypothesis.channel,
        parent=card_subject(dossier.hypothesis.number),
        is_loud=is_loud,
        fact=fact,
    )


def tell_owner_of_health(tx: Transaction, dossier: Dossier, fact: Fact) -> None:
    """Tell the owner in private that an experiment's numbers need them; without an owner the thread has to do."""
    hypothesis = dossier.hypothesis
    if hypothesis.owner is not None:
        kind, person = NoticeKind.HEALTH, hypothesis.owner
        outbox.put(tx, Notice(kind=kind, workspace=hypothesis.workspace, person=person, fact=fact))


def send_request(tx: Transaction, dossier: Dossier, position: int, person: UserId) -> None:
    """Send a person the request with its buttons, or bring the one they have up to date."""
    outbox.put(
        tx,
        Notice(
            kind=NoticeKind.REQUEST,
            workspace=dossier.hypothesis.workspace,
            person=person,
            subject=request_subject(dossier.hypothesis.number, position, person),
            fact=RequestChanged(hypothesis=dossier.hypothesis.number, position=position),
        ),
    )


def refresh_requests(tx: Transaction, dossier: Dossier, position: int) -> None:
    """Let every message about a request show what became of it."""
    prefix = request_prefix(dossier, position)
    for person in outbox.people_told(tx, dossier.hypothesis.workspace, subject_prefix=prefix):
        send_request(tx, dossier, position, person)


def request_prefix(dossier: Dossier, position: int) -> str:
    """Return how the subjects of all messages about a request begin."""
    return f"request H-{dossier.hypothesis.number} {position} "


def tell_of_undelivered(tx: Transaction, notice: Notice, *, problem: str) -> None:
    """Tell whoever waits for it, in private, that a card, a request or a digest could not be shown.

    problem: Slack's own word. Monday's digest has nobody who waits for it; the one that someone asked for does.
    """
    person, what = _who_waits(tx, notice)
    if person is not None:
        fact = NotDelivered(what=what, channel=notice.channel, person=notice.person, problem=problem)
        told = Notice(kind=NoticeKind.PROBLEM, workspace=notice.workspace, person=person, fact=fact)
        outbox.put(tx, told)


def _who_waits(tx: Transaction, notice: Notice) -> tuple[UserId | None, str]:
    match notice.fact:
        case DigestMade(asked_by=asked_by):
            return asked_by, "the digest"
        case CardChanged(hypothesis=number) | RequestChanged(hypothesis=number):
            dossier = dossiers.find(tx, notice.workspace, number)
            return (dossier.hypothesis.owner if dossier is not None else None), f"H-{number}"
        case _:
            return None, ""


def answer_owner(tx: Transaction, dossier: Dossier, position: int, *, also: UserId | None = None) -> None:
    """Tell whoever asked what became of their request. also: who owns it now, if they should know too."""
    request, workspace = dossier.get_request(position), dossier.hypothesis.workspace
    fact = RequestAnswered(hypothesis=dossier.hypothesis.number, position=position)
    for person in dict.fromkeys((request.asked_by, also or request.asked_by)):
        outbox.put(tx, Notice(kind=NoticeKind.ANSWER, workspace=workspace, person=person, fact=fact))


def tell_who_decided(tx: Transaction, dossier: Dossier, fact: DecisionQuestioned, *people_told: UserId | None) -> None:
    """Tell those who decided on an experiment's totals, in private and each once, that these were corrected."""
    workspace = dossier.hypothesis.workspace
    for person in dict.fromkeys(one for one in people_told if one is not None):
        outbox.put(tx, Notice(kind=NoticeKind.CORRECTED, workspace=workspace, person=person, fact=fact))
