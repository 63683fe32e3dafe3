"""The forms of an experiment: start, stop, cancel, type in totals."""

from datetime import datetime

from labcoat.domain.experiment import Experiment
from labcoat.domain.plan import PlannedMetric
from labcoat.slack.blocks import (
    Block,
    checkbox_input,
    context,
    escape,
    file_input,
    form,
    moment_input,
    option,
    section,
    select_input,
    text_input,
)
from labcoat.slack.views.metric import meanings
from labcoat.stats.rule import MetricKind
from labcoat.words import numbers, stories
from labcoat.words.verdict_words import DESIGNS

_FILE_HINT = "{header}; or a row a unit, with a column for each metric of the plan that is to be stored. 50 MB at most."
NOT_SWITCHED = "Labcoat does not switch traffic: do that where you always do, and tell it here."


def start_form(experiment: Experiment, *, now: datetime, metadata: str) -> Block:
    """Return the start form: what is fixed from now on, and since when traffic flows."""
    plan = experiment.plan
    blocks: list[Block] = [
        section(f"*E-{experiment.number}* {escape(stories.plan_summary(plan))}"),
        *meanings(plan.metrics),
        context(f"{DESIGNS[plan.design]}. From the start on the plan does not change."),
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
        f"is planned until {end}. Stopping now makes one last look, and gives up the later ones."
        if is_early
        else f"was planned until {end}."
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
        text_input(
            f"totals_{position}",
            f"{name}: {label}",
            hint="It was dropped: left empty, its totals stay." if name in experiment.dropped_treatments else "",
            example=example,
            is_optional=True,
        )
        for position, name in enumerate(experiment.plan.variant_names)
    ]
    header = "variant, n, successes" if is_share else "variant, n, mean, sd"
    blocks += [
        text_input(
            "table",
            "Or paste a table",
            hint=f"Columns: {header}.",
            example=header,
            is_long=True,
            is_optional=True,
        ),
        # Any kind may be given: what is no table is told how to become one, in better words than Slack's.
        file_input("file", "Or a CSV, Excel or Parquet file", kinds=(), hint=_FILE_HINT.format(header=header)),
    ]
    blocks.append(
        checkbox_input(
            "correct",
            "Do they correct earlier totals?",
            [option("correct", "Yes, the earlier entry was wrong")],
            hint="Looks that rested on it no longer count. Needed when counts get smaller.",
        )
    )
    blocks.append(
        moment_input(
            "wrong_since",
            "Since when was it wrong?",
            initial=None,
            hint="Only for a correction. Empty: just the newest entry.",
            is_optional=True,
        )
    )
    blocks.append(moment_input("as_of", "As of", initial=now, hint="Until when the totals reach."))
    return form("record", title="Type in totals", submit="Store", metadata=metadata, blocks=blocks)
