"""One line of a hypothesis's story: what a step did, in words, without who did it."""

from collections.abc import Callable, Mapping
from datetime import timedelta

from pydantic import TypeAdapter

from labcoat.domain.amounts import Amount
from labcoat.domain.dossier import Dossier
from labcoat.domain.experiment import Experiment
from labcoat.domain.history import Entity, HistoryEntry
from labcoat.domain.lifecycle import ExperimentState, Step
from labcoat.domain.look import Look
from labcoat.domain.plan import Plan, PlannedMetric
from labcoat.stats.rule import MetricKind, Role
from labcoat.words import findings, health, numbers, run_stories, verdicts
from labcoat.words.run_stories import because, experiment_of

VALUE_LENGTH = 120
LATE = "Data came late: they change the numbers, not the verdict."
_PLAN: TypeAdapter[Plan] = TypeAdapter(Plan)


def line(entry: HistoryEntry, dossier: Dossier, *, zone: str) -> str:
    """Return what the step did, to be read after a name: "began a prototype ...".

    dossier: as it is now; what the entry changed is read from the entry.
    """
    return _LINES[entry.step](entry, dossier, zone)


def plan_summary(plan: Plan) -> str:
    """Return a plan in one line: arms, goal, smallest effect, days, design."""
    parts = plan_parts(plan)
    effect = parts["smallest effect"]
    worth = f", smallest effect {effect}" if effect else ""
    guarded = f"; guardrails {parts['guardrails']}" if parts["guardrails"] else ""
    needed = f", about {numbers.roughly(plan.planned_units)} {plan.unit}s needed" if plan.planned_units else ""
    return (
        f"{parts['variants']} by {plan.unit}; goal {plan.goal.name}{worth}{guarded}; {parts['planned days']}{needed}, "
        f"{plan.design}"
    )


def plan_parts(plan: Plan) -> dict[str, str]:
    """Return what people choose in a plan, each part in words, "" for none."""
    by_role = {role: [_metric(one) for one in plan.metrics if one.role is role] for role in Role}
    baseline = plan.goal.baseline
    return {
        "variants": " / ".join(f"{one.name} {numbers.share(one.weight, decimals=0)}" for one in plan.variants),
        "unit": plan.unit,
        "goal": plan.goal.name,
        "baseline": "" if baseline is None else numbers.mean(baseline, plan.goal.kind),
        "smallest effect": amount(plan.goal.minimum_effect, plan.goal.kind),
        "guardrails": ", ".join(by_role[Role.GUARDRAIL]),
        "other metrics": ", ".join(by_role[Role.SECONDARY]),
        "planned days": numbers.days(round(plan.planned_days, 1)),
        "looks": plan.design.value,
        "name in the exposure data": plan.experiment_key,
    }


def _metric(metric: PlannedMetric) -> str:
    margin = f", margin {amount(metric.margin, metric.kind)}" if metric.margin is not None else ""
    return f"{metric.name} ({metric.direction} is good{margin})"


def amount(size: Amount | None, kind: MetricKind) -> str:
    """Return a size of effect as people type it, "" for none."""
    if size is None:
        return ""
    if size.is_relative:
        return f"{numbers.plain(100 * size.size)} %"
    if kind is MetricKind.PROPORTION:
        points = numbers.plain(100 * size.size)
        return f"{points} point" if points == "1" else f"{points} points"
    return numbers.plain(size.size)


def past_period(experiment: Experiment, zone: str) -> str:
    """Return the first and last day of an experiment on data of the past."""
    period = experiment.plan.period
    assert period is not None
    last_day = period.ends_at - timedelta(seconds=1)
    return f"{numbers.day_of_year(period.starts_at, zone)} to {numbers.day_of_year(last_day, zone)}"


def look_line(look: Look, experiment: Experiment) -> str:
    """Return what a look says: the verdict with its effect, the other treatments a line each, and what to do now."""
    if look.is_superseded:
        return f"E-{experiment.number}: the totals of this look were corrected, so it says nothing any more."
    assert look.readout is not None
    readout = look.readout
    lead, effect = verdicts.parts(readout, experiment.plan)
    is_running = experiment.state is ExperimentState.RUNNING and not experiment.is_of_the_past
    detail = "" if effect and readout.verdict in ("win", "keep collecting") else f" {findings.reasons(readout)}"
    arms = "".join(f"\n• {line}" for line in verdicts.arms(readout, experiment.plan))
    what_now = LATE
    if not readout.is_after_final:
        what_now = verdicts.next_step(readout, is_running=is_running, experiment=experiment.number)
    between = "\n" if arms else " "
    lacks = f" {said}" if (said := health.made_without(look.short, experiment.plan.zone)) else ""
    return f"E-{experiment.number} · {lead}{effect}.{detail.rstrip()}{arms}{between}{what_now}{lacks}"


def _file(entry: HistoryEntry, dossier: Dossier, zone: str) -> str:  # noqa: ARG001
    return f"filed H-{dossier.hypothesis.number}"


def _edit(entry: HistoryEntry, dossier: Dossier, zone: str) -> str:  # noqa: ARG001
    return f"changed the words. {'; '.join(changed_words(entry))}{because(entry)}"


