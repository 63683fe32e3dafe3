"""The weekly digest in words: a headline and at most five groups, each a line or a few."""

from dataclasses import dataclass

from labcoat.domain import verdicts as by_treatment
from labcoat.domain.digest import ClosedItem, Digest, HealthItem, ResultItem
from labcoat.domain.experiment import WhileItRan
from labcoat.stats.results import Verdict
from labcoat.words import findings, nudges, numbers, run_stories, stories, verdicts

CHANGE_LENGTH = 70
ITEMS_SHOWN, ITEMS_SHOWN_DETAILED = 5, 25
LEARNING_LENGTH = 160
NO_INFLOW = "No new hypothesis for two weeks. What do you believe about your users that could be wrong?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One of the five groups. people: who is mentioned, by line; only under "decide now"."""

    sign: str
    title: str
    lines: tuple[str, ...]
    people: tuple[str, ...] = ()


def title(digest: Digest, *, is_preview: bool = False) -> str:
    """Return the digest's header."""
    if is_preview:
        return "Preview: what we learned since the last digest"
    late = " (late)" if digest.is_late else ""
    return f"What we learned, week to {digest.monday.day} {digest.monday:%B}{late}"


def headline(digest: Digest) -> str:
    """Return what was learned, in a sentence."""
    if digest.closed_count:
        learned = digest.learned_by_experiment + digest.learned_by_prototype
        parts = []
        if digest.learned_by_experiment:
            parts.append(f"{digest.learned_by_experiment} by experiment")
        if digest.learned_by_prototype:
            parts.append(f"{digest.learned_by_prototype} by prototype")
        how = f": {', '.join(parts)}" if parts else ""
        return f"Learned from {learned} of {digest.closed_count} closed{how}."
    if digest.is_empty:
        return "Nothing is open. What do you believe about your users that could be wrong? File it with `/hypothesis`."
    if digest.results or digest.health or digest.decide:
        return f"{_are(digest.open_count)} open. None was closed this week."
    if digest.oldest_waiting is not None:
        change = numbers.shortened(digest.oldest_waiting_change, CHANGE_LENGTH)
        days = numbers.days(digest.oldest_waiting_days)
        return f"No new results. {_are(digest.waiting_count)} waiting; the oldest, for {days}: H-{digest.oldest_waiting} {change}."
    return f"No new results. {_are(digest.open_count)} open."


def _are(count: int) -> str:
    return f"{numbers.counted(count, 'hypothesis', 'hypotheses')} {'is' if count == 1 else 'are'}"


def groups(digest: Digest) -> list[Group]:
    """Return the groups that have something to say, in the order of urgency."""
    decide = Group(
        sign="inbox_tray",
        title="Decide now",
        lines=tuple(f"H-{one.hypothesis} {_short(one.change)}" for one in digest.decide),
        people=tuple(one.asked_of for one in digest.decide),
    )
    learning_length = 1000 if digest.is_detailed else LEARNING_LENGTH
    all_groups = [
        decide,
        Group(sign="stethoscope", title="Health", lines=tuple(_health(one) for one in digest.health)),
        Group(sign="bar_chart", title="New results", lines=tuple(_result(one) for one in digest.results)),
        Group(sign="books", title="Closed", lines=tuple(_closed(one, learning_length) for one in digest.closed)),
        Group(
            sign="zzz",
            title="Stalled",
            lines=tuple(
                f"H-{one.hypothesis} {_short(one.change)}: {nudges.STALLED.get(one.why, one.why)}, {numbers.days(one.days)}"
                for one in digest.stalled
            ),
        ),
    ]
    return [group for group in all_groups if group.lines]


def _short(change: str) -> str:
    return numbers.shortened(change, CHANGE_LENGTH)


def _health(item: HealthItem) -> str:
    label = f"E-{item.experiment} {_short(item.change)}"
    if item.readout is None:
        return f"{label}: no numbers. {item.problem}{_ran(item.ran)}"
    readout = item.readout
    said = verdicts.harm_lines(readout, item.plan)
    more = f"; and {len(said) - nudges.HARMED_SHOWN} more" if len(said) > nudges.HARMED_SHOWN else ""
    lead = "; ".join(said[: nudges.HARMED_SHOWN]) + more or verdicts.headline(readout, item.plan)
    why = "" if by_treatment.may_show_effects(readout) else f" {findings.reasons(readout)}"
    problem = f" {item.problem}" if item.problem else ""
    return f"{label} · {lead}.{why}{problem}{_ran(item.ran)}"


def _result(item: ResultItem) -> str:
    readout = item.readout
    arms = f", {more}" if (more := verdicts.counted_arms(readout)) else ""
    note = f" {findings.reasons(readout)}" if readout.verdict is Verdict.TOO_EARLY else ""
    return f"E-{item.experiment} {_short(item.change)} · {verdicts.headline(readout, item.plan)}{arms}.{note}{_ran(item.ran)}"


def _closed(item: ClosedItem, learning_length: int) -> str:
    saved = ""
    if item.days_not_spent:
        saved = f" ({numbers.person_days(item.days_not_spent)} not spent)"
    decision = f"{item.decision}{stories.of_several(item.treatment)}{saved}"
    learning = numbers.as_sentence(numbers.shortened(item.learning, learning_length))
    return f"H-{item.hypothesis} {_short(item.change)}: {item.outcome}, {decision}. {learning}{_ran(item.ran)}"


def _ran(ran: WhileItRan | None) -> str:
    notes = [] if ran is None else run_stories.notes(ran)
    return "".join(f" {note}." for note in notes)
