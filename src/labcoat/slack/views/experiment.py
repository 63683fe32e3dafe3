"""The forms of an experiment: plan, start, stop, cancel, type in totals."""

from collections.abc import Sequence
from datetime import datetime

from labcoat.domain.dossier import Dossier
from labcoat.domain.evidence import EvidenceSource
from labcoat.domain.experiment import Experiment
from labcoat.domain.lifecycle import Stage
from labcoat.domain.plan import Plan, PlannedMetric
from labcoat.slack.blocks import (
    Block,
    checkbox_input,
    context,
    date_input,
    divider,
    escape,
    form,
    moment_input,
    option,
    radio_input,
    section,
    select_input,
    text_input,
)
from labcoat.stats.results import Design, MetricKind, Role
from labcoat.words import numbers, stories, verdicts

NOT_SWITCHED = "Labcoat does not switch traffic: do that where you always do, and tell it here."


def plan_form(dossier: Dossier, *, known_metrics: Sequence[str], metadata: str) -> Block:
    """Return the plan form. known_metrics: names in the metrics file, whose numbers are read every day."""
    draft = dossier.draft.plan if dossier.draft else None
    known = ", ".join(known_metrics[:8])
    hint = f"Read every day if it is in the metrics file: {known}." if known else "Its totals are typed in by people."
    goal = draft.goal if draft else None
    blocks: list[Block] = [
        text_input(
            "goal", "Goal metric: the one that decides", initial=_goal(dossier, draft, known_metrics), hint=hint
        ),
        radio_input(
            "kind",
            "What is it, per unit?",
            [option(MetricKind.PROPORTION, "yes or no (a proportion)"), option(MetricKind.MEAN, "a number (a mean)")],
            initial=goal.kind if goal else MetricKind.PROPORTION,
            hint="For a metric of the metrics file, the file decides.",
        ),
        text_input("baseline", "What is it today?", initial=_baseline(goal), example="19 %, or 4.2", is_optional=True),
        text_input(
            "minimum_effect",
            "Smallest effect worth having",
            initial=_effect(goal) or dossier.hypothesis.smallest_effect,
            hint="Below this you would not build it. Percent is of the baseline.",
            example="5 %, or 0.5 points",
        ),
        text_input(
            "variants",
            "Variants and their shares, control first",
            initial=", ".join(f"{one.name} {100 * one.weight:g}" for one in draft.variants)
            if draft
            else "control 50, treatment 50",
            example="control 50, treatment 50",
        ),
        text_input("unit", "What is randomised?", initial=draft.unit if draft else "user", example="user"),
        text_input("planned_days", "Planned days", initial=f"{draft.planned_days:g}" if draft else "28", example="28"),
        select_input(
            "design",
            "How are repeated looks paid for?",
            [option(design, _DESIGN_LABELS[design]) for design in Design],
            initial=draft.design if draft else _proposed_design(dossier, known_metrics),
            hint="Totals that people type come at times they choose: not for group sequential.",
        ),
        text_input(
            "guardrails",
            "Guardrails and other metrics, one a line",
            initial=_others(draft),
            hint="Name a metric that should not get worse. Example: refund rate down, margin 0.2 points. "
            "Put “secondary” in front of one that only explores, and “mean” in front of one that is a number per unit.",
            is_long=True,
            is_optional=True,
        ),
    ]
    blocks += _reason_input(dossier)
    blocks += [
        divider(),
        context("*More*, all optional"),
        text_input(
            "experiment_key",
            "Its name in the exposure data",
            initial=draft.experiment_key if draft else "",
            is_optional=True,
        ),
        date_input("starts_on", "Only for data of the past: first day"),
        date_input("ends_on", "Only for data of the past: last day"),
    ]
    return form("plan", title="Plan an experiment", submit="Plan it", metadata=metadata, blocks=blocks)


_DESIGN_LABELS = {
    Design.GROUP_SEQUENTIAL: "group sequential: a look every day, a planned end",
    Design.CONFIDENCE_SEQUENCE: "confidence sequence: look whenever you like",
    Design.ONE_LOOK: "one look at the end",
}


def _goal(dossier: Dossier, draft: Plan | None, known: Sequence[str]) -> str:
    if draft is not None:
        return draft.goal.name
    wanted = dossier.hypothesis.metric
    return next((name for name in known if name.casefold() == wanted.casefold()), wanted)


def _proposed_design(dossier: Dossier, known: Sequence[str]) -> Design:
    is_read_daily = _goal(dossier, None, known) in known
    return Design.GROUP_SEQUENTIAL if is_read_daily else Design.CONFIDENCE_SEQUENCE


def _baseline(goal: PlannedMetric | None) -> str:
    if goal is None or goal.baseline is None:
        return ""
    return f"{100 * goal.baseline:g} %" if goal.kind is MetricKind.PROPORTION else f"{goal.baseline:g}"


