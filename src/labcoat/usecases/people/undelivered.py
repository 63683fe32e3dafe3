"""What could not be delivered: shown to admins, who may have it tried again."""

from labcoat.db import dossiers, outbox, people, undelivered
from labcoat.db.database import Transaction
from labcoat.domain.facts import CardChanged, DigestMade, NotDelivered, RequestChanged
from labcoat.domain.ids import UserId, WorkspaceId
from labcoat.domain.notice import Notice, NoticeKind, Undelivered
from labcoat.domain.refusal import Reason, Refusal


def may_see(tx: Transaction, workspace: WorkspaceId, user: UserId) -> bool:
    """Whether somebody is told what could not be delivered."""
    person = people.find(tx, workspace, user)
    return person is not None and person.is_admin


def shown_to(
    tx: Transaction, workspace: WorkspaceId, user: UserId, *, limit: int
) -> tuple[int, tuple[Undelivered, ...]]:
    """Return how much could not be delivered, and the newest of it; nothing for whoever is no admin."""
    if not may_see(tx, workspace, user):
        return 0, ()
    return undelivered.count(tx, workspace), tuple(undelivered.list_of(tx, workspace, limit=limit))


def try_again(tx: Transaction, workspace: WorkspaceId, *, by: UserId) -> int:
    """Try everything again; return how much it is. Raises Refusal for whoever is no admin."""
    if not may_see(tx, workspace, by):
        raise Refusal(Reason.ADMIN_ONLY)
    return undelivered.retry(tx, workspace)


def tell(tx: Transaction, notice: Notice, *, problem: str) -> None:
    """Tell whoever waits for it, in private, that a card, a request or a digest could not be shown.

    problem: Slack's own word. Monday's digest has nobody who waits for it; the one that someone asked for does.
    """
    person, what = _who_waits(tx, notice)
    if person is not None:
        fact = NotDelivered(what=what, channel=notice.channel, person=notice.person, problem=problem)
        outbox.put(tx, Notice(kind=NoticeKind.PROBLEM, workspace=notice.workspace, person=person, fact=fact))


def _who_waits(tx: Transaction, notice: Notice) -> tuple[UserId | None, str]:
    match notice.fact:
        case DigestMade(asked_by=asked_by):
            return asked_by, "the digest"
        case CardChanged(hypothesis=number) | RequestChanged(hypothesis=number):
            dossier = dossiers.find(tx, notice.workspace, number)
            return (dossier.hypothesis.owner if dossier is not None else None), f"H-{number}"
        case _:
            return None, ""
