"""Which notices a change gives, and to whom. Pure: who may hear of it is read before, by `db.audience`."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from labcoat.domain.dossier import Dossier
from labcoat.domain.facts import (
    CardChanged,
    Fact,
    HomeChanged,
    NudgesChanged,
    RequestAnswered,
    RequestChanged,
    StepTaken,
)
from labcoat.domain.ids import UserId, WorkspaceId
from labcoat.domain.lifecycle import Step
from labcoat.domain.notice import Notice, NoticeKind, card_subject, home_subject, request_subject
from labcoat.domain.nudge import SentNudge, is_answered
from labcoat.domain.stall import NudgeCase
from labcoat.domain.totals_facts import DecisionQuestioned

LOUD = frozenset({Step.START, Step.APPROVE, Step.CLOSE, Step.PIVOT, Step.SHIP})
"""Steps whose line the channel sees too; filing is seen by the card itself."""
ANSWERS = frozenset({Step.APPROVE, Step.SEND_BACK, Step.DECLINE, Step.EXPIRE})
"""Steps that end a request."""
FOLLOWED = frozenset({Step.START, Step.STOP, Step.APPROVE, Step.SHIP, Step.CLOSE, Step.PIVOT, Step.REOPEN})
"""Steps that followers hear of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Who may hear of a change of a hypothesis, as the database has it.

    homes: of those asked about, who uses Home. asked: who has a message about a request, with its position. nudges:
    those about it whose buttons are still there. pending: subjects whose edit is still to be sent, which will show
    this change too.
    """

    followers: tuple[UserId, ...] = ()
    homes: frozenset[UserId] = frozenset()
    asked: tuple[tuple[int, UserId], ...] = ()
    nudges: tuple[SentNudge, ...] = ()
    pending: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A step that was saved. old: None for a new hypothesis. entry: of its history. ends: cases of nudges it ends."""

    old: Dossier | None
    new: Dossier
    step: Step
    by: UserId | None
    entry: int
    ends: frozenset[NudgeCase] = frozenset()

    @property
    def people(self) -> tuple[UserId, ...]:
        """Whose Home may show it."""
        asked = [request.asked_of for request in self.new.requests[-1:]]
        before = [self.old.hypothesis.owner, self.old.hypothesis.deputy] if self.old is not None else []
        everybody = [self.by, self.new.hypothesis.owner, self.new.hypothesis.deputy, *before, *asked]
        return tuple(dict.fromkeys(one for one in everybody if one is not None))

    @property
    def positions(self) -> tuple[int, ...]:
        """Of the request that waits, and of the one that waited."""
        return waiting_positions(self.new, self.old)


def waiting_positions(*dossiers: Dossier | None) -> tuple[int, ...]:
    """Return the positions of the requests that wait."""
    waiting = (one.waiting_request for one in dossiers if one is not None)
    return tuple(dict.fromkeys(one.position for one in waiting if one is not None))


def ended_nudges(change: Change, audience: Audience) -> list[SentNudge]:
    """Return the nudges that a step ends."""
    return [one for one in audience.nudges if one.nudge.case in change.ends or is_answered(one.nudge, change.new)]


def of_step(change: Change, audience: Audience) -> list[Notice]:
    """Return what a step gives: the card, a line in its thread, and whoever else must know."""
    dossier, hypothesis = change.new, change.new.hypothesis
    taken = StepTaken(hypothesis=hypothesis.number, entry=change.entry)
    found = [*_requests_with_card(dossier, audience)]
    if change.step is not Step.FILE:
        found.append(line(dossier, taken, is_loud=change.step in LOUD))
    found += [_home(hypothesis.workspace, person) for person in change.people if person in audience.homes]
    if change.step in FOLLOWED:
        for person in audience.followers:
            if person not in (change.by, hypothesis.owner):
                kind = NoticeKind.FOLLOWED
                found.append(Notice(kind=kind, workspace=hypothesis.workspace, person=person, fact=taken))
    found += nudge_messages(hypothesis.workspace, ended_nudges(change, audience))
    over = [position for position in change.positions if position not in waiting_positions(dossier)]
    found += [request(dossier, position, person) for position, person in audience.asked if position in over]
    if change.step is Step.ASK:
        asked = dossier.requests[-1]
        found.append(request(dossier, asked.position, asked.asked_of))
    if change.step in ANSWERS:
        found += [one for position in over for one in answers(dossier, position)]
    elif change.step is Step.WITHDRAW and change.by is None:  # its totals were corrected
        found += [one for position in over for one in answers(dossier, position, also=hypothesis.owner)]
    return unsent(found, audience)


