"""Predict what an experiment will show."""

from collections.abc import Mapping

from labcoat.slack.listeners.call import Call, Submission, Target
from labcoat.slack.listeners.command_handler import Handler
from labcoat.slack.views import prediction as views
from labcoat.usecases import finding
from labcoat.usecases.experiments import predictions


def open_prediction_form(call: Call, target: Target) -> None:
    """Open the form with the person's own prediction in it."""
    with call.reading() as (tx, _):
        dossier = target.dossier(tx, call)
        experiment = finding.get_experiment(dossier, target.subject)
        dossier.require_in_channel(call.member(tx, dossier))
        predictions.require_open(experiment)
        made = [one for one in predictions.of_newest(tx, dossier) if one.person == call.user]
    metadata = call.metadata(f"E-{experiment.number}")
    earlier = made[0] if made else None
    call.open_form(views.prediction_form(dossier, experiment, earlier=earlier, metadata=metadata))


def submit_prediction(form: Submission) -> None:
    """Store a prediction."""
    chance = int(form.answers.choice("chance") or 50) / 100
    with form.writing() as (tx, now):
        dossier = form.dossier(tx)
        experiment = finding.get_experiment(dossier, form.subject)
        predictions.predict(tx, dossier, experiment, by=form.member(tx, dossier), chance=chance, now=now)


HANDLERS: Mapping[str, Handler] = {
    "predict": Handler(open=open_prediction_form, submit=submit_prediction),
}
