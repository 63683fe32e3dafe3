"""What a read of the data left out, and where it took a variant's name for the plan's."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Rows and units of one experiment's exposures that count in no variant, beside units in two of them.

    no_unit, no_variant, no_time, no_experiment: rows that lack it, a unit's further rows among them.
    unplanned: units by the name of their variant, which the plan does not have.
    nameless: rows of a metric's own without a unit, by the metric; nobody's, so no variant loses them.
    respelled: units that were counted although their variant is written otherwise, by how it is written.
    """

    no_unit: int = 0
    no_variant: int = 0
    no_time: int = 0
    no_experiment: int = 0
    nameless: Mapping[str, int] = field(default_factory=dict)
    unplanned: Mapping[str, int] = field(default_factory=dict)
    respelled: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_nothing(self) -> bool:
        """Whether every row counted, under the name that the plan has."""
        rows = self.no_unit + self.no_variant + self.no_time + self.no_experiment
        return not (rows or self.nameless or self.unplanned or self.respelled)
