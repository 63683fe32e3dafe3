"""Plans begin with what the team's own data say of their metrics, and a person's own number always wins."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from journeys.playing import NO_PROTOTYPE, TEAM, Play
from journeys.test_editing import form_text
from labcoat.domain.baseline import Baseline
from labcoat.domain.plan import Plan
from labcoat.stats.rule import MetricKind
from labcoat.usecases.looks import baselines
from labcoat.warehouse.metrics_file import MetricsFile
from labcoat.words import baselines as words
from warehouse.test_baselines import NOW, generated, on_duckdb

DAY = timedelta(days=1)
EFFECT = {"minimum_effect": "10 %", "planned_days": "28"}


@pytest.fixture
def metrics(tmp_path: Path) -> MetricsFile:
    return on_duckdb(tmp_path, generated(1, users=900))


@pytest.fixture
def play(metrics: MetricsFile, tmp_path: Path, play_with: Callable[..., Play]) -> Play:
    """A team whose metrics were measured in the night."""
    found = play_with(metrics=str(tmp_path / "metrics.yml"))
    found.set_clock(NOW)
    found.tick()
    return found


@pytest.fixture
def known(play: Play, metrics: MetricsFile) -> dict[str, Baseline]:
    with play.bot.database.reading() as tx:
        return baselines.of_metrics(tx, TEAM, metrics)


def opens(play: Play, metric: str, subject: str = "H-1") -> str:
    play.files(play.ana, metric=metric)
    play.types(play.ana, f"/experiment plan {subject}")
    return form_text(play.ana.view)


def works_out(play: Play, **values: str) -> str:
    assert play.ana.click_in_view(action_id="live:work_it_out", values=values).ok
    return form_text(play.ana.view)


def fields(play: Play, *names: str) -> list[str]:
    """Return what fields of the open form hold."""
    values = play.ana.view["state"]["values"]
    return [next(iter(values[name].values()))["value"] or "" for name in names]


def draft(play: Play) -> Plan:
    dossier = play.dossier()
    assert dossier is not None
    assert dossier.draft is not None
    return dossier.draft.plan


def test_the_form_opens_with_what_was_measured_and_says_where_it_comes_from(
    play: Play, known: dict[str, Baseline]
) -> None:
    shown = opens(play, "bought")

    one = known["bought"]
    assert one.units_per_day is not None
    baseline, per_day = fields(play, "baseline", "units_per_day")
    assert baseline == f"{float(f'{100 * one.mean:.4g}'):g} %"
    assert float(per_day) == pytest.approx(one.units_per_day, rel=5e-3)
    # The window is 7 days and the newest day is left out, so exposures are of 26 October to 22 November.
    share = f"{100 * one.mean:.2f} %"
    assert f"Measured from 26 October to 22 November: {share} of {one.units} users, {per_day} new a day." in shown


def test_a_ratio_is_sized_without_anybody_typing_a_number_but_the_effect(
    play: Play, known: dict[str, Baseline]
) -> None:
    one = known["basket"]
    assert one.variance_reduction is not None
    assert f"CUPED saves {100 * one.variance_reduction:.0f} % of the users." in opens(play, "basket")

    shown = works_out(play, **EFFECT)

    baseline, deviation = map(float, fields(play, "baseline", "deviation"))
    assert (baseline, deviation) == pytest.approx((one.mean, one.deviation), rel=5e-4)
    # (z + z)^2 v (1/w0 + 1/w1) / effect^2 with v = deviation^2 (1 - gain); 1.049 for daily looks (stats.power).
    needed = 1.049 * 2.8016**2 * 4 * deviation**2 * (1 - one.variance_reduction) / (0.1 * baseline) ** 2
    said = int(shown.split("About ")[1].split(" users in all")[0].replace(",", ""))
    assert said == pytest.approx(needed, rel=0.01)
    assert f"it takes away {100 * one.variance_reduction:.0f} % of the variance of basket" in shown
    play.submits(play.ana, **NO_PROTOTYPE)
    assert draft(play).goal.variance_reduction == pytest.approx(one.variance_reduction)


def test_a_persons_own_number_is_kept_when_the_form_is_worked_out_and_reopened(play: Play) -> None:
    opens(play, "revenue")

    works_out(play, **EFFECT, baseline="33", units_per_day="")
    assert fields(play, "baseline", "units_per_day") == ["33", ""]
    play.submits(play.ana, **NO_PROTOTYPE)
    assert (draft(play).goal.baseline, draft(play).units_per_day) == (33, None)
    play.types(play.ana, "/experiment plan E-1")

    assert fields(play, "baseline", "units_per_day") == ["33", ""]
    assert "Measured from" in form_text(play.ana.view)


def test_another_goal_brings_its_own_numbers_and_leaves_those_that_somebody_typed(
    play: Play, known: dict[str, Baseline]
) -> None:
    opens(play, "revenue")

    shown = works_out(play, **EFFECT, goal="basket", units_per_day="1,234")

    assert fields(play, "baseline", "deviation", "units_per_day") == [
        words.today(known["basket"], MetricKind.RATIO),
        words.deviation(known["basket"], MetricKind.RATIO),
        "1,234",
    ]
    assert "what was measured of the one before is gone" in shown
    assert "is gone" not in works_out(play, goal="basket")
    works_out(play, goal="contacts per user" * 170)
    works_out(play, goal="contacts per user")
    assert fields(play, "baseline", "units_per_day") == ["", "1,234"]


def test_numbers_of_another_goal_are_never_planned_with_in_silence(play: Play) -> None:
    """The goal is retyped and the form submitted at once: it is shown anew with the right numbers."""
    opens(play, "revenue")
    before = fields(play, "baseline")

    done = play.ana.submit({**EFFECT, **NO_PROTOTYPE, "goal": "orders so far", "design": "confidence sequence"})

    assert done.ok
    assert play.dossier() is not None
    assert play.ana.find_view() is not None
    assert "what was measured of the one before is gone" in form_text(play.ana.view)
    assert fields(play, "baseline") != before
    play.submits(play.ana)
    assert draft(play).goal.name == "orders so far"


def test_a_guardrail_takes_what_was_measured_unless_its_line_says_what_it_is(
    play: Play, known: dict[str, Baseline]
) -> None:
    shown = opens(play, "revenue")
    assert "taken for lines that don't say “today”" in shown

    play.submits(
        play.ana, **EFFECT, **NO_PROTOTYPE, guardrails="bought up, margin 10 %\nbasket up, margin 5 %, today 9, sd 4"
    )

    bought, basket = draft(play).metric("bought"), draft(play).metric("basket")
    assert bought.baseline == pytest.approx(known["bought"].mean, rel=5e-4)
    assert bought.variance_reduction == known["bought"].variance_reduction
    assert (basket.baseline, basket.deviation) == (9, 4)


def test_what_is_older_than_two_weeks_says_so(play: Play, metrics: MetricsFile) -> None:
    with play.bot.database.writing() as tx:
        found = baselines.measure(metrics, ["bought"], now=NOW)
        one = found["bought"].baseline
        assert one is not None
        old = replace(found["bought"], baseline=replace(one, measured_at=NOW - 15 * DAY))
        baselines.record(tx, TEAM, {"bought": old}, now=NOW)

    assert "That is 15 days old; check that it still holds." in opens(play, "bought")


def test_a_form_without_measured_metrics_is_as_ever(play_with: Callable[..., Play], tmp_path: Path) -> None:
    on_duckdb(tmp_path, generated(1, users=300))
    play = play_with(metrics=str(tmp_path / "metrics.yml"))  # no tick: nothing is measured yet

    shown = opens(play, "basket")

    assert fields(play, "baseline", "deviation", "units_per_day") == ["", "", ""]
    assert "Measured" not in shown
    assert "basket is a ratio" in works_out(play, **EFFECT, baseline="4")
