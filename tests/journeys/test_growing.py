"""Metrics that keep growing per unit: the plan form offers a window, and only designs that pay for looks at them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from journeys.playing import CONFIDENCE_SEQUENCE, GROUP_SEQUENTIAL, H1, NO_PROTOTYPE, ONE_LOOK, TEAM, Play, read
from journeys.test_editing import form_text
from labcoat.db import dossiers
from labcoat.demo import people
from labcoat.domain.ids import UserId
from labcoat.domain.lifecycle import Step
from labcoat.domain.plan import Measuring
from labcoat.stats.rule import Design
from slack_sandbox.wire import Json

SOURCE = """\
sources:
  shop:
    engine: duckdb
    tables: {users: users.csv, orders: orders.csv}
exposures:
  users: {source: shop, table: users, unit: user, variant: variant, exposed_at: seen_at, experiment: experiment}
metrics:
  buyers: {kind: proportion, direction: up, table: orders, unit: user, time: ordered_at}
  revenue:
    {kind: mean, direction: up, table: orders, unit: user, time: ordered_at, value: paid, pre_period_days: 14}
  refunds: {kind: proportion, direction: down, table: orders, unit: user, time: refunded_at}
  registered: {kind: proportion, direction: up, value: registered, complete_at_exposure: true}
  logins: {kind: mean, direction: up, value: logins}
