"""Real randomised experiments with published results, read by Labcoat. Cookie Cats is in `test_estimates.py`."""

from dataclasses import replace
from math import sqrt

import pytest
from scipy import stats
from scipy.special import ndtri

from labcoat.stats import effects, sequential
from labcoat.stats.results import Readout, Verdict
from labcoat.stats.rule import Design, Direction, Joint, MetricKind, Moments, Rule
from stats.builders import EVEN_SPLIT, a_look, a_metric, a_rule, a_sample, an_estimate, array, events

# The National Supported Work experiment: men who were given a job for a year and men who were not, dollars earned in
# 1978. LaLonde, American Economic Review 1986; these 445 men: Dehejia and Wahba, Journal of the American Statistical
# Association 1999. Moments of the rows of `nsw_mixtape` in the package causaldata 0.1.5: units, mean, variance.
WITHOUT_WORK, WITH_WORK = (260, 4554.801120, 30072457.2908), (185, 6349.143502, 61896017.1018)
# What the same men earned before: per arm mean, variance and covariance with 1978.
IN_1975 = (1266.909015, 9628497.8382, 1490161.8458), (1532.055313, 10363576.2228, 1888596.2424)
IN_BOTH_YEARS = (3373.935666, 65794136.0904, 4543910.0821), (3627.629006, 54166417.8387, 4930601.8373)

# The Beta-Blocker Heart Attack Trial, planned for 48 months and seven looks: month, deaths and log-rank z of the six
# that were made. Jennison and Turnbull 2000, section 7.2.3; z = 2.82 also in DeMets et al., Controlled Clinical Trials
# 1984. Patients: JAMA 1982;247:1707.
MONTHS, DEATHS = (11, 16, 21, 28, 34, 40), (56.0, 77.0, 126.0, 177.0, 247.0, 318.0)
LOG_RANK = (1.68, 2.24, 2.37, 2.30, 2.34, 2.82)
CALENDAR = tuple(month / 48 for month in MONTHS)
PLACEBO, PROPRANOLOL = 1921, 1916

# Gerber, Green and Larimer, American Political Science Review 2008, table 2: voters and turnout of each group. Who
# voted is counted in the replication data, as many public analyses print it, and gives the table's percentages.
TURNOUT = {
    "control": (events(56_730, of=191_243), 29.7),
    "civic duty": (events(12_021, of=38_218), 31.5),
    "hawthorne": (events(12_316, of=38_204), 32.2),
    "self": (events(13_191, of=38_218), 34.5),
    "neighbors": (events(14_438, of=38_201), 37.8),
}


def _earnings(arm: tuple[int, float, float], before: tuple[float, float, float] | None = None) -> Moments:
    count, mean, variance = arm
    if before is None:
        return Moments(count=count, mean=mean, variance=variance)
    covariate, its_variance, covariance = before
    joint = Joint(
        means=(1.0, covariate, 1.0),
        covariances=((variance, 0, covariance, 0), (0,) * 4, (covariance, 0, its_variance, 0), (0,) * 4),
    )
    return Moments(count=count, mean=mean, variance=variance, joint=joint)


def _read_earnings(without_work: Moments, with_work: Moments) -> Readout:
    rule = a_rule(a_metric(kind=MetricKind.MEAN, minimum_effect=None), design=Design.ONE_LOOK)
    rule = replace(rule, weights=(260 / 445, 185 / 445))
    return a_look(rule, a_sample(without_work, with_work), day=28)


def test_reference_national_supported_work_raised_earnings_by_1794_dollars() -> None:
    look = _read_earnings(_earnings(WITHOUT_WORK), _earnings(WITH_WORK))

    # Dehejia and Wahba 1999, table 3: 1,794 (633). Theirs is the pooled error; the same moments give it too.
    (estimate,) = look.estimates
    assert round(estimate.difference or 0) == 1794
    pooled = (259 * WITHOUT_WORK[2] + 184 * WITH_WORK[2]) / 443
    assert round(sqrt(pooled * (1 / 260 + 1 / 185))) == 633
    # Without pooling: statsmodels, OLS on the rows with HC2 errors, 671.00; scipy's Welch test on the rows.
    assert estimate.standard_error == pytest.approx(671.00, abs=0.005)
    assert (estimate.low, estimate.high) == pytest.approx((474.01, 3114.67), abs=0.01)
    assert estimate.p_value == pytest.approx(0.007893, abs=1e-6)
    assert estimate.lift == pytest.approx(1794.34 / 4554.80, abs=1e-5)
    assert look.verdict is Verdict.WIN


@pytest.mark.parametrize(
    ("before", "difference", "error", "saved"),
    [(IN_1975, 1750.1509, 669.410, 0.00606), (IN_BOTH_YEARS, 1774.7653, 669.536, 0.00791)],
)
def test_reference_national_supported_work_adjusted_for_earlier_earnings(
    before: tuple[tuple[float, float, float], tuple[float, float, float]], difference: float, error: float, saved: float
) -> None:
    look = _read_earnings(_earnings(WITHOUT_WORK, before[0]), _earnings(WITH_WORK, before[1]))

    # statsmodels, OLS on the rows: 1978 on treatment and what was earned before, HC2 errors. HC2 also counts the
    # slope's own leverage, so the errors agree to one part in 500. The share saved: numpy on the adjusted rows.
    (estimate,) = look.estimates
    assert estimate.difference == pytest.approx(difference, abs=0.001)
    assert estimate.standard_error == pytest.approx(error, rel=2e-3)
    assert estimate.variance_reduction == pytest.approx(saved, abs=1e-5)
    assert look.verdict is Verdict.WIN


