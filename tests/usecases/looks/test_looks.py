"""Daily looks: one a slot, dropped when the world moved meanwhile, and one last one after a stop.

E-7 starts on Wednesday, 25 November 2026, 12:00 UTC, and is looked at at 08:00 in Berlin: 07:00 UTC.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from builders import (
    DAY,
    E7,
    H12,
    NOW,
    OTHER,
    OWNER,
    WORKSPACE,
    a_dossier,
    a_member,
    a_plan,
    a_typed_plan,
    an_ending,
    an_experiment,
)
from labcoat.db import dossiers
from labcoat.db import looks as stored_looks
from labcoat.db.database import Transaction
from labcoat.domain.dossier import Dossier
from labcoat.domain.facts import DefinitionsChanged, LookMade
from labcoat.domain.lifecycle import Stage, Step
from labcoat.domain.look import Look, SourceProblem
from labcoat.domain.notice import NoticeKind
from labcoat.domain.plan import Period
from labcoat.stats.results import NoLook, NoLookReason, Readout, Verdict
from labcoat.stats.rule import Sample
from labcoat.usecases.experiments import experiments, results
from labcoat.usecases.hypotheses import requests
from labcoat.usecases.looks import looks, source_errors
from labcoat.warehouse.reading import Reading
from usecases.storing import (
    CARD,
    STORY,
    a_sample,
    deliver_all,
    facts_of,
    found,
    started,
    stored,
    stories_of,
    the_due_look,
    told,
)

FIRST_SLOT = datetime(2026, 11, 26, 7, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def _record(tx: Transaction, look: looks.DueLook, *, sample: Sample | None = None, now: datetime) -> Look | None:
    sample = sample or a_sample()
    reading = Reading(sample=sample, crossed=0, definitions={})
    return looks.record(tx, look, reading, looks.answer(look, sample), now=now)


def _looked_at_daily(tx: Transaction, *, days: int) -> None:
    for index in range(days):
        now = FIRST_SLOT + index * DAY
        sample = a_sample(of=1000 * (index + 1), treated=101 * (index + 1))
        assert _record(tx, the_due_look(tx, now), sample=sample, now=now) is not None


def _stop(tx: Transaction, dossier: Dossier, *, ended_at: datetime, now: datetime) -> Dossier:
    return experiments.stop(tx, dossier, E7, by=a_member(OTHER), ended_at=ended_at, reason="enough", now=now)


def _looks(tx: Transaction) -> list[Look]:
    return stored_looks.list_of(tx, WORKSPACE, E7)


def test_a_start_schedules_the_first_look(tx: Transaction) -> None:
    started(tx)

    before = looks.due(tx, now=FIRST_SLOT - MINUTE)
    first = the_due_look(tx, FIRST_SLOT + MINUTE)

    assert before == []
    assert (first.slot, first.until, first.day, first.is_last) == (FIRST_SLOT, FIRST_SLOT + MINUTE, 1, False)


def test_a_past_start_is_looked_at_from_the_next_slot_on(tx: Transaction) -> None:
    draft = stored(tx, a_dossier(an_experiment()))
    experiments.start(tx, draft, E7, by=a_member(), since=NOW - 5 * DAY, now=NOW)

    assert looks.due(tx, now=FIRST_SLOT - MINUTE) == []
    assert the_due_look(tx, FIRST_SLOT).slot == FIRST_SLOT


def test_typed_totals_are_not_looked_at_by_the_clock(tx: Transaction) -> None:
    started(tx, a_typed_plan())

    assert looks.due(tx, now=NOW + 300 * DAY) == []


def test_an_experiment_of_the_past_is_looked_at_at_once_and_only_once(tx: Transaction) -> None:
    period = Period(starts_at=NOW - 60 * DAY, ends_at=NOW - 32 * DAY)
    started(tx, replace(a_plan(), period=period))

    look = the_due_look(tx, NOW)
    made = _record(tx, look, now=NOW)

    assert (look.slot, look.until, look.day, look.is_last) == (NOW, period.ends_at, 28, True)
    assert made is not None
    assert made.readout is not None
    assert made.readout.is_final
    assert looks.due(tx, now=NOW + 300 * DAY) == []


def test_a_look_is_made_once_a_day(tx: Transaction) -> None:
    started(tx)

    _looked_at_daily(tx, days=3)

    assert [look.slot for look in _looks(tx)] == [FIRST_SLOT + index * DAY for index in range(3)]
    assert [look.readout.look for look in _looks(tx) if look.readout] == [1, 2, 3]
    assert looks.due(tx, now=FIRST_SLOT + 3 * DAY - MINUTE) == []


def test_a_missed_slot_is_never_made_up(tx: Transaction) -> None:
    started(tx)

    late = FIRST_SLOT + 4 * DAY + timedelta(hours=3)
    _record(tx, the_due_look(tx, late), now=late)

    assert [look.slot for look in _looks(tx)] == [FIRST_SLOT + 4 * DAY]
    assert looks.due(tx, now=late) == []


def test_a_look_is_dropped_when_the_experiment_was_stopped_meanwhile(tx: Transaction) -> None:
    running = started(tx)
    look = the_due_look(tx, FIRST_SLOT)

    _stop(tx, running, ended_at=FIRST_SLOT, now=FIRST_SLOT)

    assert _record(tx, look, now=FIRST_SLOT) is None
    assert _looks(tx) == []


def test_a_look_is_dropped_when_the_plan_moved_meanwhile(tx: Transaction) -> None:
    started(tx)
    look = the_due_look(tx, FIRST_SLOT)
    older = replace(look, experiment=replace(look.experiment, plan_version=0))

    assert _record(tx, older, now=FIRST_SLOT) is None
    assert _looks(tx) == []


def test_of_two_replicas_with_the_same_slot_one_records(tx: Transaction) -> None:
    started(tx)
    look = the_due_look(tx, FIRST_SLOT)

    first, second = _record(tx, look, now=FIRST_SLOT), _record(tx, look, now=FIRST_SLOT)

    assert first is not None
    assert second is None
    assert _looks(tx) == [first]


def test_a_look_without_new_units_is_kept_and_spends_nothing(tx: Transaction) -> None:
    started(tx)
    _looked_at_daily(tx, days=1)
    now = FIRST_SLOT + DAY

    made = _record(tx, the_due_look(tx, now), sample=a_sample(of=1000, treated=101), now=now)

    assert made is not None
    assert (made.readout, made.no_look) == (None, NoLookReason.NO_NEW_UNITS)
    assert looks.due(tx, now=now) == []


def test_the_thread_hears_of_the_first_look_and_of_news_only(tx: Transaction) -> None:
    started(tx)
    deliver_all(tx)

    _looked_at_daily(tx, days=3)

    assert told(tx) == [STORY, CARD]
    assert stories_of(tx) == [LookMade(hypothesis=H12, experiment=E7, slot=FIRST_SLOT)]


def test_a_stop_makes_one_last_look_due_at_once(tx: Transaction) -> None:
    running = started(tx)
    _looked_at_daily(tx, days=2)
    now = FIRST_SLOT + 2 * DAY - timedelta(hours=2)

    _stop(tx, found(tx, running), ended_at=now, now=now)
    last = the_due_look(tx, now)
    made = _record(tx, last, sample=a_sample(of=4000, treated=404), now=now)

    assert last.is_last
    assert last.until == now
    assert made is not None
    assert made.readout is not None
    assert (made.readout.is_final, made.readout.look) == (True, 3)
    assert looks.is_finished(the_due_look(tx, now + 99 * DAY))


@pytest.mark.parametrize("ended_ago", [timedelta(0), timedelta(hours=1), timedelta(hours=30)])
def test_what_was_spent_stays_spent_when_traffic_ended_before_the_newest_look(
    tx: Transaction, ended_ago: timedelta
) -> None:
    running = started(tx)
    _looked_at_daily(tx, days=3)
    told_at = FIRST_SLOT + 2 * DAY

    _stop(tx, found(tx, running), ended_at=told_at - ended_ago, now=told_at + MINUTE)
    last = the_due_look(tx, told_at + MINUTE)
    made = _record(tx, last, sample=a_sample(of=4000, treated=404), now=told_at + MINUTE)

    assert made is not None
    assert made.readout is not None
    assert made.readout.is_final
    assert made.readout.day >= 3
    assert _looks(tx)[-1] == made


def test_a_last_look_with_wrong_data_is_made_again_later(tx: Transaction) -> None:
    running = started(tx)
    _stop(tx, running, ended_at=FIRST_SLOT, now=FIRST_SLOT)

    made = _record(tx, the_due_look(tx, FIRST_SLOT), sample=Sample(exposed=(0, 0), moments={}), now=FIRST_SLOT)

    later = FIRST_SLOT + source_errors.LONGEST_WAIT
    again = _record(tx, the_due_look(tx, later), now=later)

    assert made is not None
    assert made.readout is not None
    assert made.readout.verdict is Verdict.DATA_ERROR
    assert again is not None
    assert again.readout is not None
    assert again.readout.is_final
    assert looks.is_finished(the_due_look(tx, FIRST_SLOT + 99 * DAY))


def test_traffic_said_to_have_ended_before_the_newest_look_loses_no_units(tx: Transaction) -> None:
    running = started(tx)
    _looked_at_daily(tx, days=3)
    newest = _looks(tx)[-1]
    told_at = newest.made_at + timedelta(hours=1)
    _stop(tx, found(tx, running), ended_at=newest.as_of - DAY, now=told_at)

    last = the_due_look(tx, told_at)

    assert last.until == newest.as_of
    assert last.day == newest.readout.day if newest.readout else False


def test_an_experiment_of_the_past_with_wrong_data_is_looked_at_again_after_its_stop(tx: Transaction) -> None:
    period = Period(starts_at=NOW - 60 * DAY, ends_at=NOW - 32 * DAY)
    running = started(tx, replace(a_plan(), period=period))
    _record(tx, the_due_look(tx, NOW), sample=Sample(exposed=(0, 0), moments={}), now=NOW)
    _stop(tx, running, ended_at=NOW, now=NOW + MINUTE)

    made = _record(tx, the_due_look(tx, NOW + MINUTE), now=NOW + MINUTE)

    assert made is not None
    assert made.readout is not None
    assert made.readout.is_final
    assert looks.due(tx, now=NOW + 99 * DAY) == []


def test_data_that_come_late_are_a_look_which_keeps_the_verdict(tx: Transaction) -> None:
    final = _stopped_and_looked_at(tx)
    deliver_all(tx)
    slot = FIRST_SLOT + DAY

    late = the_due_look(tx, slot)
    made = _record(tx, late, sample=a_sample(of=4000, treated=480), now=slot)

    assert (late.until, late.is_last, looks.is_finished(late)) == (FIRST_SLOT, True, False)
    assert made is not None
    assert made.readout is not None
    assert final.readout is not None
    assert (made.readout.is_after_final, made.readout.verdict) == (True, final.readout.verdict)
    assert made.readout.estimates[0].treatment_mean == 0.12
    assert _looks(tx) == [final, made]
    assert stories_of(tx) == [LookMade(hypothesis=H12, experiment=E7, slot=slot)]


def test_where_nothing_comes_late_no_look_is_made(tx: Transaction) -> None:
    final = _stopped_and_looked_at(tx)
    last_digits = replace(
        final.sample,
        moments={
            name: tuple(replace(arm, mean=arm.mean * (1 + 1e-12)) for arm in arms)
            for name, arms in final.sample.moments.items()
        },
    )

    made = [_record(tx, the_due_look(tx, slot), sample=last_digits, now=slot) for slot in _slots_after_the_stop()]

    assert made == [None] * 7
    assert _looks(tx) == [final]
    assert looks.due(tx, now=FIRST_SLOT + 99 * DAY) == []


def test_late_data_are_not_looked_for_once_it_is_decided(tx: Transaction) -> None:
    _stopped_and_looked_at(tx)
    dossier = dossiers.find(tx, WORKSPACE, H12)
    assert dossier is not None
    approved = replace(dossier.hypothesis, stage=Stage.PRODUCTIONIZE)
    dossiers.save(tx, dossier, dossier.with_hypothesis(approved), step=Step.APPROVE, by=OWNER, at=NOW, reason=None)

    assert looks.is_finished(the_due_look(tx, FIRST_SLOT + DAY))


def test_a_source_that_cannot_be_read_for_late_data_is_forgotten_in_the_end(tx: Transaction) -> None:
    _stopped_and_looked_at(tx)
    _problem(tx, "no connection", is_permanent=False, now=FIRST_SLOT + 7 * DAY)

    last = the_due_look(tx, FIRST_SLOT + 8 * DAY)
    looks.finish(tx, last)

    assert looks.is_finished(last)
    assert stored_looks.find_problem(tx, WORKSPACE, E7) is None
    assert looks.due(tx, now=FIRST_SLOT + 99 * DAY) == []


def test_a_lead_may_decide_while_late_data_are_looked_for(tx: Transaction) -> None:
    _stopped_and_looked_at(tx)
    dossier = dossiers.find(tx, WORKSPACE, H12)
    assert dossier is not None

    requests.require_last_look(tx, dossier, results.newest_look(tx, dossier))

    assert stored_looks.is_scheduled(tx, WORKSPACE, E7)


def test_a_stop_after_the_final_look_is_looked_at_for_late_data_only(tx: Transaction) -> None:
    running = started(tx, a_plan(planned_days=1))
    now = FIRST_SLOT + DAY
    _record(tx, the_due_look(tx, now), now=now)
    _stop(tx, found(tx, running), ended_at=now, now=now + MINUTE)

    assert looks.due(tx, now=now + MINUTE) == []
    assert the_due_look(tx, now + DAY).is_late


def _stopped_and_looked_at(tx: Transaction) -> Look:
    running = started(tx)
    _stop(tx, running, ended_at=FIRST_SLOT, now=FIRST_SLOT)
    final = _record(tx, the_due_look(tx, FIRST_SLOT), sample=a_sample(of=4000, treated=404), now=FIRST_SLOT)
    assert final is not None
    return final


def _slots_after_the_stop() -> list[datetime]:
    return [FIRST_SLOT + day * DAY for day in range(1, 8)]


def _problem(tx: Transaction, message: str, *, is_permanent: bool, now: datetime) -> None:
    look = the_due_look(tx, now)
    looks.record_problem(tx, look, message, is_permanent=is_permanent, now=now)


def test_a_problem_is_said_once_and_tried_again_later(tx: Transaction) -> None:
    started(tx)
    deliver_all(tx)

    _problem(tx, "no connection", is_permanent=False, now=FIRST_SLOT)
    soon = looks.due(tx, now=FIRST_SLOT + 14 * MINUTE)
    _problem(tx, "no connection", is_permanent=False, now=FIRST_SLOT + 15 * MINUTE)

    assert soon == []
    assert told(tx) == [STORY, CARD]
    assert stored_looks.find_problem(tx, WORKSPACE, E7) == SourceProblem(
        message="no connection", since=FIRST_SLOT, attempts=2
    )


def test_the_owner_is_told_once_of_a_source_that_stays_down(tx: Transaction) -> None:
    started(tx)
    deliver_all(tx)

    at = FIRST_SLOT
    for _ in range(6):
        _problem(tx, "no connection", is_permanent=False, now=at)
        at += source_errors.LONGEST_WAIT

    assert [one.kind for one in told(tx)].count(NoticeKind.HEALTH) == 1


def test_each_wait_is_twice_as_long_up_to_six_hours(tx: Transaction) -> None:
    failing = SourceProblem(message="no connection", since=NOW)
    again = [replace(failing, attempts=attempts) for attempts in (1, 2, 3, 5, 6, 99)]

    waits = [source_errors.wait(one, is_permanent=False) / MINUTE for one in again]

    assert waits == [15, 30, 60, 240, 360, 360]


def test_another_problem_is_shown_but_not_said_again(tx: Transaction) -> None:
    started(tx)
    _problem(tx, "no connection", is_permanent=False, now=FIRST_SLOT)
    deliver_all(tx)

    _problem(tx, "no such column", is_permanent=True, now=FIRST_SLOT + 15 * MINUTE)

    assert [one.kind for one in told(tx)] == [NoticeKind.HEALTH, NoticeKind.CARD]
    known = stored_looks.find_problem(tx, WORKSPACE, E7)
    assert known is not None
    assert (known.message, known.since, known.is_owner_told) == ("no such column", FIRST_SLOT, True)
    assert looks.due(tx, now=FIRST_SLOT + timedelta(hours=2)) == []
    assert looks.due(tx, now=FIRST_SLOT + timedelta(hours=2, minutes=15)) != []


def test_a_closed_hypothesis_is_not_read_any_more(tx: Transaction) -> None:
    running = started(tx)
    stopped = _stop(tx, running, ended_at=FIRST_SLOT, now=FIRST_SLOT)
    ended = replace(stopped.hypothesis, ending=an_ending())
    dossiers.save(tx, stopped, stopped.with_hypothesis(ended), step=Step.CLOSE, by=OWNER, at=NOW, reason=None)

    _problem(tx, "no connection", is_permanent=False, now=FIRST_SLOT)

    assert looks.due(tx, now=FIRST_SLOT + 99 * DAY) == []


def test_a_look_ends_the_problem(tx: Transaction) -> None:
    started(tx)
    _problem(tx, "no connection", is_permanent=False, now=FIRST_SLOT)
    later = FIRST_SLOT + 15 * MINUTE

    look = the_due_look(tx, later)
    _record(tx, look, now=later)

    assert look.slot == FIRST_SLOT
    assert stored_looks.find_problem(tx, WORKSPACE, E7) is None


def test_the_answer_needs_no_database(tx: Transaction) -> None:
    started(tx, a_plan(planned_days=28))
    look = the_due_look(tx, FIRST_SLOT)

    assert isinstance(looks.answer(look, a_sample()), Readout)
    assert isinstance(looks.answer(replace(look, day=0), a_sample()), NoLook)


def _defined(tx: Transaction, definition: str, *, day: int) -> None:
    now = FIRST_SLOT + day * DAY
    sample = a_sample(of=1000 * (day + 1), treated=101 * (day + 1))
    look = the_due_look(tx, now)
    reading = Reading(sample=sample, crossed=0, definitions={"orders per user": definition})
    looks.record(tx, look, reading, looks.answer(look, sample), now=now)


def test_a_definition_that_changed_since_the_last_look_is_said_once(tx: Transaction) -> None:
    running = started(tx)

    for day, definition in enumerate(("old", "new", "new")):
        _defined(tx, definition, day=day)

    assert [one.metrics for one in facts_of(tx, DefinitionsChanged)] == [("orders per user",)]
    assert [look.definitions for look in _looks(tx)] == [{"orders per user": one} for one in ("old", "new", "new")]
    assert results.show(tx, running, running.get_experiment(E7), now=FIRST_SLOT + 3 * DAY).changed == ()
