"""Totals that people type: since the start, only growing unless corrected, looked at as they come."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from builders import (
    CHANNEL,
    DAY,
    E7,
    H12,
    NOW,
    OTHER,
    WORKSPACE,
    a_goal,
    a_guardrail,
    a_member,
    a_plan,
    a_typed_plan,
    events,
    refused,
)
from labcoat.db import looks as stored_looks
from labcoat.db.database import Transaction
from labcoat.domain.dossier import Dossier
from labcoat.domain.hypothesis import Outcome
from labcoat.domain.look import Look
from labcoat.domain.member import Member, Program
from labcoat.domain.plan import Plan
from labcoat.domain.refusal import Reason
from labcoat.domain.totals_facts import TotalsOrigin, TotalsRecorded
from labcoat.stats.results import Verdict
from labcoat.stats.rule import Design, Moments
from labcoat.usecases.experiments import experiments, recording, results
from labcoat.usecases.hypotheses import hypotheses
from labcoat.usecases.looks import looks
from usecases.storing import CARD, STORY, deliver_all, found, started, stories_of, told

THEN = NOW + 3 * DAY
"""Three days after the start."""


def _record(
    tx: Transaction,
    dossier: Dossier,
    control: Moments | None = None,
    treatment: Moments | None = None,
    *,
    by: Member | None = None,
    metric: str | None = None,
    as_of: datetime = THEN,
    is_correction: bool = False,
    now: datetime = THEN,
    names: tuple[str, str] = ("control", "treatment"),
) -> Look | None:
    totals = {names[0]: control or events(100, of=1000), names[1]: treatment or events(110, of=1000)}
    return recording.record(
        tx,
        dossier,
        E7,
        by=by or a_member(OTHER),
        metric=metric,
        totals=totals,
        as_of=as_of,
        is_correction=is_correction,
        now=now,
    )


def _running(tx: Transaction, plan: Plan | None = None) -> Dossier:
    dossier = started(tx, plan or a_typed_plan())
    deliver_all(tx)
    return dossier


def _stop(tx: Transaction, dossier: Dossier, *, now: datetime, ended_at: datetime = THEN) -> Dossier:
    return experiments.stop(tx, dossier, E7, by=a_member(), ended_at=ended_at, reason="enough", now=now)


def test_totals_of_the_goal_are_looked_at_at_once(tx: Transaction) -> None:
    look = _record(tx, _running(tx))

    assert look is not None
    assert look.readout is not None
    assert (look.as_of, look.made_at, look.sample.exposed) == (THEN, THEN, (1000, 1000))
    assert look.readout.day == 3
    assert told(tx) == [STORY, STORY, CARD]
    origin = TotalsOrigin(by=OTHER)
    assert stories_of(tx)[0] == TotalsRecorded(hypothesis=H12, experiment=E7, metrics="orders per user", origin=origin)


def test_names_are_read_in_any_case_and_order(tx: Transaction) -> None:
    look = _record(tx, _running(tx), events(110, of=1100), events(100, of=1000), names=("Treatment", "CONTROL"))

    assert look is not None
    assert look.sample.exposed == (1000, 1100)


def test_a_guardrail_alone_makes_no_look_until_the_goal_has_numbers(tx: Transaction) -> None:
    dossier = _running(tx, a_typed_plan(a_goal(), a_guardrail()))

    alone = _record(tx, dossier, metric="Refunds")
    both = _record(tx, dossier, now=THEN + timedelta(minutes=1))

    assert alone is None
    assert both is not None
    assert set(both.sample.moments) == {"orders per user", "refunds"}


def test_a_second_metric_as_of_the_same_moment_is_looked_at_too(tx: Transaction) -> None:
    dossier = _running(tx, a_typed_plan(a_goal(), a_guardrail()))

    _record(tx, dossier)
    both = _record(tx, dossier, metric="refunds", now=THEN + timedelta(minutes=1))

    assert both is not None
    assert set(both.sample.moments) == {"orders per user", "refunds"}
    assert stored_looks.newest(tx, WORKSPACE, E7) == both


def test_smaller_totals_are_refused_and_nothing_is_stored(tx: Transaction) -> None:
    dossier = _running(tx)
    first = _record(tx, dossier)

    with refused(Reason.SMALLER_THAN_BEFORE, "correct", before="control 1,000, treatment 1,000"):
        _record(tx, dossier, events(99, of=999), now=THEN + DAY)

    assert stored_looks.list_of(tx, WORKSPACE, E7) == [first]


def test_growing_totals_need_no_correction(tx: Transaction) -> None:
    dossier = _running(tx)
    _record(tx, dossier)
    _record(tx, dossier, events(200, of=2000), events(220, of=2000), as_of=THEN + DAY, now=THEN + DAY)

    assert [look.sample.exposed for look in stored_looks.list_of(tx, WORKSPACE, E7)] == [(1000, 1000), (2000, 2000)]


@pytest.mark.parametrize("as_of", [THEN, THEN - DAY, THEN + timedelta(hours=1)])
def test_a_correction_supersedes_the_looks_that_rested_on_it(tx: Transaction, as_of: datetime) -> None:
    dossier = _running(tx)
    kept = _record(tx, dossier, events(50, of=500), events(55, of=500), as_of=NOW + DAY, now=NOW + DAY)
    _record(tx, dossier, events(900, of=9000), events(990, of=9000))

    corrected = _record(
        tx,
        dossier,
        events(90, of=900),
        events(99, of=900),
        as_of=as_of,
        is_correction=True,
        now=THEN + timedelta(hours=2),
    )

    assert corrected is not None
    assert stored_looks.list_of(tx, WORKSPACE, E7) == [kept, corrected]
    assert corrected.readout is not None
    assert corrected.readout.verdict is not Verdict.DATA_ERROR


def test_a_correction_supersedes_every_look_with_more_units_than_it_has(tx: Transaction) -> None:
    dossier = _running(tx)
    kept = _record(tx, dossier, events(50, of=500), events(55, of=500), as_of=NOW + DAY, now=NOW + DAY)
    _record(tx, dossier, events(900, of=9000), events(990, of=9000), as_of=THEN - DAY, now=THEN - DAY)
    _record(tx, dossier, events(1000, of=10_000), events(1100, of=10_000))

    later = THEN + timedelta(hours=1)
    corrected = _record(tx, dossier, events(90, of=900), events(99, of=900), is_correction=True, now=later)

    # The look of the day before has 9,000 units, and would call the 900 a loss.
    assert stored_looks.list_of(tx, WORKSPACE, E7) == [kept, corrected]
    assert corrected is not None
    assert corrected.readout is not None
    assert corrected.readout.verdict is not Verdict.DATA_ERROR


def test_totals_come_from_people_in_the_channel(tx: Transaction) -> None:
    dossier = _running(tx)

    with refused(Reason.NOT_IN_CHANNEL, channel=CHANNEL):
        _record(tx, dossier, by=a_member(OTHER, is_in_channel=False))


def test_totals_reach_from_after_the_start_until_now_at_most(tx: Transaction) -> None:
    dossier = _running(tx)

    with refused(Reason.IN_THE_FUTURE, "as_of"):
        _record(tx, dossier, as_of=THEN + timedelta(seconds=1))
    with refused(Reason.BEFORE_THE_START, "as_of"):
        _record(tx, dossier, as_of=NOW)


def test_all_variants_and_only_those_of_the_plan_have_totals(tx: Transaction) -> None:
    dossier = _running(tx)

    with refused(Reason.NOT_A_PLAN_VARIANT, "totals", name="blue", known="control, treatment"):
        _record(tx, dossier, names=("control", "blue"))
    with refused(Reason.VARIANT_MISSING, "totals", name="treatment"):
        _record(tx, dossier, names=("control", "control"))


def test_a_variant_counts_once_however_it_is_spelled(tx: Transaction) -> None:
    with refused(Reason.VARIANT_TWICE, "totals", name="Control"):
        _record(tx, _running(tx), names=("control", "Control"))


def test_what_is_misspelt_is_told_what_it_might_be(tx: Transaction) -> None:
    dossier = _running(tx)

    with refused(Reason.NOT_A_PLAN_VARIANT, "totals", nearest="treatment"):
        _record(tx, dossier, names=("control", "treatmnet"))
    with refused(Reason.NOT_A_PLAN_METRIC, "metric", nearest="orders per user"):
        _record(tx, dossier, metric="order per user")


def test_totals_of_several_metrics_make_one_look(tx: Transaction) -> None:
    dossier = _running(tx, a_typed_plan(a_goal(), a_guardrail()))
    arms = {"control": events(100, of=1000), "treatment": events(110, of=1000)}

    look = recording.record_all(
        tx,
        dossier,
        E7,
        by=Program(name="CI pipeline (API)"),
        totals={"refunds": arms, "Orders per user": arms},
        as_of=THEN,
        is_correction=False,
        now=THEN,
    )

    assert look is not None
    assert set(look.sample.moments) == {"orders per user", "refunds"}
    assert stored_looks.list_of(tx, WORKSPACE, E7) == [look]
    entry = stored_looks.newest_entries(tx, WORKSPACE, E7)["refunds"]
    assert (entry.sent_by, entry.program) == (None, "CI pipeline (API)")


def test_one_metric_is_sent_once_at_a_time(tx: Transaction) -> None:
    arms = {"control": events(100, of=1000), "treatment": events(110, of=1000)}
    dossier, by = _running(tx), a_member(OTHER)
    totals = {"orders per user": arms, "Orders per user": arms}

    with refused(Reason.METRIC_TWICE, "metric", name="orders per user"):
        recording.record_all(tx, dossier, E7, by=by, totals=totals, as_of=THEN, is_correction=False, now=THEN)


def test_an_unknown_metric_is_refused(tx: Transaction) -> None:
    with refused(Reason.NOT_A_PLAN_METRIC, "metric"):
        _record(tx, _running(tx), metric="clicks")


def test_the_warehouses_numbers_are_not_typed(tx: Transaction) -> None:
    with refused(Reason.COUNTS_COME_FROM_WAREHOUSE):
        _record(tx, _running(tx, a_plan()))


def test_what_is_closed_takes_no_totals(tx: Transaction) -> None:
    stopped = _stop(tx, _running(tx), now=THEN)
    closed = hypotheses.close(
        tx,
        stopped,
        by=a_member(),
        outcome=Outcome.ABANDONED,
        learning="Nothing.",
        days_spent=1,
        overrides=None,
        now=THEN,
    )

    with refused(Reason.CLOSED, hypothesis=H12):
        _record(tx, closed, now=THEN + DAY)


def test_the_last_look_waits_for_totals_up_to_the_end(tx: Transaction) -> None:
    dossier = _running(tx)
    _record(tx, dossier, as_of=THEN - 2 * DAY)
    stopped = _stop(tx, found(tx, dossier), ended_at=THEN, now=THEN)

    shown = results.show(tx, stopped, stopped.experiments[0], now=THEN)
    last = _record(tx, stopped, as_of=THEN, now=THEN + DAY)

    assert looks.due(tx, now=THEN + DAY) == []  # nobody but people can send them
    assert shown.missing == ("orders per user",)
    assert last is not None
    assert last.readout is not None
    assert last.readout.is_final


def test_totals_that_do_not_reach_to_the_end_make_no_last_look(tx: Transaction) -> None:
    dossier = _running(tx)
    stopped = _stop(tx, found(tx, dossier), ended_at=THEN, now=THEN)

    made = _record(tx, stopped, as_of=THEN - 2 * DAY, now=THEN + DAY)

    assert made is None
    assert list(stored_looks.newest_entries(tx, WORKSPACE, E7)) == ["orders per user"]


def test_the_last_look_waits_for_every_guardrail(tx: Transaction) -> None:
    dossier = _running(tx, a_typed_plan(a_goal(), a_guardrail()))
    stopped = _stop(tx, found(tx, dossier), ended_at=THEN, now=THEN)

    goal = _record(tx, stopped, as_of=THEN, now=THEN + DAY)
    guardrail = _record(tx, stopped, metric="refunds", as_of=THEN, now=THEN + 2 * DAY)

    assert goal is None
    assert guardrail is not None
    assert guardrail.readout is not None
    assert {one.metric for one in guardrail.readout.estimates} == {"orders per user", "refunds"}


def test_one_look_at_the_end_says_nothing_before_it(tx: Transaction) -> None:
    dossier = _running(tx, replace(a_typed_plan(), design=Design.ONE_LOOK))

    look = _record(tx, dossier)

    assert look is not None
    assert look.readout is None
    assert told(tx).count(STORY) == 1  # that the totals came, and no verdict


def test_what_is_shown_is_the_newest_stored_look(tx: Transaction) -> None:
    dossier = _running(tx)
    before = results.show(tx, dossier, dossier.experiments[0], now=THEN)
    look = _record(tx, dossier)

    after = results.show(tx, dossier, dossier.experiments[0], now=THEN + DAY)

    assert (before.look, before.sample, before.sample_as_of) == (None, None, None)
    assert (after.look, after.sample_as_of, after.next_look, after.problem) == (look, THEN, None, None)
    assert results.newest_look(tx, dossier) == look


def test_the_next_look_is_told_while_the_warehouse_is_read(tx: Transaction) -> None:
    dossier = _running(tx, a_plan())

    shown = results.show(tx, dossier, dossier.experiments[0], now=NOW)

    assert shown.next_look == datetime(2026, 11, 26, 7, tzinfo=UTC)


def test_a_stop_right_after_the_totals_makes_the_last_look_at_once(tx: Transaction) -> None:
    dossier = _running(tx)
    _record(tx, dossier)

    _stop(tx, found(tx, dossier), ended_at=THEN + timedelta(minutes=5), now=THEN + timedelta(minutes=6))

    all_looks = stored_looks.list_of(tx, WORKSPACE, E7)
    assert [one.readout.is_final for one in all_looks if one.readout] == [False, True]
