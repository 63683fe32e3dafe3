"""What is said when an experiment's numbers need a person: a source that can't be read, traffic that is uneven."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from labcoat.domain.counting import UnitCounts
from labcoat.domain.ids import ExperimentNumber
from labcoat.domain.late_data import Short, Wait
from labcoat.domain.left_out import LeftOut
from labcoat.stats.results import Readout, SampleRatio, Verdict
from labcoat.words import numbers
from labcoat.words.verdict_words import WORDS

MOST_NAMES = 3
"""Of variants in one sentence."""


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


def waits(wait: Wait, zone: str) -> str:
    """Return what a look waits for, and until when at the latest."""
    which = "The final look" if wait.is_final else "Today's look"
    sources = " and ".join(_awaited(one, zone) for one in wait.short)
    if wait.is_promised and not wait.is_final:
        return f"{which} waits for the data of {sources}"
    return f"{which} waits for the data of {sources}, until {numbers.day_and_time(wait.until, zone)} at the latest"


def _awaited(short: Short, zone: str) -> str:
    if short.ready_at is not None:
        return f"{short.source} (ready {numbers.day_and_time(short.ready_at, zone)})"
    return f"{short.source} (complete to {numbers.day_and_time(short.complete_to, zone)})"


def made_without(short: Sequence[Short], zone: str) -> str:
    """Return which data a look was made without; "" for none."""
    if not short:
        return ""
    sources = " and ".join(f"{one.source} reach {numbers.day_and_time(one.complete_to, zone)} only" for one in short)
    return f"Data of {sources}; this look was made without the rest."


def late_data(wait: Wait | None, short: Sequence[Short], zone: str) -> tuple[str, ...]:
    """Return what the newest look was made without, and what the next one waits for, a sentence each."""
    return tuple(one for one in (made_without(short, zone), wait and f"{waits(wait, zone)}.") if one)


def left_out(crossed: int, rest: LeftOut | None = None) -> tuple[str, ...]:
    """Return a sentence for each thing in the data that does not count, or counts under another name.

    >>> left_out(1, LeftOut(no_variant=67, no_unit=1, unplanned={"holdout": 2}))
    ('1 unit was in two variants and is left out', 'Left out too: 1 row without a unit, 67 rows without a variant, \
2 units of holdout, which the plan does not have')
    """
    rest = rest or LeftOut()
    rows = {"a unit": rest.no_unit, "a variant": rest.no_variant, "a time": rest.no_time}
    rows["an experiment"] = rest.no_experiment
    missing = [f"{numbers.counted(count, 'row')} without {what}" for what, count in rows.items() if count]
    if rest.unplanned:
        units = numbers.counted(sum(rest.unplanned.values()), "unit")
        missing.append(f"{units} of {_names(rest.unplanned)}, which the plan does not have")
    missing += _nameless(rest.nameless)
    also = f"Left out{' too' if crossed else ''}: {', '.join(missing)}" if missing else ""
    return tuple(one for one in (_crossed(crossed), also, _respelled(rest)) if one)


def _nameless(rows: Mapping[str, int]) -> list[str]:
    """Return how many rows of metrics are nobody's; metrics that share their rows share the number."""
    by_count: dict[int, list[str]] = {}
    for metric, count in rows.items():
        by_count.setdefault(count, []).append(metric)
    return [f"{numbers.counted(count, 'row')} of {_names(names)} without a unit" for count, names in by_count.items()]


def _crossed(crossed: int) -> str:
    if not crossed:
        return ""
    were = "unit was" if crossed == 1 else "units were"
    return f"{numbers.count(crossed)} {were} in two variants and {'is' if crossed == 1 else 'are'} left out"


def _respelled(rest: LeftOut) -> str:
    if not rest.respelled:
        return ""
    count = sum(rest.respelled.values())
    names = [f"“{name}”" for name in rest.respelled]
    has, is_ = ("has", "counts") if count == 1 else ("have", "count")
    return f"{numbers.counted(count, 'unit')} {has} the variant in another spelling ({_names(names)}) and {is_} all the same"


def _names(names: Collection[str]) -> str:
    shown = ", ".join(numbers.shortened(name, 40) for name in list(names)[:MOST_NAMES])
    return f"{shown} and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else shown


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
