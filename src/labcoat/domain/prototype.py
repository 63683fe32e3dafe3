"""A prototype: the cheapest thing that tests the assumption, with a cost cap."""

from dataclasses import dataclass
from datetime import datetime

from labcoat.domain.ids import UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class Prototype:
    """One prototype of a hypothesis.

    position: 1, 2, ... within its hypothesis. cap_days, spent_days, build_guess_days: person-days.
    stop_when and build_guess_days (None: "don't know") lock when it begins: they are what the evidence is read against.
    """

    position: int
    summary: str
    cap_days: float
    stop_when: str
    build_guess_days: float | None
    spent_days: float = 0.0
    begun_by: UserId
    begun_at: datetime

    @property
    def is_over_cap(self) -> bool:
        """Whether more was spent than was released."""
        return self.spent_days > self.cap_days
