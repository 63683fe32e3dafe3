"""Experiments: plan, adopt, start, stop, cancel, run again."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from labcoat.db.database import Transaction
from labcoat.domain import plan as plans
from labcoat.domain.dossier import Dossier
from labcoat.domain.history import HistoryEntry
from labcoat.domain.lifecycle import Stage, Step
from labcoat.domain.plan import Plan
from labcoat.domain.refusal import Reason, Refusal
from labcoat.slack.blocks import Block, Message, escape, section
from labcoat.slack.errors import refusal_for_form
from labcoat.slack.form_values import Answers
from labcoat.slack.listeners import plan_looks
from labcoat.slack.listeners.call import Asking, Call, RenewFormError, Submission, Target
from labcoat.slack.listeners.command_handler import Handler
from labcoat.slack.listeners.planning import read_plan, texts_of
from labcoat.slack.views import experiment as views
from labcoat.slack.views import plan_measured as measuring
from labcoat.slack.views import plan_texts
from labcoat.slack.views import planning as planning_views
from labcoat.slack.views.plan_measured import Baselines
from labcoat.stats.rule import Design
from labcoat.usecases import finding
from labcoat.usecases.experiments import experiments, sizing
from labcoat.usecases.hypotheses import hypotheses
from labcoat.usecases.looks import baselines as measured
from labcoat.words import run_stories
from labcoat.words import sizing as words


def open_plan_form(call: Call, target: Target) -> None:
    """Open the plan form."""
    with call.reading() as (tx, now):
        dossier = _plannable(tx, call, target)
        if dossier.hypothesis.stage is Stage.PROTOTYPE and not dossier.evidence:
            raise Refusal(Reason.EVIDENCE_NEEDED, hypothesis=dossier.hypothesis.number)  # before the work of the form
        seen = hypotheses.newest_entry(tx, dossier)
        baselines = _baselines(tx, call, now)
    metadata = {"subject": str(target.subject), "channel": call.channel, "seen": seen}
    call.open_form(_opened(call, dossier, baselines, since=None, metadata=metadata))


def open_adopt_form(call: Call, target: Target) -> None:
    """Open the form that registers an experiment which runs already."""
    with call.reading() as (tx, now):
        dossier = _plannable(tx, call, target)
        seen = hypotheses.newest_entry(tx, dossier)
        baselines = _baselines(tx, call, now)
    metadata = {"subject": str(target.subject), "channel": call.channel, "seen": seen}
    call.open_form(_opened(call, dossier, baselines, since=now, metadata=metadata))


def _plannable(tx: Transaction, call: Call, target: Target) -> Dossier:
    dossier = target.owned(tx, call, Step.PLAN)
    if dossier.running is not None:
        raise Refusal(Reason.LOCKED_AT_START, experiment=dossier.running.number)
    return dossier


def _baselines(tx: Transaction, asking: Asking, now: datetime) -> Baselines:
    return Baselines(of=measured.of_metrics(tx, asking.workspace, asking.app_context.metrics), now=now)


def _opened(
    call: Call, dossier: Dossier, baselines: Baselines, *, since: datetime | None, metadata: dict[str, Any]
) -> Block:
    """Return the form that opens: with the draft's plan as people made it, else with what was measured of the goal."""
    metrics, draft = call.app_context.described_metrics, dossier.draft
    texts = plan_texts.texts_of(dossier, metrics=metrics)
    shown, texts = measuring.measured(texts, metrics=metrics, baselines=baselines, before=None, is_draft=bool(draft))
    looks = plan_looks.offered(texts, metrics=metrics)
    if draft is not None:
        made = replace(draft.plan, design=looks.chosen)
        plan, line = made, words.line(made, sizing.sized(made))
    elif not shown.filled:
        plan, line = None, ""
    else:
        answers = Answers({}).with_texts({**texts, "design": looks.chosen}, choices=("kind", "design"))
        plan, line = _worked_out(call, answers, dossier, baselines, design=looks.chosen)
    return planning_views.plan_form(
        dossier,
        texts,
        metrics=metrics,
        looks=plan_looks.with_saving(looks, plan, texts, metrics=metrics),
        measured=shown,
        line=line,
        zone=call.app_context.zone,
        since=since,
        metadata=json.dumps({**metadata, "measured": shown.state}),
    )