_FIELDS = {
    "change": "the change",
    "metric": "the metric",
    "direction": "the direction",
    "because": "because",
    "smallest_effect": "the smallest effect",
    "refuted_by": "what would refute it",
    "different_because": "what is different",
    "tags": "the tags",
}


def changed_words(entry: HistoryEntry) -> list[str]:
    """Return what an edit changed, each as "the metric: orders → orders per user"."""
    found = ((said, entry.find(Entity.HYPOTHESIS, name)) for name, said in _FIELDS.items())
    return [_old_and_new(said, one.old, one.new) for said, one in found if one is not None]


def _old_and_new(name: str, old: object, new: object) -> str:
    return f"{name}: {_value(old)} → {_value(new)}"


def _value(value: object) -> str:
    if isinstance(value, list | tuple):
        value = ", ".join(str(one) for one in value)
    return numbers.shortened(str(value), VALUE_LENGTH) if value else "nothing"


def people(entry: HistoryEntry) -> list[str]:
    """Return the ids of the people whom the line of an entry names, as @ and the id."""
    found = [one for name in ("owner", "deputy") if (one := entry.find(Entity.HYPOTHESIS, name)) is not None]
    return [str(value) for one in found for value in (one.old, one.new) if value]


def _owner(entry: HistoryEntry, dossier: Dossier, zone: str) -> str:  # noqa: ARG001
    said = "took it over" if entry.step is Step.TAKE else "handed it over"
    deputy = entry.find(Entity.HYPOTHESIS, "deputy")
    parts = [_who(entry, "owner"), f"deputy {_who(entry, 'deputy')}" if deputy is not None else ""]
    changed = ", ".join(part for part in parts if part)
    if entry.find(Entity.HYPOTHESIS, "owner") is None:
        said = "named a deputy" if deputy is not None and deputy.new else "goes on without a deputy"
        changed = _who(entry, "deputy")
    return f"{said}: {changed}{because(entry)}" if changed else f"{said}{because(entry)}"


def _who(entry: HistoryEntry, field: str) -> str:
    changed = entry.find(Entity.HYPOTHESIS, field)
    if changed is None:
        return ""
    old, new = (f"@{value}" if value else "nobody" for value in (changed.old, changed.new))
    return f"{old} → {new}"


def _need(entry: HistoryEntry, dossier: Dossier, zone: str) -> str:  # noqa: ARG001
    noted = entry.find(Entity.NEED, "summary")
    return f"noted a need: {noted.new if noted is not None else ''}"


def _note(entry: HistoryEntry, dossier: Dossier, zone: str) -> str:  # noqa: ARG001
    return f"noted: {entry.reason or ''}"


def _prototype(entry: HistoryEntry, dossier: Dossier, zone: str) -> str:  # noqa: ARG001
    newest = dossier.prototypes[-1]
    guess = "unknown" if newest.build_guess_days is None else numbers.person_days(newest.build_guess_days)
    return (
        f"began a prototype: {numbers.as_sentence(newest.summary)} Cap {numbers.person_days(newest.cap_days)}; build guess {guess}. "
        f"We stop if: {newest.stop_when}"
    )


def _evidence(entry: HistoryEntry, dossier: Dossier, zone: str) -> str:  # noqa: ARG001
    position = entry.key_of(Entity.EVIDENCE)
    assert position is not None
    one = dossier.evidence[position - 1]
    link = f" {one.link}" if one.link and one.link != one.summary else ""
    return f"added evidence from {one.kind.source} ({one.kind}, n {numbers.count(one.count)}): {one.summary}{link}"


def _raise_cap(entry: HistoryEntry, dossier: Dossier, zone: str) -> str:  # noqa: ARG001
    changed = entry.find(Entity.PROTOTYPE, "cap_days")
    values = (changed.old, changed.new) if changed is not None else ()
    caps = [numbers.person_days(float(str(cap))) for cap in values if cap]
    return f"raised the cap: {' → '.join(caps)}{because(entry)}"


def _plan(entry: HistoryEntry, dossier: Dossier, zone: str) -> str:  # noqa: ARG001
    experiment = experiment_of(entry, dossier)
    if experiment is None:
        return "planned the same again"
    changed = changed_plan(entry)
    if changed:
        return f"changed the plan of E-{experiment.number}. {'; '.join(changed)}"
    note = ""
    if experiment.skip_reason:
        note = f". No prototype: {experiment.skip_reason}"
    elif experiment.no_feedback_reason:
        note = f". No user feedback yet: {experiment.no_feedback_reason}"
    return f"planned E-{experiment.number}: {plan_summary(experiment.plan)}{note}"


def of_several(treatment: str | None) -> str:
    """Return which of several treatments was shipped, after the word for it; "" where there was no choice."""
    return f" ({treatment})" if treatment else ""