"""
PLAN: Json = {"baseline": "10 %", "minimum_effect": "10 %", "units_per_day": "2,000", "planned_days": "28"}


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """400 users, seen on the day of the start, who buy before it, a day later, and 9 days later."""
    users, orders = ["user,variant,experiment,seen_at,registered,logins"], ["user,ordered_at,refunded_at,paid"]
    for user in range(400):
        arm = "treatment" if user % 2 else "control"
        users.append(f"{user},{arm},E-1,2026-11-24 09:00,{int(user % 3 == 0)},{user % 5}")
        days = ("2026-11-20", "2026-11-25", "2026-12-03")
        orders += [f"{user},{day} 12:00,{day} 13:00,{1 + user % 7 + n}" for n, day in enumerate(days)]
    (tmp_path / "users.csv").write_text("\n".join(users) + "\n")
    (tmp_path / "orders.csv").write_text("\n".join(orders) + "\n")
    (tmp_path / "metrics.yml").write_text(SOURCE)
    return tmp_path


@pytest.fixture
def play(world: Path, play_with: Callable[..., Play]) -> Play:
    return play_with(metrics=str(world / "metrics.yml"))


def opens(play: Play, metric: str) -> str:
    play.files(play.ana, metric=metric)
    play.types(play.ana, "/experiment plan H-1")
    return form_text(play.ana.view)


def works_out(play: Play, **values: str) -> str:
    assert play.ana.click_in_view(action_id="live:work_it_out", values=values).ok
    return form_text(play.ana.view)


def designs(play: Play) -> tuple[list[str], str]:
    """Return the designs that the form offers, and the chosen one."""
    block = next(one for one in play.ana.view["blocks"] if one.get("block_id") == "design")
    (state,) = play.ana.view["state"]["values"]["design"].values()
    return [one["value"] for one in block["element"]["options"]], state["selected_option"]["value"]


def test_a_metric_that_keeps_growing_is_offered_a_window_and_no_group_sequential_design(play: Play) -> None:
    shown = opens(play, "buyers")

    assert designs(play) == ([CONFIDENCE_SEQUENCE, ONE_LOOK], CONFIDENCE_SEQUENCE)
    assert "Count each user's first … days" in shown
    assert "buyers keeps growing for users already counted, and group sequential can't pay for looks at that." in shown
    assert "makes group sequential possible, which takes about half the users" in shown


def test_a_metric_that_is_complete_at_exposure_is_planned_group_sequential(play: Play) -> None:
    shown = opens(play, "registered")

    assert designs(play) == ([GROUP_SEQUENTIAL, CONFIDENCE_SEQUENCE, ONE_LOOK], GROUP_SEQUENTIAL)
    assert "first … days" not in shown


def test_what_a_window_saves_is_said_in_the_plans_own_numbers(play: Play) -> None:
    opens(play, "buyers")

    shown = works_out(play, **PLAN)

    # One look: (1.959964 + .841621)^2 (.1 x .9 + .11 x .89) 2 / .01^2 = 29,496 users; times 1.049 for daily looks,
    # 15.5 days at 2,000 a day and 7 of window; times 1.91 in sequence, 28.2 days.
    assert "Count each user's first 7 days: 23 days instead of 29." in shown
    assert "At 2,000 a day that takes 29 days." in shown


def test_a_window_makes_group_sequential_possible_and_chosen_and_says_so(play: Play) -> None:
    opens(play, "buyers")

    shown = works_out(play, **PLAN, window_days="5")

    assert designs(play) == ([GROUP_SEQUENTIAL, CONFIDENCE_SEQUENCE, ONE_LOOK], GROUP_SEQUENTIAL)
    assert "“group sequential” is possible now and needs fewer units, so it is chosen." in shown
    assert "At 2,000 a day that takes 21 days." in shown
    assert "Count each user's first 5 days: 21 days instead of 29." in shown
    assert "so it is chosen" not in works_out(play)
    works_out(play, window_days="lots")
    assert designs(play)[1] == CONFIDENCE_SEQUENCE
    assert "“lots” can't be read here" in form_text(play.ana.view)


def test_another_choice_than_the_default_stays_while_it_is_valid(play: Play) -> None:
    opens(play, "buyers")

    shown = works_out(play, **PLAN, design=ONE_LOOK, window_days="5")

    assert designs(play)[1] == ONE_LOOK
    assert "is chosen" not in shown


def test_a_choice_that_became_invalid_falls_back_with_a_sentence(play: Play) -> None:
    opens(play, "registered")

    shown = works_out(play, **PLAN, guardrails="revenue up\nrefunds down")

    assert designs(play) == ([CONFIDENCE_SEQUENCE, ONE_LOOK], CONFIDENCE_SEQUENCE)
    assert "“group sequential” is not possible with this plan any more, so “confidence sequence” is chosen." in shown
    assert "revenue and refunds keep growing" in shown
    assert "At 2,000 a day that takes 29 days." in shown


def test_an_invalid_choice_that_is_submitted_at_once_is_refused_under_its_field(play: Play) -> None:
    opens(play, "registered")

    growing = play.is_refused(play.ana, **PLAN, **NO_PROTOTYPE, guardrails="revenue up")
    secondary = play.ana.submit({"guardrails": "secondary revenue"})

    assert list(growing) == ["design"]
    assert "Group sequential can't pay for looks at revenue" in growing["design"]
    assert "choose “confidence sequence”" in growing["design"]
    assert secondary.ok
    assert not secondary.errors  # what explores decides nothing


def test_a_goal_that_people_type_is_refused_a_design_that_was_right_for_the_one_before(play: Play) -> None:
    opens(play, "registered")

    refused = play.is_refused(play.ana, **PLAN, **NO_PROTOTYPE, goal="contacts per user")

    assert "Numbers that people send come at times they choose" in refused["design"]


def test_a_metric_without_times_is_offered_no_window(play: Play) -> None:
    shown = opens(play, "logins")

    assert "first … days" not in shown
    assert "without times in the data, no window can end it" in shown


def test_a_mean_of_the_metrics_file_asks_for_its_deviation(play: Play) -> None:
    assert "Its standard deviation" in opens(play, "revenue")


def test_the_window_is_frozen_with_the_plan_and_shown_when_it_is_changed(play: Play) -> None:
    opens(play, "registered")
    works_out(play, **PLAN, **NO_PROTOTYPE, guardrails="revenue up\nsecondary buyers up")

    play.submits(play.ana, window_days="7", design=CONFIDENCE_SEQUENCE)
    play.types(play.ana, "/experiment plan E-1")

    dossier = play.dossier()
    assert dossier is not None
    assert dossier.draft is not None
    plan = dossier.draft.plan
    assert plan.metric("revenue").measuring == Measuring(window_days=7, pre_period_days=14)
    assert plan.metric("buyers").measuring == Measuring(window_days=7)
    assert plan.metric("registered").measuring == Measuring()
    assert (plan.window_days, plan.rule().window_days, plan.rule().metrics[1].window_days) == (7, 7, 7)
    (window,) = play.ana.view["state"]["values"]["window_days"].values()
    assert window["value"] == "7"


def test_an_old_plan_that_runs_again_is_refused_at_the_start_and_the_form_proposes_a_valid_design(play: Play) -> None:
    play.files(play.ana, metric="buyers")
    play.plans(play.ana, **PLAN, design=CONFIDENCE_SEQUENCE)
    with play.bot.database.writing() as tx:  # as the version before stored it
        dossier = dossiers.find(tx, TEAM, H1)
        assert dossier is not None
        assert dossier.draft is not None
        old = replace(dossier.draft, plan=replace(dossier.draft.plan, design=Design.GROUP_SEQUENTIAL))
        new, at = dossier.with_experiment(old), play.now()
        dossiers.save(tx, dossier, new, step=Step.PLAN, by=UserId(people.ANA), at=at, reason=None)
    play.types(play.ana, "/experiment start E-1")

    refused = play.is_refused(play.ana)
    play.ana.close()
    form = play.types(play.ana, "/experiment plan E-1")

    assert "Group sequential can't pay for looks at buyers" in "".join(refused.values())
    assert form is not None
    assert designs(play) == ([CONFIDENCE_SEQUENCE, ONE_LOOK], CONFIDENCE_SEQUENCE)
    assert "“group sequential” is not possible with this plan any more" in read(form)
