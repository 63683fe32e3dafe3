"""Exposures that arrive for a draft are told once, with when they began and how many there are."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from builders import DAY, E7, NOW, WORKSPACE, a_dossier, a_member, a_plan, a_typed_plan, an_experiment
from labcoat.db import unit_counts
from labcoat.db.database import Transaction
from labcoat.domain.dossier import Dossier
from labcoat.domain.facts import DraftLive
from labcoat.domain.lifecycle import ExperimentState
from labcoat.domain.notice import NoticeKind
from labcoat.domain.plan import Plan
from labcoat.usecases.experiments import experiments
from labcoat.usecases.looks import live_drafts
from labcoat.warehouse.exposure_scan import Arm
from usecases.storing import STORY, deliver_all, facts_of, stored, told

HOUR = timedelta(hours=1)
TUESDAY = NOW - DAY


def arms(*, units: int = 120, newest: timedelta = HOUR) -> tuple[Arm, ...]:
    control, treatment = a_plan().variant_names
    times = {"first": TUESDAY, "newest": NOW - newest}
    return (
        Arm(key="E-7", variant=control, units=units, **times),
        Arm(key="E-7", variant=treatment, units=units + 1, **times),
    )


def a_draft(tx: Transaction, plan: Plan | None = None) -> Dossier:
    draft = stored(tx, a_dossier(an_experiment(ExperimentState.DRAFT, plan=plan)))
    deliver_all(tx)
    return draft


def look_for(tx: Transaction, found: Sequence[Arm]) -> bool:
    (due,) = live_drafts.due(tx, now=NOW)
    return live_drafts.record(tx, due, found, every=HOUR, now=NOW)


def test_thread_and_owner_are_told_since_when_and_how_many(tx: Transaction) -> None:
    a_draft(tx)

    is_told = look_for(tx, arms())

    assert is_told
    assert [one.kind for one in told(tx)] == [NoticeKind.STORY, NoticeKind.HEALTH]
    (live, in_private) = facts_of(tx, DraftLive)
    assert live == in_private
    assert (live.since, live.exposed) == (TUESDAY, (120, 121))


def test_it_is_told_once(tx: Transaction) -> None:
    a_draft(tx)
    look_for(tx, arms())

    assert live_drafts.due(tx, now=NOW + 9 * DAY) == []


@pytest.mark.parametrize("found", [(), arms(newest=3 * DAY)], ids=["nothing", "long over"])
def test_without_exposures_of_these_days_it_looks_again_later(tx: Transaction, found: tuple[Arm, ...]) -> None:
    a_draft(tx)

    is_told = look_for(tx, found)

    assert not is_told
    assert told(tx) == []
    assert live_drafts.due(tx, now=NOW + HOUR / 2) == []
    assert len(live_drafts.due(tx, now=NOW + HOUR)) == 1


def test_variants_that_the_plan_does_not_have_are_somebody_else_s(tx: Transaction) -> None:
    a_draft(tx)

    assert not look_for(tx, [replace(arm, variant=f"old {arm.variant}") for arm in arms()])


def test_what_was_started_meanwhile_is_not_told(tx: Transaction) -> None:
    draft = a_draft(tx)
    (due,) = live_drafts.due(tx, now=NOW)
    experiments.start(tx, draft, E7, by=a_member(), since=NOW, now=NOW)
    deliver_all(tx)

    assert not live_drafts.record(tx, due, arms(), every=HOUR, now=NOW)
    assert STORY not in told(tx)


def test_totals_that_people_type_are_not_looked_for(tx: Transaction) -> None:
    a_draft(tx, a_typed_plan())

    (due,) = live_drafts.due(tx, now=NOW)

    assert not live_drafts.reads_exposures(due)


def test_a_start_is_counted_at_once_whenever_the_draft_was_to_be_looked_at_again(tx: Transaction) -> None:
    draft = a_draft(tx)
    look_for(tx, ())
    experiments.start(tx, draft, E7, by=a_member(), since=NOW, now=NOW)

    due = unit_counts.due(tx, now=NOW + HOUR)

    assert [(one.workspace, one.number) for one in due] == [(WORKSPACE, E7)]
