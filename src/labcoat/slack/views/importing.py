"""Bring past work: the form, its preview, and what came of it."""

from labcoat.domain.ids import ChannelId
from labcoat.domain.importing import PastWork, Reading
from labcoat.slack.blocks import (
    Block,
    Message,
    actions,
    button,
    channel_input,
    context,
    divider,
    escape,
    file_input,
    form,
    section,
    text_input,
)
from labcoat.words import numbers

SHOWN = 10


def import_form(
    *, paste: str, channel: ChannelId | None, reading: Reading | None, has_file: bool, metadata: str
) -> Block:
    """Return the form; with a reading, its preview: what will come, before anything is stored."""
    blocks: list[Block] = [*_preview(reading)] if reading is not None else [section(_HOW)]
    blocks.append(
        text_input(
            "paste",
            "Paste it here" if reading is None else "What you pasted",
            initial=paste,
            example="title, outcome, learning\nBigger photos, refuted, People compare prices first",
            is_long=True,
            is_optional=True,
        )
    )
    if not has_file:
        blocks.append(file_input("file", "Or a CSV file", kinds=("csv", "tsv", "txt"), hint="At most 1 MB, 500 lines."))
    blocks.append(
        channel_input("channel", "Channel", initial=channel, hint="Where they live; nothing is posted there.")
    )
    submit = "Look at it" if reading is None else "Bring them"
    return form("import", title="Bring past work", submit=submit, blocks=blocks, metadata=metadata)


_HOW = (
    "One hypothesis a line; only a title is needed. A table with a header may have: title, metric, because, owner, "
    "outcome, decision, learning, closed, tags. Nothing is posted, nobody is nudged, and you look at it before it is "
    "stored."
)


def _preview(reading: Reading) -> list[Block]:
    found = numbers.counted(len(reading.found), "hypothesis", "hypotheses")
    lines = [f"• {_line(one)}" for one in reading.found[:SHOWN]]
    more = len(reading.found) - SHOWN
    lines += [f"• and {more} more"] if more > 0 else []
    blocks = [section(f":inbox_tray: *{found} will come.* Nothing is stored yet.\n" + "\n".join(lines))]
    if reading.twice:
        names = ", ".join(f"“{escape(numbers.shortened(one.change, 40))}”" for one in reading.twice[:5])
        again = f"{len(reading.twice)} there already, left out: {names}"
        blocks.append(context(again))
    if reading.unclear:
        more_unclear = f"; and {len(reading.unclear) - 5} more" if len(reading.unclear) > 5 else ""
        blocks.append(context(escape(f"Please check: {'; '.join(reading.unclear[:5])}{more_unclear}")))
    return [*blocks, divider()]


def _line(one: PastWork) -> str:
    change = escape(numbers.shortened(one.change, 90))
    if one.outcome is None:
        return f"{change} (open)"
    learning = f": {escape(numbers.shortened(one.learning, 80))}" if one.learning else ""
    return f"{change} ({one.outcome}, {one.decision}){learning}"


def imported_message(count: int) -> Message:
    """Return what came of it."""
    text = f"{numbers.counted(count, 'hypothesis', 'hypotheses')} from before are here now, marked as imported."
    more = context("They are found by search and by list, and do not count in the learning rate.")
    return Message(text=text, blocks=(section(text), more, actions([button("Show them", verb="list", value="closed")])))
