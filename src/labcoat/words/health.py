"""What is said when an experiment's numbers need a person: a source that can't be read, traffic that is uneven."""

from collections.abc import Sequence
from datetime import datetime

from labcoat.domain.counting import UnitCounts
from labcoat.domain.ids import ExperimentNumber
from labcoat.stats.results import Readout, SampleRatio, Verdict
from labcoat.words import numbers
from labcoat.words.verdict_words import WORDS


def no_numbers(number: ExperimentNumber, message: str, *, readout: Readout | None) -> str:
    """Return that a source can't be read, and what becomes of it. readout: that stands, None for none."""
    stays = what_stays(readout)
    again = f"{stays.removesuffix('.')}, and I try again by myself." if stays else " I try again by myself."
    return f"E-{number}: no numbers. {message}{again}"


def what_stays(readout: Readout | None) -> str:
    """Return that the last good look stays, after another sentence; "" where none is shown."""
    is_good = readout is not None and readout.verdict is not Verdict.DATA_ERROR
    return " The last good look stays." if is_good else ""


def uneven(number: ExperimentNumber, *, p_value: float, variants: Sequence[str], exposed: Sequence[int]) -> str:
    """Return that traffic is not split as planned, with the units."""
    words = WORDS[Verdict.INVALID]
    return f"E-{number}: {words.name}, p {numbers.probability(p_value)}. {_arms(variants, exposed)}. {words.now}"


def seems_live(
    number: ExperimentNumber, *, since: datetime | None, variants: Sequence[str], exposed: Sequence[int], zone: str
) -> str:
    """Return that exposures arrive for a draft."""
    when = "" if since is None else f" since {numbers.day_and_time(since, zone)}"
    return f"E-{number} seems to be live{when}: {_arms(variants, exposed)} units. Start it?"


def split_figures(split: SampleRatio, variants: Sequence[str]) -> str:
    """Return the units and how likely they are by chance."""
    return f"{_arms(variants, split.exposed)}, p {numbers.probability(split.p_value)}"


def counts_line(counts: UnitCounts, variants: Sequence[str], *, zone: str) -> str:
    """Return the units of the newest count and their split, as they stand between looks."""
    split = f"SRM p {numbers.probability(counts.split.p_value)}"
    return f"Units as of {numbers.day_and_time(counts.as_of, zone)}: {_arms(variants, counts.exposed)}, {split}"


def left_out(crossed: int) -> str:
    """Return that units were in two variants; empty for none.

    >>> left_out(1)
    '1 unit was in two variants and is left out'
    """
    if not crossed:
        return ""
    were = "unit was" if crossed == 1 else "units were"
    return f"{numbers.count(crossed)} {were} in two variants and {'is' if crossed == 1 else 'are'} left out"


def redefined(metrics: Sequence[str]) -> str:
    """Return that the metrics file measures metrics differently since the look before; empty for none.

    >>> redefined(["revenue"])
    'The definition of revenue changed in the metrics file since the last look: numbers before and after may differ by that alone.'
    """
    if not metrics:
        return ""
    return f"The definition of {' and '.join(metrics)} changed in the metrics file since the last look: numbers before and after may differ by that alone."


def since(moment: datetime, zone: str) -> str:
    """Return since when there are no numbers."""
    return f"No numbers since {numbers.day_and_time(moment, zone)}"


def _arms(variants: Sequence[str], exposed: Sequence[int]) -> str:
    return " / ".join(f"{name} {numbers.count(units)}" for name, units in zip(variants, exposed, strict=True))
