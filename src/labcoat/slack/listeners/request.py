"""Requests: ask a lead, show what waits, and the lead's three answers."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime

from pydantic import TypeAdapter

from labcoat.db.database import Transaction
from labcoat.domain.amounts import read_positive
from labcoat.domain.dossier import Dossier
from labcoat.domain.hypothesis import Outcome
from labcoat.domain.ids import UserId
from labcoat.domain.lifecycle import ExperimentState, Stage, Step
from labcoat.domain.plan import Plan
from labcoat.domain.refusal import Reason, Refusal
from labcoat.domain.request import NoExperimentReason, Request, may_decide
from labcoat.domain.steps import request as steps
from labcoat.domain.verdicts import verdict_of
from labcoat.slack.blocks import Block, escape
from labcoat.slack.listeners.call import Call, RenewFormError, Submission, Target
from labcoat.slack.listeners.command_handler import Handler
from labcoat.slack.views import asking
from labcoat.slack.views import request as views
from labcoat.stats.results import Readout, TreatmentVerdict
from labcoat.usecases.experiments import results
from labcoat.usecases.hypotheses import requests
from labcoat.words import requests as words

_SEEN: TypeAdapter[requests.Seen] = TypeAdapter(requests.Seen)


def open_ask_form(call: Call, target: Target) -> None:
    """Open the form that asks a lead."""
    with call.reading() as (tx, now):
        dossier = target.owned(tx, call, Step.ASK)
        _require_askable(dossier)
        view = _ask_form(call, tx, dossier, now, is_instead=False)
    call.open_form(view)


def open_ask_other_form(call: Call, target: Target) -> None:
    """Open the form that asks somebody else than the one whom a request waits for."""
    with call.reading() as (tx, now):
        dossier = target.owned(tx, call, Step.ASK)
        _require_waiting(dossier, target)
        view = _ask_form(call, tx, dossier, now, is_instead=True)
    call.open_form(view)


def _ask_form(call: Call, tx: Transaction, dossier: Dossier, now: datetime, *, is_instead: bool) -> Block:
    requests.require_last_look(tx, dossier, results.newest_look(tx, dossier))
    earlier = dossier.requests[-1] if dossier.requests else None
    instead = {"instead_of": earlier.position} if earlier is not None and is_instead else {}
    return asking.ask_form(
        dossier,
        candidates=requests.candidates(tx, dossier, by=call.member(tx, dossier), now=now),
        readout=results.newest_readout(tx, dossier),
        earlier=earlier,
        zone=call.app_context.zone,
        metadata=call.metadata(f"H-{dossier.hypothesis.number}", **instead),
        is_instead=is_instead,
    )


def _require_waiting(dossier: Dossier, target: Target) -> Request:
    """Return the request that a button of its message means; raise Refusal if it waits no more."""
    position = int(target.rest) if target.rest.isdigit() else _waiting_position(dossier)
    return steps.waiting(dossier, position)


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
        by = form.member(tx, dossier)
        instead_of = form.metadata.get("instead_of")
        if instead_of is not None:
            steps.waiting(dossier, int(instead_of))
            dossier = requests.withdraw(tx, dossier, by=by, reason=None, now=now)
        requests.ask(
            tx,
            dossier,
            by=by,
            of=lead,
            conclusion=conclusion,
            learning=answers.text("learning"),
            amount_days=amount,
            no_experiment_reason=answers.word("no_experiment", NoExperimentReason),
            no_experiment_note=answers.text("no_experiment_note"),
            treatment=answers.choice("treatment"),
            zone=form.app_context.zone,
            now=now,
        )


def show_request(call: Call, target: Target) -> None:
    """Answer with the request that waits, and with the buttons of whoever reads it."""
    with call.reading() as (tx, _):
        dossier = target.dossier(tx, call)
        if not dossier.requests:
            raise Refusal(Reason.NO_REQUEST, hypothesis=dossier.hypothesis.number)
        readout = results.newest_readout(tx, dossier)
        corrected_at = results.current_correction(tx, dossier)
        by = call.member(tx, dossier)
    request = dossier.waiting_request or dossier.requests[-1]
    reader = views.Reader.OWNER if dossier.is_owned_by(by) else views.Reader.OTHER
    reader = views.Reader.DECIDER if may_decide(request, dossier.hypothesis, by) else reader
    call.reply(
        views.request_message(
            dossier, request, readout=readout, corrected_at=corrected_at, zone=call.app_context.zone, reader=reader
        )
    )


def open_decision_form(verb: str) -> Callable[[Call, Target], None]:
    """Return the listener of one of the three buttons; each opens a form for the reason."""

    def open_it(call: Call, target: Target) -> None:
        with call.reading() as (tx, _):
            dossier = target.dossier(tx, call)
            position = int(target.rest) if target.rest.isdigit() else _waiting_position(dossier)
            request = steps.answerable(dossier, position, by=call.member(tx, dossier))
            seen = requests.seen(tx, dossier, request)
        metadata = call.metadata(
            f"H-{dossier.hypothesis.number}", position=position, seen=_SEEN.dump_python(seen, mode="json")
        )
        is_alone = _is_alone(request, call.user)
        view = asking.decision_form(verb, dossier, request, verdict=seen.verdict, is_alone=is_alone, metadata=metadata)
        call.open_form(view)

    return open_it


def _is_alone(request: Request, user: UserId) -> bool:
    return request.is_self_release and user == request.asked_of


def _waiting_position(dossier: Dossier) -> int:
    if dossier.waiting_request is None:
        raise Refusal(Reason.NO_REQUEST, hypothesis=dossier.hypothesis.number)
    return dossier.waiting_request.position


def _newest(tx: Transaction, dossier: Dossier, request: Request) -> tuple[Readout, TreatmentVerdict, Plan] | None:
    """Return the newest look, what it says of the treatment asked for, and its plan."""
    readout, experiment = results.newest_readout(tx, dossier), dossier.newest_experiment
    if readout is None or experiment is None:
        return None
    return readout, verdict_of(readout, request.treatment), experiment.plan


def _require_still_so(form: Submission, tx: Transaction, dossier: Dossier, verb: str) -> requests.Seen:
    """Return what the form was made from; raise RenewFormError if what the decision rests on has changed since."""
    position = int(form.metadata["position"])
    request = steps.answerable(dossier, position, by=form.member(tx, dossier))
    before, now = _SEEN.validate_python(form.metadata["seen"]), requests.seen(tx, dossier, request)
    if now == before:
        return before
    changed = [escape(line) for line in words.changes(before, now, _newest(tx, dossier, request))]
    if not changed:
        return before
    metadata = json.dumps({**form.metadata, "seen": _SEEN.dump_python(now, mode="json")})
    raise RenewFormError(
        asking.decision_form(
            verb,
            dossier,
            request,
            verdict=now.verdict,
            metadata=metadata,
            is_alone=_is_alone(request, form.user),
            changed=changed,
            typed=form.answers.text("reason"),
        )
    )


def submit_approve(form: Submission) -> None:
    """Approve a request."""
    with form.writing() as (tx, now):
        dossier = form.dossier(tx)
        seen = _require_still_so(form, tx, dossier, "approve")
        requests.approve(
            tx,
            dossier,
            int(form.metadata["position"]),
            by=form.member(tx, dossier),
            reason=form.answers.text("reason") or None,
            seen_version=seen.version,
            now=now,
        )


def submit_send_back(form: Submission) -> None:
    """Send a request back."""
    with form.writing() as (tx, now):
        dossier = form.dossier(tx)
        _require_still_so(form, tx, dossier, "send_back")
        position, reason = int(form.metadata["position"]), form.answers.text("reason")
        requests.send_back(tx, dossier, position, by=form.member(tx, dossier), reason=reason, now=now)


def submit_decline(form: Submission) -> None:
    """Decline a request."""
    with form.writing() as (tx, now):
        dossier = form.dossier(tx)
        _require_still_so(form, tx, dossier, "decline")
        position, reason = int(form.metadata["position"]), form.answers.text("reason")
        requests.decline(tx, dossier, position, by=form.member(tx, dossier), reason=reason, now=now)


def open_withdraw_form(call: Call, target: Target) -> None:
    """Open the form that takes a request back."""
    with call.reading() as (tx, _):
        dossier = target.owned(tx, call, Step.WITHDRAW)
        request = _require_waiting(dossier, target)
    metadata = call.metadata(f"H-{dossier.hypothesis.number}", position=request.position)
    call.open_form(asking.withdraw_form(dossier, request, metadata=metadata))


def submit_withdraw(form: Submission) -> None:
    """Take a request back."""
    with form.writing() as (tx, now):
        dossier = form.dossier(tx)
        steps.waiting(dossier, int(form.metadata["position"]))
        reason = form.answers.text("reason") or None
        requests.withdraw(tx, dossier, by=form.member(tx, dossier), reason=reason, now=now)


HANDLERS: Mapping[str, Handler] = {
    "ask": Handler(open=open_ask_form, submit=submit_ask),
    "decide": Handler(open=show_request),
    "approve": Handler(open=open_decision_form("approve"), submit=submit_approve),
    "send_back": Handler(open=open_decision_form("send_back"), submit=submit_send_back),
    "decline": Handler(open=open_decision_form("decline"), submit=submit_decline),
    "ask_other": Handler(open=open_ask_other_form),
    "withdraw": Handler(open=open_withdraw_form, submit=submit_withdraw),
}
