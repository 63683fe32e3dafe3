"""All that the rest of Labcoat may ask of the statistics; `results` has the plain values that go in and come out.

The import rules let nobody else in (decision 15).
"""

from labcoat.stats.before import UnitValue, of_units
from labcoat.stats.data_errors import have_vanished
from labcoat.stats.exploring import adjusted, chances
from labcoat.stats.power import Budget, Target, days_needed, units_in
from labcoat.stats.readout import read
from labcoat.stats.replay import Calls, UnitsTogether, replay, together
from labcoat.stats.rule_power import Condition, missed, rule_inflation, rule_size, smallest_rule_effect
from labcoat.stats.sample_ratio import INVALID_BELOW as SPLIT_INVALID_BELOW
from labcoat.stats.sample_ratio import check as check_split

__all__ = [
    "SPLIT_INVALID_BELOW",
    "Budget",
    "Calls",
    "Condition",
    "Target",
    "UnitValue",
    "UnitsTogether",
    "adjusted",
    "chances",
    "check_split",
    "days_needed",
    "have_vanished",
    "missed",
    "of_units",
    "read",
    "replay",
    "rule_inflation",
    "rule_size",
    "smallest_rule_effect",
    "together",
    "units_in",
]
