"""One line of a hypothesis's story: what a step did, in words, without who did it."""

from collections.abc import Callable, Mapping
from datetime import timedelta

from labcoat.domain.dossier import Dossier
from labcoat.domain.experiment import Experiment
from labcoat.domain.history import HistoryEntry
from labcoat.domain.ids import ExperimentNumber
from labcoat.domain.lifecycle import ExperimentState, Step
from labcoat.domain.look import Look
from labcoat.domain.plan import Plan, ResultSource
from labcoat.stats.results import Role
from labcoat.words import numbers, verdicts


def line(entry: HistoryEntry, dossier: Dossier, *, zone: str) -> str:
    """Return what the step did, to be read after a name: "began a prototype ...".

    dossier: as it is now; what the entry changed is read from the entry.
    """
    return _LINES[entry.step](entry, dossier, zone)


def plan_summary(plan: Plan) -> str:
    """Return a plan in one line: arms, goal, smallest effect, days, design."""
    arms = " / ".join(f"{variant.name} {numbers.share(variant.weight, decimals=0)}" for variant in plan.variants)
    effect = plan.goal.minimum_effect
    worth = ""
    if effect is not None:
        size = numbers.plain(100 * effect.size)
        absolute = f"{size} points" if plan.goal.kind == "proportion" else numbers.plain(effect.size)
        worth = f", smallest effect {f'{size} %' if effect.is_relative else absolute}"
    guardrails = [
        f"{metric.name} ({metric.direction} is good)" for metric in plan.metrics if metric.role is Role.GUARDRAIL
    ]
    guarded = f"; guardrails {', '.join(guardrails)}" if guardrails else ""
    days = numbers.days(round(plan.planned_days, 1))
    needed = f", about {numbers.roughly(plan.planned_units)} {plan.unit}s needed" if plan.planned_units else ""
    return f"{arms} by {plan.unit}; goal {plan.goal.name}{worth}{guarded}; {days}{needed}, {plan.design}"


def past_period(experiment: Experiment, zone: str) -> str:
    """Return the first and last day of an experiment on data of the past."""
    period = experiment.plan.period
    assert period is not None
    last_day = period.ends_at - timedelta(seconds=1)
    return f"{numbers.day_of_year(period.starts_at, zone)} to {numbers.day_of_year(last_day, zone)}"


def look_line(look: Look, experiment: Experiment) -> str:
    """Return what a look says, in one line."""
    if look.is_superseded:
        return f"E-{experiment.number}: the totals of this look were corrected, so it says nothing any more."
    assert look.readout is not None
    readout = look.readout
    words = verdicts.headline(readout)
    said = verdicts.telling_effect(readout)
    effect = f" {said}." if said is not None else ""
    is_running = experiment.state is ExperimentState.RUNNING and not experiment.is_of_the_past
    detail = "" if effect and readout.verdict in ("win", "keep collecting") else f" {verdicts.reasons(readout)}"
    return f"E-{experiment.number}: {words}.{effect}{detail} {verdicts.next_step(readout, is_running=is_running)}"


def _text(entry: HistoryEntry, field: str) -> str:
    for name, (_, new) in entry.changes.items():
        if (name == field or name.endswith(f" {field}")) and new is not None:
            return str(new)
    return ""


def _experiment(entry: HistoryEntry, dossier: Dossier) -> Experiment | None:
    for name in entry.changes:
        if name.startswith("E-"):
            return dossier.get_experiment(ExperimentNumber(int(name.split(" ", 1)[0].removeprefix("E-"))))
    return None


def _file(entry: HistoryEntry, dossier: Dossier, zone: str) -> str:  # noqa: ARG001
    return f"filed H-{dossier.hypothesis.number}"


def _edit(entry: HistoryEntry, dossier: Dossier, zone: str) -> str:  # noqa: ARG001
    parts = [f"{name}: {old} → {new}" for name, (old, new) in entry.changes.items()]
    return f"changed the words. {'; '.join(parts)}{_because(entry)}"


