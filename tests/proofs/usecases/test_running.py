"""A treatment dropped, a cause fixed: what is counted, looked at, told and nudged from then on.

E-7 starts on Wednesday, 25 November 2026, 12:00 UTC, and is looked at at 08:00 in Berlin: 07:00 UTC.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from builders import (
    DAY,
    E7,
    NOW,
    OTHER,
    OWNER,
    WORKSPACE,
    a_member,
    a_plan,
    a_readout,
    a_typed_plan,
    events,
    refused,
)
from labcoat.db import looks as stored_looks
from labcoat.db import nudging, unit_counts
from labcoat.db.database import Transaction
from labcoat.db.tables import schema
from labcoat.domain.dossier import Dossier
from labcoat.domain.facts import LookMade, SourceFailed
from labcoat.domain.look import Look
from labcoat.domain.plan import Plan, Variant
from labcoat.domain.refusal import Reason
from labcoat.domain.stall import NudgeCase
from labcoat.stats.results import Readout, TreatmentVerdict, Verdict
from labcoat.stats.rule import Moments, Sample
from labcoat.usecases import publish
from labcoat.usecases.experiments import experiments, recording, results, sizing
from labcoat.usecases.looks import counting, looks, measuring
from labcoat.usecases.people import nudges, stall_signals
from labcoat.warehouse.reading import Reading
from usecases.storing import (
    CARD,
    STORY,
    a_sample,
    deliver_all,
    facts_of,
    found,
    started,
    stories_of,
    the_due_look,
    told,
)

HOUR = timedelta(hours=1)
FIRST_SLOT = datetime(2026, 11, 26, 7, tzinfo=UTC)
LATER = FIRST_SLOT + 8 * HOUR
THREE_ARMS = a_plan(weights=(0.5, 0.25, 0.25))
UNEVEN, EVEN = (5000, 4000), (5000, 5000)


def _running(tx: Transaction, plan: Plan | None = None) -> Dossier:
    dossier = started(tx, plan or a_plan())
    deliver_all(tx)
    return dossier


def _count(tx: Transaction, exposed: tuple[int, ...], *, now: datetime) -> bool:
    """Count the units; return whether the split is uneven."""
    (due,) = counting.due(tx, now=now)
    made = counting.record(tx, due, exposed, every=HOUR, now=now)
    assert made is not None
    return counting.is_uneven(made.split)


def _look(
    tx: Transaction,
    verdict: Verdict,
    at: datetime,
    *,
    number: int = 1,
    spent: float = 0.0,
    exposed: tuple[int, ...] = EVEN,
    evidence: float = 0.0,
    treatments: tuple[TreatmentVerdict, ...] = (),
) -> Look:
    """Store a look; evidence: against the planned split."""
    readout = replace(a_readout(verdict), look=number, spent=spent, treatments=treatments)
    ratio = replace(readout.sample_ratio, exposed=exposed, log_bayes_factor=evidence)
    sample = Sample(exposed=exposed, moments={})
    look = Look(
        experiment=E7, slot=at, as_of=at, made_at=at, sample=sample, readout=replace(readout, sample_ratio=ratio)
    )
    stored_looks.add(tx, WORKSPACE, look)
    return look


def _drop(tx: Transaction, dossier: Dossier, treatment: str = "treatment", *, now: datetime = LATER) -> Dossier:
    return experiments.drop(
        tx,
        found(tx, dossier),
        E7,
        treatment=treatment,
        reason="it crashes",
        at=now - HOUR,
        by=a_member(),
        now=now,
    )


def _fix(tx: Transaction, dossier: Dossier, *, since: datetime = LATER - HOUR, now: datetime = LATER) -> Dossier:
    return experiments.fix_cause(
        tx, found(tx, dossier), E7, reason="a redirect lost users", since=since, by=a_member(), now=now
    )


def _next_look_at(tx: Transaction) -> datetime:
    at: datetime = tx.execute(select(schema.experiments.c.next_look_at)).scalar_one()
    return at


def test_a_drop_is_stored_with_the_newest_look_and_told_in_card_and_story(tx: Transaction) -> None:
    running = _running(tx, THREE_ARMS)
    _look(tx, Verdict.KEEP_COLLECTING, FIRST_SLOT, number=3)

    _drop(tx, running)

    (dropped,) = found(tx, running).get_experiment(E7).dropped
    assert (dropped.treatment, dropped.reason, dropped.after_look) == ("treatment", "it crashes", 3)
    assert (dropped.at, dropped.recorded_at, dropped.by) == (LATER - HOUR, LATER, OWNER)
    assert told(tx)[:2] == [CARD, STORY]


def test_a_drop_before_the_first_look_has_no_verdict_to_keep(tx: Transaction) -> None:
    dropped = _drop(tx, _running(tx, THREE_ARMS)).get_experiment(E7).dropped

    assert [one.after_look for one in dropped] == [0]


def test_the_split_is_tested_over_the_arms_that_remain(tx: Transaction) -> None:
    running = _running(tx, THREE_ARMS)
    assert _count(tx, (5000, 1500, 2500), now=LATER - HOUR)

    _drop(tx, running)

    assert counting.newest(tx, WORKSPACE, E7) is None
    # Of 50 : 25 : 25 remain 2 : 1; the dropped arm may stand still, or vanish.
    assert not _count(tx, (6000, 1500, 3000), now=LATER)
    made = counting.newest(tx, WORKSPACE, E7)
    assert made is not None
    assert made.exposed == (6000, 1500, 3000)
    assert (made.split.exposed, [round(one, 4) for one in made.split.weights]) == ((6000, 3000), [0.6667, 0.3333])
    assert not _count(tx, (7000, 0, 3500), now=LATER + HOUR)
    assert _count(tx, (8000, 0, 3000), now=LATER + 2 * HOUR)


def test_a_look_from_before_a_drop_is_no_evidence_against_the_arms_that_remain(tx: Transaction) -> None:
    running = _running(tx, THREE_ARMS)
    _look(tx, Verdict.INVALID, FIRST_SLOT, exposed=(5000, 1500, 2500), evidence=99.0)

    _drop(tx, running)

    assert not _count(tx, (6000, 1500, 3000), now=LATER)


@pytest.mark.parametrize("act", ["drop", "fix"])
def test_what_was_being_read_when_it_was_told_is_not_recorded(tx: Transaction, act: str) -> None:
    running = _running(tx, THREE_ARMS)
    _count(tx, (5000, 1000, 2500), now=FIRST_SLOT - HOUR)
    look = the_due_look(tx, FIRST_SLOT)
    (count,) = counting.due(tx, now=FIRST_SLOT)

    if act == "drop":
        _drop(tx, running, now=FIRST_SLOT + HOUR)
    else:
        _fix(tx, running, since=FIRST_SLOT, now=FIRST_SLOT + HOUR)

    reading = Reading(sample=a_sample(), crossed=0, definitions={})
    assert looks.record(tx, look, reading, a_readout(), now=FIRST_SLOT + HOUR) is None
    assert counting.record(tx, count, (9, 9, 9), every=HOUR, now=FIRST_SLOT + HOUR) is None
    assert stored_looks.list_of(tx, WORKSPACE, E7) == []
    assert _next_look_at(tx) == FIRST_SLOT + HOUR  # today's look is still to come
    assert [one.number for one in unit_counts.due(tx, now=FIRST_SLOT + HOUR)] == [E7]


def test_todays_look_is_not_made_twice(tx: Transaction) -> None:
    running = _running(tx)
    _look(tx, Verdict.INVALID, FIRST_SLOT)

    _fix(tx, running)

    assert _next_look_at(tx) == FIRST_SLOT + DAY


def test_a_cause_is_fixed_while_count_or_look_say_that_the_split_is_off(tx: Transaction) -> None:
    running = _running(tx)
    with refused(Reason.SPLIT_AS_PLANNED):
        _fix(tx, running)

    assert not _count(tx, EVEN, now=FIRST_SLOT)
    with refused(Reason.SPLIT_AS_PLANNED):
        _fix(tx, running)

    assert _count(tx, UNEVEN, now=LATER - HOUR)
    assert _fix(tx, running).get_experiment(E7).fixed_cause is not None


def test_what_valid_looks_spent_before_the_fix_was_told_stays_spent(tx: Transaction) -> None:
    running = _running(tx)
    _look(tx, Verdict.KEEP_COLLECTING, FIRST_SLOT, number=1, spent=0.1)
    _look(tx, Verdict.KEEP_COLLECTING, FIRST_SLOT + DAY, number=2, spent=0.2)
    _look(tx, Verdict.DATA_ERROR, FIRST_SLOT + 2 * DAY, number=3, spent=0.3)
    _look(tx, Verdict.INVALID, FIRST_SLOT + 3 * DAY, number=4, spent=0.4)

    # The cause ended before the second look, which had been read nevertheless.
    fixed = _fix(tx, running, since=FIRST_SLOT + HOUR, now=LATER + 3 * DAY).get_experiment(E7).fixed_cause

    assert fixed is not None
    assert (fixed.after_look, fixed.spent) == (4, 0.2)


def test_without_a_valid_look_nothing_was_spent(tx: Transaction) -> None:
    running = _running(tx)
    assert _count(tx, UNEVEN, now=FIRST_SLOT)

    fixed = _fix(tx, running).get_experiment(E7).fixed_cause

    assert fixed is not None
    assert (fixed.after_look, fixed.spent) == (0, 0.0)


def test_the_split_is_tested_anew_after_a_fix(tx: Transaction) -> None:
    running = _running(tx)
    _look(tx, Verdict.INVALID, FIRST_SLOT, exposed=UNEVEN, evidence=99.0)
    assert _count(tx, UNEVEN, now=FIRST_SLOT + HOUR)

    _fix(tx, running)

    assert not _count(tx, (100, 110), now=LATER)
    assert _count(tx, (5000, 4000), now=LATER + HOUR)  # off again
    assert results.is_split_uneven(tx, found(tx, running), E7)


def test_units_are_read_since_the_fix_and_the_calendar_counts_from_the_start(tx: Transaction) -> None:
    running = _running(tx)
    _look(tx, Verdict.INVALID, FIRST_SLOT)
    _fix(tx, running)

    next_look = the_due_look(tx, FIRST_SLOT + DAY)
    question = measuring._question(next_look, is_count=False)

    assert (question.since, question.select_since, question.needs_times) == (LATER - HOUR, NOW, True)
    assert next_look.day == 2


def test_looks_before_a_fix_are_shown_nowhere_as_the_newest(tx: Transaction) -> None:
    running = _running(tx)
    _look(tx, Verdict.INVALID, FIRST_SLOT, number=1)
    fixed = _fix(tx, running)

    shown = results.show(tx, fixed, fixed.get_experiment(E7), now=LATER)
    signs = stall_signals.read(tx, fixed, changed_at=LATER, found={})

    assert (shown.look, results.newest_readout(tx, fixed), signs.is_uneven) == (None, None, False)
    assert not results.is_split_uneven(tx, fixed, E7)
    _look(tx, Verdict.KEEP_COLLECTING, FIRST_SLOT + DAY, number=2)
    newest = results.newest_readout(tx, fixed)
    assert newest is not None
    assert newest.look == 2


def test_the_first_look_after_a_fix_is_news_whatever_it_says(tx: Transaction) -> None:
    running = _running(tx)
    _look(tx, Verdict.INVALID, FIRST_SLOT, number=1)
    _fix(tx, running)
    deliver_all(tx)
    now = FIRST_SLOT + DAY
    readout = replace(a_readout(Verdict.INVALID), look=2)

    looks.record(tx, the_due_look(tx, now), Reading(sample=a_sample(), crossed=0, definitions={}), readout, now=now)

    assert [one.slot for one in facts_of(tx, LookMade)] == [now]


def test_a_final_look_before_a_fix_does_not_end_the_experiment(tx: Transaction) -> None:
    running = _running(tx)
    look = _look(tx, Verdict.KEEP_COLLECTING, FIRST_SLOT, number=1)
    final = replace(a_readout(Verdict.INVALID, is_final=True), look=2)
    stored_looks.add(tx, WORKSPACE, replace(look, slot=FIRST_SLOT + DAY, made_at=FIRST_SLOT + DAY, readout=final))
    fixed = _fix(tx, running, now=LATER + DAY)
    stopped = experiments.stop(
        tx, fixed, E7, by=a_member(), ended_at=LATER + DAY, reason="enough", now=LATER + DAY + HOUR
    )

    last = the_due_look(tx, LATER + DAY + HOUR)

    assert last.is_last
    assert not last.is_late
    assert not results.is_decided(tx, stopped, E7)


def test_an_arm_without_units_is_told_and_heals(tx: Transaction) -> None:
    _running(tx)
    assert _count(tx, (5000, 0), now=FIRST_SLOT)
    assert len(stories_of(tx)) == 1
    assert _count(tx, (5100, 0), now=FIRST_SLOT + HOUR)  # told once

    assert not _count(tx, (5200, 5200), now=FIRST_SLOT + 2 * HOUR)
    assert len(stories_of(tx)) == 1


def test_units_that_disappeared_for_an_hour_are_no_evidence_afterwards(tx: Transaction) -> None:
    dossier = _running(tx)
    _look(tx, Verdict.KEEP_COLLECTING, FIRST_SLOT, exposed=EVEN)
    (due,) = counting.due(tx, now=FIRST_SLOT + HOUR)
    assert counting.record(tx, due, (5100, 2500), every=HOUR, now=FIRST_SLOT + HOUR) is None

    (told_of,) = facts_of(tx, SourceFailed)
    assert told_of.problem == ("treatment has 2,500 units, and had 5,000 at the last good look. Check the data.")
    assert not results.is_split_uneven(tx, found(tx, dossier), E7)
    assert the_due_look(tx, FIRST_SLOT + DAY).split_between is None
    assert not _count(tx, (5200, 5150), now=FIRST_SLOT + 2 * HOUR)
    assert results.current_problem(tx, found(tx, dossier)) is None


def test_units_that_a_look_missed_already_are_not_told_again_by_a_count(tx: Transaction) -> None:
    _running(tx)
    _look(tx, Verdict.KEEP_COLLECTING, FIRST_SLOT, number=1, exposed=EVEN)
    _look(tx, Verdict.DATA_ERROR, FIRST_SLOT + DAY, number=2, exposed=(9000, 0))
    (due,) = counting.due(tx, now=FIRST_SLOT + DAY)

    assert counting.record(tx, due, (9000, 0), every=HOUR, now=FIRST_SLOT + DAY) is None

    assert stories_of(tx) == []
    assert counting.due(tx, now=FIRST_SLOT + DAY) == []
    assert not _count(tx, (9100, 9050), now=FIRST_SLOT + DAY + HOUR)


def test_a_look_with_a_data_error_is_no_evidence(tx: Transaction) -> None:
    _running(tx)
    _look(tx, Verdict.KEEP_COLLECTING, FIRST_SLOT, number=1, exposed=EVEN)
    _look(tx, Verdict.DATA_ERROR, FIRST_SLOT + DAY, number=2, exposed=(9000, 0), evidence=99.0)

    assert not _count(tx, (9100, 9050), now=FIRST_SLOT + DAY + HOUR)


def test_a_real_mismatch_stays_found_however_even_later_counts_are(tx: Transaction) -> None:
    _running(tx)
    _look(tx, Verdict.INVALID, FIRST_SLOT, number=1, exposed=UNEVEN, evidence=20.0)

    assert _count(tx, (20_000, 20_000), now=FIRST_SLOT + HOUR)


def _nudged(tx: Transaction, *, now: datetime) -> int:
    asked = nudges.find(tx, WORKSPACE, zone="UTC", now=now)
    return nudges.send(tx, WORKSPACE, asked, zone="UTC", now=now)


def test_the_urgent_nudge_ends_with_the_fix_and_comes_again_if_the_new_split_is_off(tx: Transaction) -> None:
    running = _running(tx)
    assert _count(tx, UNEVEN, now=FIRST_SLOT)
    publish.publish(tx, running, shows=True)
    assert _nudged(tx, now=FIRST_SLOT) == 1

    _fix(tx, running)

    assert nudging.unanswered(tx, WORKSPACE, running.hypothesis.number) == []
    assert not _count(tx, (1000, 1010), now=LATER)
    publish.publish(tx, running, shows=True)
    assert [one.nudge for one in nudging.unanswered(tx, WORKSPACE, running.hypothesis.number)] == []
    assert _nudged(tx, now=LATER + 3 * DAY) == 0
    assert _count(tx, UNEVEN, now=LATER + 3 * DAY)
    publish.publish(tx, running, shows=True)
    assert _nudged(tx, now=LATER + 3 * DAY) == 1


def _harm(tx: Transaction, *harmed: str) -> Readout:
    verdicts = tuple(
        TreatmentVerdict(
            treatment=name, verdict=Verdict.GOAL_HARM if name in harmed else Verdict.KEEP_COLLECTING, reasons=()
        )
        for name in ("treatment", "other")
    )
    readout = _look(tx, Verdict.GOAL_HARM, FIRST_SLOT, exposed=(5000, 2500, 2500), treatments=verdicts).readout
    assert readout is not None
    return readout


@pytest.mark.parametrize(("harmed", "left"), [(("treatment",), 0), (("treatment", "other"), 1), (("other",), 1)])
def test_the_alarm_about_harm_ends_when_nothing_that_runs_does_harm(
    tx: Transaction, harmed: tuple[str, ...], left: int
) -> None:
    running = _running(tx, THREE_ARMS)
    _harm(tx, *harmed)
    publish.publish(tx, running, shows=True)
    assert _nudged(tx, now=LATER - HOUR) == 1

    after = _drop(tx, running)

    waiting = nudging.unanswered(tx, WORKSPACE, running.hypothesis.number)
    assert [one.nudge.case for one in waiting] == [NudgeCase.HARM] * left
    assert stall_signals.read(tx, after, changed_at=LATER, found={}).is_harmed is bool(left)


def _record(tx: Transaction, dossier: Dossier, now: datetime, **totals: Moments) -> None:
    recording.record(
        tx,
        found(tx, dossier),
        E7,
        by=a_member(OTHER),
        metric=None,
        totals=totals,
        as_of=now,
        is_correction=False,
        now=now,
    )


def test_typed_totals_may_leave_out_what_was_dropped_and_keep_its_newest(tx: Transaction) -> None:
    running = _running(tx, replace(a_typed_plan(), variants=THREE_ARMS.variants))
    arm = events(100, of=1000)
    _record(tx, running, FIRST_SLOT, control=events(200, of=2000), treatment=arm, other=arm)
    with refused(Reason.VARIANT_MISSING, "totals", name="treatment"):
        _record(tx, running, LATER - HOUR, control=events(300, of=3000), other=events(150, of=1500))
    _drop(tx, running)

    _record(tx, running, LATER + HOUR, control=events(300, of=3000), other=events(150, of=1500))

    entry = stored_looks.newest_entries(tx, WORKSPACE, E7)["orders per user"]
    assert entry.moments == (events(300, of=3000), arm, events(150, of=1500))
    _record(
        tx,
        running,
        LATER + 2 * HOUR,
        control=events(400, of=4000),
        treatment=events(101, of=1001),
        other=entry.moments[2],
    )
    entry = stored_looks.newest_entries(tx, WORKSPACE, E7)["orders per user"]
    assert entry.moments[1] == events(101, of=1001)
    with refused(Reason.VARIANT_MISSING, "totals", name="other"):
        _record(tx, running, LATER + 3 * HOUR, control=events(500, of=5000), treatment=arm)


def test_typed_totals_of_what_was_dropped_before_any_came_are_none(tx: Transaction) -> None:
    running = _running(tx, replace(a_typed_plan(), variants=THREE_ARMS.variants))
    _drop(tx, running)

    _record(tx, running, LATER + HOUR, control=events(300, of=3000), other=events(150, of=1500))

    entry = stored_looks.newest_entries(tx, WORKSPACE, E7)["orders per user"]
    assert [one.count for one in entry.moments] == [3000, 0, 1500]


def test_run_again_is_sized_for_the_arms_that_are_left(tx: Transaction) -> None:
    goal = replace(THREE_ARMS.goal, baseline=0.1)
    plan = replace(THREE_ARMS, metrics=(goal,), planned_units=123)
    dropped = _drop(tx, _running(tx, plan))
    stopped = experiments.stop(tx, dropped, E7, by=a_member(), ended_at=LATER, reason="enough", now=LATER)

    draft = experiments.run_again(tx, stopped, E7, by=a_member(), now=LATER + HOUR).draft

    assert draft is not None
    assert draft.plan.variant_names == ("control", "other")
    two_arms = replace(plan, variants=(Variant(name="control", weight=2 / 3), Variant(name="other", weight=1 / 3)))
    assert draft.plan.planned_units == sizing.planned_units(two_arms) != 123
