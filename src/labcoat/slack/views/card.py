"""The card: a hypothesis's one message in its channel, eight blocks at most, edited in place."""

from collections.abc import Sequence
from datetime import datetime

from labcoat.domain.counting import UnitCounts
from labcoat.domain.dossier import Dossier
from labcoat.domain.evidence import EvidenceSource, Strength
from labcoat.domain.experiment import Experiment
from labcoat.domain.hypothesis import Hypothesis
from labcoat.domain.late_data import Wait
from labcoat.domain.lifecycle import ExperimentState, RequestState, Stage
from labcoat.domain.look import Look, SourceProblem
from labcoat.domain.plan import ResultSource
from labcoat.domain.prediction import Prediction
from labcoat.domain.verdicts import may_show_effects
from labcoat.slack.blocks import Block, Message, actions, button, context, escape, fields, header, overflow, section
from labcoat.slack.views import effects
from labcoat.slack.views.people import mention
from labcoat.stats.results import Readout, Verdict
from labcoat.stats.rule import Direction
from labcoat.usecases.experiments.predictions import middle
from labcoat.usecases.experiments.sizing import sized
from labcoat.usecases.looks.counting import is_uneven, makes_invalid
from labcoat.words import corrections, health, metrics, numbers, run_stories, sizing, stories, verdict_words, verdicts
from labcoat.words.verdict_words import WORDS


def card(
    dossier: Dossier,
    *,
    look: Look | None,
    problem: SourceProblem | None,
    counts: UnitCounts | None = None,
    predictions: Sequence[Prediction] = (),
    corrected_at: datetime | None = None,
    wait: Wait | None = None,
    now: datetime,
    zone: str,
) -> Message:
    """Return the card. look: the newest. predictions: of the newest experiment, as counts are.

    corrected_at: when totals were corrected, as long as the newest look is at those. wait: of the next look for its
    data.
    """
    hypothesis, readout = dossier.hypothesis, look.readout if look is not None else None
    short = look.short if look is not None else ()
    said = _health(dossier, readout, problem, counts, zone)
    late = health.late_data(wait if problem is None else None, short, zone) if hypothesis.ending is None else ()
    said += "".join(f"\n:hourglass_flowing_sand: {escape(line)}" for line in late)
    said += _corrected_since(dossier, readout, corrected_at, zone)
    blocks: list[Block] = [
        header(_title(dossier, now)),
        section(sentence(hypothesis)),
        fields(_facts(dossier, readout, predictions)),
    ]
    blocks += [section(said)] if said else []
    corrected = corrections.note(corrected_at, zone) if corrected_at else ""
    left_out = health.left_out(look.crossed, look.left_out) if look is not None else ()
    notes = (corrected, *(escape(one) for one in left_out), _small_print(dossier))
    small_print = " · ".join(note for note in notes if note)
    blocks += [context(small_print)] if small_print else []
    buttons = next_buttons(dossier, is_split_uneven=makes_invalid(readout, counts))
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


def _title(dossier: Dossier, now: datetime) -> str:
    hypothesis = dossier.hypothesis
    if hypothesis.ending is not None:
        decision = f"{hypothesis.ending.decision}{stories.of_several(dossier.shipped_treatment)}"
        return f"H-{hypothesis.number} · Closed: {hypothesis.ending.outcome}, {decision}"
    day = max(0, (now - hypothesis.stage_since).days) + 1
    return f"H-{hypothesis.number} · {hypothesis.stage.value.capitalize()} · day {day}"


