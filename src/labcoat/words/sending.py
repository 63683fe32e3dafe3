"""What a program that sends results is answered, in words for whoever reads its log."""

from collections.abc import Mapping, Sequence

from labcoat.domain.plan import Plan
from labcoat.domain.refusal import Reason, Refusal
from labcoat.usecases.experiments.recording import Taken
from labcoat.words import refusals, verdicts
from labcoat.words.verdict_words import NO_LOOK

_SEND_AGAIN = 'If so, send it again with "is_correction": true.'

_NOW: Mapping[Reason, str] = {
    Reason.SMALLER_THAN_BEFORE: _SEND_AGAIN,
    Reason.OTHERS_ALREADY_STORED: _SEND_AGAIN,
    Reason.CLOSED: _SEND_AGAIN,
    Reason.WRONG_STAGE: _SEND_AGAIN,
    Reason.COUNTS_COME_FROM_WAREHOUSE: "To send numbers, plan an experiment whose goal is not in the metrics file.",
    Reason.IN_THE_FUTURE: "Check the zone of as_of, and this machine's clock.",
}
"""What a program does about it, where that is something else than for a person in Slack."""


def refused(refusal: Refusal) -> str:
    """Return why totals were not stored, and what to do."""
    said = refusals.text(refusal, mention=lambda _person: "someone").replace("`", "")
    return f"{said} {_NOW.get(refusal.reason, '')}".strip()


def stored(taken: Taken, plan: Plan, *, missing: Sequence[str]) -> str:
    """Return what became of totals that were sent. missing: what the last look waits for."""
    look = taken.look
    if not taken.metrics:
        return "These numbers are already stored; nothing changed."
    if look is not None and look.readout is not None:
        arms = f", {more}" if (more := verdicts.counted_arms(look.readout)) else ""
        return f"{verdicts.headline(look.readout, plan)}{arms}"
    if look is not None and look.no_look is not None:
        return f"Stored, without a look. {NO_LOOK[look.no_look]}"
    if missing:
        return f"Stored. The last look waits for totals up to the end: {', '.join(missing)}."
    return f"Stored. A look comes with totals of the goal, {plan.goal.name}."
