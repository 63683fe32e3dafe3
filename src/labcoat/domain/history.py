"""History: the append-only record of every change: who, when, what, old and new."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from labcoat.domain.ids import HypothesisNumber, UserId
from labcoat.domain.lifecycle import Step

Change = tuple[object, object]
"""Old and new value of one field, as JSON values; None where there was or is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One step. by: None for the clock. changes: by field, as "stage", or "E-7 state" for what belongs to it."""

    id: int
    hypothesis: HypothesisNumber
    step: Step
    by: UserId | None
    at: datetime
    reason: str | None
    changes: Mapping[str, Change]
