"""A token: what a program shows to send results into one workspace."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from labcoat.domain.ids import WorkspaceId
from labcoat.domain.member import Program
from labcoat.domain.refusal import Reason, Refusal, require_text

LONGEST_NAME = 60

_SHOWN = re.compile(r"labcoat_(?P<id>[0-9a-f]{8})_(?P<secret>[0-9a-f]{64})")


class Scope(StrEnum):
    """What a token allows."""

    RESULTS_WRITE = "results:write"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token as it is kept; its secret is shown once, when it is made.

    id: what names it in lists and logs; no secret. hashed: as from `hashed`. last_used_at: to the hour.
    """

    id: str
    workspace: WorkspaceId
    name: str
    hashed: str
    scopes: frozenset[str]
    created_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None

    @property
    def program(self) -> Program:
        """Who sends with it, as people read it."""
        return Program(name=f"{self.name} (API)")

    def allows(self, scope: Scope) -> bool:
        """Whether it may be used for this."""
        return scope in self.scopes


def shown(token_id: str, secret: str) -> str:
    """Return what the program is given; its beginning lets scanners of secrets know it."""
    return f"labcoat_{token_id}_{secret}"


def find_parts(text: str) -> tuple[str, str] | None:
    """Return the id and the secret of a shown token, None for any other text.

    >>> find_parts("labcoat_0123abcd_" + "0" * 64) == ("0123abcd", "0" * 64)
    True
    >>> find_parts("Bearer")
    """
    match = _SHOWN.fullmatch(text)
    return (match["id"], match["secret"]) if match else None


def hashed(secret: str) -> str:
    """Return what is stored of a secret.

    A plain SHA-256: slow hashes protect what people choose from being guessed; of 256 random bits nobody guesses any,
    and a slow one would be paid by every request.
    """
    return hashlib.sha256(secret.encode()).hexdigest()


def checked_name(name: str, others: frozenset[str]) -> str:
    """Return the name of a new token; raise Refusal if it is empty, too long, or that of another that works.

    others: names of the workspace's tokens that are not revoked.
    """
    cleaned = require_text(" ".join(name.split()), field="name", longest=LONGEST_NAME)
    if cleaned.casefold() in {other.casefold() for other in others}:
        raise Refusal(Reason.TOKEN_NAME_TAKEN, "name", name=cleaned)
    return cleaned
