"""A nudge as a message: one for all that waits for a person, each with the buttons that end it."""

from collections.abc import Sequence

from labcoat.domain.nudge import Nudge, NudgeCase
from labcoat.slack.blocks import Block, Message, actions, button, escape, section
from labcoat.words import nudges

_VERBS = {
    NudgeCase.REQUEST_WAITING: (("decide", "Decide"),),
    NudgeCase.END_REACHED: (("result", "Result"), ("stop", "Stop")),
    NudgeCase.UNDECIDED: (("ask", "Ask for approval"), ("again", "Run again"), ("close", "Close")),
}


def nudge_message(all_nudges: Sequence[Nudge], *, zone: str) -> Message:
    """Return one reminder for everything that waits."""
    title = nudges.title(len(all_nudges))
    blocks: list[Block] = [section(f"*{title}*")]
    for nudge in all_nudges[:15]:
        value = f"H-{nudge.hypothesis}"
        blocks.append(section(escape(nudges.line(nudge, zone=zone))))
        buttons = [
            button(label, verb=verb, value=value, key=str(nudge.hypothesis)) for verb, label in _VERBS[nudge.case]
        ]
        blocks.append(actions(buttons))
    first = nudges.line(all_nudges[0], zone=zone)
    return Message(text=escape(f"{title}: {first}"), blocks=tuple(blocks))
