"""The card: a hypothesis's one message in its channel, eight blocks at most, edited in place."""

from datetime import datetime

from labcoat.domain.dossier import Dossier
from labcoat.domain.evidence import EvidenceSource, Strength
from labcoat.domain.experiment import Experiment
from labcoat.domain.hypothesis import Hypothesis
from labcoat.domain.lifecycle import ExperimentState, RequestState, Stage
from labcoat.domain.look import SourceProblem
from labcoat.domain.plan import ResultSource
from labcoat.slack.blocks import Block, Message, actions, button, context, escape, fields, header, overflow, section
from labcoat.slack.views.people import mention
from labcoat.stats.results import Direction, Readout
from labcoat.words import numbers, stories, verdicts


def card(
    dossier: Dossier, *, readout: Readout | None, problem: SourceProblem | None, now: datetime, zone: str
) -> Message:
    """Return the card. readout: of the newest look of the newest experiment."""
    hypothesis = dossier.hypothesis
    health = _health(dossier, readout, problem, zone)
    blocks: list[Block] = [
        header(_title(dossier, now)),
        section(sentence(hypothesis), accessory=_menu(hypothesis)),
        fields(_facts(dossier, readout)),
    ]
    blocks += [section(health)] if health else []
    small_print = _small_print(dossier)
    blocks += [context(small_print)] if small_print else []
    buttons = next_buttons(dossier)
    blocks += [actions(buttons)] if buttons else []
    change = escape(numbers.shortened(hypothesis.change, 120))
    return Message(text=f"{_title(dossier, now)}: {change}", blocks=tuple(blocks))


def sentence(hypothesis: Hypothesis) -> str:
    """Return the hypothesis in mrkdwn: the change, and what it is believed to do."""
    way = "raise" if hypothesis.direction is Direction.UP else "lower"
    change = escape(hypothesis.change.strip())
    metric, because = (escape(numbers.in_sentence(text)) for text in (hypothesis.metric, hypothesis.because))
    refuted = f" Refuted if: {escape(hypothesis.refuted_by)}" if hypothesis.refuted_by else ""
    return f"*{change}*\nWe believe this will {way} *{metric}*, because {because}.{refuted}"


def _menu(hypothesis: Hypothesis) -> Block | None:
    """Return the "…" menu of what is done now and then, None where nothing is left to do."""
    value = f"H-{hypothesis.number}"
    choices = [(f"handover {value}", "Hand over …")] if hypothesis.is_open and hypothesis.owner is not None else []
    return overflow(choices) if choices else None


def _title(dossier: Dossier, now: datetime) -> str:
    hypothesis = dossier.hypothesis
    if hypothesis.ending is not None:
        return f"H-{hypothesis.number} · Closed: {hypothesis.ending.outcome}, {hypothesis.ending.decision}"
    day = max(0, (now - hypothesis.stage_since).days) + 1
    return f"H-{hypothesis.number} · {hypothesis.stage.value.capitalize()} · day {day}"


def _facts(dossier: Dossier, readout: Readout | None) -> list[str]:
    hypothesis = dossier.hypothesis
    arrow = "up" if hypothesis.direction is Direction.UP else "down"
    effect = f" by {escape(hypothesis.smallest_effect)}" if hypothesis.smallest_effect else ""
    deputy = f", deputy {mention(hypothesis.deputy)}" if hypothesis.deputy else ""
    facts = [
        f"*Metric*\n{escape(hypothesis.metric)}, {arrow}{effect}",
        f"*Owner*\n{mention(hypothesis.owner)}{deputy}",
    ]
    if dossier.prototypes:
        newest = dossier.prototypes[-1]
        over = " :warning: over its cap" if newest.is_over_cap else ""
        spent = numbers.plain(newest.spent_days)
        facts.append(f"*Spent on the prototype*\n{spent} of {numbers.person_days(newest.cap_days)}{over}")
    if dossier.evidence or dossier.prototypes:
        facts.append(f"*Evidence*\n{_evidence(dossier, readout)}")
    return facts


def _evidence(dossier: Dossier, readout: Readout | None) -> str:
    order = list(Strength)
    strengths = [one.strength for one in dossier.evidence]
    newest = dossier.newest_experiment
    is_stopped = newest is not None and newest.state is ExperimentState.STOPPED
    if is_stopped and readout is not None and verdicts.may_show_effects(readout):
        strengths.append(Strength.CONTROLLED)
    if not strengths:
        return "none yet"
    strongest = min(strengths, key=order.index)
    from_users = sum(one.kind.source is EvidenceSource.USERS for one in dossier.evidence)
    users = f"{from_users} from users" if from_users else "no user feedback yet"
    return f"{len(strengths)}, strongest {strongest}; {users}"


def _health(dossier: Dossier, readout: Readout | None, problem: SourceProblem | None, zone: str) -> str:
    ending, experiment = dossier.hypothesis.ending, dossier.newest_experiment
    if ending is not None:
        why = f" Against the verdict, because {escape(ending.overrides)}." if ending.overrides else ""
        link = f" {escape(ending.link)}" if ending.link else ""
        return f":books: *Learned:* {escape(ending.learning)}{why}{link}"
    lines = []
    if experiment is not None:
        lines.append(_experiment_line(experiment, zone))
        if readout is not None and experiment.state is not ExperimentState.DRAFT:
            lines.append(verdict_line(readout, experiment))
    if problem is not None:
        since = numbers.day_and_time(problem.since, zone)
        lines.append(f":warning: *No numbers since {since}:* {escape(problem.message)} The last good look stays.")
    lines.append(_request_line(dossier, zone))
    return "\n".join(line for line in lines if line)


