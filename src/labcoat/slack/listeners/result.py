"""Results: show the newest look, take typed totals."""

import math
import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from labcoat.domain import submitted_totals
from labcoat.domain.amounts import read_count, read_number
from labcoat.domain.correcting import asks_to_correct
from labcoat.domain.experiment import Experiment
from labcoat.domain.plan import PlannedMetric
from labcoat.domain.refusal import Reason, Refusal
from labcoat.slack.blocks import Message, actions, button, section
from labcoat.slack.errors import refusal_message
from labcoat.slack.listeners import totals_file
from labcoat.slack.listeners.call import Call, Submission, Target
from labcoat.slack.listeners.command_handler import Handler
from labcoat.slack.views import experiment as views
from labcoat.slack.views.result import result
from labcoat.stats.rule import MetricKind, Moments
from labcoat.usecases import finding
from labcoat.usecases.experiments import files, recording, results, uploads
from labcoat.usecases.experiments.uploads import FileTotals
from labcoat.usecases.looks import waiting

_TOTAL = re.compile(r"^(?P<name>[^=]+)=(?P<events>[^/]+)/(?P<units>.+)$")
CORRECT = "correct"


def show_result(call: Call, target: Target) -> None:
    """Answer with the newest stored look; asking makes none."""
    with call.reading() as (tx, now):
        dossier = target.dossier(tx, call)
        experiment = finding.get_experiment(dossier, target.subject)
        when = partial(waiting.next_look, metrics=call.app_context.metrics)
        shown = results.show(tx, dossier, experiment, now=now, when=when)
    call.reply(result(shown, zone=call.app_context.zone))


def record(call: Call, target: Target) -> None:
    """Store totals typed after the command, or open the form for them."""
    if not target.rest:
        _open_record_form(call, target)
        return
    try:
        _store(call, target, is_correction=False)
    except Refusal as refusal:
        if not asks_to_correct(refusal):
            raise
        call.reply(_offer_correction(refusal, target.rest, zone=call.app_context.zone))


def _open_record_form(call: Call, target: Target) -> None:
    with call.reading() as (tx, now):
        dossier = target.dossier(tx, call)
        experiment = finding.get_experiment(dossier, target.subject)
    recording.require_typed(experiment)
    metadata = call.metadata(f"E-{experiment.number}")
    call.open_form(views.record_form(experiment, metric=experiment.plan.goal, now=now, metadata=metadata))


def correct(call: Call, target: Target) -> None:
    """Store totals in place of earlier ones, because those were wrong."""
    _store(call, target, is_correction=True)


def correct_file(call: Call, target: Target) -> None:
    """Store what a file said in place of earlier totals. target: with the number of the job that read it."""
    with call.writing() as (tx, now):
        dossier = target.dossier(tx, call)
        files.correct(tx, dossier, int(target.rest), by=call.member(tx, dossier), now=now)
        shown = results.show(tx, dossier, finding.get_experiment(dossier, target.subject), now=now)
    call.reply(result(shown, zone=call.app_context.zone))


def _store(call: Call, target: Target, *, is_correction: bool) -> None:
    with call.writing() as (tx, now):
        dossier = target.dossier(tx, call)
        experiment = finding.get_experiment(dossier, target.subject)
        recording.require_typed(experiment)
        metric, totals = read_totals(target.rest, experiment)
        recording.record(
            tx,
            dossier,
            experiment.number,
            by=call.member(tx, dossier),
            metric=metric,
            totals=totals,
            as_of=now,
            is_correction=is_correction,
            now=now,
        )
        shown = results.show(tx, dossier, experiment, now=now)
    call.reply(result(shown, zone=call.app_context.zone))


def _offer_correction(refusal: Refusal, rest: str, *, zone: str) -> Message:
    said = refusal_message(refusal, zone=zone)
    again = button("Correct the earlier entry", verb=CORRECT, value=f"E-{refusal.facts['experiment']} {rest}"[:2000])
    return Message(text=said.text, blocks=(section(said.text), actions([again])))


