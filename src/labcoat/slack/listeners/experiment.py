"""Experiments: plan, start, stop, cancel, run again."""

from labcoat.domain.lifecycle import Stage, Step
from labcoat.domain.refusal import Reason, Refusal
from labcoat.slack.blocks import Message, section
from labcoat.slack.listeners.call import Call, Submission, Target
from labcoat.slack.listeners.planning import read_plan
from labcoat.slack.views import experiment as views
from labcoat.usecases import experiments, finding
from labcoat.warehouse import reading


def open_plan_form(call: Call, target: Target) -> None:
    """Open the plan form."""
    with call.reading() as (tx, _):
        dossier = target.owned(tx, call, Step.PLAN)
        if dossier.running is not None:
            raise Refusal(Reason.LOCKED_AT_START, experiment=dossier.running.number)
        if dossier.hypothesis.stage is Stage.PROTOTYPE and not dossier.evidence:
            raise Refusal(Reason.EVIDENCE_NEEDED, hypothesis=dossier.hypothesis.number)  # before the work of the form
    known = [one.name for one in reading.describe(call.house.metrics)] if call.house.metrics else []
    call.open_form(views.plan_form(dossier, known_metrics=known, metadata=call.metadata(target.subject)))


def submit_plan(form: Submission) -> None:
    """Plan an experiment."""
    with form.writing() as (tx, now):
        dossier = form.dossier(tx)
        plan = read_plan(form.answers, hypothesis=dossier.hypothesis, metrics=form.house.metrics, zone=form.house.zone)
        reason = form.answers.text("evidence_reason") or None
        experiments.plan(tx, dossier, plan, by=form.member(tx, dossier), reason=reason, now=now)


def open_start_form(call: Call, target: Target) -> None:
    """Open the start form."""
    with call.reading() as (tx, now):
        dossier, experiment = target.experiment(tx, call, Step.START)
        dossier.require_owner(call.member(tx, dossier))
    metadata = call.metadata(f"E-{experiment.number}")
    call.open_form(views.start_form(experiment, now=now, metadata=metadata))


def submit_start(form: Submission) -> None:
    """Start an experiment."""
    with form.writing() as (tx, now):
        dossier = form.dossier(tx)
        number = finding.get_experiment(dossier, form.subject).number
        since = form.answers.moment("since") or now
        experiments.start(tx, dossier, number, by=form.member(tx, dossier), since=since, now=now)


def open_stop_form(call: Call, target: Target) -> None:
    """Open the stop form."""
    with call.reading() as (tx, now):
        dossier, experiment = target.experiment(tx, call, Step.STOP)
        dossier.require_in_channel(call.member(tx, dossier))
    metadata = call.metadata(f"E-{experiment.number}")
    call.open_form(views.stop_form(experiment, now=now, metadata=metadata))


def submit_stop(form: Submission) -> None:
    """Stop an experiment."""
    with form.writing() as (tx, now):
        dossier = form.dossier(tx)
        number = finding.get_experiment(dossier, form.subject).number
        experiments.stop(
            tx,
            dossier,
            number,
            by=form.member(tx, dossier),
            ended_at=form.answers.moment("ended_at") or now,
            reason=form.answers.text("reason") or None,
            now=now,
        )


def open_cancel_form(call: Call, target: Target) -> None:
    """Open the form that cancels a draft."""
    with call.reading() as (tx, _):
        dossier, experiment = target.experiment(tx, call, Step.CANCEL)
        dossier.require_owner(call.member(tx, dossier))
    call.open_form(views.cancel_form(experiment, metadata=call.metadata(f"E-{experiment.number}")))


def submit_cancel(form: Submission) -> None:
    """Cancel a draft."""
    with form.writing() as (tx, now):
        dossier = form.dossier(tx)
        number = finding.get_experiment(dossier, form.subject).number
        reason = form.answers.text("reason")
        experiments.cancel(tx, dossier, number, by=form.member(tx, dossier), reason=reason, now=now)


def run_again(call: Call, target: Target) -> None:
    """Plan the stopped experiment again, with the same plan."""
    with call.writing() as (tx, now):
        dossier = target.dossier(tx, call)
        number = finding.get_experiment(dossier, target.subject).number
        saved = experiments.run_again(tx, dossier, number, by=call.member(tx, dossier), now=now)
    assert saved.draft is not None
    new = f"E-{saved.draft.number}"
    text = f"{new} is planned with the plan of E-{number}. Change it, or start it: `/experiment start {new}`."
    call.reply(Message(text=text, blocks=(section(text),)))
