"""Tokens for programs: made and revoked by the operator, recognised when a program shows one."""

import hmac
import secrets
from datetime import datetime

from labcoat.db import tokens
from labcoat.db.database import Transaction
from labcoat.domain import token as rules
from labcoat.domain.refusal import Reason, Refusal
from labcoat.domain.token import Scope, Token
from labcoat.usecases import finding

_NOBODYS = rules.hashed("")
"""Compared with where no token is found, so that an unknown id takes as long as a wrong secret."""


def create(
    tx: Transaction,
    *,
    name: str,
    workspace: str | None,
    at: datetime,
    scopes: frozenset[Scope] = frozenset({Scope.RESULTS_WRITE}),
) -> tuple[Token, str]:
    """Make a token; return it with what the program is given, which is known here only and never again.

    workspace: None where there is only one. Raises Refusal.
    """
    mine = finding.get_workspace(tx, workspace)
    working = frozenset(one.name for one in tokens.list_of(tx, mine) if one.revoked_at is None)
    secret = secrets.token_hex(32)
    made = Token(
        id=secrets.token_hex(4),
        workspace=mine,
        name=rules.checked_name(name, working),
        hashed=rules.hashed(secret),
        scopes=frozenset(scope.value for scope in scopes),
        created_at=at,
    )
    tokens.add(tx, made)
    return made, rules.shown(made.id, secret)


def revoke(tx: Transaction, token_id: str, *, at: datetime) -> None:
    """Let a token work no more; raise Refusal if none of that id works."""
    if not tokens.revoke(tx, token_id, at=at):
        raise Refusal(Reason.UNKNOWN_TOKEN, text=token_id[:20])


def recognise(tx: Transaction, text: str) -> Token | None:
    """Return the token that a program shows, None for one that never was or works no more."""
    parts = rules.find_parts(text)
    if parts is None:
        return None
    token_id, secret = parts
    found = tokens.find(tx, token_id)
    is_its_own = hmac.compare_digest(rules.hashed(secret), found.hashed if found else _NOBODYS)
    return found if found is not None and is_its_own and found.revoked_at is None else None