def _effect(metric: PlannedMetric | None) -> str:
    if metric is None or metric.minimum_effect is None:
        return ""
    effect = metric.minimum_effect
    if effect.is_relative:
        return f"{100 * effect.size:g} %"
    return f"{100 * effect.size:g} points" if metric.kind is MetricKind.PROPORTION else f"{effect.size:g}"


def _others(draft: Plan | None) -> str:
    if draft is None:
        return ""
    lines = []
    for metric in draft.metrics:
        if metric.role is Role.GOAL:
            continue
        prefix = "secondary " if metric.role is Role.SECONDARY else ""
        margin = ""
        if metric.margin is not None:
            points = metric.kind is MetricKind.PROPORTION and not metric.margin.is_relative
            size = 100 * metric.margin.size if points or metric.margin.is_relative else metric.margin.size
            unit = " %" if metric.margin.is_relative else " points" if points else ""
            margin = f", margin {size:g}{unit}"
        lines.append(f"{prefix}{metric.name} {metric.direction}{margin}")
    return "\n".join(lines)


def _reason_input(dossier: Dossier) -> list[Block]:
    if dossier.hypothesis.stage is Stage.HYPOTHESIZE:
        label = "Why no prototype?"
        hint = "A prototype is cheaper than an experiment. The reason stays visible."
    elif dossier.hypothesis.stage is Stage.PROTOTYPE and not any(
        one.kind.source is EvidenceSource.USERS for one in dossier.evidence
    ):
        label = "No user has reacted yet: why go on?"
        hint = "It will be shown as “no user feedback yet”."
    else:
        return []
    return [text_input("evidence_reason", label, hint=hint, is_long=True)]


def start_form(experiment: Experiment, *, now: datetime, metadata: str) -> Block:
    """Return the start form: what is fixed from now on, and since when traffic flows."""
    plan = experiment.plan
    blocks: list[Block] = [
        section(f"*E-{experiment.number}* {escape(stories.plan_summary(plan))}"),
        context(f"{verdicts.DESIGNS[plan.design]}. From the start on the plan does not change."),
    ]
    if plan.period is None:
        blocks.append(moment_input("since", "Since when is it live?", initial=now, hint=NOT_SWITCHED))
    else:
        period = stories.past_period(experiment, plan.zone)
        blocks.append(section(f"Data of the past: {period}. They are read once, as of their end."))
    return form("start", title="Start", submit="Start", metadata=metadata, blocks=blocks)


def stop_form(experiment: Experiment, *, now: datetime, metadata: str) -> Block:
    """Return the stop form; before the planned end it asks why."""
    assert experiment.planned_end is not None
    is_early = now < experiment.planned_end
    end = (numbers.day_of_year if experiment.is_of_the_past else numbers.day)(
        experiment.planned_end, experiment.plan.zone
    )
    note = (
        f"Its planned end is {end}; stopping now gives up the alpha that is not spent."
        if is_early
        else f"Its planned end was {end}."
    )
    blocks: list[Block] = [section(f"*E-{experiment.number}* {note}")]
    if experiment.plan.period is None:
        blocks.append(moment_input("ended_at", "Since when is traffic off?", initial=now, hint=NOT_SWITCHED))
    blocks.append(text_input("reason", "Why now?", example="Harm on refunds", is_long=True, is_optional=not is_early))
    return form("stop", title="Stop", submit="Stop", metadata=metadata, blocks=blocks)


def cancel_form(experiment: Experiment, *, metadata: str) -> Block:
    """Return the form that cancels a draft."""
    blocks = [
        section(f"*E-{experiment.number}* {escape(stories.plan_summary(experiment.plan))}"),
        text_input("reason", "Why cancel it?", example="Another team tests the same page", is_long=True),
    ]
    return form("cancel", title="Cancel the draft", submit="Cancel the draft", metadata=metadata, blocks=blocks)


def record_form(experiment: Experiment, *, metric: PlannedMetric, now: datetime, metadata: str) -> Block:
    """Return the form that takes totals since the start, one field a variant."""
    is_share = metric.kind is MetricKind.PROPORTION
    label = "successes / units" if is_share else "n, mean, standard deviation"
    example = "1200 / 24000" if is_share else "24000, 4.21, 7.9"
    blocks: list[Block] = [
        section(f"*E-{experiment.number}* Totals since the start, not this week's."),
        select_input(
            "metric",
            "Metric",
            [option(one.name) for one in experiment.plan.metrics],
            initial=metric.name,
            is_live=True,
        ),
    ]
    blocks += [
        text_input(f"totals_{position}", f"{name}: {label}", example=example)
        for position, name in enumerate(experiment.plan.variant_names)
    ]
    blocks.append(
        checkbox_input(
            "correct",
            "Are they smaller than before?",
            [option("correct", "Yes, this corrects an earlier entry")],
        )
    )
    blocks.append(moment_input("as_of", "As of", initial=now, hint="Until when the totals reach."))
    return form("record", title="Type in totals", submit="Store", metadata=metadata, blocks=blocks)
