"""Corrections undo verdicts: which looks no longer count, what is told, and whoever decided on the old numbers."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, replace
from datetime import timedelta
from functools import partial
from math import log, sqrt
from threading import Barrier

import pytest

import postgres
from builders import (
    CHANNEL,
    DAY,
    E7,
    H12,
    LEAD,
    NOW,
    OTHER,
    OTHER_LEAD,
    OWNER,
    WORKSPACE,
    a_goal,
    a_guardrail,
    a_lead,
    a_member,
    a_plan,
    a_typed_plan,
    events,
    refused,
)
from labcoat.db import dossiers, workspaces
from labcoat.db import looks as stored_looks
from labcoat.db.database import Database, Transaction
from labcoat.db.dossiers import ChangedMeanwhileError
from labcoat.domain.amounts import Amount
from labcoat.domain.dossier import Dossier
from labcoat.domain.experiment import DroppedTreatment
from labcoat.domain.hypothesis import Outcome
from labcoat.domain.lifecycle import RequestState, Stage
from labcoat.domain.look import Look
from labcoat.domain.need import Tenfold
from labcoat.domain.notice import NoticeKind
from labcoat.domain.plan import Plan
from labcoat.domain.refusal import Reason, Refusal
from labcoat.domain.totals_facts import Decided, DecisionQuestioned, TotalsCorrected, TotalsOrigin
from labcoat.stats.results import Verdict
from labcoat.stats.rule import Design, MetricKind, Moments
from labcoat.usecases.experiments import experiments, recording, results
from labcoat.usecases.hypotheses import hypotheses, requests
from labcoat.usecases.looks import counting
from usecases.hypotheses.test_requests import somebody_waits
from usecases.storing import CARD, STORY, Told, deliver_all, facts_of, found, started, told

THEN = NOW + 15 * DAY  # after the fourteen days before which it is too early to tell
LATER = THEN + timedelta(hours=1)
ORDERS = "orders per user"
WIN, TYPO = (events(1000, of=10_000), events(1350, of=10_000)), (events(1000, of=10_000), events(1050, of=10_000))
"""1,350 were typed where 1,050 were meant."""


def _send(
    tx: Transaction,
    dossier: Dossier,
    *arms: Moments,
    at: timedelta = timedelta(0),
    as_of: timedelta | None = None,
    metric: str = ORDERS,
    corrects: bool = False,
    since: timedelta | None = None,
) -> Look | None:
    """Send totals. at, as_of, since: after THEN."""
    names = ("control", "treatment", "other", "fourth")[: len(arms)]
    return recording.record(
        tx,
        dossier,
        E7,
        by=a_member(OTHER),
        metric=metric,
        totals=dict(zip(names, arms, strict=True)),
        as_of=THEN + (at if as_of is None else as_of),
        is_correction=corrects,
        wrong_since=None if since is None else THEN + since,
        now=THEN + at,
    )


def _running(tx: Transaction, plan: Plan | None = None) -> Dossier:
    dossier = started(tx, plan or a_typed_plan())
    deliver_all(tx)
    return dossier


def _verdicts(tx: Transaction) -> list[Verdict]:
    return [one.verdict for one in stored_looks.readouts(tx, WORKSPACE, E7)]


def _as_of(tx: Transaction) -> list[float]:
    """Return until when the looks that stand reach, in days after THEN."""
    return [(look.as_of - THEN) / DAY for look in stored_looks.list_of(tx, WORKSPACE, E7)]


def _stopped(tx: Transaction) -> Dossier:
    """One whose last look is a win."""
    dossier = _running(tx)
    _send(tx, dossier, *WIN)
    return experiments.stop(
        tx, found(tx, dossier), E7, by=a_member(), ended_at=THEN + DAY / 24, reason="a win", now=THEN + DAY / 24
    )


def _asked(tx: Transaction) -> Dossier:
    asked = requests.ask(
        tx,
        _stopped(tx),
        by=a_member(),
        of=LEAD,
        conclusion=Outcome.SUPPORTED,
        learning="It works.",
        amount_days=20,
        no_experiment_reason=None,
        no_experiment_note="",
        zone="Europe/Berlin",
        now=THEN + DAY / 12,
    )
    deliver_all(tx)
    return asked


def _approved(tx: Transaction) -> Dossier:
    approved = requests.approve(tx, _asked(tx), 1, by=a_lead(), reason=None, seen_version=3, now=THEN + DAY / 8)
    deliver_all(tx)
    return approved


def _shipped(tx: Transaction) -> Dossier:
    shipped = hypotheses.ship(
        tx,
        _approved(tx),
        by=a_member(),
        link="https://example.com",
        holds=dict.fromkeys(Tenfold, True),
        days_spent=9,
        now=THEN + DAY / 6,
    )
    deliver_all(tx)
    return shipped


def _low_end(treated: int) -> float:
    """Return the lower end of the difference by the formulas of STATISTICS.md, methods 1 and 5: N* 5,000, alpha .05."""
    share, of = treated / 10_000, 10_000
    evidence = -2 * log(0.05)
    grown = 2 * of * (evidence + log(1 + evidence)) / 5000
    k = sqrt((grown + 1) / grown * (log(grown + 1) + evidence))
    return share - 0.1 - k * sqrt((0.1 * 0.9 + share * (1 - share)) / of)


def test_fewer_successes_of_as_many_units_are_refused_until_they_are_declared(tx: Transaction) -> None:
    dossier = _running(tx)
    first = _send(tx, dossier, *WIN)
    before = "control 1,000/10,000; treatment 1,350/10,000"

    with refused(Reason.SMALLER_THAN_BEFORE, "correct", before=before, as_of=THEN.isoformat()):
        _send(tx, dossier, *TYPO, at=DAY)

    assert stored_looks.list_of(tx, WORKSPACE, E7) == [first]


def test_a_win_that_was_a_typo_is_undone(tx: Transaction) -> None:
    dossier = _running(tx)
    _send(tx, dossier, *WIN)
    assert _verdicts(tx) == [Verdict.WIN]
    deliver_all(tx)

    corrected = _send(tx, dossier, *TYPO, at=timedelta(hours=1), corrects=True)

    assert (_low_end(1350) > 0, _low_end(1050) > 0) == (True, False)
    assert _verdicts(tx) == [Verdict.KEEP_COLLECTING]
    assert corrected is not None
    assert corrected.readout is not None
    (estimate,) = corrected.readout.estimates
    assert estimate.low == pytest.approx(_low_end(1050), rel=0.02)
    assert corrected.readout.look == 1  # it takes the place of the one that went
    assert told(tx) == [STORY, STORY, CARD]
    (told_of,) = facts_of(tx, TotalsCorrected)
    (metric,) = told_of.corrected
    assert (told_of.hypothesis, told_of.experiment, told_of.origin) == (H12, E7, TotalsOrigin(by=OTHER))
    assert (metric.metric, metric.kind, told_of.gone) == (ORDERS, MetricKind.PROPORTION, 1)
    assert [astuple(one) for one in metric.old] == [(10_000, 0.1, 0.1 * 0.9), (10_000, 0.135, 0.135 * 0.865)]
    assert [astuple(one) for one in metric.new] == [(10_000, 0.1, 0.1 * 0.9), (10_000, 0.105, 0.105 * 0.895)]
    assert [astuple(one) for one in told_of.verdicts] == [("treatment", Verdict.WIN, Verdict.KEEP_COLLECTING)]


@pytest.mark.parametrize(
    "right",
    [
        (events(1000, of=10_000), events(1350, of=10_000)),
        (events(1050, of=11_000), events(1550, of=11_000)),
        (events(1000, of=11_000), events(1050, of=9_000)),
    ],
    ids=["successes up", "units up", "units of an arm down"],
)
def test_whatever_is_declared_takes_the_place_of_the_newest_entry(
    tx: Transaction, right: tuple[Moments, Moments]
) -> None:
    dossier = _running(tx)
    _send(tx, dossier, events(450, of=4500), events(460, of=4500), at=-DAY)
    _send(tx, dossier, *TYPO)

    _send(tx, dossier, *right, at=DAY, corrects=True)

    assert _as_of(tx) == [-1, 1]
    entry = stored_looks.newest_entries(tx, WORKSPACE, E7)[ORDERS]
    assert (entry.moments, entry.wrong_since) == (right, THEN)
    assert stored_looks.corrected_at(tx, WORKSPACE, E7) == THEN + DAY


def test_growing_counts_of_a_later_moment_are_no_correction(tx: Transaction) -> None:
    dossier = _running(tx)
    _send(tx, dossier, *TYPO)

    _send(tx, dossier, events(1100, of=11_000), events(1160, of=11_000), at=DAY)

    assert _as_of(tx) == [0, 1]
    assert stored_looks.corrected_at(tx, WORKSPACE, E7) is None


def _euros(mean: float, deviation: float = 30, *, of: int = 10_000) -> Moments:
    return Moments(count=of, mean=mean, variance=deviation**2)


def test_a_sum_may_fall_but_other_numbers_of_the_same_moment_are_a_correction(tx: Transaction) -> None:
    goal = a_goal("revenue per user", kind=MetricKind.MEAN, minimum_effect=Amount(size=1, is_relative=False))
    dossier = _running(tx, a_typed_plan(goal))
    _send(tx, dossier, _euros(12), _euros(15), metric=goal.name)

    _send(tx, dossier, _euros(12), _euros(14.5, of=10_100), metric=goal.name, at=DAY)  # refunds
    for day, other in ((2, _euros(14, of=10_100)), (3, _euros(14.5, 33, of=10_100))):
        with refused(Reason.OTHERS_ALREADY_STORED, "correct", metric=goal.name):
            _send(tx, dossier, _euros(12), other, metric=goal.name, at=day * DAY, as_of=DAY)
        with refused(Reason.OTHERS_ALREADY_STORED, "correct"):  # nor of an earlier moment, with more units
            _send(tx, dossier, _euros(12), _euros(13, of=20_000), metric=goal.name, at=day * DAY, as_of=DAY / 2)
        _send(tx, dossier, _euros(12), other, metric=goal.name, at=day * DAY, as_of=DAY, corrects=True)
        assert _as_of(tx) == [0, 1]


def test_the_same_numbers_of_the_same_moment_are_no_news(tx: Transaction) -> None:
    dossier = _running(tx)
    _send(tx, dossier, *WIN)
    deliver_all(tx)

    for corrects in (False, True):
        assert _send(tx, dossier, *WIN, at=DAY, as_of=timedelta(0), corrects=corrects) is None

    assert told(tx) == []
    assert len(stored_looks.standing_entries(tx, WORKSPACE, E7)[ORDERS]) == 1


def test_one_metric_of_two_undoes_the_looks_that_used_it(tx: Transaction) -> None:
    plan = a_typed_plan(a_goal(), a_guardrail())
    dossier = _running(tx, plan)
    _send(tx, dossier, *TYPO, at=-DAY)
    _send(tx, dossier, events(100, of=9000), events(900, of=9000), metric="refunds", as_of=-DAY)
    assert _verdicts(tx)[-1] is Verdict.GUARDRAIL_HARM

    _send(tx, dossier, events(100, of=9000), events(90, of=9000), metric="refunds", at=DAY, corrects=True)

    looks = stored_looks.list_of(tx, WORKSPACE, E7)
    assert [set(look.sample.moments) for look in looks] == [{ORDERS}, {ORDERS, "refunds"}]
    assert not _verdicts(tx)[-1].is_harm


def test_several_metrics_are_each_corrected_by_their_own_entry(tx: Transaction) -> None:
    dossier = _running(tx, a_typed_plan(a_goal(), a_guardrail()))
    few = {"control": events(100, of=10_000), "treatment": events(110, of=10_000)}
    both = {ORDERS: dict(zip(few, WIN, strict=True)), "refunds": few}

    def send(totals: dict[str, dict[str, Moments]], hours: int, *, corrects: bool) -> None:
        now = THEN + timedelta(hours=hours)
        recording.take(tx, dossier, E7, by=a_member(OTHER), totals=totals, as_of=now, is_correction=corrects, now=now)

    send(both, 0, corrects=False)
    send(both | {ORDERS: dict(zip(few, TYPO, strict=True))}, 1, corrects=True)

    entries = stored_looks.newest_entries(tx, WORKSPACE, E7)
    assert (entries[ORDERS].wrong_since, entries["refunds"].wrong_since) == (THEN, None)
    assert len(_verdicts(tx)) == 1


def test_since_when_it_was_wrong_takes_all_looks_since_then(tx: Transaction) -> None:
    dossier = _running(tx)
    for day in (0, 1, 2, 3):
        _send(tx, dossier, events(1000 + day, of=10_000), events(1300 + day, of=10_000), at=day * DAY)

    with refused(Reason.IN_THE_FUTURE, "wrong_since"):
        _send(tx, dossier, *TYPO, at=4 * DAY, corrects=True, since=5 * DAY)
    _send(tx, dossier, events(1003, of=10_000), events(1400, of=10_000), at=4 * DAY, corrects=True, since=1.5 * DAY)

    assert _as_of(tx) == [0, 1, 4]


def test_an_entry_in_the_middle_is_corrected_by_sending_the_newest_again(tx: Transaction) -> None:
    dossier = _running(tx)
    newest = (events(1003, of=10_200), events(1360, of=10_200))
    _send(tx, dossier, *TYPO)
    _send(tx, dossier, events(1002, of=10_100), events(1359, of=10_100), at=DAY)
    _send(tx, dossier, *newest, at=2 * DAY)

    _send(tx, dossier, *newest, at=2 * DAY + DAY / 24, as_of=2 * DAY, corrects=True, since=DAY)

    assert _as_of(tx) == [0, 2]


def test_what_is_true_of_an_earlier_moment_replaces_all_that_came_after(tx: Transaction) -> None:
    dossier = _running(tx)
    for day in (0, 1, 2):
        _send(tx, dossier, events(1000 + day, of=10_000), events(1300 + day, of=10_000), at=day * DAY)

    _send(tx, dossier, events(1000, of=10_000), events(1301, of=10_000), at=3 * DAY, as_of=DAY, corrects=True)
    _send(tx, dossier, events(1002, of=10_000), events(1302, of=10_000), at=3 * DAY, as_of=2 * DAY)  # is new again

    assert [entry.as_of for entry in stored_looks.standing_entries(tx, WORKSPACE, E7)[ORDERS]] == [
        THEN,
        THEN + DAY,
        THEN + 2 * DAY,
    ]


def test_earlier_looks_with_more_successes_than_there_were_go_too(tx: Transaction) -> None:
    dossier = _running(tx)
    _send(tx, dossier, events(500, of=5000), events(520, of=5000), at=-2 * DAY)
    _send(tx, dossier, events(900, of=9000), events(1200, of=9000), at=-DAY)
    _send(tx, dossier, *WIN)

    _send(tx, dossier, *TYPO, at=DAY / 24, corrects=True)

    assert _as_of(tx) == pytest.approx([-2, 1 / 24])


def test_a_final_look_of_a_wrong_date_is_final_no_more(tx: Transaction) -> None:
    dossier = _running(tx)
    final = _send(tx, dossier, *WIN, at=14 * DAY)
    assert final is not None
    assert final.readout is not None
    assert final.readout.is_final

    again = _send(tx, dossier, *WIN[:1], events(1349, of=10_000), at=15 * DAY, as_of=DAY, corrects=True)
    last = _send(tx, dossier, events(2000, of=20_000), events(2700, of=20_000), at=15 * DAY + DAY / 24)

    assert again is not None
    assert again.readout is not None
    assert not again.readout.is_final
    assert last is not None
    assert last.readout is not None
    assert (last.readout.is_final, last.readout.is_after_final) == (True, False)


def test_a_correction_after_the_stop_makes_the_last_look_anew(tx: Transaction) -> None:
    dossier = _stopped(tx)
    assert [one.is_final for one in stored_looks.readouts(tx, WORKSPACE, E7)] == [False, True]

    again = _send(tx, dossier, *TYPO, at=20 * DAY, corrects=True)

    assert again is not None
    assert again.readout is not None
    assert (again.readout.is_final, again.as_of) == (True, THEN + DAY / 24)  # no data came after its end
    assert len(_verdicts(tx)) == 1
    assert not _verdicts(tx)[0].is_win


def test_without_a_new_look_there_is_no_verdict(tx: Transaction) -> None:
    dossier = _running(tx, replace(a_typed_plan(), design=Design.ONE_LOOK))
    _send(tx, dossier, *WIN, at=14 * DAY)
    assert _verdicts(tx) == [Verdict.WIN]
    deliver_all(tx)

    _send(tx, dossier, *TYPO, at=15 * DAY, as_of=DAY, corrects=True)

    assert _verdicts(tx) == []
    assert [astuple(one) for one in facts_of(tx, TotalsCorrected)[0].verdicts] == [("treatment", Verdict.WIN, None)]
    assert told(tx) == [STORY, CARD]


def _drop_other(tx: Transaction, dossier: Dossier, *, at: timedelta, after_look: int) -> Dossier:
    now = found(tx, dossier)
    dropped = DroppedTreatment(
        treatment="other", reason="slow", at=THEN + at, recorded_at=THEN + at, by=OWNER, after_look=after_look
    )
    return dossiers.count_correction(tx, now, replace(now.experiments[0], dropped=(dropped,)))


THREE = a_plan(design=Design.CONFIDENCE_SEQUENCE, source=a_typed_plan().source, weights=(0.4, 0.3, 0.3))
"""Control with 40 %, and two treatments."""


def _arms(control: int, treatment: int, other: int, *, of: int = 9000) -> tuple[Moments, ...]:
    return events(control, of=4 * of // 3), events(treatment, of=of), events(other, of=of)


def test_a_dropped_treatment_keeps_the_verdict_of_a_look_that_stands(tx: Transaction) -> None:
    dossier = _running(tx, THREE)
    _send(tx, dossier, *_arms(1200, 920, 900))
    _send(tx, dossier, *_arms(1250, 960, 930, of=9300), at=DAY)
    _drop_other(tx, dossier, at=2 * DAY, after_look=2)
    _send(tx, dossier, *_arms(1300, 1000, 940, of=9600), at=3 * DAY)

    _send(tx, dossier, *_arms(1310, 990, 935, of=9600), at=4 * DAY, corrects=True, since=DAY)

    assert _as_of(tx) == [0, 4]
    assert found(tx, dossier).experiments[0].dropped[0].after_look == 1


def test_corrected_totals_of_before_a_drop_give_that_treatments_verdict_anew(tx: Transaction) -> None:
    dossier = _running(tx, THREE)
    _send(tx, dossier, *_arms(1200, 920, 1250))
    _drop_other(tx, dossier, at=2 * DAY, after_look=1)

    look = _send(tx, dossier, *_arms(1200, 920, 910), at=3 * DAY, as_of=DAY, corrects=True)

    assert look is not None
    assert look.readout is not None
    assert {one.treatment: one.is_dropped for one in look.readout.by_treatment} == {"treatment": False, "other": False}
    assert found(tx, dossier).experiments[0].dropped[0].after_look == look.readout.look == 1


def test_no_evidence_of_the_split_is_carried_from_a_look_that_went(tx: Transaction) -> None:
    dossier = _running(tx)
    _send(tx, dossier, events(1000, of=10_000), events(500, of=5_000))
    assert _verdicts(tx) == [Verdict.INVALID]
    carried = counting._strongest(tx, WORKSPACE, dossier.experiments[0], exposed=(10_000, 10_000))
    assert carried is not None
    assert carried.log_bayes_factor > 0

    _send(tx, dossier, *TYPO, at=DAY / 24, corrects=True)

    now = counting._strongest(tx, WORKSPACE, dossier.experiments[0], exposed=(10_000, 10_000))
    assert now is not None
    assert now.log_bayes_factor == 0
    assert Verdict.INVALID not in _verdicts(tx)


def test_a_waiting_request_that_rested_on_a_win_is_withdrawn(tx: Transaction) -> None:
    dossier = _asked(tx)

    _send(tx, dossier, *TYPO, at=DAY, corrects=True)

    after = found(tx, dossier)
    assert after.waiting_request is None
    (request,) = after.requests
    assert (request.state, request.decided_by, request.decided_at) == (RequestState.WITHDRAWN, None, THEN + DAY)
    assert request.answer is not None
    assert request.answer.startswith("the totals were corrected; the verdict was “win”, and is “")
    assert request.learning == "It works."  # kept for asking again
    assert told(tx).count(Told(NoticeKind.ANSWER, OWNER)) == 1
    assert told(tx).count(Told(NoticeKind.REQUEST, LEAD)) == 1
    with refused(Reason.ALREADY_DECIDED, state=RequestState.WITHDRAWN, why=request.answer):
        requests.approve(tx, after, 1, by=a_lead(), reason=None, seen_version=3, now=THEN + DAY)


def test_a_waiting_request_whose_verdict_is_the_same_waits_on(tx: Transaction) -> None:
    dossier = _asked(tx)
    assert dossier.waiting_request is not None
    seen = requests.seen(tx, dossier, dossier.waiting_request)

    _send(tx, dossier, events(1000, of=10_000), events(1340, of=10_000), at=DAY, corrects=True)

    after = found(tx, dossier)
    assert after.waiting_request is not None
    assert after.hypothesis.version > dossier.hypothesis.version  # whoever has it open reads it again
    anew = requests.seen(tx, after, after.waiting_request)
    assert anew != seen
    assert anew.corrected_at == THEN + DAY
    assert told(tx).count(Told(NoticeKind.REQUEST, LEAD)) == 1
    assert NoticeKind.ANSWER not in {one.kind for one in told(tx)}


@pytest.mark.parametrize("right", [TYPO, (events(1000, of=10_000), events(1340, of=10_000))], ids=["undone", "same"])
@pytest.mark.parametrize("make", [_approved, _shipped])
def test_approver_and_owner_are_told_once(tx: Transaction, make: object, right: tuple[Moments, Moments]) -> None:
    assert callable(make)
    dossier = make(tx)

    _send(tx, dossier, *right, at=DAY, corrects=True)

    asked = [one for one in told(tx) if one.kind is NoticeKind.CORRECTED]
    assert asked == [Told(NoticeKind.CORRECTED, LEAD), Told(NoticeKind.CORRECTED, OWNER)]
    questioned = facts_of(tx, DecisionQuestioned)[0]
    assert questioned.decision is (Decided.APPROVED if make is _approved else Decided.SHIPPED)
    assert questioned.is_changed is (right is TYPO)
    after = Verdict.INCONCLUSIVE if right is TYPO else Verdict.WIN
    assert (questioned.before, questioned.after) == (Verdict.WIN, after)
    assert found(tx, dossier).requests[0].state is RequestState.APPROVED


def test_what_was_approved_goes_back_to_its_experiment(tx: Transaction) -> None:
    dossier = _approved(tx)
    _send(tx, dossier, *TYPO, at=DAY, corrects=True)

    hypotheses.reopen(tx, found(tx, dossier), by=a_lead(), reason="The win was a typo", now=THEN + DAY)

    after = found(tx, dossier)
    assert (after.hypothesis.stage, after.requests[0].state) == (Stage.EXPERIMENT, RequestState.APPROVED)


def _closed(tx: Transaction) -> Dossier:
    closed = hypotheses.close(
        tx,
        _stopped(tx),
        by=a_member(),
        outcome=Outcome.ABANDONED,
        learning="Nothing, because we moved on.",
        days_spent=1,
        overrides="we moved on",
        now=THEN + DAY / 12,
    )
    deliver_all(tx)
    return closed


def test_who_closed_it_is_told_only_if_the_verdict_is_another(tx: Transaction) -> None:
    dossier = _closed(tx)

    _send(tx, dossier, events(1000, of=10_000), events(1340, of=10_000), at=DAY, corrects=True)
    same = [one for one in told(tx) if one.kind is NoticeKind.CORRECTED]
    _send(tx, dossier, *TYPO, at=2 * DAY, corrects=True)

    assert same == []
    assert [one for one in told(tx) if one.kind is NoticeKind.CORRECTED] == [Told(NoticeKind.CORRECTED, OWNER)]


@pytest.mark.parametrize(
    ("make", "reason"),
    [(_closed, Reason.CLOSED), (_shipped, Reason.CLOSED), (_approved, Reason.WRONG_STAGE)],
    ids=["closed", "shipped", "approved"],
)
def test_what_is_decided_takes_corrections_and_nothing_new(tx: Transaction, make: object, reason: Reason) -> None:
    assert callable(make)
    dossier = make(tx)
    more = (events(2000, of=20_000), events(2100, of=20_000))

    with refused(reason, experiment=E7, step="record"):
        _send(tx, dossier, *more, at=DAY)
    with refused(reason, experiment=E7, step="record"):  # the same numbers of a later moment replace nothing either
        _send(tx, dossier, *WIN, at=DAY, corrects=True)
    corrected = _send(tx, dossier, *TYPO, at=DAY, corrects=True)

    assert corrected is not None
    assert found(tx, dossier).hypothesis.ending == dossier.hypothesis.ending


def test_a_metric_without_earlier_totals_cannot_be_corrected_once_it_is_closed(tx: Transaction) -> None:
    dossier = _running(tx, a_typed_plan(a_goal(), a_guardrail()))
    stopped = experiments.stop(tx, dossier, E7, by=a_member(), ended_at=THEN, reason="enough", now=THEN)
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
        _send(tx, closed, *TYPO, at=DAY, corrects=True)


def test_corrections_come_from_people_in_the_channel(tx: Transaction) -> None:
    dossier = _closed(tx)

    with refused(Reason.NOT_IN_CHANNEL, channel=CHANNEL):
        recording.record(
            tx,
            dossier,
            E7,
            by=a_member(OTHER, is_in_channel=False),
            metric=None,
            totals=dict(zip(("control", "treatment"), TYPO, strict=True)),
            as_of=LATER,
            is_correction=True,
            now=LATER,
        )


def test_the_card_shows_a_correction_until_a_look_comes_after_it(tx: Transaction) -> None:
    dossier = _running(tx)
    _send(tx, dossier, *WIN)
    never = results.correction_shown(tx, dossier)

    _send(tx, dossier, *TYPO, at=DAY, corrects=True)
    shown = results.correction_shown(tx, dossier)
    _send(tx, dossier, events(1100, of=11_000), events(1160, of=11_000), at=2 * DAY)

    assert (never, shown, results.correction_shown(tx, dossier)) == (None, THEN + DAY, None)
    assert results.current_correction(tx, dossier) == THEN + DAY


def _in_threads(database: Database, *acts: Callable[[Transaction], object]) -> list[BaseException | None]:
    """Do these at once, each in a transaction of its own; return what each raised."""
    all_ready = Barrier(len(acts))

    def run(act: Callable[[Transaction], object]) -> BaseException | None:
        all_ready.wait(timeout=60)
        try:
            with database.writing() as tx:
                act(tx)
        except (Refusal, ChangedMeanwhileError) as raised:
            return raised
        return None

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(run, acts))


def _prepared(database: Database, make: Callable[[Transaction], Dossier]) -> Dossier:
    with database.writing() as tx:
        workspaces.set_leads(tx, WORKSPACE, [LEAD, OTHER_LEAD], from_settings=True)
        return make(tx)


def test_of_two_corrections_at_once_the_second_replaces_the_first(database: Database) -> None:
    dossier = _prepared(database, _asked)
    right = ((events(1000, of=10_000), events(1050 + more, of=10_000)) for more in (0, 1))

    raised = _in_threads(
        database,
        *(
            partial(_send_in, dossier=dossier, arms=arms, at=DAY + timedelta(seconds=second))
            for second, arms in enumerate(right)
        ),
    )

    with database.reading() as tx:
        looks = stored_looks.list_of(tx, WORKSPACE, E7)
        standing = stored_looks.standing_entries(tx, WORKSPACE, E7)[ORDERS]
        after = found(tx, dossier)
        answers = [one for one in told(tx) if one.kind is NoticeKind.ANSWER]
    assert raised == [None, None]
    assert len(looks) == len(standing) == 1
    assert looks[0].sample.moments[ORDERS] == standing[0].moments
    assert after.requests[0].state is RequestState.WITHDRAWN
    assert len(answers) == 1


def _send_in(tx: Transaction, *, dossier: Dossier, arms: tuple[Moments, ...], at: timedelta) -> None:
    _send(tx, dossier, *arms, at=at, corrects=True)


@pytest.mark.parametrize("right", [TYPO, (events(1000, of=10_000), events(1340, of=10_000))], ids=["undone", "same"])
def test_nobody_approves_what_was_corrected_meanwhile(database: Database, right: tuple[Moments, ...]) -> None:
    dossier = _prepared(database, _asked)

    def approve(tx: Transaction) -> None:
        requests.approve(tx, dossier, 1, by=a_lead(), reason=None, seen_version=3, now=THEN + DAY)

    of_correction, of_approval = _in_threads(database, partial(_send_in, dossier=dossier, arms=right, at=DAY), approve)

    with database.reading() as tx:
        state = found(tx, dossier).requests[0].state
        kinds = {one.kind for one in told(tx)}
    assert of_correction is None
    if of_approval is None:  # it was first: then whoever approved is told
        assert state is RequestState.APPROVED
        assert NoticeKind.CORRECTED in kinds
    else:
        assert isinstance(of_approval, ChangedMeanwhileError)
        assert state is (RequestState.WITHDRAWN if right is TYPO else RequestState.WAITING)


def test_an_approval_that_read_before_a_correction_is_decided_anew(postgres_server: postgres.Server) -> None:
    with postgres_server.shared_database() as url, ThreadPoolExecutor(1) as other:
        database = Database(url)
        dossier = _prepared(database, _asked)

        def approve() -> bool:
            with database.writing() as tx:
                requests.approve(tx, dossier, 1, by=a_lead(), reason=None, seen_version=3, now=THEN + DAY)
                return True

        with database.writing() as tx:
            _send(tx, dossier, events(1000, of=10_000), events(1340, of=10_000), at=DAY, corrects=True)
            theirs = other.submit(approve)
            while not theirs.done() and not somebody_waits(database):
                time.sleep(0.02)
        with pytest.raises(ChangedMeanwhileError):
            theirs.result(timeout=60)
        with database.reading() as tx:
            assert found(tx, dossier).requests[0].state is RequestState.WAITING
        database.dispose()
