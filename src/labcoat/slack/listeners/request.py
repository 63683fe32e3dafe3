"""Requests: ask a lead, show what waits, and the lead's three answers."""

from collections.abc import Callable

from labcoat.domain.amounts import read_positive
from labcoat.domain.dossier import Dossier
from labcoat.domain.hypothesis import Outcome
from labcoat.domain.lifecycle import ExperimentState, Stage, Step
from labcoat.domain.refusal import Reason, Refusal
from labcoat.domain.request import NoExperimentReason
from labcoat.domain.steps import request as steps
from labcoat.slack.listeners.call import Call, Submission, Target
from labcoat.slack.views import request as views
from labcoat.usecases import requests, results


def open_ask_form(call: Call, target: Target) -> None:
    """Open the form that asks a lead."""
    with call.reading() as (tx, _):
        dossier = target.owned(tx, call, Step.ASK)
        _require_askable(dossier)
        requests.require_last_look(tx, dossier)
        candidates = requests.candidates(tx, dossier, by=call.user)
        verdict = results.newest_verdict(tx, dossier)
    earlier = dossier.requests[-1] if dossier.requests else None
    metadata = call.metadata(f"H-{dossier.hypothesis.number}")
    call.open_form(views.ask_form(dossier, candidates=candidates, verdict=verdict, earlier=earlier, metadata=metadata))


def _require_askable(dossier: Dossier) -> None:
    waiting, newest = dossier.waiting_request, dossier.newest_experiment
    if waiting is not None:
        raise Refusal(Reason.REQUEST_WAITING, hypothesis=dossier.hypothesis.number, asked_of=waiting.asked_of)
    if dossier.hypothesis.stage is Stage.PROTOTYPE or newest is None:
        return
    if newest.state is not ExperimentState.STOPPED:
        raise Refusal(Reason.WRONG_STATE, experiment=newest.number, state=newest.state, step=Step.ASK)


def submit_ask(form: Submission) -> None:
    """Ask a lead."""
    answers = form.answers
    conclusion = answers.required_word("conclusion", Outcome)
    amount = read_positive(answers.text("amount"), field="amount")
    lead = answers.person("lead")
    if lead is None:
        raise Refusal(Reason.MISSING, "lead")
    with form.writing() as (tx, now):
        dossier = form.dossier(tx)
        requests.ask(
            tx,
            dossier,
            by=form.member(tx, dossier),
            of=lead,
            conclusion=conclusion,
            learning=answers.text("learning"),
            amount_days=amount,
            no_experiment_reason=answers.word("no_experiment", NoExperimentReason),
            no_experiment_note=answers.text("no_experiment_note"),
            zone=form.house.zone,
            now=now,
        )


def show_request(call: Call, target: Target) -> None:
    """Answer with the request that waits, and its buttons."""
    with call.reading() as (tx, _):
        dossier = target.dossier(tx, call)
        if not dossier.requests:
            raise Refusal(Reason.NO_REQUEST, hypothesis=dossier.hypothesis.number)
        readout = results.newest_readout(tx, dossier)
    request = dossier.waiting_request or dossier.requests[-1]
    call.reply(views.request_message(dossier, request, readout=readout, zone=call.house.zone))


def open_decision_form(verb: str) -> Callable[[Call, Target], None]:
    """Return the listener of one of the three buttons; each opens a form for the reason."""

    def open_it(call: Call, target: Target) -> None:
        with call.reading() as (tx, _):
            dossier = target.dossier(tx, call)
            position = int(target.rest) if target.rest.isdigit() else _waiting_position(dossier)
            verdict = results.newest_verdict(tx, dossier)
            request = steps.answerable(dossier, position, by=call.member(tx, dossier))
        metadata = call.metadata(
            f"H-{dossier.hypothesis.number}", position=position, seen_version=dossier.hypothesis.version
        )
        call.open_form(views.decision_form(verb, dossier, request, verdict=verdict, metadata=metadata))

    return open_it


def _waiting_position(dossier: Dossier) -> int:
    if dossier.waiting_request is None:
        raise Refusal(Reason.NO_REQUEST, hypothesis=dossier.hypothesis.number)
    return dossier.waiting_request.position


def submit_approve(form: Submission) -> None:
    """Approve a request."""
    with form.writing() as (tx, now):
        dossier = form.dossier(tx)
        requests.approve(
            tx,
            dossier,
            int(form.metadata["position"]),
            by=form.member(tx, dossier),
            reason=form.answers.text("reason") or None,
            seen_version=int(form.metadata["seen_version"]),
            now=now,
        )


def submit_send_back(form: Submission) -> None:
    """Send a request back."""
    with form.writing() as (tx, now):
        dossier = form.dossier(tx)
        position, reason = int(form.metadata["position"]), form.answers.text("reason")
        requests.send_back(tx, dossier, position, by=form.member(tx, dossier), reason=reason, now=now)


def submit_decline(form: Submission) -> None:
    """Decline a request."""
    with form.writing() as (tx, now):
        dossier = form.dossier(tx)
        position, reason = int(form.metadata["position"]), form.answers.text("reason")
        requests.decline(tx, dossier, position, by=form.member(tx, dossier), reason=reason, now=now)
