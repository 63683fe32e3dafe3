"""Facts about totals that people and programs send: recorded, or corrected, with what that undoes."""

from dataclasses import dataclass
from enum import StrEnum

from labcoat.domain.ids import ExperimentNumber, HypothesisNumber, UserId
from labcoat.stats.results import Verdict
from labcoat.stats.rule import MetricKind


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalsOrigin:
    """Who sent totals: a person or a program. file: the name of the file that they came in."""

    by: UserId | None = None
    program: str | None = None
    file: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalsRecorded:
    """Totals were stored. taken: what was read of their file, "" for none."""

    hypothesis: HypothesisNumber
    experiment: ExperimentNumber
    metrics: str
    origin: TotalsOrigin
    taken: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmTotals:
    """One variant's totals of a metric."""

    count: int
    mean: float
    variance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricCorrected:
    """The earlier and the corrected totals of a metric, by variant in the plan's order."""

    metric: str
    kind: MetricKind
    old: tuple[ArmTotals, ...]
    new: tuple[ArmTotals, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictChange:
    """A treatment's verdict before and after. None: there was or is none."""

    treatment: str
    before: Verdict | None
    after: Verdict | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalsCorrected:
    """Totals were corrected. gone: how many looks no longer count."""

    hypothesis: HypothesisNumber
    experiment: ExperimentNumber
    corrected: tuple[MetricCorrected, ...]
    gone: int
    verdicts: tuple[VerdictChange, ...]
    origin: TotalsOrigin


class Decided(StrEnum):
    """What somebody decided about a hypothesis."""

    APPROVED = "approved"
    SHIPPED = "shipped"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionQuestioned:
    """The totals behind a decision were corrected after it.

    treatment, before, after: what was decided on, None for the headline, and its verdicts. is_changed: whether what
    the decision rested on has changed.
    """

    correction: TotalsCorrected
    decision: Decided
    treatment: str | None
    before: Verdict | None
    after: Verdict | None
    is_changed: bool
