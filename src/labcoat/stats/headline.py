"""Which treatment and metric an experiment's headline names."""

from labcoat.stats.results import Estimate, Finding, TreatmentVerdict, Verdict
from labcoat.stats.rule import Direction, MetricRule, Rule

_RANKS = {
    Verdict.DATA_ERROR: 0,
    Verdict.INVALID: 0,
    Verdict.WIN: 1,
    Verdict.GUARDRAIL_HARM: 2,
    Verdict.GOAL_HARM: 2,
    Verdict.WIN_GUARDRAIL_OPEN: 3,
    Verdict.WIN_EFFECT_MOVED: 4,
    # Where one treatment may still win, the experiment goes on.
    Verdict.KEEP_COLLECTING: 5,
    Verdict.TOO_EARLY: 6,
    Verdict.INCONCLUSIVE: 7,
    Verdict.NO_GAIN: 8,
    Verdict.NO_EFFECT: 9,
}
_WON = (Finding.GOOD_SIDE, Finding.CROSSED_EARLIER)
_HARMED = (Finding.BAD_SIDE, Finding.CROSSED_EARLIER)


def in_order(
    rule: Rule, verdicts: tuple[TreatmentVerdict, ...], estimates: tuple[Estimate, ...]
) -> tuple[TreatmentVerdict, ...]:
    """Return the verdicts, the headline's first: wins, then harm, then what is open; dropped treatments last.

    Of two wins the one whose interval begins higher, relative to control, comes first; that does not say that it beats
    the other. Of two harms the larger. verdicts: in the plan's order, which decides between equals.
    """

    def key(one: TreatmentVerdict) -> tuple[bool, int, float]:
        return one.is_dropped, _RANKS[one.verdict], -_size(rule, one, estimates)

    return tuple(sorted(verdicts, key=key))


def deciding_metric(rule: Rule, one: TreatmentVerdict, estimates: tuple[Estimate, ...]) -> str | None:
    """Return the metric that made a treatment win or harmed it, the clearest of several; None where none did."""
    if not one.verdict.is_win and not one.verdict.is_harm:
        return None
    named = {reason.metric for reason in one.reasons if reason.finding in (_WON if one.verdict.is_win else _HARMED)}
    candidates = [metric for metric in rule.metrics if metric.name in named]
    return max(candidates, key=lambda metric: _shown(metric, one, estimates)).name if candidates else None


def _size(rule: Rule, one: TreatmentVerdict, estimates: tuple[Estimate, ...]) -> float:
    metric = next((metric for metric in rule.metrics if metric.name == one.metric), None)
    return _shown(metric, one, estimates) if metric is not None else 0.0


def _shown(metric: MetricRule, one: TreatmentVerdict, estimates: tuple[Estimate, ...]) -> float:
    """Return how much a win or a harm is at least, relative to control where that is possible."""
    estimate = next(each for each in estimates if (each.metric, each.treatment) == (metric.name, one.treatment))
    low, high = _ends(estimate)
    if low is None or high is None:
        return 0.0
    is_up = (metric.direction is Direction.UP) is one.verdict.is_win
    return low if is_up else -high


def _ends(estimate: Estimate) -> tuple[float | None, float | None]:
    shown = estimate.crossing or estimate.shown
    if shown.lift_low is not None and shown.lift_high is not None:
        return shown.lift_low, shown.lift_high
    if shown.low is None or shown.high is None:
        return None, None
    scale = abs(estimate.control_mean or 0.0) or 1.0
    return shown.low / scale, shown.high / scale
