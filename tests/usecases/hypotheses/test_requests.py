"""Asking and answering: whom to ask, one effect whoever clicks twice, and expiry."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from threading import Barrier

import pytest
from sqlalchemy import text

import postgres
from builders import (
    CHANNEL,
    DAY,
    LEAD,
    NOW,
    OTHER_LEAD,
    OWNER,
    WORKSPACE,
    a_change,
    a_dossier,
    a_lead,
    a_member,
    a_prototype,
    a_readout,
    a_request,
    an_experiment,
    refused,
)
from labcoat.db import history, looks, people, workspaces
from labcoat.db.database import Database, Transaction
from labcoat.db.dossiers import ChangedMeanwhileError
from labcoat.domain.dossier import Dossier
from labcoat.domain.hypothesis import Outcome
from labcoat.domain.ids import UserId
from labcoat.domain.lifecycle import ExperimentState, RequestState, Stage, Step
from labcoat.domain.look import Look, SourceProblem
from labcoat.domain.notice import NoticeKind
from labcoat.domain.refusal import Reason
from labcoat.domain.request import NoExperimentReason
from labcoat.stats.results import Readout, Verdict
from labcoat.usecases.experiments import results
from labcoat.usecases.hypotheses import requests
from readouts import BIG, SMALL, a_photo_plan, a_win_and_a_harm, as_stored_before
from usecases.storing import a_sample, found, stored, told

STOPPED = a_dossier(an_experiment(ExperimentState.STOPPED))
WAITING = replace(STOPPED, requests=(a_request(),))
THIRD_LEAD = UserId("ULEAD3")


def _ask(tx: Transaction, dossier: Dossier, *, of: UserId = LEAD, treatment: str | None = None) -> Dossier:
    return requests.ask(
        tx,
        dossier,
        by=a_member(),
        of=of,
        conclusion=Outcome.SUPPORTED,
        learning="It works.",
        amount_days=20,
        no_experiment_reason=NoExperimentReason.TOO_LITTLE_TRAFFIC,
        no_experiment_note="",
        zone="Europe/Berlin",
        now=NOW,
        treatment=treatment,
    )


def test_the_lead_asked_least_recently_is_proposed(tx: Transaction) -> None:
    workspaces.set_leads(tx, WORKSPACE, [LEAD, OTHER_LEAD, THIRD_LEAD], from_settings=True)
    others = replace(
        a_dossier(number=1),
        requests=(
            a_request(RequestState.DECLINED, asked_of=LEAD, asked_at=NOW - 3 * DAY, experiment=None),
            a_request(RequestState.DECLINED, position=2, asked_of=OTHER_LEAD, asked_at=NOW - 9 * DAY, experiment=None),
        ),
    )
    stored(tx, others)

    candidates = requests.candidates(tx, stored(tx, STOPPED), by=a_member(), now=NOW)

    assert candidates.leads == (THIRD_LEAD, OTHER_LEAD, LEAD)
    assert candidates.default == THIRD_LEAD


def test_involved_leads_and_the_requester_are_not_proposed(tx: Transaction) -> None:
    dossier = stored(tx, a_dossier(an_experiment(ExperimentState.STOPPED), involved=(OWNER, LEAD)))

    assert requests.candidates(tx, dossier, by=a_member(), now=NOW).leads == (OTHER_LEAD,)
    assert requests.candidates(tx, dossier, by=a_lead(OTHER_LEAD), now=NOW).default is None


def test_nobody_is_asked_before_the_last_look_is_made(tx: Transaction) -> None:
    dossier = stored(tx, STOPPED)
    number = dossier.experiments[0].number
    looks.schedule(tx, WORKSPACE, number, NOW)

    with refused(Reason.LAST_LOOK_PENDING, experiment=number):
        _ask(tx, dossier)


def test_a_last_look_that_cannot_be_made_keeps_nobody_from_asking(tx: Transaction) -> None:
    dossier = stored(tx, STOPPED)
    number = dossier.experiments[0].number
    looks.schedule(tx, WORKSPACE, number, NOW)
    looks.set_problem(tx, WORKSPACE, number, SourceProblem(message="The file is not there.", since=NOW))

    assert _ask(tx, dossier).waiting_request is not None


def test_a_request_keeps_what_the_newest_look_says(tx: Transaction) -> None:
    dossier = stored(tx, STOPPED)
    looks.add(
        tx,
        WORKSPACE,
        Look(
            experiment=dossier.experiments[0].number,
            slot=NOW,
            as_of=NOW,
            made_at=NOW,
            sample=a_sample(),
            readout=a_readout(Verdict.GOAL_HARM),
        ),
    )

    assert _ask(tx, dossier).requests[0].verdict is Verdict.GOAL_HARM


def _seen(tx: Transaction, readout: Readout, dossier: Dossier) -> None:
    look = Look(
        experiment=dossier.experiments[0].number, slot=NOW, as_of=NOW, made_at=NOW, sample=a_sample(), readout=readout
    )
    looks.add(tx, WORKSPACE, look)


def test_a_request_is_about_the_treatment_that_comes_first_unless_another_is_named(tx: Transaction) -> None:
    dossier = stored(tx, a_dossier(an_experiment(ExperimentState.STOPPED, plan=a_photo_plan())))
    _seen(tx, a_win_and_a_harm(), dossier)

    first = _ask(tx, dossier)
    withdrawn = requests.withdraw(tx, first, by=a_member(), reason=None, now=NOW)
    named = _ask(tx, withdrawn, treatment=SMALL)

    assert [(one.treatment, one.verdict) for one in named.requests] == [
        (BIG, Verdict.WIN),
        (SMALL, Verdict.GUARDRAIL_HARM),
    ]


def test_a_winner_is_approved_without_a_reason_although_another_arm_lost(tx: Transaction) -> None:
    dossier = stored(tx, a_dossier(an_experiment(ExperimentState.STOPPED, plan=a_photo_plan())))
    _seen(tx, a_win_and_a_harm(), dossier)
    winner = _ask(tx, dossier, treatment=BIG)

    approved = requests.approve(tx, winner, 1, by=a_lead(), reason=None, seen_version=1, now=NOW)

    assert approved.hypothesis.stage is Stage.PRODUCTIONIZE


def test_a_loser_is_not_approved_on_the_win_of_another_arm(tx: Transaction) -> None:
    dossier = stored(tx, a_dossier(an_experiment(ExperimentState.STOPPED, plan=a_photo_plan())))
    _seen(tx, a_win_and_a_harm(), dossier)
    loser = _ask(tx, dossier, treatment=SMALL)

    assert requests.seen(tx, loser, loser.requests[0]).verdict is Verdict.GUARDRAIL_HARM
    with refused(Reason.REASON_NEEDED, "reason", because="the verdict is “guardrail harm”"):
        requests.approve(tx, loser, 1, by=a_lead(), reason=None, seen_version=1, now=NOW)


def test_a_request_of_an_earlier_version_is_judged_by_the_one_verdict_it_had(tx: Transaction) -> None:
    dossier = stored(
        tx, a_dossier(an_experiment(ExperimentState.STOPPED, plan=a_photo_plan()), requests=(a_request(),))
    )
    _seen(tx, as_stored_before(a_win_and_a_harm()), dossier)

    approved = requests.approve(tx, dossier, 1, by=a_lead(), reason=None, seen_version=1, now=NOW)

    assert approved.hypothesis.stage is Stage.PRODUCTIONIZE


def test_an_ending_is_proposed_for_the_treatment_that_a_request_names(tx: Transaction) -> None:
    dossier = stored(tx, a_dossier(an_experiment(ExperimentState.STOPPED, plan=a_photo_plan())))
    _seen(tx, a_win_and_a_harm(), dossier)

    assert results.proposing_verdict(tx, dossier) == (Verdict.WIN, BIG)
    assert results.proposing_verdict(tx, _ask(tx, dossier, treatment=SMALL)) == (Verdict.GUARDRAIL_HARM, SMALL)


def test_a_request_expires_after_ten_working_days(tx: Transaction) -> None:
    asked = _ask(tx, stored(tx, STOPPED))

    assert asked.requests[0].expires_at == datetime(2026, 12, 9, 12, tzinfo=UTC)  # two weeks after NOW


def test_a_request_from_a_prototype_has_no_verdict(tx: Transaction) -> None:
    asked = _ask(tx, stored(tx, a_dossier(prototypes=(a_prototype(),))))

    assert (asked.requests[0].verdict, asked.requests[0].experiment) == (None, None)


def test_the_second_approval_has_no_effect_and_hears_who_was_first(tx: Transaction) -> None:
    waiting = stored(tx, WAITING)
    approved = requests.approve(tx, waiting, 1, by=a_lead(), reason=None, seen_version=1, now=NOW)

    with refused(Reason.ALREADY_DECIDED, by=LEAD, at=NOW.isoformat(), state=RequestState.APPROVED):
        requests.approve(tx, found(tx, waiting), 1, by=a_lead(OTHER_LEAD), reason=None, seen_version=1, now=NOW + DAY)

    assert found(tx, waiting) == approved
    assert approved.hypothesis.stage is Stage.PRODUCTIONIZE


def test_a_click_on_what_was_read_before_another_answer_is_told_to_read_again(tx: Transaction) -> None:
    waiting = stored(tx, WAITING)
    requests.decline(tx, waiting, 1, by=a_lead(), reason="too dear", now=NOW)

    with pytest.raises(ChangedMeanwhileError):
        requests.approve(tx, waiting, 1, by=a_lead(OTHER_LEAD), reason=None, seen_version=1, now=NOW)


def test_of_two_leads_at_the_same_time_one_decides(database: Database) -> None:
    with database.writing() as tx:
        waiting = stored(tx, WAITING)
    both_ready = Barrier(2)

    def approve(lead: UserId) -> bool:
        both_ready.wait(timeout=10)
        try:
            with database.writing() as tx:
                requests.approve(tx, waiting, 1, by=a_lead(lead), reason=None, seen_version=1, now=NOW)
        except ChangedMeanwhileError:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        won = list(threads.map(approve, (LEAD, OTHER_LEAD)))

    with database.reading() as tx:
        assert sorted(won) == [False, True]
        assert found(tx, waiting).requests[0].decided_by == (LEAD if won[0] else OTHER_LEAD)
        assert [entry.step for entry in history.list_of(tx, WORKSPACE, waiting.hypothesis.number)].count(
            Step.APPROVE
        ) == 1


def somebody_waits(database: Database) -> bool:
    """Whether a transaction waits for a lock. PostgreSQL shows each transaction what was true at its first look."""
    waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database() LIMIT 1"
    with database.reading() as tx:
        return tx.execute(text(waiting)).first() is not None


def test_two_replicas_pass_a_request_on_once(postgres_server: postgres.Server) -> None:
    with postgres_server.shared_database() as url, ThreadPoolExecutor(1) as other:
        database = Database(url)
        with database.writing() as tx:
            workspaces.set_leads(tx, WORKSPACE, [LEAD, OTHER_LEAD], from_settings=True)
            waiting = stored(tx, WAITING)
            people.set_away(tx, WORKSPACE, LEAD, until=NOW + 9 * DAY, stand_in=None)

        def pass_on() -> bool:
            with database.writing() as tx:
                return requests.pass_on(tx, waiting, now=NOW)

        with database.writing() as tx:
            is_mine = requests.pass_on(tx, waiting, now=NOW)
            theirs = other.submit(pass_on)
            while not theirs.done() and not somebody_waits(database):
                time.sleep(0.02)

        is_theirs = theirs.result(timeout=60)
        with database.reading() as tx:
            sent = [(one.kind, one.to) for one in told(tx)]
        database.dispose()

    assert (is_mine, is_theirs) == (True, False)
    assert sent == [(NoticeKind.REQUEST, OTHER_LEAD), (NoticeKind.STORY, CHANNEL)]


def test_the_answer_is_kept_in_the_history(tx: Transaction) -> None:
    waiting = stored(tx, WAITING)
    requests.send_back(tx, waiting, 1, by=a_lead(), reason="How many users?", now=NOW)

    entry = history.list_of(tx, WORKSPACE, waiting.hypothesis.number)[-1]

    assert (entry.step, entry.by, entry.reason) == (Step.SEND_BACK, LEAD, "How many users?")
    assert a_change("request 1 state", "waiting", "sent back") in entry.changes


def test_what_ran_out_of_time_expires_by_the_clock(tx: Transaction) -> None:
    waiting = stored(tx, WAITING)
    expires_at = waiting.requests[0].expires_at

    assert requests.expired(tx, now=expires_at - DAY) == []
    assert requests.expired(tx, now=expires_at) == [waiting]
    after = requests.expire(tx, waiting, now=expires_at)

    assert after.requests[0].state is RequestState.EXPIRED
    assert history.list_of(tx, WORKSPACE, waiting.hypothesis.number)[-1].by is None
    assert requests.expired(tx, now=expires_at + DAY) == []
