"""Following a hypothesis that is not one's own."""

from labcoat.db import followers, people
from labcoat.db.database import Transaction
from labcoat.domain.dossier import Dossier
from labcoat.domain.ids import UserId


def follow(tx: Transaction, dossier: Dossier, *, by: UserId) -> None:
    """Let a person follow a hypothesis; twice is as good as once."""
    people.meet(tx, dossier.hypothesis.workspace, by)
    followers.add(tx, dossier.hypothesis.workspace, dossier.hypothesis.number, by)


def unfollow(tx: Transaction, dossier: Dossier, *, by: UserId) -> None:
    """Let a person follow a hypothesis no more."""
    followers.remove(tx, dossier.hypothesis.workspace, dossier.hypothesis.number, by)
