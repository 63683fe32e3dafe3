"""The forms that end a hypothesis by going on from it, and that open one again."""

from collections.abc import Sequence

from labcoat.domain.dossier import Dossier
from labcoat.domain.hypothesis import Statement
from labcoat.domain.steps.hypothesis import stage_before_approval
from labcoat.slack.blocks import Block, context, divider, escape, form, radio_input, section, text_input
from labcoat.slack.views.hypothesis import DIRECTIONS, ending_inputs
from labcoat.stats.results import Verdict


def pivot_form(
    dossier: Dossier, statement: Statement, *, verdict: Verdict | None, metadata: str, treatment: str | None = None
) -> Block:
    """Return the form that closes a hypothesis and files the next one. statement: the words to begin from."""
    blocks: Sequence[Block] = [
        context(f"This closes H-{dossier.hypothesis.number} and files a new hypothesis, linked both ways."),
        section(f"*What H-{dossier.hypothesis.number} taught*"),
        *ending_inputs(dossier, verdict=verdict, treatment=treatment),
        divider(),
        section("*What we believe now*"),
        text_input("change", "What do we change, and for whom?", initial=statement.change, is_long=True),
        text_input("metric", "Which metric should react?", initial=statement.metric),
        radio_input("direction", "Which way?", DIRECTIONS, initial=statement.direction),
        text_input("because", "Because", hint="What did you see that makes you believe it?", is_long=True),
    ]
    return form("pivot", title="Pivot", submit="Close and file", blocks=blocks, metadata=metadata)


def reopen_form(dossier: Dossier, *, metadata: str) -> Block:
    """Return the form that opens a closed hypothesis again, or takes back one that is approved and not shipped."""
    hypothesis = dossier.hypothesis
    ending = hypothesis.ending
    learned = f"\n:books: {escape(ending.learning)}" if ending else ""
    blocks = [
        section(f"*H-{hypothesis.number}* {escape(hypothesis.change)}{learned}"),
        context(_goes_on(dossier)),
        text_input(
            "reason",
            "Why open it again?",
            hint=f"Others have read that it is {'closed' if ending else 'approved'}.",
            example="Twice as many people see the page since October",
            is_long=True,
        ),
    ]
    return form("reopen", title="Reopen", submit="Reopen it", blocks=blocks, metadata=metadata)


def _goes_on(dossier: Dossier) -> str:
    if dossier.hypothesis.ending is not None:
        return f"It goes on at the stage “{dossier.hypothesis.stage}”."
    stage = stage_before_approval(dossier)
    return f"It goes back to the stage “{stage}”. The approval stays in its history; to build it, ask again."
