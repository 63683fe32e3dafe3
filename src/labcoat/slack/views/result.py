"""What `/experiment result` shows: the newest stored look, and what may be said of the data since."""

from datetime import datetime

from labcoat.domain.lifecycle import ExperimentState
from labcoat.domain.plan import ResultSource
from labcoat.domain.verdicts import may_show_effects
from labcoat.slack.blocks import Block, Message, actions, context, escape, header, section
from labcoat.slack.views import effects
from labcoat.slack.views.card import next_buttons
from labcoat.stats.results import Readout, Verdict
from labcoat.usecases.experiments.results import Result
from labcoat.usecases.looks.counting import is_uneven, makes_invalid
from labcoat.words import findings, health, numbers, run_stories, verdicts
from labcoat.words.verdict_words import DESIGNS, NO_LOOK


def result(shown: Result, *, zone: str) -> Message:
    """Return an experiment's result."""
    experiment = shown.experiment
    change = numbers.shortened(shown.dossier.hypothesis.change, 90)
    blocks: list[Block] = [header(f"E-{experiment.number} · {change}")]
    if shown.look is not None and shown.look.readout is not None:
        blocks += _look(shown.look.readout, shown, shown.look.as_of, zone)
        text = f"E-{experiment.number} · {verdicts.headline(shown.look.readout, experiment.plan)}"
    else:
        said = _nothing_yet(shown, zone)
        blocks.append(section(said))
        text = f"E-{experiment.number}: {said}"
    if shown.problem is not None:
        since = health.since(shown.problem.since, zone)
        blocks.append(section(f":warning: *{since}:* {escape(shown.problem.message)}"))
    blocks += _uneven_since(shown)
    notes = run_stories.notes(shown.dossier.while_it_ran(experiment))
    blocks += [context(escape(" · ".join(notes)))] if notes else []
    blocks.append(context(_freshness(shown, zone)))
    possible = next_buttons(shown.dossier, is_split_uneven=_is_split_uneven(shown))
    buttons = [one for one in possible if one["action_id"] != "result"]
    blocks += [actions(buttons)] if buttons else []
    return Message(text=escape(text), blocks=tuple(blocks))


def _is_split_uneven(shown: Result) -> bool:
    return makes_invalid(shown.look.readout if shown.look is not None else None, shown.counts)


def _look(readout: Readout, shown: Result, as_of: datetime, zone: str) -> list[Block]:
    plan = shown.experiment.plan
    reasons = escape(findings.reasons(readout))
    is_running = shown.experiment.state is ExperimentState.RUNNING and not shown.experiment.is_of_the_past
    what_now = "" if shown.dossier.waiting_request else _next_step(readout, shown, is_running)
    lead = f"{effects.headline(readout, plan)}\n{reasons} {what_now}"
    blocks = [section(lead.strip())]
    arms = effects.arms(readout, plan)
    blocks += [section(arms.strip())] if arms else []
    if may_show_effects(readout):
        blocks.append(effects.effect_list(readout, plan))
    until = numbers.day_of_year(as_of, zone) if plan.period is not None else numbers.day_and_time(as_of, zone)
    blocks.append(context(f"{verdicts.look_line(readout, plan)} · as of {until}"))
    split = escape(verdicts.split_line(readout, plan.variant_names))
    blocks.append(context(f"{split} · {DESIGNS[plan.design]}"))
    return blocks


def _next_step(readout: Readout, shown: Result, is_running: bool) -> str:
    return escape(verdicts.next_step(readout, is_running=is_running, experiment=shown.experiment.number))


def _nothing_yet(shown: Result, zone: str) -> str:
    experiment = shown.experiment
    if experiment.state is ExperimentState.CANCELLED:
        why = escape(numbers.in_sentence(experiment.cancel_reason or "someone chose to"))
        return f"It was cancelled before it started, because {why}."
    if experiment.state is ExperimentState.DRAFT:
        return "Not started yet, so there is nothing to read."
    if shown.no_look is not None:
        return f"No look yet. {NO_LOOK[shown.no_look]}"
    if shown.missing and shown.sample is not None:
        return "No look yet; the totals so far are stored."
    if experiment.plan.source is ResultSource.TYPED:
        return (
            "No totals yet. Send them with "
            f"`/experiment record E-{experiment.number} control=1200/24000 treatment=1310/24100`, or the button."
        )
    if shown.wait is not None:
        return f"No look yet. {escape(health.waits(shown.wait, zone))}."
    if shown.next_look is not None:
        return f"No look yet. The next one is on {numbers.day_and_time(shown.next_look, zone)}."
    return "No look yet. It is being made; ask again in a minute."


def _uneven_since(shown: Result) -> list[Block]:
    """Return what units counted since the last look show of the split, where that look could not."""
    readout = shown.look.readout if shown.look is not None else None
    counts = shown.counts
    if counts is None or not is_uneven(counts.split) or (readout and readout.verdict is Verdict.INVALID):
        return []
    experiment = shown.experiment
    variants = experiment.plan.variant_names
    said = health.uneven(experiment.number, p_value=counts.split.p_value, variants=variants, exposed=counts.exposed)
    return [section(f":warning: {escape(said)}")]


def _freshness(shown: Result, zone: str) -> str:
    look = shown.look
    parts = [escape(one) for one in health.left_out(look.crossed, look.left_out)] if look is not None else []
    if look is not None and look.short:
        parts.append(escape(health.made_without(look.short, zone).removesuffix(".")))
    if shown.changed:
        parts.append(escape(health.redefined(shown.changed)))
    newest = shown.look.as_of if shown.look is not None else None
    if shown.counts is not None and (shown.sample_as_of is None or shown.counts.as_of > shown.sample_as_of):
        variants = shown.experiment.plan.variant_names
        parts.append(escape(health.counts_line(shown.counts, variants, zone=zone)))
    elif shown.sample is not None and shown.sample_as_of is not None and shown.sample_as_of != newest:
        arms = " / ".join(
            f"{escape(name)} {numbers.count(units)}"
            for name, units in zip(shown.experiment.plan.variant_names, shown.sample.exposed, strict=True)
        )
        parts.append(f"Units as of {numbers.day_and_time(shown.sample_as_of, zone)}: {arms}")
    if shown.missing:
        parts.append(f"The last look waits for totals up to the end: {escape(', '.join(shown.missing))}")
    if shown.wait is not None and shown.look is not None:
        parts.append(escape(health.waits(shown.wait, zone)))
    elif shown.next_look is not None and shown.wait is None:
        parts.append(f"Next look {numbers.day_and_time(shown.next_look, zone)}")
    parts.append("Asking makes no look and spends nothing")
    return " · ".join(parts)
