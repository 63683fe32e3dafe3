"""Charts: a picture that can be drawn of every result, and words that say the same."""

import struct
from dataclasses import replace

import pytest

import largest_looks
from builders import a_goal, a_guardrail, a_plan
from labcoat.domain.plan import Plan
from labcoat.slack.outgoing import charts
from labcoat.stats.results import Estimate, Finding, Held, Readout, SampleRatio, Verdict
from labcoat.stats.rule import MetricKind, Role
from readouts import ORDERS, SMALL, a_photo_plan, a_win_and_a_harm

PLAN = replace(a_plan(), metrics=(replace(a_goal("orders per user"), baseline=0.24), a_guardrail("refund rate")))


def an_estimate(metric: str, role: Role = Role.GOAL, *, lift: float | None = 0.05, half: float = 0.02) -> Estimate:
    has_lift = lift is not None
    return Estimate(
        metric=metric,
        role=role,
        kind=MetricKind.PROPORTION,
        treatment="treatment",
        control_count=4000,
        treatment_count=4010,
        control_mean=0.24,
        treatment_mean=0.24 * (1 + (lift or 0)),
        information=1.0,
        lift=lift,
        lift_low=lift - half if lift is not None else None,
        lift_high=lift + half if lift is not None else None,
        missing=None if has_lift else Finding.NO_RELATIVE,
    )


def a_readout(*estimates: Estimate, day: float = 14.0, verdict: Verdict = Verdict.WIN) -> Readout:
    return Readout(
        look=int(day),
        day=day,
        spent=day / 28,
        is_final=False,
        is_after_final=False,
        sample_ratio=SampleRatio(
            exposed=(4000, 4700), weights=(0.5, 0.5), p_value=1.0, log_bayes_factor=0.0, chi_square_p=0.9
        ),
        estimates=estimates or (an_estimate("orders per user"), an_estimate("refund rate", Role.GUARDRAIL)),
        verdict=verdict,
        reasons=(),
    )


def size_of(png: bytes) -> tuple[int, int]:
    """Return width and height of a PNG, from its header."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


READOUTS = {
    "a first look": [a_readout()],
    "four weeks": [a_readout(day=float(day)) for day in range(1, 29)],
    "after the planned end": [a_readout(day=float(day)) for day in (14, 28, 40)],
    "no relative effect": [a_readout(an_estimate("orders per user", lift=None))] * 2,
    "enormous intervals": [
        a_readout(an_estimate("orders per user", half=500.0), an_estimate("refund rate", half=0.01))
    ],
    "no width": [a_readout(an_estimate("orders per user", lift=0.0, half=0.0))] * 3,
    "not valid": [a_readout(verdict=Verdict.INVALID)],
    "data error": [a_readout(verdict=Verdict.DATA_ERROR)],
    "nothing estimated": [replace(a_readout(), estimates=())],
}


@pytest.mark.parametrize("name", READOUTS)
def test_every_result_can_be_drawn(name: str) -> None:
    past = READOUTS[name]

    chart = charts.draw(past[-1], PLAN, past=past)

    width, height = size_of(chart.png)
    assert width == round(charts.WIDTH_INCHES * charts.DPI)
    assert 100 < height < 4000
    assert len(chart.png) < 1_000_000


def test_the_largest_plan_with_any_signs_can_be_drawn() -> None:
    readout = largest_looks.a_readout()

    assert size_of(charts.draw(readout, largest_looks.a_plan(), past=[readout, readout]).png)


@pytest.mark.parametrize("name", ["$x_2$ and \\frac", "🧪👩‍🔬", "שלום مرحبا ‮", "a\nb", "<!channel>", "%s {x}"])
def test_names_are_never_read_as_formulas(name: str) -> None:
    plan = replace(PLAN, metrics=(replace(PLAN.metrics[0], name=name),))

    assert size_of(charts.draw(a_readout(an_estimate(name)), plan, past=[]).png)


def test_the_words_say_what_the_picture_shows() -> None:
    said = charts.draw(a_readout(), PLAN, past=[a_readout()]).alt_text

    assert said.startswith("Win, day 14 of 28.")
    assert "orders per user, treatment: +5.0 % (3.0 to 7.0)" in said


def test_picture_and_words_show_what_all_looks_together_allow() -> None:
    held = Held(low=0.0, high=0.02, lift_low=0.035, lift_high=0.065, look=7, day=7.0)
    newest = a_readout(replace(an_estimate("orders per user"), held=held))

    shown, own = (charts.draw(one, PLAN, past=[one]) for one in (newest, a_readout(an_estimate("orders per user"))))

    assert "orders per user, treatment: +5.0 % (3.5 to 6.5, as of day 7)" in shown.alt_text
    assert shown.png != own.png


def test_the_path_is_that_of_the_treatment_in_the_headline() -> None:
    plan = a_photo_plan()
    look = a_win_and_a_harm()
    first = charts.draw(look, plan, past=[look, replace(look, day=28)]).png
    # The goal of the treatment that comes second was quite another before: it is not drawn, so nothing changes.
    goals = [one.treatment == SMALL and one.metric == ORDERS for one in look.estimates]
    others = [
        replace(one, lift=0.5, lift_low=0.4, lift_high=0.6) if is_other else one
        for one, is_other in zip(look.estimates, goals, strict=True)
    ]

    again = charts.draw(look, plan, past=[replace(look, estimates=tuple(others)), replace(look, day=28)]).png

    assert again == first


@pytest.mark.parametrize(
    ("metric", "treatment", "name"),
    [
        ("orders per user", "photos_big", "orders per user, photos_big"),
        ("orders per user", "autoplay_with_sound", "orders per…, autoplay_with_sound"),
        ("share of searches that end in an order", "photos_big", "share of searches…, photos_big"),
        ("orders per user", "autoplay with sound and captions", "orders per user, autoplay with…"),
    ],
)
def test_the_name_of_a_treatment_stays_readable(metric: str, treatment: str, name: str) -> None:
    assert charts.row_name(replace(an_estimate(metric), treatment=treatment)) == name


def test_a_harm_is_drawn_whole_and_other_wide_intervals_are_cut() -> None:
    rows = [
        an_estimate("orders per user", lift=0.05, half=0.02),
        an_estimate("refund rate", Role.GUARDRAIL, lift=0.80, half=0.30),
    ]
    refunds = frozenset({("refund rate", "treatment")})

    def reach(*, harmful: frozenset[tuple[str, str]]) -> float:
        return charts.reach_of(rows, harmful=harmful, minimum=2.5)

    assert reach(harmful=frozenset()) == pytest.approx(1.12 * 4 * 7)
    assert reach(harmful=refunds) == pytest.approx(1.12 * 110)


def test_on_a_split_that_is_not_valid_no_effect_is_said_or_drawn() -> None:
    chart = charts.draw(a_readout(verdict=Verdict.INVALID), PLAN, past=[])

    assert "orders per user" not in chart.alt_text
    assert "control 4,000 / treatment 4,700" in chart.alt_text


def test_a_minimum_effect_without_a_baseline_is_left_out() -> None:
    plan: Plan = replace(PLAN, metrics=(a_goal("orders per user"),))

    assert size_of(charts.draw(a_readout(), plan, past=[a_readout(), a_readout()]).png)
