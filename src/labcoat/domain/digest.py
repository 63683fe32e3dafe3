"""The weekly digest as values: what was learned and what waits; composed once, when its week is claimed."""

from dataclasses import dataclass
from datetime import date, datetime

from labcoat.domain.dossier import Dossier
from labcoat.domain.evidence import EvidenceSource
from labcoat.domain.experiment import WhileItRan
from labcoat.domain.hypothesis import Decision, Outcome
from labcoat.domain.ids import ExperimentNumber, HypothesisNumber, UserId
from labcoat.domain.plan import Plan
from labcoat.domain.verdicts import leading
from labcoat.stats.results import Estimate, Finding, Readout, TreatmentVerdict, Verdict
from labcoat.stats.rule import Direction, MetricKind


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideItem:
    """A request that waits for an answer; the only place where a digest mentions people."""

    hypothesis: HypothesisNumber
    change: str
    asked_of: UserId
    asked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthItem:
    """An experiment whose numbers need a person: SRM, harm, or data that cannot be read (then `problem` says why).

    treatment, metric: the first that does harm; None for trouble with all. plan: None in a digest that an earlier
    version composed.
    ran: what people did to it while it ran, None in a digest that an earlier version made.
    """

    hypothesis: HypothesisNumber
    experiment: ExperimentNumber
    change: str
    readout: Readout | None
    problem: str | None
    ran: WhileItRan | None = None
    treatment: str | None = None
    metric: str | None = None
    plan: Plan | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultItem:
    """The newest look of an experiment, with the estimate that its headline is about.

    treatment: that comes first. plan: None in a digest that an earlier version composed, as the treatment.
    ran: as in HealthItem.
    """

    hypothesis: HypothesisNumber
    experiment: ExperimentNumber
    change: str
    metric: str
    kind: MetricKind
    direction: Direction
    estimate: Estimate
    readout: Readout
    as_of: datetime
    ran: WhileItRan | None = None
    treatment: str | None = None
    plan: Plan | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedItem:
    """A hypothesis closed in the week. days_not_spent: build guess less what was spent, None without a guess.

    ran: of its newest experiment, None without one. treatment: which of several was shipped.
    """

    hypothesis: HypothesisNumber
    change: str
    outcome: Outcome
    decision: Decision
    learning: str
    days_not_spent: float | None
    ran: WhileItRan | None = None
    treatment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StalledItem:
    """Something that waits for its owner. days: how long, at least 0."""

    hypothesis: HypothesisNumber
    change: str
    why: str
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartItem:
    """A look that the digest's thread shows with its chart: a new verdict, trouble, or a first readout."""

    hypothesis: HypothesisNumber
    experiment: ExperimentNumber
    slot: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """One channel's week.

    learned_by_experiment, learned_by_prototype: of the closed ones, those that taught something, by the strict rule.
    charts: what its thread shows. is_detailed: as the channel chose. has_no_inflow: nothing new for two weeks.
    oldest_open: number, change and whole days of the hypothesis that has waited longest at its first stage.
    """

    monday: date
    is_late: bool
    closed_count: int
    learned_by_experiment: int
    learned_by_prototype: int
    open_count: int
    waiting_count: int
    oldest_waiting: HypothesisNumber | None
    oldest_waiting_change: str
    oldest_waiting_days: int
    decide: tuple[DecideItem, ...] = ()
    health: tuple[HealthItem, ...] = ()
    results: tuple[ResultItem, ...] = ()
    closed: tuple[ClosedItem, ...] = ()
    stalled: tuple[StalledItem, ...] = ()
    charts: tuple[ChartItem, ...] = ()
    is_detailed: bool = False
    has_no_inflow: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing is open and nothing was closed."""
        return not (self.open_count or self.closed_count)


def taught_by_experiment(readout: Readout | None) -> bool:
    """Whether a valid experiment taught something: a win, a harm caught, or no effect shown on both sides.

    Of any treatment. "Futile", where only one side was shown, does not count: the planned power was not reached.
    """
    if readout is None:
        return False
    return any(_taught_by(one) for one in readout.treatments or (leading(readout),))


def _taught_by(one: TreatmentVerdict) -> bool:
    if one.verdict is Verdict.NO_EFFECT:
        return all(reason.finding is not Finding.FUTILE for reason in one.reasons)
    return one.verdict.is_win or one.verdict.is_harm


def taught_by_prototype(dossier: Dossier) -> bool:
    """Whether a prototype alone taught something: closed supported or refuted, with evidence from users."""
    ending = dossier.hypothesis.ending
    if ending is None or dossier.newest_experiment is not None:
        return False
    has_users = any(evidence.kind.source is EvidenceSource.USERS for evidence in dossier.evidence)
    return has_users and ending.outcome in (Outcome.SUPPORTED, Outcome.REFUTED)


def days_not_spent(dossier: Dossier) -> float | None:
    """Return the person-days a build would have taken beyond what was spent; None if unknown or built."""
    ending = dossier.hypothesis.ending
    guesses = [one.build_guess_days for one in dossier.prototypes if one.build_guess_days is not None]
    if ending is None or ending.decision is Decision.SHIPPED or not guesses:
        return None
    return max(0.0, guesses[-1] - ending.days_spent)
