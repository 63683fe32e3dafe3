"""All that the rest of Labcoat may ask of the statistics; `results` has the plain values that go in and come out."""

from labcoat.stats.exploring import adjusted, chances
from labcoat.stats.power import Budget, Target, days_needed, sample_size, smallest_effect, units_in
from labcoat.stats.readout import read

__all__ = [
    "Budget",
    "Target",
    "adjusted",
    "chances",
    "days_needed",
    "read",
    "sample_size",
    "smallest_effect",
    "units_in",
]