def read_totals(text: str, experiment: Experiment) -> tuple[str | None, dict[str, Moments]]:
    """Return the metric (None: the goal) and the totals of "control=1200/24000 treatment=1310/24100".

    Raises Refusal for what cannot be read; a mean needs the form.
    """
    words = re.sub(r"\s*([=/])\s*", r"\1", text).split()
    metric_words = [word for word in words if "=" not in word]
    totals_words = [word for word in words if "=" in word]
    metric = " ".join(metric_words) or None
    planned = experiment.plan.metric(metric) if metric else experiment.plan.goal
    identifier = f"E-{experiment.number}"
    if not totals_words:
        raise Refusal(Reason.NOT_COUNTS, text=text[:60], id=identifier)
    if planned.kind is MetricKind.MEAN:
        raise Refusal(Reason.MEANS_NEED_FORM, metric=planned.name, id=identifier)
    totals: dict[str, Moments] = {}
    for word in totals_words:
        match = _TOTAL.match(word)
        if match is None:
            raise Refusal(Reason.NOT_COUNTS, text=word[:60], id=identifier)
        if match["name"].casefold() in {name.casefold() for name in totals}:
            raise Refusal(Reason.VARIANT_TWICE, name=match["name"])
        totals[match["name"]] = _share(match["name"], match["events"], match["units"], field="totals")
    return metric, totals


def _share(name: str, events_text: str, units_text: str, *, field: str) -> Moments:
    events, units = read_count(events_text, field=field), read_count(units_text, field=field)
    return submitted_totals.share(name, events=events, units=units, field=field)


def record_form_for(form: Submission, view: dict[str, Any]) -> dict[str, Any]:
    """Return the form of totals as the chosen metric needs it."""
    with form.reading() as (tx, now):
        experiment = finding.get_experiment(form.dossier(tx), form.subject)
    metric = experiment.plan.metric(form.answers.choice("metric") or experiment.plan.goal.name)
    return views.record_form(experiment, metric=metric, now=now, metadata=view["private_metadata"])


def submit_record(form: Submission) -> None:
    """Store the totals of the form."""
    answers = form.answers
    with form.reading() as (tx, _):
        experiment = finding.get_experiment(form.dossier(tx), form.subject)
    planned = experiment.plan.metric(answers.choice("metric") or experiment.plan.goal.name)
    wrong_since = answers.moment("wrong_since")
    is_correction = CORRECT in answers.choices(CORRECT) or wrong_since is not None
    file = answers.file("file")
    read = (  # a file is read with no transaction open
        totals_file.totals_of(form, experiment, planned, file, is_correction=is_correction, wrong_since=wrong_since)
        if file is not None
        else _form_totals(form, experiment, planned)
    )
    with form.writing() as (tx, now):
        dossier = form.dossier(tx)
        recording.record_all(
            tx,
            dossier,
            experiment.number,
            by=form.member(tx, dossier),
            totals=read.totals,
            as_of=answers.moment("as_of") or now,
            is_correction=is_correction,
            wrong_since=wrong_since,
            now=now,
            file=file.name if file is not None else None,
            taken=read.taken,
        )


def _form_totals(form: Submission, experiment: Experiment, planned: PlannedMetric) -> FileTotals:
    if form.answers.text("table"):
        may_lack, pasted = experiment.dropped_treatments, form.answers.text("table")
        return uploads.read_table(pasted, experiment.plan, planned, field="table", may_lack=may_lack)
    return FileTotals(totals={planned.name: _typed_totals(form, experiment, planned)}, taken="")


def _typed_totals(form: Submission, experiment: Experiment, planned: PlannedMetric) -> dict[str, Moments]:
    totals = {}
    for position, name in enumerate(experiment.plan.variant_names):
        field = f"totals_{position}"
        text = form.answers.text(field)
        if not text and name in experiment.dropped_treatments:
            continue
        if not text:
            raise Refusal(Reason.MISSING, field)
        if planned.kind is MetricKind.PROPORTION:
            events, slash, units = text.partition("/")
            if not slash:
                raise Refusal(Reason.NOT_COUNTS, field, text=text[:60], id=f"E-{experiment.number}")
            totals[name] = _share(name, events, units, field=field)
        else:
            totals[name] = _mean(text, field=field)
    return totals


def _mean(text: str, *, field: str) -> Moments:
    parts = [part for part in re.split(r"[;,]\s+|\s+", text.strip()) if part]
    if len(parts) != 3:
        raise Refusal(Reason.NOT_A_NUMBER, field, text=text[:60])
    count = read_count(parts[0], field=field)
    mean, deviation = (read_number(part, field=field) for part in parts[1:])
    if deviation < 0 or not math.isfinite(deviation):
        raise Refusal(Reason.NEGATIVE, field, text=parts[2])
    return submitted_totals.mean(units=count, mean=mean, deviation=deviation)


HANDLERS: Mapping[str, Handler] = {
    "record": Handler(open=record, submit=submit_record, renew=record_form_for),
    "result": Handler(open=show_result),
    "correct": Handler(open=correct),
    "correct_file": Handler(open=correct_file),
}
