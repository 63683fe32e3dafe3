"""Looks and typed totals: a slot is taken once, the newest that stands counts."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from builders import DAY, E7, E8, NOW, OWNER, WORKSPACE, a_dossier, a_readout, an_experiment, events
from labcoat.db import dossiers, looks
from labcoat.db.database import Database
from labcoat.db.looks import Due
from labcoat.domain.ids import HypothesisNumber, WorkspaceId
from labcoat.domain.left_out import LeftOut
from labcoat.domain.lifecycle import Step
from labcoat.domain.look import Entry, Look, SourceProblem
from labcoat.stats.results import Estimate, Finding, NoLookReason, Verdict
from labcoat.stats.rule import MetricKind, Role, Sample

ELSEWHERE = WorkspaceId("T2")
ARMS = (events(500, of=5000), events(550, of=5001))
SAMPLE = Sample(exposed=(5000, 5001), moments={"orders per user": ARMS})
ESTIMATE = Estimate(
    metric="orders per user",
    role=Role.GOAL,
    kind=MetricKind.PROPORTION,
    treatment="treatment",
    control_count=5000,
    treatment_count=5001,
    control_mean=0.1,
    treatment_mean=0.11,
    information=2500.25,
    difference=0.0098,
    low=0.1 + 0.2,  # 0.30000000000000004: no digit may be lost
    missing=Finding.NO_RELATIVE,
)


def a_look(slot: datetime = NOW, *, has_readout: bool = True) -> Look:
    readout = replace(a_readout(Verdict.WIN, Finding.GOOD_SIDE), estimates=(ESTIMATE,))
    return Look(
        experiment=E7,
        slot=slot,
        as_of=slot,
        made_at=slot + DAY,
        sample=SAMPLE,
        readout=readout if has_readout else None,
        no_look=None if has_readout else NoLookReason.NO_NEW_UNITS,
    )


def test_a_look_comes_back_equal(database: Database) -> None:
    with database.writing() as tx:
        looks.add(tx, WORKSPACE, a_look())

    with database.reading() as tx:
        assert looks.list_of(tx, WORKSPACE, E7) == [a_look()]
        assert looks.list_of(tx, ELSEWHERE, E7) == []


def test_what_a_look_left_out_comes_back(database: Database) -> None:
    left_out = LeftOut(no_variant=67, unplanned={"Größe L": 2}, respelled={" control ": 1})
    look = replace(a_look(), left_out=left_out)
    with database.writing() as tx:
        looks.add(tx, WORKSPACE, look)

    with database.reading() as tx:
        assert looks.get(tx, WORKSPACE, E7, look.slot) == look


def test_numbers_that_are_not_finite_come_back_too(database: Database) -> None:
    arms = (replace(ARMS[0], mean=float("inf"), variance=float("nan")), ARMS[1])
    look = replace(a_look(has_readout=False), sample=Sample(exposed=(5000, 5001), moments={"revenue": arms}))

    with database.writing() as tx:
        looks.add(tx, WORKSPACE, look)
    with database.reading() as tx:
        read = looks.list_of(tx, WORKSPACE, E7)[0].sample.moments["revenue"][0]

    assert repr(read) == repr(arms[0])


def test_a_slot_is_taken_once(database: Database) -> None:
    with database.writing() as tx:
        looks.add(tx, WORKSPACE, a_look())

    with pytest.raises(IntegrityError), database.writing() as tx:
        looks.add(tx, WORKSPACE, a_look())

    with database.reading() as tx:
        assert looks.has_slot(tx, WORKSPACE, E7, NOW)
        assert not looks.has_slot(tx, WORKSPACE, E7, NOW + DAY)
        assert not looks.has_slot(tx, WORKSPACE, E8, NOW)
        assert not looks.has_slot(tx, ELSEWHERE, E7, NOW)


def test_the_newest_look_is_the_last_with_a_readout_that_stands(database: Database) -> None:
    first, second, empty = a_look(NOW), a_look(NOW + DAY), a_look(NOW + 2 * DAY, has_readout=False)
    with database.writing() as tx:
        for look in (second, empty, first):
            looks.add(tx, WORKSPACE, look)
        newest = looks.newest(tx, WORKSPACE, E7)
        looks.supersede(tx, WORKSPACE, E7, [NOW + DAY, NOW + 2 * DAY])

        assert newest == second
        assert looks.newest(tx, WORKSPACE, E7) == first
        assert looks.list_of(tx, WORKSPACE, E7) == [first]
        assert looks.newest(tx, ELSEWHERE, E7) is None


def test_a_superseded_look_keeps_its_slot(database: Database) -> None:
    with database.writing() as tx:
        looks.add(tx, WORKSPACE, a_look())
        looks.supersede(tx, WORKSPACE, E7, [NOW])

        assert looks.has_slot(tx, WORKSPACE, E7, NOW)


def test_looks_are_due_when_their_time_has_come(database: Database) -> None:
    dossier = a_dossier(an_experiment(), an_experiment(number=E8))
    with database.writing() as tx:
        dossiers.save(tx, None, dossier, step=Step.PLAN, by=OWNER, at=NOW, reason=None)
        none_yet = looks.due(tx, NOW + 99 * DAY)
        looks.schedule(tx, WORKSPACE, E7, NOW)
        looks.schedule(tx, WORKSPACE, E8, NOW - DAY)
        looks.schedule(tx, ELSEWHERE, E7, NOW - DAY)
        due = looks.due(tx, NOW)
        looks.schedule(tx, WORKSPACE, E7, None)

        assert none_yet == []
        assert [one.number for one in due] == [E8, E7]
        assert looks.due(tx, NOW - 2 * DAY) == []
        assert [one.number for one in looks.due(tx, NOW)] == [E8]


def test_a_due_look_is_taken_once(database: Database) -> None:
    with database.writing() as tx:
        dossiers.save(tx, None, a_dossier(an_experiment()), step=Step.PLAN, by=OWNER, at=NOW, reason=None)
        looks.schedule(tx, WORKSPACE, E7, NOW)

        first = looks.take(tx, WORKSPACE, E7, due_at=NOW, then=NOW + DAY)
        second = looks.take(tx, WORKSPACE, E7, due_at=NOW, then=NOW + DAY)

        assert (first, second) == (True, False)
        assert looks.due(tx, NOW) == []


def test_a_stop_that_comes_between_keeps_its_last_look(database: Database) -> None:
    with database.writing() as tx:
        dossiers.save(tx, None, a_dossier(an_experiment()), step=Step.PLAN, by=OWNER, at=NOW, reason=None)
        looks.schedule(tx, WORKSPACE, E7, NOW)
        looks.schedule(tx, WORKSPACE, E7, NOW + timedelta(minutes=1))  # the stop

        is_taken = looks.take(tx, WORKSPACE, E7, due_at=NOW, then=NOW + DAY)

        assert not is_taken
        assert [one.next_look_at for one in looks.due(tx, NOW + DAY)] == [NOW + timedelta(minutes=1)]


def test_saving_a_step_does_not_move_the_next_look(database: Database) -> None:
    with database.writing() as tx:
        saved, _ = dossiers.save(tx, None, a_dossier(an_experiment()), step=Step.PLAN, by=OWNER, at=NOW, reason=None)
        looks.schedule(tx, WORKSPACE, E7, NOW)
        changed = saved.with_experiment(replace(saved.experiments[0], stop_reason="rain"))
        dossiers.save(tx, saved, changed, step=Step.STOP, by=OWNER, at=NOW, reason=None)

        assert looks.due(tx, NOW) == [
            Due(workspace=WORKSPACE, hypothesis=HypothesisNumber(12), number=E7, next_look_at=NOW)
        ]


def test_the_newest_totals_of_each_metric_count(database: Database) -> None:
    first = Entry(experiment=E7, metric="orders", as_of=NOW, sent_by=OWNER, sent_at=NOW, moments=ARMS)
    second = replace(first, moments=ARMS[::-1], as_of=NOW - DAY)
    other = replace(first, metric="refunds")
    with database.writing() as tx:
        for entry in (first, other, second):
            looks.add_entry(tx, WORKSPACE, entry)

        assert looks.newest_entries(tx, WORKSPACE, E7) == {"orders": second, "refunds": other}
        assert looks.newest_entries(tx, ELSEWHERE, E7) == {}


def test_a_problem_is_remembered_until_it_is_gone(database: Database) -> None:
    with database.writing() as tx:
        looks.set_problem(tx, WORKSPACE, E7, SourceProblem(message="no table", since=NOW))
        looks.set_problem(tx, WORKSPACE, E7, SourceProblem(message="no column", since=NOW))

        assert looks.find_problem(tx, WORKSPACE, E7) == SourceProblem(message="no column", since=NOW)
        assert looks.find_problem(tx, ELSEWHERE, E7) is None
        assert looks.clear_problem(tx, WORKSPACE, E7)
        assert not looks.clear_problem(tx, WORKSPACE, E7)