def test_reference_a_heart_attack_trials_boundary_by_calendar_time() -> None:
    # Jennison and Turnbull 2000, section 7.2.3: spending alpha t by the calendar, with deaths as information. Labcoat's
    # own spending reaches the same shares of alpha at other u. Their third figure is .007 from the recursion, which
    # a multivariate normal integral confirms.
    published = (2.53, 2.59, 2.64, 2.50, 2.51, 2.47)
    spent = tuple(float(ndtri(0.05 / 4) / ndtri(0.05 * share / 4)) ** 2 for share in CALENDAR)

    assert sequential.boundary(spent, DEATHS, 0.05) == pytest.approx(published, abs=0.008)


def test_reference_a_heart_attack_trial_stops_at_its_sixth_look() -> None:
    boundary = sequential.boundary(CALENDAR, DEATHS, 0.05)

    assert [z > k for z, k in zip(LOG_RANK, boundary, strict=True)] == [False] * 5 + [True]


def test_reference_even_looks_have_the_heart_attack_trials_own_boundary() -> None:
    # O'Brien and Fleming's constant for seven looks is 2.063 (Jennison and Turnbull 2000, table 2.3): 2.23 at the 6th.
    looks = tuple(look / 7 for look in range(1, 8))

    assert sequential.boundary(looks, looks, 0.05)[5] == pytest.approx(2.063 * sqrt(7 / 6), abs=0.005)


def test_reference_a_heart_attack_trials_last_readout() -> None:
    # 318 deaths in all and 26 % fewer with propranolol (JAMA 1981;246:2073): only 135 and 183 give that.
    sample = a_sample(events(183, of=PLACEBO), events(135, of=PROPRANOLOL))
    rule = _months_as_days(planned=48)
    units = float(effects.information(array(PLACEBO, PROPRANOLOL))[0])
    past = tuple(
        _an_earlier_look(number, day=month * 30.0, spent=share, information=units * deaths / DEATHS[-1])
        for number, (month, share, deaths) in enumerate(zip(MONTHS, CALENDAR, DEATHS, strict=True), start=1)
    )

    look = a_look(rule, sample, day=40 * 30, past=past[:-1], is_last=True)

    (estimate,) = look.estimates
    assert estimate.multiplier == pytest.approx(sequential.boundary(CALENDAR, DEATHS, 0.05)[-1])
    # The log-rank z of the trial also knows when each patient died.
    assert (estimate.difference or 0) / (estimate.standard_error or 1) == pytest.approx(-2.82, abs=0.05)
    assert round(100 * (estimate.lift or 0)) == -26
    assert look.verdict is Verdict.WIN
    assert look.is_final


def _months_as_days(*, planned: int) -> Rule:
    return a_rule(a_metric(direction=Direction.DOWN, minimum_effect=None), planned_days=planned * 30)


def _an_earlier_look(number: int, *, day: float, spent: float, information: float) -> Readout:
    """A look of which only time and deaths are published; it crossed nothing."""
    unknown = replace(an_estimate(None, None), control_count=0, treatment_count=0)
    return Readout(
        look=number,
        day=day,
        spent=spent,
        is_final=False,
        is_after_final=False,
        sample_ratio=replace(EVEN_SPLIT, exposed=(0, 0)),
        estimates=(replace(unknown, information=information, multiplier=8.0),),
        verdict=Verdict.KEEP_COLLECTING,
        reasons=(),
    )


def test_reference_four_letters_raise_turnout() -> None:
    rule = a_rule(a_metric(minimum_effect=None), design=Design.ONE_LOOK, variants=tuple(TURNOUT))
    rule = replace(rule, weights=(5 / 9, 1 / 9, 1 / 9, 1 / 9, 1 / 9))  # of about 180,000 households
    arms = [moments for moments, _ in TURNOUT.values()]

    look = a_look(rule, a_sample(*arms), day=28)

    assert [round(100 * arm.mean, 1) for arm in arms] == [percent for _, percent in TURNOUT.values()]
    # Table 3: .018, .026, .049 and .081, each (.003). Those errors are by household, Labcoat's by voter: see the page.
    assert [round(one.difference or 0, 3) for one in look.estimates] == [0.018, 0.026, 0.049, 0.081]
    assert [round(one.standard_error or 0, 3) for one in look.estimates] == [0.003] * 4
    # R's tapply on the replication data.
    assert look.estimates[3].difference == pytest.approx(0.08130991, abs=1e-8)
    # Four letters against one control: each interval at .05 / 4.
    assert [one.multiplier for one in look.estimates] == pytest.approx([float(stats.norm.isf(0.05 / 8))] * 4)
    assert look.verdict is Verdict.WIN
    assert {(one.treatment, one.verdict) for one in look.treatments} == {
        (name, Verdict.WIN) for name in set(TURNOUT) - {"control"}
    }
    assert look.treatments[0].treatment == "neighbors"
    assert look.sample_ratio.p_value == 1.0
