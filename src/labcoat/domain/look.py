"""A look: one reading of the data that spent its share of alpha, stored once and never recomputed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import isclose

from labcoat.domain.findings import Findings
from labcoat.domain.ids import ExperimentNumber, UserId
from labcoat.domain.late_data import Short
from labcoat.domain.left_out import LeftOut
from labcoat.stats.results import NoLookReason, Readout
from labcoat.stats.rule import Moments, Sample

_SAME = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was read at one slot.

    slot: what makes it unique within its experiment. as_of: until when the data reach. made_at: when it was read.
    readout: None where the rules allow no look now; the sample is kept all the same, and `no_look` says why.
    is_superseded: typed numbers that it rests on were corrected; it is kept but decides nothing.
    crossed: units that were in two variants, and count in none. definitions: a short hash of each metric's SQL and
    window as they were read; None for typed numbers. left_out: what else of the data does not count.
    short: sources that ended before the look's data should, and were no longer waited for.
    findings: what the data were found to be, where this look found something that none before it did.
    """

    experiment: ExperimentNumber
    slot: datetime
    as_of: datetime
    made_at: datetime
    sample: Sample
    readout: Readout | None
    no_look: NoLookReason | None = None
    is_superseded: bool = False
    crossed: int = 0
    definitions: Mapping[str, str] | None = None
    left_out: LeftOut = field(default_factory=LeftOut)
    short: tuple[Short, ...] = ()
    findings: Findings | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Totals since the start that were sent for one metric; moments in the plan's order of variants.

    sent_by: the person who typed them or gave the file; None where a program did. program: its name then.
    wrong_since: of a correction, from when on earlier totals of the metric count no more; None where it replaces none.
    """

    experiment: ExperimentNumber
    metric: str
    as_of: datetime
    sent_by: UserId | None
    sent_at: datetime
    moments: tuple[Moments, ...]
    program: str | None = None
    wrong_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceProblem:
    """Why the warehouse could not be read; the last good look stays.

    attempts: that failed in a row. is_of_count: found while counting units between looks. is_owner_told: in private.
    """

    message: str
    since: datetime
    attempts: int = 1
    is_of_count: bool = False
    is_owner_told: bool = False


def sample_of(entries: Mapping[str, Entry], goal: str) -> Sample:
    """Return the typed totals as a sample; the goal's units are the exposed ones.

    entries: the newest entry of each metric, the goal's among them.
    """
    return Sample(
        exposed=tuple(moments.count for moments in entries[goal].moments),
        moments={name: entry.moments for name, entry in entries.items()},
    )


def is_same_entry(one: Entry, other: Entry) -> bool:
    """Whether two entries of a metric say the same numbers, whenever they are as of."""
    (sample, other_sample) = (Sample(exposed=(), moments={entry.metric: entry.moments}) for entry in (one, other))
    return is_same(sample, other_sample)


def is_same(one: Sample, other: Sample) -> bool:
    """Whether two samples are of the same rows: engines add them up in any order, so the last digits may differ."""
    numbers, others = _numbers(one), _numbers(other)
    return len(numbers) == len(others) and all(
        isclose(*pair, rel_tol=_SAME) for pair in zip(numbers, others, strict=True)
    )


def _numbers(sample: Sample) -> list[float]:
    numbers: list[float] = list(sample.exposed)
    for name in sorted(sample.moments):
        for arm in sample.moments[name]:
            numbers += (arm.count, arm.mean, arm.variance, *(arm.joint.means if arm.joint else ()))
    return numbers
