"""What the infrastructure misses: the list, and the form that notes one more."""

from collections.abc import Sequence

from labcoat.domain.hypothesis import Hypothesis
from labcoat.slack.blocks import (
    OPTIONS,
    Block,
    Message,
    actions,
    button,
    context,
    escape,
    form,
    option,
    section,
    select_input,
    text_input,
)
from labcoat.usecases.hypotheses.needs import RankedNeed
from labcoat.words import numbers

SHOWN, IDS_SHOWN = 15, 5


def need_list(found: Sequence[RankedNeed]) -> Message:
    """Return the needs, what most hypotheses miss first."""
    note = actions([button("Note a need", verb="need", value="new")])
    if not found:
        text = "No needs yet. What did you miss while you built a prototype or ran an experiment?"
        return Message(text=text, blocks=(section(text), note))
    lines = [f"{place}. {_line(need)}" for place, need in enumerate(found[:SHOWN], start=1)]
    more = f"and {len(found) - SHOWN} more · " if len(found) > SHOWN else ""
    blocks = (
        section("*What our prototypes and experiments missed*"),
        section("\n".join(lines)),
        context(f"{more}Ranked by how many hypotheses miss the same."),
        note,
    )
    return Message(text=f"Needs: {len(found)}", blocks=blocks)


def _line(need: RankedNeed) -> str:
    ids = ", ".join(f"H-{number}" for number in need.hypotheses[:IDS_SHOWN])
    more = f" and {len(need.hypotheses) - IDS_SHOWN} more" if len(need.hypotheses) > IDS_SHOWN else ""
    return f"*{escape(numbers.shortened(need.summary, 120))}*: {ids}{more}"


def need_form(found_in: Sequence[Hypothesis], *, text: str, chosen: Hypothesis | None, metadata: str) -> Block:
    """Return the form that notes a need. found_in: the hypotheses to choose from, the likeliest first; at least one."""
    choices = [
        option(f"H-{one.number}", f"H-{one.number} {numbers.shortened(one.change, 60)}") for one in found_in[:OPTIONS]
    ]
    blocks = [
        text_input(
            "summary",
            "What is missing?",
            initial=text,
            hint="A component that prototypes or experiments needed and did not find.",
            example="A log of what was on the screen",
        ),
        select_input(
            "found_in",
            "Where did you find that?",
            choices,
            initial=f"H-{(chosen or found_in[0]).number}",
        ),
    ]
    return form("need", title="Note a need", submit="Note it", blocks=blocks, metadata=metadata)
