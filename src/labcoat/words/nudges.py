"""Nudges in words: kind, specific, and with what ends them."""

from labcoat.domain.nudge import Nudge, NudgeCase
from labcoat.words import numbers


def line(nudge: Nudge, *, zone: str) -> str:
    """Return one reminder."""
    change = numbers.shortened(nudge.change, 90)
    since = numbers.day(nudge.since, zone)
    match nudge.case:
        case NudgeCase.REQUEST_WAITING:
            return f"H-{nudge.hypothesis} {change}: a request has been waiting for a lead's answer since {since}."
        case NudgeCase.END_REACHED:
            return f"E-{nudge.experiment} {change}: its planned end was {since}. Stop it when you are ready to decide."
        case NudgeCase.OWNER_GONE:
            return (
                f"H-{nudge.hypothesis} {change}: its owner is not here any more, and it is where it was on {since}. "
                "Hand it over, or close it."
            )
        case NudgeCase.UNDECIDED:
            return (
                f"E-{nudge.experiment} {change}: stopped, and nothing decided since {since}. Ask a lead, or close it."
            )


def title(count: int) -> str:
    """Return how a message of reminders begins."""
    return "One thing waits for you" if count == 1 else f"{count} things wait for you"
