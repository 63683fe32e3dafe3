"""Following a hypothesis that is not one's own, and telling its followers what became of it."""

from labcoat.db import followers, outbox, people
from labcoat.db.database import Transaction
from labcoat.domain.dossier import Dossier
from labcoat.domain.facts import StepTaken
from labcoat.domain.ids import UserId
from labcoat.domain.lifecycle import Step
from labcoat.domain.notice import Notice, NoticeKind

TOLD = frozenset({Step.START, Step.STOP, Step.APPROVE, Step.SHIP, Step.CLOSE, Step.PIVOT, Step.REOPEN})


def follow(tx: Transaction, dossier: Dossier, *, by: UserId) -> None:
    """Let a person follow a hypothesis; twice is as good as once."""
    people.meet(tx, dossier.hypothesis.workspace, by)
    followers.add(tx, dossier.hypothesis.workspace, dossier.hypothesis.number, by)


def unfollow(tx: Transaction, dossier: Dossier, *, by: UserId) -> None:
    """Let a person follow a hypothesis no more."""
    followers.remove(tx, dossier.hypothesis.workspace, dossier.hypothesis.number, by)


def tell(tx: Transaction, dossier: Dossier, *, step: Step, by: UserId | None, entry: int) -> None:
    """Tell the followers of a hypothesis about a step, but for whoever took it. entry: of its history."""
    if step not in TOLD:
        return
    workspace, number = dossier.hypothesis.workspace, dossier.hypothesis.number
    for person in followers.list_of(tx, workspace, number):
        if person not in (by, dossier.hypothesis.owner):
            fact = StepTaken(hypothesis=number, entry=entry)
            notice = Notice(kind=NoticeKind.FOLLOWED, workspace=workspace, person=person, fact=fact)
            outbox.put(tx, notice)
