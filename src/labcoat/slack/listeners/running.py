"""A running experiment: drop a treatment, tell that the cause of an uneven split is fixed."""

from collections.abc import Mapping

from labcoat.domain.lifecycle import Step
from labcoat.domain.refusal import Reason, Refusal
from labcoat.domain.steps import running
from labcoat.slack.listeners.call import Call, Submission, Target
from labcoat.slack.listeners.command_handler import Handler
from labcoat.slack.views import running as views
from labcoat.usecases import finding
from labcoat.usecases.experiments import experiments, results
from labcoat.usecases.looks import measuring


def open_drop_form(call: Call, target: Target) -> None:
    """Open the form that drops a treatment."""
    with call.reading() as (tx, now):
        dossier, experiment = target.experiment(tx, call, Step.DROP)
        running.require_droppable(dossier, experiment.number, by=call.member(tx, dossier))
        readout = results.newest_readout(tx, dossier)
    metadata = call.metadata(f"E-{experiment.number}")
    call.open_form(views.drop_form(experiment, readout=readout, now=now, metadata=metadata))


def submit_drop(form: Submission) -> None:
    """Drop a treatment."""
    treatment = form.answers.choice("treatment")
    if treatment is None:
        raise Refusal(Reason.MISSING, "treatment")
    with form.writing() as (tx, now):
        dossier = form.dossier(tx)
        experiments.drop(
            tx,
            dossier,
            finding.get_experiment(dossier, form.subject).number,
            treatment=treatment,
            reason=form.answers.text("reason") or None,
            at=form.answers.moment("at") or now,
            by=form.member(tx, dossier),
            now=now,
        )


def open_fixed_form(call: Call, target: Target) -> None:
    """Open the form that tells that the cause of an uneven split is fixed."""
    with call.reading() as (tx, now):
        dossier, experiment = target.experiment(tx, call, Step.FIX_CAUSE)
        running.require_fixable(
            dossier,
            experiment.number,
            by=call.member(tx, dossier),
            is_invalid=results.is_split_uneven(tx, dossier, experiment.number),
            is_timed=measuring.may_have_times(experiment, call.app_context.metrics),
            now=now,
        )
    call.open_form(views.fixed_form(experiment, now=now, metadata=call.metadata(f"E-{experiment.number}")))


def submit_fixed(form: Submission) -> None:
    """Tell that the cause of an uneven split is fixed."""
    with form.writing() as (tx, now):
        dossier = form.dossier(tx)
        experiment = finding.get_experiment(dossier, form.subject)
        experiments.fix_cause(
            tx,
            dossier,
            experiment.number,
            reason=form.answers.text("reason") or None,
            since=form.answers.moment("since") or now,
            by=form.member(tx, dossier),
            is_timed=measuring.may_have_times(experiment, form.app_context.metrics),
            now=now,
        )


HANDLERS: Mapping[str, Handler] = {
    "drop": Handler(open=open_drop_form, submit=submit_drop),
    "fixed": Handler(open=open_fixed_form, submit=submit_fixed),
}