def _facts(dossier: Dossier, readout: Readout | None, predictions: Sequence[Prediction]) -> list[str]:
    hypothesis = dossier.hypothesis
    arrow = "up" if hypothesis.direction is Direction.UP else "down"
    effect = f" by {escape(hypothesis.smallest_effect)}" if hypothesis.smallest_effect else ""
    deputy = f", deputy {mention(hypothesis.deputy)}" if hypothesis.deputy else ""
    facts = [
        f"*Metric*\n{escape(hypothesis.metric)}, {arrow}{effect}{_meaning(dossier)}",
        f"*Owner*\n{mention(hypothesis.owner)}{deputy}",
    ]
    if dossier.prototypes:
        newest = dossier.prototypes[-1]
        over = " :warning: over its cap" if newest.is_over_cap else ""
        spent = numbers.plain(newest.spent_days)
        facts.append(f"*Spent on the prototype*\n{spent} of {numbers.person_days(newest.cap_days)}{over}")
    if dossier.evidence or dossier.prototypes:
        facts.append(f"*Evidence*\n{_evidence(dossier, readout)}")
    if predictions:
        facts.append(f"*Predictions*\n{_predicted(dossier, predictions)}")
    return facts


def _meaning(dossier: Dossier) -> str:
    """Return what the metric means on a line of its own, if it is the goal that the metrics file describes."""
    experiment = dossier.newest_experiment
    goal = experiment.plan.goal if experiment is not None else None
    said = metrics.meaning(goal) if goal is not None and goal.name == dossier.hypothesis.metric else ""
    return f"\n{escape(said)}" if said else ""


def _predicted(dossier: Dossier, made: Sequence[Prediction]) -> str:
    if dossier.draft is not None:  # who sees what others expect expects the same
        return f"{len(made)}, shown at the start"
    return f"{len(made)}, at the median {numbers.share(middle(made), decimals=0)} for a win"


def _evidence(dossier: Dossier, readout: Readout | None) -> str:
    order = list(Strength)
    strengths = [one.strength for one in dossier.evidence]
    newest = dossier.newest_experiment
    is_stopped = newest is not None and newest.state is ExperimentState.STOPPED
    if is_stopped and readout is not None and may_show_effects(readout):
        strengths.append(Strength.CONTROLLED)
    if not strengths:
        return "none yet"
    strongest = min(strengths, key=order.index)
    from_users = sum(one.kind.source is EvidenceSource.USERS for one in dossier.evidence)
    users = f"{from_users} from users" if from_users else "no user feedback yet"
    return f"{len(strengths)}, strongest {strongest}; {users}"


def _health(
    dossier: Dossier, readout: Readout | None, problem: SourceProblem | None, counts: UnitCounts | None, zone: str
) -> str:
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
    if experiment is not None and counts is not None and _is_uneven_since(counts, readout):
        units = health.counts_line(counts, experiment.plan.variant_names, zone=zone)
        lines.append(f":warning: *{WORDS[Verdict.INVALID].name}.* {escape(units)}")
    if problem is not None:
        since = health.since(problem.since, zone)
        lines.append(f":warning: *{since}:* {escape(problem.message)}{health.what_stays(readout)}")
    lines.append(_request_line(dossier, zone))
    return "\n".join(line for line in lines if line)


def _corrected_since(dossier: Dossier, readout: Readout | None, corrected_at: datetime | None, zone: str) -> str:
    """Return what a closed card adds to what was learned, if totals were corrected after that."""
    ending = dossier.hypothesis.ending
    if ending is None or corrected_at is None or corrected_at <= ending.at:
        return ""
    now = verdict_words.as_said(readout.verdict if readout is not None else None, when="is")
    return f"\n:pencil2: The totals were corrected on {numbers.day(corrected_at, zone)}, after it was closed: {now}."


def _is_uneven_since(counts: UnitCounts, readout: Readout | None) -> bool:
    """Whether units counted since the last look show what that look could not."""
    return is_uneven(counts.split) and (readout is None or readout.verdict is not Verdict.INVALID)


def _experiment_line(experiment: Experiment, zone: str) -> str:
    label = f"*E-{experiment.number}* {experiment.state}"
    if experiment.state is ExperimentState.DRAFT or experiment.since is None:
        plan, takes = experiment.plan, sized(experiment.plan)
        more = {"triangular_ruler": sizing.power(plan, takes), "hourglass": sizing.shortfall(plan, takes)}
        notes = "".join(f"\n:{sign}: {escape(said)}" for sign, said in more.items() if said)
        return f":memo: {label}: {escape(stories.plan_summary(plan))}{notes}"
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
    """Return the verdict with its effect, and the other treatments a line each, in mrkdwn."""
    day = verdicts.day(readout, experiment.plan)
    return f"{effects.headline(readout, experiment.plan, after=f', {day}')}{effects.arms(readout, experiment.plan)}"