def _experiment_line(experiment: Experiment, zone: str) -> str:
    label = f"*E-{experiment.number}* {experiment.state}"
    if experiment.state is ExperimentState.DRAFT or experiment.since is None:
        return f":memo: {label}: {escape(stories.plan_summary(experiment.plan))}"
    if experiment.is_of_the_past:
        return f":test_tube: {label}: data of the past, {stories.past_period(experiment, zone)}"
    assert experiment.planned_end is not None
    since, end = numbers.day(experiment.since, zone), numbers.day(experiment.planned_end, zone)
    late = " (registered late)" if experiment.is_registered_late else ""
    if experiment.state is ExperimentState.RUNNING:
        return f":test_tube: {label} since {since}{late}, planned until {end}"
    assert experiment.ended_at is not None
    return f":test_tube: {label}, {since} to {numbers.day(experiment.ended_at, zone)}{late}"


def verdict_line(readout: Readout, experiment: Experiment) -> str:
    """Return the verdict with its effect, in mrkdwn."""
    words = verdicts.WORDS[readout.verdict]
    said = verdicts.telling_effect(readout)
    effect = f" {escape(said)}" if said else ""
    day = verdicts.day(readout, experiment.plan)
    return f":{words.sign}: *{verdicts.headline(readout)}.*{effect} ({day})"


def _request_line(dossier: Dossier, zone: str) -> str:
    if not dossier.requests:
        return ""
    request = dossier.requests[-1]
    if request.state is RequestState.WAITING:
        what = "confirmation by" if request.is_member_confirmation else "approval by"
        return f":inbox_tray: Waiting for {what} {mention(request.asked_of)}"
    by = f" by {mention(request.decided_by)}" if request.decided_by else ""
    if request.state is RequestState.APPROVED and request.is_member_confirmation:
        by = f", confirmed by a member ({mention(request.decided_by)})"
    if request.state is RequestState.APPROVED and request.is_self_release and request.decided_by == request.asked_of:
        by = f": released by its owner {mention(request.decided_by)}, the only lead here"
    at = f" on {numbers.day(request.decided_at, zone)}" if request.decided_at else ""
    why = f": {escape(request.answer)}" if request.answer else ""
    return f":inbox_tray: Request {request.state}{by}{at}{why}"


def _small_print(dossier: Dossier) -> str:
    notes = []
    for experiment in dossier.experiments:
        if experiment.state is ExperimentState.CANCELLED:
            continue
        if experiment.skip_reason:
            notes.append(f"E-{experiment.number} without a prototype: {escape(experiment.skip_reason)}")
        if experiment.no_feedback_reason:
            notes.append(f"E-{experiment.number}, no user feedback yet: {escape(experiment.no_feedback_reason)}")
    if dossier.hypothesis.tags:
        notes.append("Tags: " + ", ".join(escape(tag) for tag in dossier.hypothesis.tags))
    return " · ".join(notes)


def next_buttons(dossier: Dossier) -> list[Block]:
    """Return the steps that are possible now, the likeliest first; every button is also a command."""
    value = f"H-{dossier.hypothesis.number}"
    verbs = _next_verbs(dossier)
    labels = _LABELS | ({"plan": "Change the plan"} if dossier.draft is not None else {})
    return [
        button(labels[verb], verb=verb, value=value, style="primary" if position == 0 else None)
        for position, verb in enumerate(verbs)
    ]


_LABELS = {
    "prototype": "Begin a prototype",
    "evidence": "Add evidence",
    "plan": "Plan an experiment",
    "start": "Start",
    "cancel": "Cancel the draft",
    "record": "Type in totals",
    "result": "Result",
    "stop": "Stop",
    "again": "Run again",
    "ask": "Ask for approval",
    "decide": "Decide",
    "ship": "Ship",
    "close": "Close",
    "show": "Show",
    "take": "Take it",
}


def _next_verbs(dossier: Dossier) -> list[str]:
    hypothesis, experiment = dossier.hypothesis, dossier.newest_experiment
    if not hypothesis.is_open:
        return ["result"] if experiment is not None else []
    if hypothesis.owner is None and hypothesis.stage is Stage.HYPOTHESIZE:
        return ["take", "close"]
    if dossier.waiting_request is not None:
        return ["decide", *(["result"] if experiment is not None else []), "close"]
    match hypothesis.stage:
        case Stage.HYPOTHESIZE:
            return ["prototype", "plan", "close"]
        case Stage.PROTOTYPE:
            return ["plan", "evidence", "ask", "close"] if dossier.evidence else ["evidence", "plan", "ask", "close"]
        case Stage.PRODUCTIONIZE:
            return ["ship", *(["result"] if experiment is not None else []), "close"]
    assert experiment is not None
    typed = ["record"] if experiment.plan.source is ResultSource.TYPED else []
    match experiment.state:
        case ExperimentState.DRAFT:
            return ["start", "plan", "cancel", "close"]
        case ExperimentState.RUNNING:
            return ["result", *typed, "stop", "evidence"]
        case _:
            return ["ask", "result", *typed, "again", "close"]
