"""What could not be delivered: shown to admins, who may have it tried again."""

from labcoat.db import people, undelivered
from labcoat.db.database import Transaction
from labcoat.domain.ids import UserId, WorkspaceId
from labcoat.domain.notice import Undelivered
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
