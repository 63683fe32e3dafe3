"""What the columns of the user's data were found to be, kept with the looks that rest on it."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundColumn:
    """The column of one field, and how it is read.

    kind: number, text, time and so on; unknown where the engine does not tell, and in a file of text, whose columns
    have no types. type_name: the engine's own word, for people.
    is_day: a time without a time of day, by its type or by how its texts are written. has_clock: whether rows have a
    time of day, None where too few tell. has_zone: None where nothing tells. formats: of strptime, for text that is
    read as times; none for ISO. is_percent: numbers in percent, which are read as shares.
    """

    name: str
    kind: str
    type_name: str
    is_day: bool = False
    has_clock: bool | None = None
    has_zone: bool | None = None
    formats: tuple[str, ...] = ()
    is_percent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRows:
    """The columns of the exposures, or of a metric, by field; None for a field that has none.

    definition: a short hash of what the metrics file said, so that its own changes are no contradiction.
    """

    definition: str
    columns: Mapping[str, FoundColumn | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """All that was found for one experiment, by the name of the exposures and of the metric."""

    exposures: Mapping[str, FoundRows] = field(default_factory=dict)
    metrics: Mapping[str, FoundRows] = field(default_factory=dict)

    def updated(self, other: "Findings") -> "Findings":
        """Return these findings with others in place of those of the same name."""
        return Findings(
            exposures={**self.exposures, **other.exposures},
            metrics={**self.metrics, **other.metrics},
        )
