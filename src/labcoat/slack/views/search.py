"""Search: its form and its answer."""

from collections.abc import Sequence

from labcoat.slack.blocks import (
    VALUE_LENGTH,
    Block,
    Message,
    actions,
    button,
    context,
    escape,
    form,
    section,
    text_input,
)
from labcoat.slack.views.filing import found_line
from labcoat.usecases.hypotheses.similar import Found
from labcoat.words import numbers

SHOWN = 10


def search_form(*, metadata: str) -> Block:
    """Return the form with one field."""
    field = text_input(
        "words", "What are you looking for?", example="fresh offers", hint="Typing mistakes are forgiven."
    )
    return form("search", title="Search", submit="Search", blocks=[field], metadata=metadata)


def search_results(found: Sequence[Found], *, count: int, text: str) -> Message:
    """Return the answer: the best first, with outcome and learning. count: of all hits."""
    shown = escape(numbers.shortened(text, 80))
    file_it = button(f"File “{numbers.shortened(text, 40)}”", verb="file", value=text[:VALUE_LENGTH])
    if not found:
        said = f"Nothing here is about “{shown}” yet. What do you believe about it?"
        return Message(text=said, blocks=(section(said), actions([file_it])))
    blocks = [section(f":mag: *About “{shown}”*")]
    blocks += [
        section(found_line(one), accessory=button("Show", verb="show", value=f"H-{one.number}", key=str(one.number)))
        for one in found
    ]
    if count > len(found):
        blocks.append(context(f"{count - len(found)} more are a little like it: add a word to find them."))
    return Message(
        text=f"{numbers.counted(count, 'hypothesis', 'hypotheses')} about {shown}", blocks=(*blocks, actions([file_it]))
    )
