"""History: the append-only record of every change: who, when, what, old and new."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from labcoat.domain.ids import HypothesisNumber, UserId
from labcoat.domain.lifecycle import Step


class Entity(StrEnum):
    """What a change is of: the hypothesis itself, or something that belongs to it."""

    HYPOTHESIS = "hypothesis"
    EXPERIMENT = "experiment"
    PROTOTYPE = "prototype"
    EVIDENCE = "evidence"
    REQUEST = "request"
    NEED = "need"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """Old and new value of one field, as JSON values; None where there was or is none.

    key: an experiment's number, or the position of a prototype, evidence, request or need; None for the hypothesis.
    """

    entity: Entity
    key: int | None = None
    field: str
    old: object
    new: object


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One step. by: None for the clock."""

    id: int
    hypothesis: HypothesisNumber
    step: Step
    by: UserId | None
    at: datetime
    reason: str | None
    changes: tuple[FieldChange, ...]

    def find(self, entity: Entity, field: str) -> FieldChange | None:
        """Return how a field changed; None if it stayed."""
        return next((one for one in self.changes if (one.entity, one.field) == (entity, field)), None)

    def key_of(self, entity: Entity) -> int | None:
        """Return which experiment, prototype, evidence, request or need changed; None if none did."""
        return next((one.key for one in self.changes if one.entity is entity), None)
