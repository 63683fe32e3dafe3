"""Who acts, as the rules see them: a person with what they may do here, or a program with a token."""

from dataclasses import dataclass

from labcoat.domain.ids import UserId
from labcoat.domain.person import Presence


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Someone in the workspace.

    is_only_lead: nobody else leads here. is_in_channel: can see the hypothesis's home channel; true for whoever acts
    from it. stands_in_for: people who are away now and named this one. is_met: is known to the
    database. leads, presence: everybody who leads here and who is not there, as read when they began; None if it was
    not read.
    """

    user: UserId
    is_lead: bool = False
    is_only_lead: bool = False
    is_in_channel: bool = True
    stands_in_for: frozenset[UserId] = frozenset()
    is_met: bool = False
    leads: tuple[UserId, ...] | None = None
    presence: Presence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What sends results where no person does. name: as people read it, such as "CI pipeline (API)"."""

    name: str
