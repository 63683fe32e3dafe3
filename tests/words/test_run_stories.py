"""What stays in view of an experiment that went on: each step once, with day, reason and how often."""

from dataclasses import replace

from builders import (
    DAY,
    E7,
    E8,
    H12,
    NOW,
    OWNER,
    a_dossier,
    a_dropped,
    a_fixed_cause,
    a_plan,
    an_experiment,
)
from labcoat.db import diff
from labcoat.domain.dossier import Dossier
from labcoat.domain.experiment import Experiment
from labcoat.domain.history import HistoryEntry
from labcoat.domain.lifecycle import ExperimentState, Step
from labcoat.words import run_stories, stories

FOUR_ARMS = a_plan(weights=(0.25, 0.25, 0.25, 0.25))


def _running(number: int = E7) -> Experiment:
    return an_experiment(ExperimentState.RUNNING, plan=FOUR_ARMS, number=number)


def _line(step: Step, old: Dossier, new: Dossier, reason: str) -> str:
    found = diff.between(old, new)
    entry = HistoryEntry(id=1, hypothesis=H12, step=step, by=OWNER, at=NOW, reason=reason, changes=found)
    return stories.line(entry, new, zone="Europe/Berlin")


def test_an_untouched_experiment_has_nothing_to_note() -> None:
    assert run_stories.notes(a_dossier(_running()).while_it_ran(_running())) == []


def test_every_drop_and_a_fix_are_noted_with_their_day_and_reason() -> None:
    one = replace(_running(), dropped=(a_dropped(), a_dropped("other", at=NOW - DAY)), fixed_cause=a_fixed_cause())

    assert run_stories.notes(a_dossier(one).while_it_ran(one)) == [
        "E-7: treatment was dropped on Mon 23 Nov: it crashes",
        "E-7: other was dropped on Tue 24 Nov: it crashes",
        "E-7: the cause of an uneven split was fixed on Fri 20 Nov: a redirect lost users (once)",
    ]


def test_how_often_is_counted_over_all_experiments_of_the_hypothesis() -> None:
    first, second = (replace(_running(number), fixed_cause=a_fixed_cause()) for number in (E7, E8))

    (note,) = run_stories.notes(a_dossier(first, second).while_it_ran(second))

    assert note.startswith("E-8: the cause of an uneven split was fixed on Fri 20 Nov")
    assert note.endswith("(twice)")


def test_a_long_reason_leaves_room_for_the_others() -> None:
    one = replace(_running(), dropped=(replace(a_dropped(), reason="it crashes " * 200),))

    (note,) = run_stories.notes(a_dossier(one).while_it_ran(one))

    assert len(note) < 300


def test_each_drop_is_told_as_itself_however_many_follow() -> None:
    untouched = a_dossier(_running())
    first = a_dossier(replace(_running(), dropped=(a_dropped(),)))
    both = a_dossier(replace(_running(), dropped=(a_dropped(), a_dropped("other"))))

    earlier = diff.between(untouched, first)
    entry = HistoryEntry(id=1, hypothesis=H12, step=Step.DROP, by=OWNER, at=NOW, reason="it crashes", changes=earlier)

    assert stories.line(entry, both, zone="Europe/Berlin") == (
        "dropped treatment from E-7; its traffic ended Mon 23 Nov 13:00. Why: it crashes. "
        "Its verdict stays, and the others go on."
    )
    assert "dropped other from E-7" in _line(Step.DROP, first, both, "it crashes")


def test_a_reason_that_is_a_sentence_is_not_ended_twice() -> None:
    before, after = a_dossier(_running()), a_dossier(replace(_running(), dropped=(a_dropped(),)))

    assert "Why: it crashes. Its verdict stays" in _line(Step.DROP, before, after, "it crashes.")


def test_a_fix_says_what_becomes_of_units_and_looks() -> None:
    before = a_dossier(_running())
    after = a_dossier(replace(_running(), fixed_cause=a_fixed_cause()))

    assert _line(Step.FIX_CAUSE, before, after, "a redirect lost users") == (
        "fixed the cause of the uneven split of E-7, Fri 20 Nov 13:00. Why: a redirect lost users. "
        "Only units exposed since then count; earlier looks say nothing any more."
    )


def test_run_again_names_what_was_dropped() -> None:
    assert run_stories.without_dropped(_running()) == ""
    one = replace(_running(), dropped=(a_dropped(),))
    assert run_stories.without_dropped(one) == ", without treatment, which was dropped"
    two = replace(one, dropped=(*one.dropped, a_dropped("other")))
    assert run_stories.without_dropped(two) == ", without treatment and other, which were dropped"
