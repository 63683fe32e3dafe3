"""Group-sequential boundaries."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from labcoat.stats import sequential
from labcoat.stats.sequential import boundary


def _even(looks: int) -> tuple[float, ...]:
    return tuple((look + 1) / looks for look in range(looks))


TWELVE = (7.6761, 5.3666, 4.3331, 3.7166, 3.3008, 2.9981, 2.7656, 2.5798, 2.4271, 2.2986, 2.1886, 2.0931)


@pytest.mark.parametrize(
    ("spent", "information", "alpha", "expected"),
    [
        pytest.param(_even(1), _even(1), 0.05, (1.95996,), id="one look"),
        pytest.param(_even(2), _even(2), 0.05, (2.9626, 1.9686), id="2"),
        pytest.param(_even(3), _even(3), 0.05, (3.7103, 2.5114, 1.9930), id="3"),
        pytest.param(_even(4), _even(4), 0.05, (4.3326, 2.9631, 2.3590, 2.0141), id="4"),
        pytest.param(_even(5), _even(5), 0.05, (4.8769, 3.3570, 2.6803, 2.2898, 2.0310), id="5"),
        pytest.param(_even(12), _even(12), 0.05, TWELVE, id="12"),
        pytest.param(
            (0.25, 0.4, 0.75, 1.0), (0.25, 0.4, 0.75, 1.0), 0.05, (4.3326, 3.3587, 2.3449, 2.0125), id="uneven"
        ),
        pytest.param(
            (0.2, 0.4, 0.6, 1.0), (0.2, 0.4, 0.6, 0.8), 0.05, (4.8769, 3.3570, 2.6803, 1.9694), id="under-run"
        ),
        pytest.param(
            _even(5), (0.2, 0.4, 0.6, 0.8, 1.15), 0.05, (4.8769, 3.3570, 2.6803, 2.2898, 2.0658), id="overrun"
        ),
        pytest.param(_even(5), _even(5), 0.05 / 2, (5.4633, 3.7801, 3.0270, 2.5879, 2.2960), id="half"),
        pytest.param(_even(5), _even(5), 0.05 / 3, (5.7839, 4.0107, 3.2165, 2.7512, 2.4411), id="a third"),
    ],
)
def test_reference_boundaries(
    spent: tuple[float, ...], information: tuple[float, ...], alpha: float, expected: tuple[float, ...]
) -> None:
    # The project's reference table; the 5-look row is also that of R's ldbounds for O'Brien-Fleming spending.
    assert boundary(spent, information, alpha) == pytest.approx(expected, abs=1e-4)


def test_reference_boundaries_of_28_and_84_daily_looks() -> None:
    assert boundary(_even(28), _even(28), 0.05)[6::7] == pytest.approx((4.3459, 3.0415, 2.4748, 2.1396), abs=1e-4)
    assert boundary(_even(84), _even(84), 0.05)[-1] == pytest.approx(2.1806, abs=1e-4)


def test_reference_two_looks_by_adaptive_integration() -> None:
    # The same probability, computed another way: scipy's quadrature of the joint normal density over the first look.
    first, second = boundary((0.5, 1.0), (0.3, 1.0), 0.05)

    def crosses(z: float) -> float:
        mean, sd = z * np.sqrt(0.3), np.sqrt(0.7)
        return float(stats.norm.pdf(z) * (stats.norm.sf((second - mean) / sd) + stats.norm.cdf((-second - mean) / sd)))

    inner = integrate.quad(crosses, -first, first, epsabs=1e-12)[0]
    assert 2 * stats.norm.sf(first) + inner == pytest.approx(0.05, abs=1e-9)


@pytest.mark.parametrize(
    ("looks", "constant", "power", "inflation"),
    [(2, 1.977, 0.8, 1.008), (4, 2.024, 0.8, 1.024), (5, 2.040, 0.8, 1.028), (5, 2.040, 0.9, 1.026)],
)
def test_reference_power_of_the_obrien_fleming_test(
    looks: int, constant: float, power: float, inflation: float
) -> None:
    # Jennison, Turnbull 2000, tables 2.3 (the constant) and 2.4 (inflation of the sample), alpha .05.
    multipliers = tuple(constant / np.sqrt(share) for share in _even(looks))
    drift = np.sqrt(inflation) * (stats.norm.ppf(0.975) + stats.norm.ppf(power))

    assert sequential.power(multipliers, _even(looks), drift=drift) == pytest.approx(power, abs=1e-3)
    assert 2 * sequential.power(multipliers, _even(looks), drift=0.0) == pytest.approx(0.05, abs=1e-4)


schedules = st.lists(st.floats(0.02, 1.0), min_size=1, max_size=12, unique=True).map(sorted).map(tuple)


@settings(max_examples=30, deadline=None)
@given(information=schedules, alpha=st.floats(0.005, 0.2), data=st.data())
def test_property_all_looks_together_spend_exactly_what_the_calendar_allows(
    information: tuple[float, ...], alpha: float, data: st.DataObject
) -> None:
    size = len(information)
    spent = tuple(sorted(data.draw(st.lists(st.floats(0.3, 1.0), min_size=size, max_size=size))))
    rising = tuple(value + 0.01 * look for look, value in enumerate(information))

    multipliers = boundary(spent, rising, alpha)

    crossed = 2 * sequential.power(multipliers, rising, drift=0.0)
    assert crossed == pytest.approx(sequential.spending(spent[-1], alpha=alpha), abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(schedule=schedules, alpha=st.floats(0.005, 0.1))
def test_property_less_alpha_is_a_wider_boundary(schedule: tuple[float, ...], alpha: float) -> None:
    narrow, wide = boundary(schedule, schedule, 2 * alpha), boundary(schedule, schedule, alpha)

    assert all(outer >= inner for outer, inner in zip(wide, narrow, strict=True))


def test_property_evenly_spaced_boundaries_fall() -> None:
    multipliers = boundary(_even(84), _even(84), 0.05)

    assert all(later <= earlier for earlier, later in pairwise(multipliers))


@settings(max_examples=30, deadline=None)
@given(schedule=schedules)
def test_property_a_look_never_depends_on_later_ones(schedule: tuple[float, ...]) -> None:
    whole = boundary(schedule, schedule, 0.05)

    for looks in range(1, len(schedule)):
        assert boundary(schedule[:looks], schedule[:looks], 0.05) == pytest.approx(whole[:looks], abs=1e-9)


def test_property_the_unit_of_information_does_not_matter() -> None:
    thousands = tuple(share * 12_345 for share in _even(12))

    assert boundary(_even(12), thousands, 0.05) == pytest.approx(boundary(_even(12), _even(12), 0.05), abs=1e-9)


def test_the_same_information_again_pays_with_both_shares() -> None:
    again = boundary((0.5, 0.8, 1.0), (500.0, 800.0, 800.0), 0.05)
    once = boundary((0.5, 1.0), (500.0, 800.0), 0.05)

    assert again[2] == pytest.approx(once[1], abs=1e-9)
    assert again[2] < again[1]


def test_property_next_to_no_new_information_is_next_to_the_same_boundary() -> None:
    same = boundary((0.5, 0.8, 1.0), (500.0, 800.0, 800.0), 0.05)
    hardly_more = boundary((0.5, 0.8, 1.0), (500.0, 800.0, 800.1), 0.05)

    assert hardly_more == pytest.approx(same, abs=2e-3)


def test_a_look_with_fewer_units_than_before_counts_as_the_same_information() -> None:
    assert boundary((0.5, 1.0), (800.0, 795.0), 0.05) == boundary((0.5, 1.0), (800.0, 800.0), 0.05)


def test_a_first_look_with_next_to_nothing_to_spend_has_multiplier_8() -> None:
    assert boundary((0.01, 1.0), (10.0, 1000.0), 0.05)[0] == 8.0


@pytest.mark.parametrize(
    ("spent", "information"), [((0.5,), (1.0, 2.0)), ((0.5, 0.4), (1.0, 2.0)), ((0.5,), (0.0,)), ((0.5,), (np.nan,))]
)
def test_refuses_a_path_that_cannot_be(spent: tuple[float, ...], information: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=r"look|calendar"):
        boundary(spent, information, 0.05)


PATHS = (
    (_even(5), _even(5), 0.05),
    (_even(12), _even(12), 0.05),
    (_even(28), _even(28), 0.05),
    (_even(84), _even(84), 0.05),
    ((0.25, 0.4, 0.75, 1.0), (0.25, 0.4, 0.75, 1.0), 0.05),
    ((0.2, 0.4, 0.6, 1.0), (0.2, 0.4, 0.6, 0.8), 0.05),
    (_even(5), (0.2, 0.4, 0.6, 0.8, 1.15), 0.05),
    (_even(5), _even(5), 0.05 / 3),
    ((0.1, 0.2, 1.0), (0.1, 0.101, 1.0), 0.05),
)


@pytest.mark.parametrize(("spent", "information", "alpha"), PATHS)
@pytest.mark.parametrize("sides", [1, 2])
def test_reference_twice_the_nodes_move_no_boundary_by_1e_8(
    spent: tuple[float, ...], information: tuple[float, ...], alpha: float, sides: int
) -> None:
    finer = boundary(spent, information, alpha, sides=sides, nodes_per_sd=2.0)

    assert boundary(spent, information, alpha, sides=sides) == pytest.approx(finer, abs=1e-8)


def test_reference_one_sided_five_even_looks() -> None:
    # R's ldbounds, O'Brien-Fleming spending at one-sided .025: as two-sided .05 to four digits.
    assert boundary(_even(5), _even(5), 0.025, sides=1) == pytest.approx(
        (4.8769, 3.3569, 2.6803, 2.2898, 2.0310), abs=2e-4
    )


def test_reference_one_sided_two_looks_by_the_joint_normal() -> None:
    ks = boundary((0.5, 1.0), (0.3, 1.0), 0.05, sides=1)
    joint = stats.multivariate_normal(cov=[[1, np.sqrt(0.3)], [np.sqrt(0.3), 1]])

    assert 1 - joint.cdf(ks) == pytest.approx(0.05, abs=1e-6)
    assert stats.norm.sf(ks[0]) == pytest.approx(sequential.spending(0.5, alpha=0.05, sides=1))


def test_calibration_one_sided_looks_call_alpha_on_their_side() -> None:
    ks = np.array(boundary(_even(12), _even(12), 0.05, sides=1))
    steps = np.random.default_rng(12).normal(size=(20_000, 12)).cumsum(axis=1)
    z = steps / np.sqrt(np.arange(1, 13))

    assert np.mean((z > ks).any(axis=1)) == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 20_000))


@settings(max_examples=30, deadline=None)
@given(looks=st.integers(2, 30), seed=st.integers(0, 10**6))
def test_property_one_more_look_changes_no_earlier_one_and_is_the_same_as_all_at_once(looks: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    information = tuple(np.cumsum(rng.uniform(0.1, 2, looks)))
    spent = tuple(np.sort(rng.uniform(0, 1, looks)))

    one_by_one = tuple(boundary(spent[:number], information[:number], 0.05)[-1] for number in range(1, looks + 1))

    # Other units of information are another path, which no earlier look was stored for.
    at_once = boundary(spent, tuple(2 * value for value in information), 0.05)
    assert one_by_one == pytest.approx(at_once, abs=1e-8)