def people(entry: HistoryEntry) -> list[str]:
    """Return the ids of the people whom the line of an entry names, as @ and the id."""
    values = [value for name in ("owner", "deputy") for value in entry.changes.get(name, ())]
    return [str(value) for value in values if value]


def _owner(entry: HistoryEntry, dossier: Dossier, zone: str) -> str:  # noqa: ARG001
    said = "took it over" if entry.step is Step.TAKE else "handed it over"
    parts = [_who(entry, "owner"), f"deputy {_who(entry, 'deputy')}" if "deputy" in entry.changes else ""]
    changed = ", ".join(part for part in parts if part)
    if "owner" not in entry.changes:
        said = "named a deputy" if entry.changes.get("deputy", (None, None))[1] else "goes on without a deputy"
        changed = _who(entry, "deputy")
    return f"{said}: {changed}{_because(entry)}" if changed else f"{said}{_because(entry)}"


def _who(entry: HistoryEntry, field: str) -> str:
    if field not in entry.changes:
        return ""
    old, new = (f"@{value}" if value else "nobody" for value in entry.changes[field])
    return f"{old} → {new}"


def _prototype(entry: HistoryEntry, dossier: Dossier, zone: str) -> str:  # noqa: ARG001
    newest = dossier.prototypes[-1]
    guess = "unknown" if newest.build_guess_days is None else numbers.person_days(newest.build_guess_days)
    return (
        f"began a prototype: {newest.summary} Cap {numbers.person_days(newest.cap_days)}; build guess {guess}. "
        f"We stop if: {newest.stop_when}"
    )


def _evidence(entry: HistoryEntry, dossier: Dossier, zone: str) -> str:  # noqa: ARG001
    position = next(int(name.split(" ")[1]) for name in entry.changes if name.startswith("evidence "))
    one = dossier.evidence[position - 1]
    link = f" {one.link}" if one.link and one.link != one.summary else ""
    return f"added evidence from {one.kind.source} ({one.kind}, n {numbers.count(one.count)}): {one.summary}{link}"


def _raise_cap(entry: HistoryEntry, dossier: Dossier, zone: str) -> str:  # noqa: ARG001
    return f"raised the cap to {numbers.person_days(float(_text(entry, 'cap_days') or 0))}{_because(entry)}"


def _plan(entry: HistoryEntry, dossier: Dossier, zone: str) -> str:  # noqa: ARG001
    experiment = _experiment(entry, dossier)
    if experiment is None:
        return "planned the same again"
    note = ""
    if experiment.skip_reason:
        note = f". No prototype: {experiment.skip_reason}"
    elif experiment.no_feedback_reason:
        note = f". No user feedback yet: {experiment.no_feedback_reason}"
    return f"planned E-{experiment.number}: {plan_summary(experiment.plan)}{note}"


def _start(entry: HistoryEntry, dossier: Dossier, zone: str) -> str:
    experiment = _experiment(entry, dossier)
    assert experiment is not None
    assert experiment.since is not None
    assert experiment.planned_end is not None
    if experiment.is_of_the_past:
        return f"started E-{experiment.number} on data of the past, {past_period(experiment, zone)}. Its plan is now fixed."
    late = " (registered late)" if experiment.is_registered_late else ""
    since, until = numbers.day_and_time(experiment.since, zone), numbers.day(experiment.planned_end, zone)
    return f"started E-{experiment.number}, live since {since}{late}, planned until {until}. Its plan is now fixed."


def _stop(entry: HistoryEntry, dossier: Dossier, zone: str) -> str:
    experiment = _experiment(entry, dossier)
    assert experiment is not None
    assert experiment.ended_at is not None
    ended = numbers.day_and_time(experiment.ended_at, zone)
    what_now = "One last look follows."
    if experiment.plan.source is ResultSource.TYPED:
        what_now = "The last look is made at totals up to then."
    return f"stopped E-{experiment.number}; traffic ended {ended}{_because(entry)}. {what_now}"


