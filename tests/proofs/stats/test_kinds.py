"""What a look says of ratios, covariates and p-values."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from labcoat.stats.arrays import FloatArray
from labcoat.stats.results import Finding, Verdict
from labcoat.stats.rule import Design, Joint, MetricKind, Moments, Sample
from stats.builders import a_look, a_metric, a_rule, a_sample, events

ONE_LOOK, SEQUENCE = Design.ONE_LOOK, Design.CONFIDENCE_SEQUENCE


def _even(units: int, *, better: float) -> Sample:
    return a_sample(events(round(units * 0.1), of=units), events(round(units * (0.1 + better)), of=units))


def test_p_values_are_given_where_they_hold() -> None:
    better = _even(4000, better=0.02)
    fixed = a_look(a_rule(design=ONE_LOOK), better, day=28).estimates[0]
    early = a_look(a_rule(design=ONE_LOOK), better, day=14, is_last=True).estimates[0]
    looked = a_look(a_rule(), better, day=14).estimates[0]
    sequence = a_look(a_rule(design=SEQUENCE), better, day=14).estimates[0]

    # By hand: z = .02 / sqrt((.1 x .9 + .12 x .88) / 4000) = 2.8598.
    assert fixed.p_value == pytest.approx(2 * stats.norm.sf(2.8598), rel=1e-3)
    assert (early.p_value, looked.p_value, looked.log_e_value) == (None, None, None)
    assert sequence.log_e_value is not None
    assert sequence.p_value == pytest.approx(min(1, 1 / np.exp(sequence.log_e_value)))


def _joint_arm(values: FloatArray, denominators: FloatArray, before: FloatArray) -> Moments:
    matrix = np.cov([values, denominators, before])
    rows = [[0.0] * 4 for _ in range(4)]
    for one in range(3):
        for other in range(3):
            rows[one][other] = float(matrix[one, other])
    return Moments(
        count=len(values),
        mean=float(values.mean()),
        variance=float(matrix[0, 0]),
        joint=Joint(
            means=(float(denominators.mean()), float(before.mean()), 1.0),
            covariances=(_four(rows[0]), _four(rows[1]), _four(rows[2]), _four(rows[3])),
        ),
    )


def _four(row: list[float]) -> tuple[float, float, float, float]:
    return row[0], row[1], row[2], row[3]


def test_a_ratio_shows_the_ratios_and_a_covariate_what_it_takes_away() -> None:
    rng = np.random.default_rng(1)
    before = rng.gamma(2, 2, (2, 500))
    views = 1 + rng.poisson(5, (2, 500)).astype(float)
    clicks = views * rng.uniform(0.1, 0.3, (2, 500)) + before / 5
    arms = tuple(_joint_arm(clicks[arm], views[arm], before[arm]) for arm in (0, 1))
    rule = a_rule(a_metric(kind=MetricKind.RATIO), design=ONE_LOOK)

    (estimate,) = a_look(rule, a_sample(*arms), day=28).estimates

    assert estimate.difference == pytest.approx((estimate.treatment_mean or 0) - (estimate.control_mean or 0))
    assert estimate.control_mean == pytest.approx(clicks[0].sum() / views[0].sum(), rel=0.05)
    assert 0.1 < (estimate.variance_reduction or 0) < 1
    assert estimate.lift is not None


def test_a_denominator_near_0_gives_a_reason_and_no_number() -> None:
    rng = np.random.default_rng(2)
    views = rng.normal(0.01, 1, (2, 400))
    arms = tuple(_joint_arm(rng.normal(1, 1, 400), views[arm], rng.normal(size=400)) for arm in (0, 1))

    look = a_look(a_rule(a_metric(kind=MetricKind.RATIO), design=ONE_LOOK), a_sample(*arms), day=28)

    assert look.estimates[0].missing is Finding.DENOMINATOR_NEAR_ZERO
    assert look.estimates[0].low is None
    assert look.verdict is Verdict.INCONCLUSIVE


def test_covariances_that_no_numbers_have_are_a_data_error() -> None:
    rng = np.random.default_rng(3)
    arm = _joint_arm(rng.normal(5, 1, 400), np.ones(400), rng.normal(5, 1, 400))
    assert arm.joint is not None
    first, second, third, fourth = arm.joint.covariances
    broken = replace(arm.joint, covariances=((first[0], 0.0, 9.0, 0.0), second, (9.0, 0.0, third[2], 0.0), fourth))
    sample = a_sample(arm, replace(arm, joint=broken))

    look = a_look(a_rule(a_metric(kind=MetricKind.MEAN), design=ONE_LOOK), sample, day=28)

    assert look.verdict is Verdict.DATA_ERROR
    assert look.reasons[0].finding is Finding.NEGATIVE_VARIANCE


def test_a_tiny_p_value_is_not_rounded_to_0() -> None:
    for kind in (MetricKind.PROPORTION, MetricKind.MEAN):
        look = a_look(a_rule(a_metric(kind=kind), design=ONE_LOOK), _even(10_000, better=0.1), day=28)

        # 1 - cdf would be 0 below 1e-16.
        assert 0 < (look.estimates[0].p_value or 0) < 1e-50


def test_property_the_unit_of_measurement_changes_no_verdict_lift_or_p_value() -> None:
    rng = np.random.default_rng(4)
    values = rng.normal(5, 1, (2, 300))
    one, other = (
        a_look(
            a_rule(a_metric(kind=MetricKind.MEAN, minimum_effect=0.1 * scale), design=ONE_LOOK),
            a_sample(*(_joint_arm(scale * arm, np.ones(300), np.zeros(300)) for arm in values)),
            day=28,
        )
        for scale in (1.0, 1e6)
    )

    assert one.verdict is other.verdict
    assert one.estimates[0].lift == pytest.approx(other.estimates[0].lift)
    assert one.estimates[0].p_value == pytest.approx(other.estimates[0].p_value)