def changed_plan(entry: HistoryEntry) -> list[str]:
    """Return how a draft's plan changed, each as "planned days: 28 days → 14 days"; empty for a new draft."""
    plan = entry.find(Entity.EXPERIMENT, "plan")
    if plan is None or plan.old is None:
        return []
    before, after = plan_parts(_PLAN.validate_python(plan.old)), plan_parts(_PLAN.validate_python(plan.new))
    changed = [_old_and_new(name, before[name], part) for name, part in after.items() if before[name] != part]
    return changed or ["only details changed"]


def _start(entry: HistoryEntry, dossier: Dossier, zone: str) -> str:
    experiment = experiment_of(entry, dossier)
    assert experiment is not None
    assert experiment.since is not None
    assert experiment.planned_end is not None
    if experiment.is_of_the_past:
        return f"started E-{experiment.number} on data of the past, {past_period(experiment, zone)}. Its plan is now fixed."
    late = " (registered late)" if experiment.is_registered_late else ""
    since, until = numbers.day_and_time(experiment.since, zone), numbers.day(experiment.planned_end, zone)
    return f"started E-{experiment.number}, live since {since}{late}, planned until {until}. Its plan is now fixed."


def _ask(entry: HistoryEntry, dossier: Dossier, zone: str) -> str:  # noqa: ARG001
    position = entry.key_of(Entity.REQUEST)
    assert position is not None
    request = dossier.get_request(position)
    who = "a member to confirm" if request.is_member_confirmation else "for approval"
    who = "themselves, as the only lead here" if request.is_self_release else who
    why = f" Without an experiment: {request.no_experiment_reason}." if request.no_experiment_reason else ""
    note = f" {request.no_experiment_note}" if request.no_experiment_note else ""
    what = f" {treatment}" if (treatment := dossier.asked_treatment(request)) else ""
    return (
        f"asked {who}: {numbers.person_days(request.amount_days)} to productionize{what}. "
        f"Conclusion: {request.conclusion}. Learned: {request.learning}{why}{note}"
    )


def _answered(word: str) -> Callable[[HistoryEntry, Dossier, str], str]:
    def said(entry: HistoryEntry, dossier: Dossier, zone: str) -> str:  # noqa: ARG001
        return f"{word} H-{dossier.hypothesis.number}{because(entry)}"

    return said


def _expired(entry: HistoryEntry, dossier: Dossier, zone: str) -> str:  # noqa: ARG001
    return "The request expired without an answer. Its owner can ask again."


def _ended(entry: HistoryEntry, dossier: Dossier, zone: str) -> str:  # noqa: ARG001
    ending = dossier.hypothesis.ending
    if ending is None:
        return f"closed H-{dossier.hypothesis.number}"
    link = f" {ending.link}" if ending.link else ""
    decision = "shipped" if entry.step is Step.SHIP else "closed"
    replaced = f" by H-{ending.replaced_by}" if ending.replaced_by is not None else ""
    return (
        f"{decision} H-{dossier.hypothesis.number}: {ending.outcome}, {ending.decision}{replaced}{of_several(dossier.shipped_treatment)}. "
        f"Learned: {numbers.as_sentence(ending.learning)} "
        f"Spent {numbers.person_days(ending.days_spent)}.{link}{because(entry)}"
    )


def _reopen(entry: HistoryEntry, dossier: Dossier, zone: str) -> str:  # noqa: ARG001
    said = f"reopened H-{dossier.hypothesis.number}"
    stage = entry.find(Entity.HYPOTHESIS, "stage")
    if stage is not None:  # it was approved, and not shipped yet
        said += f", which was approved; it is back at the stage “{stage.new}”"
    return f"{said}{because(entry)}"


def _withdrawn(entry: HistoryEntry, dossier: Dossier, zone: str) -> str:  # noqa: ARG001
    if entry.by is not None:
        return f"took back the request for H-{dossier.hypothesis.number}{because(entry)}"
    why = f": {entry.reason}" if entry.reason else ""
    return f"The request for H-{dossier.hypothesis.number} was withdrawn{why}. Its owner can ask again."


_LINES: Mapping[Step, Callable[[HistoryEntry, Dossier, str], str]] = {
    Step.FILE: _file,
    Step.EDIT: _edit,
    Step.TAKE: _owner,
    Step.HAND_OVER: _owner,
    Step.PROTOTYPE: _prototype,
    Step.ADD_EVIDENCE: _evidence,
    Step.RAISE_CAP: _raise_cap,
    Step.ADD_NEED: _need,
    Step.NOTE: _note,
    Step.PLAN: _plan,
    Step.START: _start,
    Step.CANCEL: run_stories.cancel,
    Step.DROP: run_stories.drop,
    Step.FIX_CAUSE: run_stories.fix_cause,
    Step.STOP: run_stories.stop,
    Step.RUN_AGAIN: run_stories.again,
    Step.ASK: _ask,
    Step.APPROVE: _answered("approved productionizing"),
    Step.SEND_BACK: _answered("sent back the request for"),
    Step.DECLINE: _answered("declined the request for"),
    Step.EXPIRE: _expired,
    Step.WITHDRAW: _withdrawn,
    Step.SHIP: _ended,
    Step.CLOSE: _ended,
    Step.PIVOT: _ended,
    Step.REOPEN: _reopen,
}
