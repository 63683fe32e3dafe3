"""Every step has its line in the story, and says the reason that was given."""

from dataclasses import replace

import pytest

from builders import (
    DAY,
    E7,
    H12,
    NOW,
    OWNER,
    a_dossier,
    a_full_dossier,
    a_goal,
    a_guardrail,
    a_plan,
    a_prototype,
    a_readout,
    an_experiment,
    some_evidence,
)
from labcoat.db import diff
from labcoat.domain.amounts import Amount
from labcoat.domain.dossier import Dossier
from labcoat.domain.history import HistoryEntry
from labcoat.domain.lifecycle import ExperimentState, Step
from labcoat.domain.look import Look
from labcoat.domain.plan import Period
from labcoat.stats.results import Verdict
from labcoat.stats.rule import Sample
from labcoat.words import stories


def an_entry(step: Step, *, old: Dossier | None = None, new: Dossier, reason: str | None = None) -> HistoryEntry:
    found = diff.between(old, new)
    return HistoryEntry(id=1, hypothesis=H12, step=step, by=OWNER, at=NOW, reason=reason, changes=found)


def _line(step: Step, *, new: Dossier, old: Dossier | None = None, reason: str | None = None) -> str:
    return stories.line(an_entry(step, old=old, new=new, reason=reason), new, zone="Europe/Berlin")


@pytest.mark.parametrize("step", Step)
def test_every_step_has_a_line(step: Step) -> None:
    new = a_full_dossier()
    old = new.with_hypothesis(replace(new.hypothesis, change="Other words")) if step is Step.EDIT else None
    line = _line(step, old=old, new=new, reason="it hurts")

    assert line
    assert not set("{}") & set(line)
    assert "None" not in line


REASON_SHOWN = (
    Step.EDIT,
    Step.NOTE,
    Step.RAISE_CAP,
    Step.DROP,
    Step.FIX_CAUSE,
    Step.STOP,
    Step.CANCEL,
    Step.APPROVE,
    Step.SEND_BACK,
    Step.DECLINE,
    Step.CLOSE,
    Step.PIVOT,
    Step.REOPEN,
)


@pytest.mark.parametrize("step", REASON_SHOWN)
def test_a_given_reason_stays_visible(step: Step) -> None:
    assert "it hurts" in _line(step, new=a_full_dossier(), reason="it hurts")


def test_an_edit_shows_old_and_new() -> None:
    old = a_dossier()
    new = old.with_hypothesis(replace(old.hypothesis, change="Show cheap offers first"))

    line = _line(Step.EDIT, old=old, new=new)

    assert "Show fresh offers first → Show cheap offers first" in line


def test_a_start_says_since_when_and_until_when() -> None:
    old = a_dossier(an_experiment())
    new = a_dossier(an_experiment(ExperimentState.RUNNING, since=NOW))

    assert _line(Step.START, old=old, new=new) == (
        "started E-7, live since Wed 25 Nov 13:00, planned until Wed 23 Dec. Its plan is now fixed."
    )
    late = new.with_experiment(replace(new.get_experiment(E7), is_registered_late=True))
    assert "(registered late)" in _line(Step.START, old=old, new=late)


def test_data_of_the_past_name_their_first_and_last_day() -> None:
    midnight = NOW.replace(hour=0) - NOW.replace(hour=0).utcoffset()  # type: ignore[operator]
    period = Period(starts_at=midnight - 7 * DAY, ends_at=midnight)
    running = an_experiment(ExperimentState.RUNNING, plan=replace(a_plan(), period=period))

    assert stories.past_period(running, "UTC") == "18 Nov 2026 to 24 Nov 2026"


def test_what_was_skipped_stays_visible() -> None:
    skipped = a_dossier(replace(an_experiment(), skip_reason="a button is cheaper"))
    on_data = a_dossier(replace(an_experiment(), no_feedback_reason="nobody to ask"))

    assert "No prototype: a button is cheaper" in _line(Step.PLAN, new=skipped)
    assert "No user feedback yet: nobody to ask" in _line(Step.PLAN, new=on_data)


def test_evidence_says_who_said_it_and_how_many() -> None:
    old = a_dossier(prototypes=(a_prototype(),))
    new = replace(old, evidence=(some_evidence(),))

    assert _line(Step.ADD_EVIDENCE, old=old, new=new) == (
        "added evidence from users (interview, n 5): Four of five asked for it."
    )


@pytest.mark.parametrize(
    ("effect", "baseline", "words"),
    [
        (Amount(size=0.05, is_relative=True), 0.2, "smallest effect 5 %"),
        (Amount(size=0.005, is_relative=False), None, "smallest effect 0.5 points"),
    ],
)
def test_a_plan_in_one_line(effect: Amount, baseline: float | None, words: str) -> None:
    plan = a_plan(a_goal(minimum_effect=effect, baseline=baseline), a_guardrail())

    summary = stories.plan_summary(plan)

    assert summary.startswith("control 50 % / treatment 50 % by user; goal orders per user, ")
    assert words in summary
    assert "; guardrails refunds (down is good); 28 days" in summary


def test_a_look_at_late_data_says_that_the_verdict_stands() -> None:
    late = replace(a_readout(Verdict.WIN), is_after_final=True)
    look = Look(
        experiment=E7, slot=NOW, as_of=NOW, made_at=NOW, sample=Sample(exposed=(5000, 5000), moments={}), readout=late
    )

    said = stories.look_line(look, an_experiment(ExperimentState.STOPPED))

    assert said.startswith("E-7 · Win (decided at the final look).")
    assert said.endswith("Data came late: they change the numbers, not the verdict.")
