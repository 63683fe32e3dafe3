"""The forms of a hypothesis: close, ship."""

from labcoat.domain.dossier import Dossier
from labcoat.domain.hypothesis import Outcome
from labcoat.domain.need import Tenfold
from labcoat.domain.steps.hypothesis import PROPOSED_OUTCOME
from labcoat.slack.blocks import (
    Block,
    checkbox_input,
    escape,
    form,
    option,
    radio_input,
    section,
    text_input,
)
from labcoat.slack.views.card import sentence
from labcoat.stats.results import Verdict
from labcoat.stats.rule import Direction

DIRECTIONS = (option(Direction.UP, "goes up"), option(Direction.DOWN, "goes down"))


def close_form(dossier: Dossier, *, verdict: Verdict | None, metadata: str, treatment: str | None = None) -> Block:
    """Return the end form; it proposes what the verdict proposes. treatment: whose it is, of several."""
    blocks = [section(sentence(dossier.hypothesis)), *ending_inputs(dossier, verdict=verdict, treatment=treatment)]
    return form("close", title="Close", submit="Close it", metadata=metadata, blocks=blocks)


def ending_inputs(dossier: Dossier, *, verdict: Verdict | None, treatment: str | None = None) -> list[Block]:
    """Return what is asked whenever a hypothesis ends without being built."""
    whose = f"The verdict of {treatment}, “{verdict}”," if treatment else f"The verdict “{verdict}”"
    proposed = PROPOSED_OUTCOME.get(verdict) if verdict is not None else None
    why = f"{whose} proposes “{proposed}”." if proposed else "Both ways are results."
    if verdict in (Verdict.INVALID, Verdict.DATA_ERROR):
        why = f"The verdict is “{verdict}”, so the numbers say nothing. Consider running it again first."
    spent = sum(prototype.spent_days for prototype in dossier.prototypes)
    return [
        radio_input(
            "outcome",
            "What does the evidence say?",
            [option(outcome) for outcome in Outcome],
            initial=proposed or (None if verdict else Outcome.ABANDONED if not dossier.evidence else None),
            hint=why,
        ),
        text_input(
            "learning",
            "What should the next team know?",
            hint="One sentence. “Nothing, because …” is allowed.",
            example="People want fewer offers, not fresher ones",
            is_long=True,
        ),
        text_input(
            "days_spent",
            "Person-days spent in all",
            example="3",
            initial=f"{spent:g}" if spent else "",
            hint="A guess is fine.",
        ),
        # Always there: a verdict may come while the form is open, and then the reason needs its field.
        text_input("overrides", "If the verdict proposes another outcome: why?", is_optional=True),
    ]


def ship_form(dossier: Dossier, *, metadata: str) -> Block:
    """Return the form that ships: the link and the 10x list."""
    return form(
        "ship",
        title="Ship",
        submit="Ship it",
        metadata=metadata,
        blocks=[
            section(f"*H-{dossier.hypothesis.number}* {escape(dossier.hypothesis.change)}{_shipped(dossier)}"),
            text_input("link", "Where is it?", hint="A link to the release or the code.", example="https://…"),
            checkbox_input(
                "tenfold",
                "What holds already?",
                [option(line) for line in Tenfold],
                hint="What is not checked means “not yet”, and is noted as a need.",
            ),
            text_input("days_spent", "Person-days spent in all", example="12", hint="A guess is fine."),
        ],
    )


def _shipped(dossier: Dossier) -> str:
    """Return which of several treatments was approved, on a line of its own."""
    request = dossier.approved_request
    treatment = dossier.asked_treatment(request) if request is not None else None
    return f"\nApproved to be built: *{escape(treatment)}*" if treatment else ""
