"""Home in words: what waits and why, and how the team does."""

from labcoat.domain.waiting import Waiting, WaitingCase
from labcoat.usecases.people.home import INFLOW_DAYS, LEARNING_DAYS, Home, RunningItem
from labcoat.words import numbers, verdicts

FIRST_RUN = (
    "*1. Say what you believe.* A hypothesis names a change, a metric and a reason. It can be right or wrong: both teach.",
    "*2. Test it cheaply.* A prototype that five people react to, then an experiment where it is worth one.",
    "*3. Decide on evidence.* A lead releases the investment, or you go for another hypothesis.",
)


def reason(item: Waiting, *, zone: str) -> str:
    """Return why something waits for a person."""
    since = numbers.day(item.since, zone)
    match item.case:
        case WaitingCase.DECIDE:
            return f"Your decision is asked for since {since}"
        case WaitingCase.ANSWERED:
            return f"Your request was {item.answer} on {since}"
        case WaitingCase.END_REACHED:
            return f"E-{item.experiment} reached its planned end on {since}"
        case WaitingCase.UNDECIDED:
            return f"E-{item.experiment} stopped on {since}, nothing decided yet"
        case WaitingCase.DRAFT:
            return f"E-{item.experiment} is planned since {since}, not started"
        case WaitingCase.OVER_CAP:
            return "The prototype is over its cap"
        case WaitingCase.NO_USERS:
            return f"No user has reacted to the prototype since {since}"


def running_line(item: RunningItem) -> str:
    """Return one running experiment: what, how far, and what its newest look says."""
    change = numbers.shortened(item.change, 60)
    if item.readout is None:
        return f"E-{item.experiment.number} {change}: no look yet"
    day = verdicts.day(item.readout, item.experiment.plan)
    arms = f", {more}" if (more := verdicts.counted_arms(item.readout)) else ""
    return (
        f"E-{item.experiment.number} {change} · {verdicts.headline(item.readout, item.experiment.plan)}{arms} · {day}"
    )


def team_lines(home: Home) -> list[str]:
    """Return how the team does: what it learned, and whether new hypotheses come."""
    learned = f"Learned from {home.learned} of {home.closed} closed in {LEARNING_DAYS} days"
    if not home.closed:
        learned = f"Nothing was closed in the last {LEARNING_DAYS} days"
    new = numbers.counted(home.inflow, "new hypothesis", "new hypotheses")
    inflow = f"{new} in the last {INFLOW_DAYS} days, {home.inflow_before} in the {INFLOW_DAYS} before"
    return [learned, inflow]
