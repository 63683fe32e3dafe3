"""Units between two looks: how many each variant has by now, and whether they are split as planned."""

from dataclasses import dataclass
from datetime import datetime

from labcoat.domain.ids import ExperimentNumber
from labcoat.stats.results import SampleRatio


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitCounts:
    """The newest count of an experiment's units; it spends nothing, for it has no mean and no rate.

    exposed: per variant in the plan's order. split: carries the evidence of all counts before it.
    """

    experiment: ExperimentNumber
    as_of: datetime
    exposed: tuple[int, ...]
    split: SampleRatio
