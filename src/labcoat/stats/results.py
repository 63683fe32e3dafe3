"""Plain values that come out of the statistics: frozen, floats only, nothing that needs numpy."""

from dataclasses import dataclass, replace
from enum import StrEnum

from labcoat.stats.rule import MetricKind, Role


class Verdict(StrEnum):
    """What the numbers say by the plan's rule, in the order of STATISTICS' table: the first that matches wins."""

    DATA_ERROR = "data error"
    INVALID = "invalid"
    GUARDRAIL_HARM = "guardrail harm"
    GOAL_HARM = "goal harm"
    TOO_EARLY = "too early"
    WIN = "win"
    WIN_GUARDRAIL_OPEN = "win, guardrail open"
    WIN_EFFECT_MOVED = "win, effect moved"
    NO_EFFECT = "no meaningful effect"
    NO_GAIN = "no gain worth having"  # and a loss is possible
    INCONCLUSIVE = "inconclusive"
    KEEP_COLLECTING = "keep collecting"

    @property
    def is_valid(self) -> bool:
        """Whether effects may be read at all: not on a split that is not as planned, nor on wrong data."""
        return self not in (Verdict.DATA_ERROR, Verdict.INVALID)

    @property
    def is_harm(self) -> bool:
        """Whether a goal or a guardrail got worse."""
        return self in (Verdict.GUARDRAIL_HARM, Verdict.GOAL_HARM)

    @property
    def is_win(self) -> bool:
        """Whether a goal won, whatever is open beside it."""
        return self in (Verdict.WIN, Verdict.WIN_GUARDRAIL_OPEN, Verdict.WIN_EFFECT_MOVED)