def _request_line(dossier: Dossier, zone: str) -> str:
    if not dossier.requests:
        return ""
    request = dossier.requests[-1]
    treatment = dossier.asked_treatment(request)
    of = f" of {escape(treatment)}" if treatment else ""
    if request.state is RequestState.WAITING:
        what = "confirmation" if request.is_member_confirmation else "approval"
        return f":inbox_tray: Waiting for {what}{of} by {mention(request.asked_of)}"
    by = f" by {mention(request.decided_by)}" if request.decided_by else ""
    if request.state is RequestState.APPROVED and dossier.hypothesis.stage is not Stage.PRODUCTIONIZE:
        at = f" on {numbers.day(request.decided_at, zone)}" if request.decided_at else ""
        return f":leftwards_arrow_with_hook: Reopened: it was approved{by}{at}"
    if request.state is RequestState.APPROVED and request.is_member_confirmation:
        by = f", confirmed by a member ({mention(request.decided_by)})"
    if request.state is RequestState.APPROVED and request.is_self_release and request.decided_by == request.asked_of:
        by = f": released by its owner {mention(request.decided_by)}, the only lead here"
    at = f" on {numbers.day(request.decided_at, zone)}" if request.decided_at else ""
    why = f": {escape(request.answer)}" if request.answer else ""
    return f":inbox_tray: Request{f' to build {escape(treatment)}' if treatment else ''} {request.state}{by}{at}{why}"


def _small_print(dossier: Dossier) -> str:
    hypothesis, notes = dossier.hypothesis, []
    if hypothesis.is_imported:
        notes.append("Imported: from before Labcoat")
    if hypothesis.replaces is not None:
        notes.append(f"Goes on from H-{hypothesis.replaces}")
    if hypothesis.ending is not None and hypothesis.ending.replaced_by is not None:
        notes.append(f"Goes on as H-{hypothesis.ending.replaced_by}")
    if hypothesis.different_because:
        notes.append(f"Different, because {escape(numbers.in_sentence(hypothesis.different_because))}")
    for experiment in dossier.experiments:
        notes += skipped(experiment)
        notes += [escape(note) for note in run_stories.notes(dossier.while_it_ran(experiment))]
    if dossier.needs:
        notes.append(numbers.counted(len(dossier.needs), "need"))
    if hypothesis.tags:
        notes.append("Tags: " + ", ".join(escape(tag) for tag in hypothesis.tags))
    return " · ".join(notes)


def skipped(experiment: Experiment) -> list[str]:
    """Return what an experiment was planned without, in mrkdwn, each with its reason; nothing for a cancelled one."""
    if experiment.state is ExperimentState.CANCELLED:
        return []
    without = (
        (" without a prototype", experiment.skip_reason),
        (", no user feedback yet", experiment.no_feedback_reason),
    )
    return [f"E-{experiment.number}{what}: {escape(why)}" for what, why in without if why]


def next_buttons(dossier: Dossier, *, is_split_uneven: bool = False) -> list[Block]:
    """Return the steps that are possible now: the likeliest as buttons, the rest in a menu; each is also a command.

    is_split_uneven: the split makes the running experiment not valid.
    """
    value = f"H-{dossier.hypothesis.number}"
    labels = LABELS | ({"plan": "Change the plan"} if dossier.draft is not None else {})
    if not dossier.hypothesis.is_open or dossier.hypothesis.stage is Stage.PRODUCTIONIZE:
        labels |= {"record": "Correct the totals"}
    verbs = _likely_verbs(dossier)
    buttons = [
        button(labels[verb], verb=verb, value=value, style="primary" if position == 0 else None)
        for position, verb in enumerate(verbs)
    ]
    rest = [(f"{verb} {value}", labels[verb]) for verb in _other_verbs(dossier, is_split_uneven) if verb not in verbs]
    return [*buttons, overflow(rest)] if rest else buttons


