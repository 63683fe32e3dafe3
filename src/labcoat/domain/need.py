"""A need: an infrastructure component found missing while prototyping, experimenting or shipping."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from labcoat.domain.ids import UserId


class Tenfold(StrEnum):
    """The 10x list: what must hold when the thing grows by an order of magnitude; "not yet" makes a need."""

    DATA = "it works with ten times the data"
    TRAFFIC = "it works with ten times the traffic"
    WATCHED = "someone is told when it breaks"
    ROLLBACK = "it can be switched off in minutes"
    UNDERSTOOD = "a second person can change it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A missing component. position: 1, 2, ... within its hypothesis."""

    position: int
    summary: str
    found_by: UserId
    found_at: datetime
