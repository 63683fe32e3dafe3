"""The table of DESIGN section 3, written out by hand: every step at every stage and in every state."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from builders import (
    DAY,
    E7,
    E8,
    LEAD,
    NOW,
    OTHER,
    OTHER_LEAD,
    OWNER,
    a_dossier,
    a_lead,
    a_member,
    a_plan,
    a_prototype,
    a_request,
    a_statement,
    an_ending,
    an_experiment,
    some_evidence,
)
from labcoat.domain.dossier import Dossier
from labcoat.domain.evidence import EvidenceKind
from labcoat.domain.experiment import Experiment
from labcoat.domain.hypothesis import Decision, Outcome
from labcoat.domain.ids import HypothesisNumber
from labcoat.domain.lifecycle import ExperimentState, RequestState, Stage, Step
from labcoat.domain.need import Tenfold
from labcoat.domain.refusal import Reason, Refusal
from labcoat.domain.request import NoExperimentReason
from labcoat.domain.steps import experiment, hypothesis, prototype, request, running

STAYS, CLOSES = "stays", "closes"
NO, NOT_CLOSED, CLOSED, LEAD_ONLY = Reason.WRONG_STAGE, Reason.NOT_CLOSED, Reason.CLOSED, Reason.LEAD_ONLY
HYPOTHESIZE, PROTOTYPE, EXPERIMENT, PRODUCTIONIZE = Stage
Cell = Stage | Reason | str

OF_STAGE: dict[Step, tuple[Cell, Cell, Cell, Cell]] = {
    #                   hypothesize  prototype      experiment     productionize
    Step.EDIT: (STAYS, STAYS, STAYS, STAYS),
    Step.TAKE: (STAYS, STAYS, STAYS, STAYS),
    Step.HAND_OVER: (STAYS, STAYS, STAYS, STAYS),
    Step.PROTOTYPE: (PROTOTYPE, NO, NO, NO),
    Step.ADD_EVIDENCE: (NO, STAYS, STAYS, STAYS),
    Step.RAISE_CAP: (NO, STAYS, NO, NO),
    Step.ADD_NEED: (STAYS, STAYS, STAYS, STAYS),
    Step.NOTE: (STAYS, STAYS, STAYS, STAYS),
    Step.PLAN: (EXPERIMENT, EXPERIMENT, STAYS, NO),
    Step.START: (NO, NO, STAYS, NO),
    Step.CANCEL: (NO, NO, PROTOTYPE, NO),
    Step.DROP: (NO, NO, STAYS, NO),
    Step.FIX_CAUSE: (NO, NO, STAYS, NO),
    Step.STOP: (NO, NO, STAYS, NO),
    Step.RUN_AGAIN: (NO, NO, STAYS, NO),
    Step.ASK: (NO, STAYS, STAYS, NO),
    Step.APPROVE: (NO, PRODUCTIONIZE, PRODUCTIONIZE, NO),
    Step.SEND_BACK: (NO, STAYS, STAYS, NO),
    Step.DECLINE: (NO, STAYS, STAYS, NO),
    Step.EXPIRE: (NO, STAYS, STAYS, NO),
    Step.WITHDRAW: (NO, STAYS, STAYS, NO),
    Step.SHIP: (NO, NO, NO, CLOSES),
    Step.CLOSE: (CLOSES, CLOSES, CLOSES, CLOSES),
    Step.PIVOT: (CLOSES, CLOSES, CLOSES, CLOSES),
    Step.REOPEN: (NOT_CLOSED, NOT_CLOSED, NOT_CLOSED, EXPERIMENT),
}

OF_CLOSED: dict[Step, tuple[Cell, Cell, Cell]] = {
    #             not built  replaced  shipped
    Step.EDIT: (CLOSED, CLOSED, CLOSED),
    Step.TAKE: (CLOSED, CLOSED, CLOSED),
    Step.HAND_OVER: (CLOSED, CLOSED, CLOSED),
    Step.PROTOTYPE: (CLOSED, CLOSED, CLOSED),
    Step.ADD_EVIDENCE: (CLOSED, CLOSED, CLOSED),
    Step.RAISE_CAP: (CLOSED, CLOSED, CLOSED),
    Step.ADD_NEED: (CLOSED, CLOSED, CLOSED),
    Step.NOTE: (CLOSED, CLOSED, CLOSED),
    Step.PLAN: (CLOSED, CLOSED, CLOSED),
    Step.START: (CLOSED, CLOSED, CLOSED),
    Step.CANCEL: (CLOSED, CLOSED, CLOSED),
    Step.DROP: (CLOSED, CLOSED, CLOSED),
    Step.FIX_CAUSE: (CLOSED, CLOSED, CLOSED),
    Step.STOP: (CLOSED, CLOSED, CLOSED),
    Step.RUN_AGAIN: (CLOSED, CLOSED, CLOSED),
    Step.ASK: (CLOSED, CLOSED, CLOSED),
    Step.APPROVE: (CLOSED, CLOSED, CLOSED),
    Step.SEND_BACK: (CLOSED, CLOSED, CLOSED),
    Step.DECLINE: (CLOSED, CLOSED, CLOSED),
    Step.EXPIRE: (CLOSED, CLOSED, CLOSED),
    Step.WITHDRAW: (CLOSED, CLOSED, CLOSED),
    Step.SHIP: (CLOSED, CLOSED, CLOSED),
    Step.CLOSE: (CLOSED, CLOSED, CLOSED),
    Step.PIVOT: (CLOSED, CLOSED, CLOSED),
    Step.REOPEN: (STAYS, STAYS, LEAD_ONLY),
}

DRAFT, RUNNING, STOPPED, CANCELLED = ExperimentState
WRONG, LOCKED, STILL_RUNNING = Reason.WRONG_STATE, Reason.LOCKED_AT_START, Reason.RUNNING

OF_EXPERIMENT: dict[Step, tuple[ExperimentState | Reason, ...]] = {
    # of the newest experiment afterwards
    #                   draft    running    stopped  cancelled
    Step.PLAN: (DRAFT, LOCKED, DRAFT, DRAFT),
    Step.START: (RUNNING, WRONG, WRONG, WRONG),
    Step.CANCEL: (CANCELLED, WRONG, WRONG, WRONG),
    Step.DROP: (WRONG, RUNNING, WRONG, WRONG),
    Step.FIX_CAUSE: (WRONG, RUNNING, WRONG, WRONG),
    Step.STOP: (WRONG, STOPPED, WRONG, WRONG),
    Step.RUN_AGAIN: (WRONG, WRONG, DRAFT, WRONG),
    Step.ASK: (WRONG, WRONG, STOPPED, WRONG),
    Step.CLOSE: (CANCELLED, STILL_RUNNING, STOPPED, CANCELLED),
    Step.PIVOT: (CANCELLED, STILL_RUNNING, STOPPED, CANCELLED),
}

WAITING, APPROVED, SENT_BACK, DECLINED, EXPIRED, WITHDRAWN = RequestState
DONE, NONE, IS_WAITING = Reason.ALREADY_DECIDED, Reason.NO_REQUEST, Reason.REQUEST_WAITING

OF_REQUEST: dict[Step, tuple[RequestState | Reason, ...]] = {
    # of the newest request afterwards
    #                  waiting    approved  sent back  declined  expired  withdrawn
    Step.ASK: (IS_WAITING, WAITING, WAITING, WAITING, WAITING, WAITING),
    Step.APPROVE: (APPROVED, DONE, DONE, DONE, DONE, DONE),
    Step.SEND_BACK: (SENT_BACK, DONE, DONE, DONE, DONE, DONE),
    Step.DECLINE: (DECLINED, DONE, DONE, DONE, DONE, DONE),
    Step.EXPIRE: (EXPIRED, DONE, DONE, DONE, DONE, DONE),
    Step.WITHDRAW: (WITHDRAWN, NONE, NONE, NONE, NONE, NONE),
    Step.PLAN: (WITHDRAWN, APPROVED, SENT_BACK, DECLINED, EXPIRED, WITHDRAWN),
    Step.RUN_AGAIN: (WITHDRAWN, APPROVED, SENT_BACK, DECLINED, EXPIRED, WITHDRAWN),
    Step.CLOSE: (WITHDRAWN, APPROVED, SENT_BACK, DECLINED, EXPIRED, WITHDRAWN),
    Step.PIVOT: (WITHDRAWN, APPROVED, SENT_BACK, DECLINED, EXPIRED, WITHDRAWN),
}


def _note(dossier: Dossier) -> Dossier:
    assert hypothesis.note(dossier, by=a_member(OTHER), text=" Users ask ") == "Users ask"
    return dossier


def _close(dossier: Dossier) -> Dossier:
    return hypothesis.close(
        dossier,
        by=a_member(),
        outcome=Outcome.INCONCLUSIVE,
        learning="Nothing, because nobody came.",
        days_spent=2,
        verdict=None,
        overrides=None,
        now=NOW,
    )


def _pivot(dossier: Dossier) -> Dossier:
    old, _ = hypothesis.pivot(
        dossier,
        a_statement("Show cheap offers first"),
        by=a_member(),
        outcome=Outcome.REFUTED,
        learning="Price matters more.",
        days_spent=2,
        verdict=None,
        overrides=None,
        number=HypothesisNumber(13),
        now=NOW,
    )
    return old


def _ask(dossier: Dossier) -> Dossier:
    return request.ask(
        dossier,
        by=a_member(),
        of=LEAD,
        leads=(LEAD, OTHER_LEAD),
        conclusion=Outcome.SUPPORTED,
        learning="It works.",
        amount_days=20,
        treatment="treatment",
        verdict=None,
        no_experiment_reason=NoExperimentReason.TOO_LITTLE_TRAFFIC,
        no_experiment_note="",
        expires_at=NOW + 14 * DAY,
        now=NOW,
    )


ACTIONS: dict[Step, Callable[[Dossier], Dossier]] = {
    Step.EDIT: lambda one: hypothesis.edit(one, a_statement("Show cheap offers"), by=a_member(), reason="clearer"),
    Step.TAKE: lambda one: hypothesis.take(one, by=a_member(OTHER)),
    Step.HAND_OVER: lambda one: hypothesis.hand_over(one, by=a_member(), to=OTHER),
    Step.PROTOTYPE: lambda one: prototype.begin(
        one, by=a_member(), summary="By hand", cap_days=3, stop_when="nobody cares", build_guess_days=None, now=NOW
    ),
    Step.ADD_EVIDENCE: lambda one: prototype.add_evidence(
        one,
        by=a_member(OTHER),
        kind=EvidenceKind.INTERVIEW,
        count=5,
        summary="They liked it.",
        link=None,
        spent_days=None,
        now=NOW,
    ),
    Step.RAISE_CAP: lambda one: prototype.raise_cap(one, by=a_member(), cap_days=9, reason="one more round"),
    Step.ADD_NEED: lambda one: prototype.add_need(one, by=a_member(OTHER), summary="A log of what was seen", now=NOW),
    Step.NOTE: _note,
    Step.PLAN: lambda one: experiment.plan(one, a_plan(), by=a_member(), number=E8, reason="a button", now=NOW),
    Step.START: lambda one: experiment.start(one, E7, by=a_member(), since=NOW, now=NOW),
    Step.CANCEL: lambda one: experiment.cancel(one, E7, by=a_member(), reason="too early", now=NOW),
    Step.DROP: lambda one: running.drop(
        one, E7, treatment="other", reason="it crashes", at=NOW, by=a_member(), after_look=0, now=NOW
    ),
    Step.FIX_CAUSE: lambda one: running.fix_cause(
        one,
        E7,
        reason="a redirect lost users",
        since=NOW - 20 * DAY,
        by=a_member(),
        after_look=0,
        spent=0,
        is_invalid=True,
        now=NOW - 10 * DAY,
    ),
    Step.STOP: lambda one: experiment.stop(one, E7, by=a_member(OTHER), ended_at=NOW, reason="done", now=NOW),
    Step.RUN_AGAIN: lambda one: experiment.run_again(one, E7, by=a_member(), new=E8, now=NOW),
    Step.ASK: _ask,
    Step.APPROVE: lambda one: request.approve(one, 1, by=a_lead(), reason=None, verdict=None, seen_version=3, now=NOW),
    Step.SEND_BACK: lambda one: request.send_back(one, 1, by=a_lead(), reason="n is missing", now=NOW),
    Step.DECLINE: lambda one: request.decline(one, 1, by=a_lead(), reason="too dear", now=NOW),
    Step.EXPIRE: lambda one: request.expire(one, 1, now=NOW + 99 * DAY),
    Step.WITHDRAW: lambda one: request.withdraw(one, now=NOW),
    Step.SHIP: lambda one: hypothesis.ship(
        one, by=a_member(), link="https://example.com", holds=dict.fromkeys(Tenfold, True), days_spent=9, now=NOW
    ),
    Step.CLOSE: _close,
    Step.PIVOT: _pivot,
    Step.REOPEN: lambda one: hypothesis.reopen(one, by=a_member(), reason="new users", now=NOW),
}

_NEEDS_EXPERIMENT = {
    Step.START: DRAFT,
    Step.CANCEL: DRAFT,
    Step.DROP: RUNNING,
    Step.FIX_CAUSE: RUNNING,
    Step.STOP: RUNNING,
    Step.RUN_AGAIN: STOPPED,
    Step.ASK: STOPPED,
    Step.REOPEN: STOPPED,
}
_NEEDS_REQUEST = {
    Step.APPROVE: WAITING,
    Step.SEND_BACK: WAITING,
    Step.DECLINE: WAITING,
    Step.EXPIRE: WAITING,
    Step.WITHDRAW: WAITING,
    Step.SHIP: APPROVED,
    Step.REOPEN: APPROVED,
}


def _tested(state: ExperimentState) -> Experiment:
    """One with two treatments, so that one can be dropped."""
    return an_experiment(state, plan=a_plan(weights=(0.5, 0.25, 0.25)))


def _ready_for(step: Step, stage: Stage) -> Dossier:
    """A hypothesis that has all the step needs; only its stage may be wrong."""
    experiments = (_tested(_NEEDS_EXPERIMENT[step]),) if step in _NEEDS_EXPERIMENT else ()
    requests = (a_request(_NEEDS_REQUEST[step]),) if step in _NEEDS_REQUEST else ()
    return a_dossier(
        *experiments,
        stage=stage,
        owner=None if step is Step.TAKE else OWNER,
        prototypes=(a_prototype(),),
        evidence=(some_evidence(),),
        requests=requests,
    )


def _reason(step: Step, dossier: Dossier) -> Reason:
    with pytest.raises(Refusal) as refused:
        ACTIONS[step](dossier)
    return refused.value.reason


def test_the_tables_are_complete() -> None:
    steps = set(Step) - {Step.FILE}

    assert set(ACTIONS) == set(OF_STAGE) == set(OF_CLOSED) == steps


@pytest.mark.parametrize("column", range(4), ids=[str(stage) for stage in Stage])
@pytest.mark.parametrize("step", OF_STAGE)
def test_a_step_at_a_stage(step: Step, column: int) -> None:
    stage, expected = list(Stage)[column], OF_STAGE[step][column]
    dossier = _ready_for(step, stage)

    if isinstance(expected, Reason):
        assert _reason(step, dossier) is expected
        return
    after = ACTIONS[step](dossier).hypothesis

    assert after.is_open is (expected != CLOSES)
    assert after.stage is (expected if isinstance(expected, Stage) else stage)


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize("column", range(3), ids=["not built", "replaced", "shipped"])
@pytest.mark.parametrize("step", OF_CLOSED)
def test_a_step_of_a_closed_hypothesis(step: Step, column: int, stage: Stage) -> None:
    decision = (Decision.NOT_BUILT, Decision.REPLACED, Decision.SHIPPED)[column]
    ready = _ready_for(step, stage)
    dossier = ready.with_hypothesis(replace(ready.hypothesis, ending=an_ending(decision)))
    expected = OF_CLOSED[step][column]

    if isinstance(expected, Reason):
        assert _reason(step, dossier) is expected
        return
    after = ACTIONS[step](dossier).hypothesis

    assert (after.stage, after.is_open) == (stage, True)


@pytest.mark.parametrize("column", range(4), ids=[str(state) for state in ExperimentState])
@pytest.mark.parametrize("step", OF_EXPERIMENT)
def test_a_step_in_a_state_of_the_experiment(step: Step, column: int) -> None:
    dossier = a_dossier(_tested(list(ExperimentState)[column]), prototypes=(a_prototype(),))
    expected = OF_EXPERIMENT[step][column]

    if isinstance(expected, Reason):
        assert _reason(step, dossier) is expected
    else:
        assert ACTIONS[step](dossier).experiments[-1].state is expected


@pytest.mark.parametrize("column", range(6), ids=[str(state) for state in RequestState])
@pytest.mark.parametrize("step", OF_REQUEST)
def test_a_step_in_a_state_of_the_request(step: Step, column: int) -> None:
    state, expected = list(RequestState)[column], OF_REQUEST[step][column]
    dossier = a_dossier(an_experiment(STOPPED), requests=(a_request(state),))

    if isinstance(expected, Reason):
        assert _reason(step, dossier) is expected
    else:
        assert ACTIONS[step](dossier).requests[-1].state is expected


def test_a_filed_hypothesis_is_in_hypothesize() -> None:
    filed = hypothesis.file(
        a_statement(),
        by=a_member(OTHER),
        owner=OWNER,
        workspace=a_dossier().hypothesis.workspace,
        channel=a_dossier().hypothesis.channel,
        number=HypothesisNumber(1),
        now=NOW,
    ).hypothesis

    assert (filed.stage, filed.is_open, filed.owner, filed.filed_by) == (HYPOTHESIZE, True, OWNER, OTHER)
