"""A prediction: one person's forecast of an experiment, locked when it starts."""

from dataclasses import dataclass
from datetime import datetime

from labcoat.domain.ids import ExperimentNumber, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What a person expects. chance: that the goal's effect is as hoped and worth having, 0-1."""

    experiment: ExperimentNumber
    person: UserId
    chance: float
    made_at: datetime