def plan_form_for(form: Submission, view: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG001
    """Return the plan form with what it takes, as far as it is filled in."""
    with form.reading() as (tx, now):
        dossier = form.dossier(tx)
        baselines = _baselines(tx, form, now)
    return _shown_anew(form, dossier, baselines)


def _read(
    asking: Asking, answers: Answers, dossier: Dossier, baselines: Baselines, *, design: Design | None = None
) -> Plan:
    """Return the plan that the form describes. design: instead of what is chosen there."""
    plan = read_plan(
        answers,
        hypothesis=dossier.hypothesis,
        metrics=asking.app_context.metrics,
        baselines=baselines.of,
        zone=asking.app_context.zone,
    )
    return plans.checked(replace(plan, design=design or plan.design))


def _shown_anew(
    form: Submission,
    dossier: Dossier,
    baselines: Baselines,
    *,
    seen: int | None = None,
    meanwhile: Sequence[HistoryEntry] = (),
) -> Block:
    """Return the form as it is filled in. seen: the newest change that it shows, None as it was."""
    metrics = form.app_context.described_metrics
    typed = texts_of(form.answers, otherwise=plan_texts.texts_of(dossier, metrics=metrics))
    before = form.metadata.get("measured")
    shown, texts = measuring.measured(typed, metrics=metrics, baselines=baselines, before=before, is_draft=False)
    looks = plan_looks.offered(texts, metrics=metrics, before=form.answers.offered("design"))
    answers = form.answers.with_texts({name: texts[name] for name in measuring.FIELDS})
    plan, line = _worked_out(form, answers, dossier, baselines, design=looks.chosen)
    metadata = {**form.metadata, "measured": shown.state} | ({} if seen is None else {"seen": seen})
    return planning_views.plan_form(
        dossier,
        texts,
        metrics=metrics,
        looks=plan_looks.with_saving(looks, plan, texts, metrics=metrics),
        measured=shown,
        line=line,
        meanwhile=meanwhile,
        zone=form.app_context.zone,
        since=form.answers.moment("since"),
        metadata=json.dumps(metadata),
    )


def _worked_out(
    asking: Asking, answers: Answers, dossier: Dossier, baselines: Baselines, *, design: Design
) -> tuple[Plan | None, str]:
    """Return the plan with what it takes in words; None with why it can't be read yet."""
    try:
        plan = _read(asking, answers, dossier, baselines, design=design)
        return plan, words.line(plan, sizing.sized(plan))
    except Refusal as refusal:
        is_unfilled = refusal.reason in (Reason.NOT_AN_EFFECT, Reason.MISSING, Reason.BASELINE_NEEDED)
        empty = not answers.text(refusal.field or "")
        return None, words.WAITING if is_unfilled and empty else refusal_for_form(refusal, zone=asking.app_context.zone)


def _require_same_goal(form: Submission, dossier: Dossier, baselines: Baselines) -> None:
    """Raise RenewFormError if the form still has what was measured of another goal than the one it names."""
    texts = {name: form.answers.text(name) for name in ("goal", *measuring.FIELDS)}
    if measuring.is_of_another_goal(texts, before=form.metadata.get("measured")):
        raise RenewFormError(_shown_anew(form, dossier, baselines))


def _require_unchanged(tx: Transaction, form: Submission, dossier: Dossier, baselines: Baselines) -> None:
    """Raise RenewFormError if somebody changed the plan since the form was opened."""
    if dossier.draft is None:  # nobody has planned anything that this could overwrite
        return
    meanwhile = experiments.changes_since(tx, dossier, int(form.metadata["seen"]))
    if meanwhile:
        raise RenewFormError(_shown_anew(form, dossier, baselines, seen=meanwhile[-1].id, meanwhile=meanwhile))


def submit_plan(form: Submission) -> None:
    """Plan an experiment."""
    with form.writing() as (tx, now):
        dossier = form.dossier(tx)
        baselines = _baselines(tx, form, now)
        _require_same_goal(form, dossier, baselines)
        plan = _read(form, form.answers, dossier, baselines)
        _require_unchanged(tx, form, dossier, baselines)
        reason = form.answers.text("evidence_reason") or None
        experiments.plan(tx, dossier, plan, by=form.member(tx, dossier), reason=reason, now=now)


def submit_adopt(form: Submission) -> None:
    """Register an experiment that runs already."""
    with form.writing() as (tx, now):
        dossier = form.dossier(tx)
        baselines = _baselines(tx, form, now)
        _require_same_goal(form, dossier, baselines)
        plan = _read(form, form.answers, dossier, baselines)
        _require_unchanged(tx, form, dossier, baselines)
        since = form.answers.moment("since") or now
        experiments.adopt(tx, dossier, plan, by=form.member(tx, dossier), since=since, now=now)


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
    without = escape(run_stories.without_dropped(saved.get_experiment(number)))
    text = f"{new} is planned with the plan of E-{number}{without}. Change it, or start it: `/experiment start {new}`."
    call.reply(Message(text=text, blocks=(section(text),)))


HANDLERS: Mapping[str, Handler] = {
    "plan": Handler(open=open_plan_form, submit=submit_plan, renew=plan_form_for),
    "adopt": Handler(open=open_adopt_form, submit=submit_adopt, renew=plan_form_for),
    "start": Handler(open=open_start_form, submit=submit_start),
    "stop": Handler(open=open_stop_form, submit=submit_stop),
    "cancel": Handler(open=open_cancel_form, submit=submit_cancel),
    "again": Handler(open=run_again),
}
