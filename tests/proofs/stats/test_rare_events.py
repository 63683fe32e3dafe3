"""Few events, and arms of unequal size: harm is seen, and nothing wins by a small arm's own luck."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep

from labcoat.stats import effects
from labcoat.stats.results import Finding, Verdict
from labcoat.stats.rule import Design, Direction, MetricKind, Role, Rule, Sample
from stats.builders import a_guardrail, a_look, a_metric, a_rule, a_sample, array, compared, events, values

GOOD = (events(5000, of=50_000), events(5600, of=50_000))


def _with_crashes(*counts: int, margin: float = 0.0, of: int = 50_000) -> tuple[Rule, Sample]:
    crashes = a_guardrail("crashes", direction=Direction.DOWN, margin=margin)
    rule = a_rule(a_metric(minimum_effect=0.005), crashes, design=Design.ONE_LOOK)
    return rule, Sample(
        exposed=(50_000,) * 2, moments={"orders": GOOD, "crashes": tuple(events(n, of=of) for n in counts)}
    )


def test_two_crashes_against_two_hundred_are_harm() -> None:
    rule, sample = _with_crashes(2, 200)

    look = a_look(rule, sample, day=28)

    assert look.verdict is Verdict.GUARDRAIL_HARM
    assert [one.finding for one in look.reasons] == [Finding.BAD_SIDE, Finding.SMALL_CELL]
    assert {one.metric for one in look.reasons} == {"crashes"}


@pytest.mark.parametrize(
    ("control", "treatment", "is_harm"), [(0, 8, True), (0, 5, False), (1, 8, True), (1, 6, False)]
)
def test_below_ten_events_in_all_the_exact_tail_must_say_it_too(control: int, treatment: int, is_harm: bool) -> None:
    """One look at .05: one side is .025. Of 8 events all 8, or of 9 at least 8, are 1/256 and 10/512 by chance."""
    tail = stats.binom.sf(treatment - 1, control + treatment, 0.5)
    rule, sample = _with_crashes(control, treatment)

    look = a_look(rule, sample, day=28)

    assert bool(tail <= 0.025) is is_harm
    assert (look.verdict is Verdict.GUARDRAIL_HARM) is is_harm


def test_newcombe_alone_would_call_it() -> None:
    """0 against 5: the interval excludes 0, the exact tail is 1/32."""
    rule, sample = _with_crashes(0, 5)

    (crashes,) = (one for one in a_look(rule, sample, day=28).estimates if one.metric == "crashes")

    assert crashes.low is not None
    assert crashes.low > 0


@pytest.mark.parametrize("control", [0, 3, 9])
@pytest.mark.parametrize("treatment", [0, 3, 9])
@pytest.mark.parametrize("is_up_good", [True, False])
@pytest.mark.parametrize("are_rare", [True, False])
def test_reference_the_exact_tail_is_scipys_binomial(
    control: int, treatment: int, is_up_good: bool, are_rare: bool
) -> None:
    n, k = array(3000, 1000), 1.2
    few = array(control, treatment)
    share = few / n if are_rare else 1 - few / n
    # More of what is rare is bad where those are events and fewer are better, or non-events and more are better.
    are_bad = are_rare != is_up_good
    total = control + treatment
    tail = stats.binom.sf(treatment - 1, total, 0.25) if are_bad else stats.binom.cdf(treatment, total, 0.25)

    said = effects.is_harm_by_count(n, share, is_up_good=np.array([is_up_good]), multiplier=array(k))

    assert bool(said[0]) is bool(total >= 10 or tail <= stats.norm.sf(k))


def test_few_events_never_make_a_goal_win() -> None:
    look = a_look(a_rule(design=Design.ONE_LOOK), a_sample(events(2, of=50_000), events(200, of=50_000)), day=28)

    assert look.estimates[0].low is not None
    assert look.estimates[0].low > 0
    assert look.verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(("margin", "verdict"), [(0.001, Verdict.WIN), (0.00005, Verdict.WIN_GUARDRAIL_OPEN)])
@pytest.mark.parametrize("crashes", [(0, 0), (3, 4)])
def test_few_events_may_show_a_guardrail_safe(crashes: tuple[int, int], margin: float, verdict: Verdict) -> None:
    rule, sample = _with_crashes(*crashes, margin=margin)

    assert a_look(rule, sample, day=28).verdict is verdict


def test_few_that_stayed_are_seen_as_few_that_left() -> None:
    """Uptime of 49,998 against 49,800 of 50,000, of which more is better."""
    uptime = a_guardrail("uptime")
    rule = a_rule(a_metric(minimum_effect=0.005), uptime, design=Design.ONE_LOOK)
    up = (events(49_998, of=50_000), events(49_800, of=50_000))

    look = a_look(rule, Sample(exposed=(50_000,) * 2, moments={"orders": GOOD, "uptime": up}), day=28)

    assert look.verdict is Verdict.GUARDRAIL_HARM


# Unequal shares.


def _unequal(kind: MetricKind = MetricKind.PROPORTION) -> Rule:
    rule = a_rule(a_metric(kind=kind, minimum_effect=None), design=Design.ONE_LOOK)
    return Rule(
        design=rule.design,
        alpha=rule.alpha,
        planned_days=rule.planned_days,
        variants=rule.variants,
        weights=(0.1, 0.9),
        metrics=rule.metrics,
        minimum_events=0,
    )


def test_a_crossing_needs_the_pooled_statistic_too() -> None:
    """15 of 5,000 against 225 of 45,000: by its own variance the small arm is surely below, pooled it is not."""
    look = a_look(_unequal(), a_sample(events(15, of=5000), events(225, of=45_000)), day=28)

    p = np.array([15 / 5000, 225 / 45_000])
    own = np.sqrt((p * (1 - p) / [5000, 45_000]).sum())
    pooled = np.sqrt((4999 * p[0] * (1 - p[0]) + 44_999 * p[1] * (1 - p[1])) / 49_998 * (1 / 5000 + 1 / 45_000))
    (one,) = look.estimates
    assert 0.002 / own > 1.96 > 0.002 / pooled
    assert one.standard_error == pytest.approx(pooled)
    assert one.low == pytest.approx(0.002 - stats.norm.isf(0.025) * pooled)
    assert look.verdict is Verdict.INCONCLUSIVE


def test_where_the_small_arm_varies_more_its_own_variance_decides() -> None:
    look = a_look(_unequal(), a_sample(events(500, of=5000), events(3600, of=45_000)), day=28)

    p = np.array([0.1, 0.08])
    assert look.estimates[0].standard_error == pytest.approx(np.sqrt((p * (1 - p) / [5000, 45_000]).sum()))


def test_a_mean_takes_the_wider_of_welchs_and_students_interval() -> None:
    arms = values(10, sd=1, of=40), values(11, sd=3, of=360)
    look = a_look(_unequal(MetricKind.MEAN), a_sample(*arms), day=28)

    student, welch = (
        stats.ttest_ind_from_stats(11, 3, 360, 10, 1, 40, equal_var=is_pooled) for is_pooled in (True, False)
    )
    assert student.pvalue > welch.pvalue
    assert look.estimates[0].p_value == pytest.approx(student.pvalue)


def test_with_even_shares_both_are_the_same() -> None:
    effect = compared(array(5000, 5000), array(0.1, 0.12), array(0.09, 0.1056))

    assert effect.pooled_error == pytest.approx(effect.standard_error)


def test_a_negative_baseline_says_so() -> None:
    rule = a_rule(a_metric("profit", kind=MetricKind.MEAN, role=Role.GOAL), design=Design.ONE_LOOK)
    sample = Sample(exposed=(1000, 1000), moments={"profit": (values(-5, sd=1, of=1000), values(-4, sd=1, of=1000))})

    look = a_look(rule, sample, day=28)

    assert look.verdict is Verdict.WIN
    assert look.estimates[0].missing is Finding.NEGATIVE_BASELINE
    assert look.reasons[-1].finding is Finding.NEGATIVE_BASELINE


def test_a_guardrails_interval_with_a_margin_holds_newcombes_too() -> None:
    """15 of 20,000 against 30 of 80,000: the arm with few events varies less than it may."""
    rule, _ = _with_crashes(0, 0, margin=0.0005)
    orders, crashes = (2000, 8000), (15, 30)
    arms = {
        name: (events(given[0], of=20_000), events(given[1], of=80_000))
        for name, given in (("orders", orders), ("crashes", crashes))
    }

    look = a_look(rule, Sample(exposed=(20_000, 80_000), moments=arms), day=28)

    (one,) = (one for one in look.estimates if one.metric == "crashes")
    low, high = confint_proportions_2indep(30, 80_000, 15, 20_000, method="newcomb", compare="diff", alpha=0.05)
    difference = 30 / 80_000 - 15 / 20_000
    widest = max(difference - low, high - difference)
    assert (one.low, one.high) == pytest.approx((difference - widest, difference + widest))
