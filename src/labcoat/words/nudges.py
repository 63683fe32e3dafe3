"""Nudges in words: kind, specific, and with what ends them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from labcoat.domain.experiment import Experiment
from labcoat.domain.nudge import Nudge, Role
from labcoat.domain.stall import URGENT, NudgeCase
from labcoat.stats.results import Readout
from labcoat.words import findings, numbers, verdicts

CHANGE_LENGTH = 90
HARMED_SHOWN = 2
_OF_EXPERIMENT = frozenset(
    {
        NudgeCase.SPLIT, NudgeCase.HARM, NudgeCase.END_REACHED, NudgeCase.UNDECIDED, NudgeCase.NO_NUMBERS,
        NudgeCase.NO_DATA, NudgeCase.TOTALS, NudgeCase.DRAFT,
    }
)  # fmt: skip

_OWN: Mapping[NudgeCase, str] = {
    NudgeCase.SPLIT: (
        "since {since} its traffic is not split as planned, so its numbers can't be trusted. "
        "Find out what sends people elsewhere, and stop it if that can't be mended at once."
    ),
    NudgeCase.HARM: "since {since} its numbers show harm. Stop what does it, unless you know why it is worth going on.",
    NudgeCase.REQUEST_WAITING: (
        "a request has been waiting for a lead's answer since {since}. Approve, send back or decline: each takes a sentence."
    ),
    NudgeCase.OWNER_GONE: "its owner is not here any more since {since}. Take it, hand it over, or close it.",
    NudgeCase.END_REACHED: (
        "its planned end was {since}, and nothing stops by itself. Stop it when you are ready to decide."
    ),
    NudgeCase.UNDECIDED: (
        "stopped, and nothing decided since {since}. Ask a lead for the build, run it again, or close it with what it taught."
    ),
    NudgeCase.NO_NUMBERS: "its numbers have been unreadable since {since}. Mend the source, or stop it if they can't come back.",
    NudgeCase.NO_DATA: (
        "by {since}, two days after its start, nobody had been seen in it. Is the switch on, and does your data name the "
        "experiment as the plan does?"
    ),
    NudgeCase.TOTALS: "no totals since {since}. Send this week's, and Monday's digest can say where it stands.",
    NudgeCase.DRAFT: "planned, and not started since {since}. Start it once traffic runs, or cancel it if it won't.",
    NudgeCase.OVER_CAP: (
        "its prototype has cost more than its cap since {since}. Raise the cap with a reason, go on to an experiment, or "
        "close it with what it taught."
    ),
    NudgeCase.NO_USERS: (
        "no user has reacted to its prototype, and nothing has moved since {since}. Show it to five people and add what they did."
    ),
    NudgeCase.IDLE: (
        "users have seen its prototype, and nothing has moved since {since}. Plan an experiment, or close it with what it taught."
    ),
    NudgeCase.QUIET: "approved to be built, and quiet since {since}. Ship it once it is out, or close it with what became of it.",
    NudgeCase.UNTOUCHED: "untouched since {since}. Keep it if you still believe it, hand it over, or close it.",
}

_OF_OTHERS: Mapping[NudgeCase, str] = {
    NudgeCase.SPLIT: (
        "since {since} its traffic is not split as planned, and it still runs. Its numbers can't be trusted: help its "
        "owner find out why, or stop it."
    ),
    NudgeCase.HARM: "since {since} its numbers show harm, and it still runs. Ask its owner why, or stop it.",
    NudgeCase.END_REACHED: "its planned end was {since}, and it still runs. Ask its owner what holds it, or stop it.",
    NudgeCase.UNDECIDED: "stopped, and nothing decided since {since}. Help its owner decide, hand it over, or close it.",
    NudgeCase.QUIET: (
        "approved to be built, and quiet since {since}. Ask its owner what holds it, hand it over, or close it."
    ),
}

_OF_ADMINS: Mapping[NudgeCase, str] = {
    NudgeCase.REQUEST_WAITING: (
        "a request has been waiting since {since}, and no lead has answered. It runs out after ten working days: "
        "remind them, or name another lead in the settings."
    ),
    NudgeCase.OWNER_GONE: "its owner is not here any more since {since}, and nobody has taken it. Take it, or ask a lead to.",
}

_LAST: Mapping[NudgeCase, str] = {
    NudgeCase.DRAFT: "A plan that never runs can be cancelled: it stays to be read.",
    NudgeCase.NO_USERS: "What was learned so far is a result too: it can be closed.",
}
_LAST_FROM = 2
"""The step from which ending it is offered in words too."""

STALLED: Mapping[str, str] = {
    NudgeCase.OWNER_GONE: "its owner is not here any more",
    NudgeCase.END_REACHED: "its planned end has passed",
    NudgeCase.UNDECIDED: "stopped, not decided",
    NudgeCase.NO_DATA: "nobody seen in it yet",
    NudgeCase.TOTALS: "no totals sent",
    NudgeCase.DRAFT: "planned, not started",
    NudgeCase.OVER_CAP: "the prototype is over its cap",
    NudgeCase.NO_USERS: "no user has reacted to the prototype",
    NudgeCase.IDLE: "nothing new since users saw the prototype",
    NudgeCase.QUIET: "approved, nothing heard since",
    NudgeCase.UNTOUCHED: "untouched",
}
"""Why it stalls, as the digest says it."""


def line(nudge: Nudge, *, zone: str) -> str:
    """Return one reminder."""
    by_role = {
        Role.OWNER: _OWN,
        Role.DEPUTY: _OWN,
        Role.LEAD: {**_OWN, **_OF_OTHERS},
        Role.ADMIN: {**_OWN, **_OF_ADMINS},
    }
    said = by_role[nudge.role][nudge.case].format(since=numbers.day(nudge.since, zone))
    more = _LAST.get(nudge.case, "") if nudge.step >= _LAST_FROM else ""
    return f"{label(nudge)}: {said} {more}".rstrip()


def harm(readout: Readout, experiment: Experiment, *, role: Role = Role.OWNER) -> str:
    """Return which treatments do harm, to what, and how to end it while others go on; only an owner drops.

    role: of who reads it.
    """
    said = verdicts.harm_lines(readout, experiment.plan)
    if not said:
        return findings.reasons(readout)
    more = f"; and {len(said) - HARMED_SHOWN} more" if len(said) > HARMED_SHOWN else ""
    can_drop = len(said) < len(experiment.remaining_treatments) and bool(readout.treatments)
    drop = _drop(experiment, "it" if len(said) == 1 else "them", role) if can_drop else ""
    return f"{'; '.join(said[:HARMED_SHOWN])}{more}.{drop}"


def _drop(experiment: Experiment, what: str, role: Role) -> str:
    if role in (Role.LEAD, Role.ADMIN):
        return f" Its owner can drop {what}, and the others go on."
    return f" Drop {what} and the others go on: `/experiment drop E-{experiment.number}`."


def label(nudge: Nudge) -> str:
    """Return what a reminder is about: id and change."""
    is_of_experiment = nudge.case in _OF_EXPERIMENT and nudge.experiment is not None
    name = f"E-{nudge.experiment}" if is_of_experiment else f"H-{nudge.hypothesis}"
    return f"{name} {numbers.shortened(nudge.change, CHANGE_LENGTH).rstrip('.')}"


def whose(nudge: Nudge, mention: Callable[[str], str]) -> str:
    """Return why this comes to somebody who does not own it; empty for the owner."""
    owner = mention(nudge.owner) if nudge.owner is not None else "nobody"
    match nudge.role:
        case Role.OWNER:
            return ""
        case Role.DEPUTY:
            return f"Owner: {owner}. You read this as deputy."
        case Role.LEAD:
            return f"Owner: {owner}. You read this as a lead."
        case Role.ADMIN:
            return f"Owner: {owner}. You read this because you manage this workspace."


def title(nudges: Sequence[Nudge]) -> str:
    """Return how a message of reminders begins."""
    count = len(nudges)
    cases = {nudge.case for nudge in nudges}
    if cases & URGENT:
        return "This needs you now" if count == 1 else f"{count} things wait for you, the first one now"
    if cases == {NudgeCase.UNTOUCHED}:
        return (
            f"Still worth testing? {numbers.counted(count, 'hypothesis', 'hypotheses')} of yours, untouched for a month"
        )
    is_help = all(nudge.role in (Role.LEAD, Role.ADMIN) for nudge in nudges) and NudgeCase.REQUEST_WAITING not in cases
    if is_help:
        return (
            "One thing has stalled and could use your help"
            if count == 1
            else f"{count} things have stalled and could use your help"
        )
    return "One thing waits for you" if count == 1 else f"{count} things wait for you"


def snoozed(until: datetime, *, zone: str) -> str:
    """Return what takes the place of the buttons of a snoozed nudge."""
    return f"you hear of it again from {numbers.day(until, zone)} on, unless it moves before"
