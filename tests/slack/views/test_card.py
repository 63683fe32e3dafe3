"""Which steps of a running experiment are offered, and where: only those that would be taken."""

from dataclasses import replace

import pytest

from builders import (
    DAY,
    E7,
    NOW,
    a_dossier,
    a_dropped,
    a_fixed_cause,
    a_plan,
    a_readout,
    a_typed_plan,
    an_experiment,
)
from labcoat.domain.dossier import Dossier
from labcoat.domain.experiment import Experiment
from labcoat.domain.lifecycle import ExperimentState
from labcoat.domain.look import Look
from labcoat.domain.plan import Period, Plan
from labcoat.slack.views.card import card, next_buttons, running_verbs
from labcoat.stats.results import Verdict
from labcoat.stats.rule import Sample

THREE_ARMS = a_plan(weights=(0.5, 0.25, 0.25))


def _running(plan: Plan = THREE_ARMS, state: ExperimentState = ExperimentState.RUNNING) -> Experiment:
    return an_experiment(state, plan=plan)


def _menu(dossier: Dossier, *, is_split_uneven: bool = False) -> list[str]:
    buttons = next_buttons(dossier, is_split_uneven=is_split_uneven)
    return [option["value"].partition(" ")[0] for one in buttons for option in one.get("options", ())]


def test_a_menu_offers_both_and_holds_five() -> None:
    assert _menu(a_dossier(_running()), is_split_uneven=True) == ["fixed", "drop", "edit", "handover", "need"]


@pytest.mark.parametrize(
    ("experiment", "offered"),
    [
        (_running(), ["fixed", "drop"]),
        (_running(a_plan()), ["fixed"]),
        (replace(_running(), dropped=(a_dropped(),)), ["fixed"]),
        (replace(_running(), fixed_cause=a_fixed_cause()), ["drop"]),
        (_running(replace(a_typed_plan(), variants=THREE_ARMS.variants)), ["drop"]),
        (_running(replace(THREE_ARMS, period=Period(starts_at=NOW - 30 * DAY, ends_at=NOW - DAY))), []),
        (_running(state=ExperimentState.DRAFT), []),
        (_running(state=ExperimentState.STOPPED), []),
    ],
    ids=["three arms", "two arms", "one dropped", "fixed before", "typed", "of the past", "draft", "stopped"],
)
def test_only_what_would_be_taken_is_offered(experiment: Experiment, offered: list[str]) -> None:
    assert running_verbs(a_dossier(experiment), True) == offered
    assert running_verbs(a_dossier(experiment), False) == [one for one in offered if one != "fixed"]


@pytest.mark.parametrize(("verdict", "is_offered"), [(Verdict.INVALID, True), (Verdict.KEEP_COLLECTING, False)])
def test_a_card_offers_to_start_over_while_its_look_is_not_valid(verdict: Verdict, is_offered: bool) -> None:
    sample = Sample(exposed=(1, 1), moments={})
    look = Look(experiment=E7, slot=NOW, as_of=NOW, made_at=NOW, sample=sample, readout=a_readout(verdict))
    shown = card(a_dossier(_running()), look=look, problem=None, now=NOW, zone="UTC")
    menus = [element for block in shown.blocks for element in block.get("elements", ()) if "options" in element]

    assert any(option["value"] == "fixed H-12" for menu in menus for option in menu["options"]) is is_offered
