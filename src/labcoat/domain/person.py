"""A person as Slack and their own settings describe them, beyond what the rules of one step need."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from labcoat.domain.ids import UserId


class Standing(StrEnum):
    """What somebody is in this workspace; only members take part."""

    MEMBER = "member"
    GUEST = "guest"
    BOT = "bot"
    DEACTIVATED = "deactivated"
    STRANGER = "stranger"  # of another workspace, in a shared channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One person.

    is_admin: of the Slack workspace; admins manage who leads. zone: IANA name, None until Slack was asked.
    away_until: aware UTC, None while not away; until then `stand_in` may do what the owner may, and is nudged instead.
    """

    user: UserId
    standing: Standing = Standing.MEMBER
    is_admin: bool = False
    zone: str | None = None
    away_until: datetime | None = None
    stand_in: UserId | None = None

    def is_away(self, now: datetime) -> bool:
        """Whether they said that they are not there."""
        return self.away_until is not None and now < self.away_until


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """Who is not there now. away: by who they are; gone: known to be no members (any more)."""

    away: Mapping[UserId, Person] = field(default_factory=dict)
    gone: frozenset[UserId] = frozenset()

    def is_there(self, user: UserId) -> bool:
        """Whether somebody would read a message now."""
        return user not in self.away and user not in self.gone

    def stand_in(self, user: UserId | None) -> UserId | None:
        """Return who stands in for somebody who is away; None if nobody does, or that one is not there."""
        person = self.away.get(user) if user is not None else None
        named = person.stand_in if person is not None else None
        return named if named is not None and self.is_there(named) else None


EVERYBODY_THERE = Presence()