class Finding(StrEnum):
    """Why a verdict is what it is, or what it must be read with."""

    ARM_EMPTY = "arm empty"  # value: None
    FEW_UNITS_FOR_VARIANCE = "n below 2"
    NOT_FINITE = "not finite"  # NaN or infinite moments
    NEGATIVE_VARIANCE = "negative variance"
    SHRUNK = "n fell"  # value: the share of units that disappeared, 0-1
    NO_VARIANCE = "no variance"  # every unit has the same value: no interval can be given
    CONSTANT_ARM = "constant arm"  # of a mean, in the arm that `Estimate.constant_arm` names: decides harm only
    DENOMINATOR_NEAR_ZERO = "denominator near 0"  # of a ratio: within five of its standard errors
    SMALL_CELL = "small cell"  # fewer than 10 events or non-events in an arm
    NO_RELATIVE = "no relative interval"  # the control mean is not clearly away from 0
    NEGATIVE_BASELINE = "negative baseline"  # the control mean is below 0: a relative effect would read the wrong way
    UNEVEN_ANALYSED = "analysed units unevenly split"  # the metric is not valid; value: the p-value
    NO_VALID_GOAL = "no valid goal"
    UNEVEN_SPLIT = "uneven split"  # SRM; value: its p-value
    SPLIT_WARNING = "split warning"  # .01 <= p < .05; value: its p-value
    BAD_SIDE = "interval on the bad side"
    GOOD_SIDE = "interval on the good side"
    ABOVE_MINIMUM = "above the minimum effect"  # practically significant
    GUARDRAIL_OPEN = "guardrail not yet shown safe"
    GUARDRAIL_WITHOUT_DATA = "guardrail without data"
    EFFECT_MOVED = "effect moved"  # the newest estimate lies outside what all looks together allow
    INSIDE_MINIMUM = "inside the minimum effect"
    FUTILE = "upper end below the minimum effect"
    CROSSES_ZERO = "interval contains 0"
    FEW_DAYS = "few days"  # value: the days needed
    FEW_UNITS = "few units"  # value: the smallest arm's units
    FEW_EVENTS = "few events"  # value: the smallest arm's events
    CROSSED_EARLIER = "crossed at an earlier look"  # value: that look's number; a crossing stands
    DROPPED = "dropped"  # people took the treatment out; its verdict is that of its last look


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRatio:
    """Whether traffic was split as planned.

    p_value: sequential, valid at every look. log_bayes_factor: its running maximum, carried from look to look.
    chi_square_p: the textbook test, a diagnostic only.
    """

    exposed: tuple[int, ...]
    weights: tuple[float, ...]
    p_value: float
    log_bayes_factor: float
    chi_square_p: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysedSplit:
    """Whether the units that a metric was measured on are split as planned; only where they are not the exposed ones.

    p_value, log_bayes_factor: as in SampleRatio.
    """

    metric: str
    p_value: float
    log_bayes_factor: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """A finding about a metric and treatment (None: about the experiment as a whole)."""

    finding: Finding
    metric: str | None = None
    treatment: str | None = None
    value: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The running intersection: what the intervals of all looks together still allow.

    low, high, lift_low, lift_high: as in Estimate; low > high where nothing is left, and then the effect has moved.
    look, day: of the newest look that gave one of its ends.
    """

    low: float
    high: float
    lift_low: float | None
    lift_high: float | None
    look: int
    day: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """The look at which an interval of a value that keeps growing left 0; it stands, whatever came after.

    is_good: on the good side. The numbers are those of that look.
    """

    look: int
    day: float
    is_good: bool
    difference: float
    low: float
    high: float
    lift: float | None
    lift_low: float | None
    lift_high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """The effect on the units that came after an earlier look, with a plain 99 % interval; decides nothing."""

    look: int
    day: float
    difference: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One treatment against control on one metric at one look.

    difference, low, high: treatment - control in the metric's unit, at the multiplier k of this look; signs as
    measured, not turned by direction. None where no number can be given; `missing` then says why.
    With SMALL_CELL, NO_RELATIVE, NEGATIVE_BASELINE and CONSTANT_ARM only the lift is missing.
    lift, lift_low, lift_high: relative to the control mean, 0.05 = +5 %; None where there is no relative interval.
    control_mean, treatment_mean: as analysed: of a ratio the ratio, with a covariate the adjusted mean.
    information: 1 / (1/n0 + 1/n1) in analysed units.
    p_value: two-sided, times the comparisons that share its alpha, so that it agrees with the interval; only where this
    is the only look, or, with a confidence sequence, valid at every look. unadjusted_p_value: before that.
    log_e_value: of a confidence sequence, the natural logarithm of the evidence against "no difference".
    variance_reduction: the share of the difference's variance that the covariate took away, 0-1; None without one.
    is_approximate: looks are paid for as if values were complete, but those of units seen may still grow.
    held: what all looks together allow, which verdict, words and charts read (`shown`); None where this look's own
    interval is read. has_moved: the estimate lies outside of it; since: the units that came after the look it is from.
    crossing: of a value that keeps growing. constant_arm: the variant in which every unit has the same value.
    is_harmed, is_open: what the verdict table says of a goal or a guardrail, and of a guardrail that is not shown safe;
    None in looks that earlier versions stored.
    decided: of data that came late, the same at the final look, whose verdict it stands beside.
    """

    metric: str
    role: Role
    kind: MetricKind
    treatment: str
    control_count: int
    treatment_count: int
    control_mean: float | None
    treatment_mean: float | None
    information: float
    difference: float | None = None
    standard_error: float | None = None
    multiplier: float | None = None
    low: float | None = None
    high: float | None = None
    lift: float | None = None
    lift_low: float | None = None
    lift_high: float | None = None
    p_value: float | None = None
    log_e_value: float | None = None
    variance_reduction: float | None = None
    is_approximate: bool = False
    missing: Finding | None = None
    unadjusted_p_value: float | None = None
    held: Held | None = None
    has_moved: bool = False
    since: Since | None = None
    crossing: Crossing | None = None
    constant_arm: str | None = None
    is_harmed: bool | None = None
    is_open: bool | None = None
    decided: "Estimate | None" = None

    @property
    def shown(self) -> "Estimate":
        """The estimate with the interval that people read: the running intersection, unless the effect has moved."""
        if self.held is None or self.has_moved:
            return self
        lift, lift_low, lift_high = self.lift, self.held.lift_low, self.held.lift_high
        if lift is None or lift_low is None or lift_high is None or not lift_low <= lift <= lift_high:
            lift = lift_low = lift_high = None
        return replace(self, low=self.held.low, high=self.held.high, lift=lift, lift_low=lift_low, lift_high=lift_high)