def of_card(dossier: Dossier, audience: Audience) -> list[Notice]:
    """Return what shows that something about a hypothesis is no longer as it was."""
    return unsent(_requests_with_card(dossier, audience), audience)


def unsent(notices: Iterable[Notice], audience: Audience) -> list[Notice]:
    """Return the notices without edits that are on their way already, and each edit once."""
    seen = set(audience.pending)
    found = []
    for one in notices:
        if one.subject is None or one.subject not in seen:
            found.append(one)
        if one.subject is not None:
            seen.add(one.subject)
    return found


def _requests_with_card(dossier: Dossier, audience: Audience) -> Iterator[Notice]:
    waiting = waiting_positions(dossier)
    for position, person in audience.asked:
        if position in waiting:
            yield request(dossier, position, person)
    number = dossier.hypothesis.number
    yield Notice(
        kind=NoticeKind.CARD,
        workspace=dossier.hypothesis.workspace,
        channel=dossier.hypothesis.channel,
        subject=card_subject(number),
        fact=CardChanged(hypothesis=number),
    )


def line(dossier: Dossier, fact: Fact, *, is_loud: bool = False) -> Notice:
    """Return a line of the card's thread."""
    return Notice(
        kind=NoticeKind.STORY,
        workspace=dossier.hypothesis.workspace,
        channel=dossier.hypothesis.channel,
        parent=card_subject(dossier.hypothesis.number),
        is_loud=is_loud,
        fact=fact,
    )


def request(dossier: Dossier, position: int, person: UserId) -> Notice:
    """Return a person's message about a request, with its buttons; sent, or brought up to date."""
    number = dossier.hypothesis.number
    return Notice(
        kind=NoticeKind.REQUEST,
        workspace=dossier.hypothesis.workspace,
        person=person,
        subject=request_subject(number, position, person),
        fact=RequestChanged(hypothesis=number, position=position),
    )


def answers(dossier: Dossier, position: int, *, also: UserId | None = None) -> list[Notice]:
    """Return what whoever asked reads of the answer. also: who owns it now, if they should know too."""
    asked_by = dossier.get_request(position).asked_by
    fact = RequestAnswered(hypothesis=dossier.hypothesis.number, position=position)
    return [_to(dossier, NoticeKind.ANSWER, person, fact) for person in dict.fromkeys((asked_by, also or asked_by))]


def health(dossier: Dossier, fact: Fact) -> list[Notice]:
    """Return what tells the owner that an experiment's numbers need them; without an owner the thread has to do."""
    owner = dossier.hypothesis.owner
    return [] if owner is None else [_to(dossier, NoticeKind.HEALTH, owner, fact)]


def questioned(dossier: Dossier, fact: DecisionQuestioned, *deciders: UserId | None) -> list[Notice]:
    """Return what those read, each once, who decided on totals that were corrected."""
    people = dict.fromkeys(one for one in deciders if one is not None)
    return [_to(dossier, NoticeKind.CORRECTED, person, fact) for person in people]


def nudge_messages(workspace: WorkspaceId, nudges: Iterable[SentNudge]) -> list[Notice]:
    """Return the messages of these nudges, to be brought up to date."""
    messages = sorted({(one.subject, one.person) for one in nudges})
    kind, fact = NoticeKind.NUDGE, NudgesChanged()
    return [
        Notice(kind=kind, workspace=workspace, person=person, subject=subject, fact=fact)
        for subject, person in messages
    ]


def _home(workspace: WorkspaceId, person: UserId) -> Notice:
    kind, subject = NoticeKind.HOME, home_subject(person)
    return Notice(kind=kind, workspace=workspace, person=person, subject=subject, fact=HomeChanged())


def _to(dossier: Dossier, kind: NoticeKind, person: UserId, fact: Fact) -> Notice:
    return Notice(kind=kind, workspace=dossier.hypothesis.workspace, person=person, fact=fact)