LABELS = {
    "prototype": "Begin a prototype",
    "adopt": "It runs already: adopt it",
    "predict": "Predict",
    "evidence": "Add evidence",
    "plan": "Plan an experiment",
    "start": "Start",
    "cancel": "Cancel the draft",
    "record": "Type in totals",
    "result": "Result",
    "drop": "Drop a treatment",
    "fixed": "The cause is fixed",
    "stop": "Stop",
    "again": "Run again",
    "ask": "Ask for approval",
    "decide": "Decide",
    "ship": "Ship",
    "close": "Close",
    "show": "Show",
    "edit": "Edit the words",
    "cap": "Raise the cap",
    "pivot": "Pivot: close, and go on from it",
    "need": "Note a need",
    "reopen": "Reopen",
    "take": "Take it",
    "handover": "Hand over",
}
"""What each verb is called on a button."""


def _likely_verbs(dossier: Dossier) -> list[str]:
    hypothesis, experiment = dossier.hypothesis, dossier.newest_experiment
    result = ["result"] if experiment is not None else []
    if not hypothesis.is_open:
        return [*result, "reopen"]
    if hypothesis.owner is None and hypothesis.stage is Stage.HYPOTHESIZE:
        return ["take", "close"]
    if dossier.waiting_request is not None:
        return ["decide", *result, "close"]
    match hypothesis.stage:
        case Stage.HYPOTHESIZE:
            return ["prototype", "plan", "close"]
        case Stage.PROTOTYPE:
            over = ["cap"] if dossier.prototypes and dossier.prototypes[-1].is_over_cap else []
            first = ["plan", "evidence", "ask"] if dossier.evidence else ["evidence", "plan"]
            return [*over, *first, "close"][:4]
        case Stage.PRODUCTIONIZE:
            return ["ship", *result, "reopen", "close"]
    assert experiment is not None
    typed = ["record"] if experiment.plan.source is ResultSource.TYPED else []
    match experiment.state:
        case ExperimentState.DRAFT:
            return ["start", "plan", "predict", "cancel"]
        case ExperimentState.RUNNING:
            return ["result", *typed, "stop", "evidence"]
        case _:
            return ["ask", "result", "again", "close"]


def _other_verbs(dossier: Dossier, is_split_uneven: bool) -> list[str]:
    """Return what is done now and then; a menu holds five, and every verb is a command too."""
    hypothesis, experiment = dossier.hypothesis, dossier.newest_experiment
    is_stopped = experiment is not None and experiment.state is ExperimentState.STOPPED
    typed = ["record"] if experiment is not None and is_stopped and experiment.plan.source is ResultSource.TYPED else []
    if not hypothesis.is_open:
        return typed
    owned = ["handover"] if hypothesis.owner is not None else []
    cap = ["cap"] if hypothesis.stage is Stage.PROTOTYPE and dossier.prototypes else []
    adopt = ["adopt"] if hypothesis.stage is Stage.HYPOTHESIZE else []
    ending = [] if dossier.running is not None else ["close"] if dossier.draft is not None else ["pivot"]
    return [*running_verbs(dossier, is_split_uneven), *typed, "edit", *owned, *cap, *adopt, "need", *ending]


def running_verbs(dossier: Dossier, is_split_uneven: bool) -> list[str]:
    """Return what can be done to a running experiment that goes on. is_split_uneven: the split makes it not valid."""
    running = dossier.running
    if running is None or running.is_of_the_past:
        return []
    is_fixable = is_split_uneven and running.plan.source is ResultSource.WAREHOUSE and running.fixed_cause is None
    return ["fixed"] * is_fixable + ["drop"] * (len(running.remaining_treatments) > 1)