@dataclass(frozen=True, slots=True, kw_only=True)
class TreatmentVerdict:
    """What the numbers say about one treatment.

    metric: the one that decided, None where none did. is_dropped: as of the look before it was dropped.
    """

    treatment: str
    verdict: Verdict
    reasons: tuple[Reason, ...]
    metric: str | None = None
    is_dropped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Readout:
    """One look, made once and never recomputed.

    look: 1, 2, ... day: days since the start. spent: u, the share of the planned calendar, 0-1.
    is_final: no later look can change the verdict (u = 1, or the last look of an early stop).
    is_after_final: data seen after the final look; shown, never decides.
    verdict, reasons: the headline's, which is the first of `by_treatment`.
    treatments: each treatment's own, the headline's first; none in a look that an earlier version stored.
    days_left: estimated, None if unknown. analysed_splits: of the metrics that were not measured on all exposed units.
    """

    look: int
    day: float
    spent: float
    is_final: bool
    is_after_final: bool
    sample_ratio: SampleRatio
    estimates: tuple[Estimate, ...]
    verdict: Verdict
    reasons: tuple[Reason, ...]
    days_left: int | None = None
    treatments: tuple[TreatmentVerdict, ...] = ()
    analysed_splits: tuple[AnalysedSplit, ...] = ()

    @property
    def by_treatment(self) -> tuple[TreatmentVerdict, ...]:
        """Each treatment's verdict, the headline's first.

        Earlier versions stored one for all: a win or a harm is that of the treatments that its reasons name, and of the
        others nothing is known.
        """
        if self.treatments:
            return self.treatments
        names = tuple(dict.fromkeys(estimate.treatment for estimate in self.estimates))
        if self.verdict.is_win or self.verdict.is_harm:
            named = {reason.treatment for reason in self.reasons}
            names = tuple(name for name in names if name in named) or names[:1]
        return tuple(TreatmentVerdict(treatment=name, verdict=self.verdict, reasons=self.reasons) for name in names)

    @property
    def as_decided(self) -> "Readout":
        """The readout with the numbers that its verdicts rest on: after the final look, those of that look."""
        if not self.is_after_final:
            return self
        return replace(self, estimates=tuple(estimate.decided or estimate for estimate in self.estimates))

    @property
    def headline(self) -> TreatmentVerdict | None:
        """The treatment that comes first; None where nothing names one, as before the first unit."""
        return next(iter(self.by_treatment), None)

    def find(self, treatment: str | None) -> TreatmentVerdict | None:
        """Return what the numbers say about a treatment, None if they say nothing of it; None for the headline's."""
        if treatment is None:
            return self.headline
        return next((one for one in self.by_treatment if one.treatment == treatment), None)

    @property
    def is_decided(self) -> bool:
        """Whether the verdict stands for good: at the final look and after it."""
        return self.is_final or self.is_after_final


class NoLookReason(StrEnum):
    """Why there is no look now; nothing is spent."""

    BEFORE_THE_END = "before the end"  # one look at the end, and the end is not reached
    WINDOW_OPEN = "window open"  # u = 0: no unit's window has closed
    NO_NEW_UNITS = "no new units"  # information did not grow
    SLIGHTLY_FEWER = "slightly fewer"  # n fell by at most 1 %


@dataclass(frozen=True, slots=True, kw_only=True)
class NoLook:
    """The answer where a look may not or need not be made."""

    reason: NoLookReason


class Adjustment(StrEnum):
    """How many metrics together are kept honest. e-BH is for confidence sequences, the others for one look."""

    HOLM = "holm"
    BENJAMINI_HOCHBERG = "bh"
    E_BENJAMINI_HOCHBERG = "ebh"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explored:
    """One estimate among all that were explored. p_value: adjusted; None for e-BH, or where there is no number."""

    p_value: float | None
    is_discovery: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Chances:
    """A Bayesian view of one lift. chance: that it is above 0. losses: expected, on the lift's scale, 0.01 = 1 %."""

    chance: float
    low: float
    high: float
    loss_of_treatment: float
    loss_of_control: float