def _cancel(entry: HistoryEntry, dossier: Dossier, zone: str) -> str:  # noqa: ARG001
    experiment = _experiment(entry, dossier)
    return f"cancelled E-{experiment.number if experiment else '?'}{_because(entry)}"


def _again(entry: HistoryEntry, dossier: Dossier, zone: str) -> str:  # noqa: ARG001
    experiment = _experiment(entry, dossier)
    return f"planned to run it again as E-{experiment.number if experiment else '?'}, with the same plan"


def _ask(entry: HistoryEntry, dossier: Dossier, zone: str) -> str:  # noqa: ARG001
    position = next(int(name.split(" ")[1]) for name in entry.changes if name.startswith("request "))
    request = dossier.get_request(position)
    who = "a member to confirm" if request.is_member_confirmation else "for approval"
    who = "themselves, as the only lead here" if request.is_self_release else who
    why = f" Without an experiment: {request.no_experiment_reason}." if request.no_experiment_reason else ""
    note = f" {request.no_experiment_note}" if request.no_experiment_note else ""
    return (
        f"asked {who}: {numbers.person_days(request.amount_days)} to productionize. "
        f"Conclusion: {request.conclusion}. Learned: {request.learning}{why}{note}"
    )


def _answered(word: str) -> Callable[[HistoryEntry, Dossier, str], str]:
    def said(entry: HistoryEntry, dossier: Dossier, zone: str) -> str:  # noqa: ARG001
        return f"{word} H-{dossier.hypothesis.number}{_because(entry)}"

    return said


def _expired(entry: HistoryEntry, dossier: Dossier, zone: str) -> str:  # noqa: ARG001
    return "The request expired without an answer. Its owner can ask again."


def _ended(entry: HistoryEntry, dossier: Dossier, zone: str) -> str:  # noqa: ARG001
    ending = dossier.hypothesis.ending
    if ending is None:
        return f"closed H-{dossier.hypothesis.number}"
    link = f" {ending.link}" if ending.link else ""
    decision = "shipped" if entry.step is Step.SHIP else "closed"
    return (
        f"{decision} H-{dossier.hypothesis.number}: {ending.outcome}, {ending.decision}. Learned: {numbers.as_sentence(ending.learning)} "
        f"Spent {numbers.person_days(ending.days_spent)}.{link}{_because(entry)}"
    )


def _reopen(entry: HistoryEntry, dossier: Dossier, zone: str) -> str:  # noqa: ARG001
    return f"reopened H-{dossier.hypothesis.number}{_because(entry)}"


def _because(entry: HistoryEntry) -> str:
    return f". Why: {entry.reason}" if entry.reason else ""


_LINES: Mapping[Step, Callable[[HistoryEntry, Dossier, str], str]] = {
    Step.FILE: _file,
    Step.EDIT: _edit,
    Step.TAKE: _owner,
    Step.HAND_OVER: _owner,
    Step.PROTOTYPE: _prototype,
    Step.ADD_EVIDENCE: _evidence,
    Step.RAISE_CAP: _raise_cap,
    Step.PLAN: _plan,
    Step.START: _start,
    Step.CANCEL: _cancel,
    Step.STOP: _stop,
    Step.RUN_AGAIN: _again,
    Step.ASK: _ask,
    Step.APPROVE: _answered("approved productionizing"),
    Step.SEND_BACK: _answered("sent back the request for"),
    Step.DECLINE: _answered("declined the request for"),
    Step.EXPIRE: _expired,
    Step.WITHDRAW: _answered("took back the request for"),
    Step.SHIP: _ended,
    Step.CLOSE: _ended,
    Step.PIVOT: _ended,
    Step.REOPEN: _reopen,
}
