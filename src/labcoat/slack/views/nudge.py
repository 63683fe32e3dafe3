"""A nudge as a message: one for all that waits for a person, each with the buttons that end it."""

from collections.abc import Sequence

from labcoat.domain.nudge import Nudge, NudgeCase
from labcoat.slack.blocks import Block, Message, actions, button, context, escape, section
from labcoat.words import nudges

_VERBS = {
    NudgeCase.REQUEST_WAITING: (("decide", "Decide"),),
    NudgeCase.END_REACHED: (("result", "Result"), ("stop", "Stop")),
    NudgeCase.OWNER_GONE: (("handover", "Hand over"), ("show", "Show"), ("close", "Close")),
    NudgeCase.UNDECIDED: (("ask", "Ask for approval"), ("again", "Run again"), ("close", "Close")),
}

SHOWN = 15


def nudge_message(all_nudges: Sequence[Nudge], *, zone: str) -> Message:
    """Return one reminder for everything that waits."""
    title = nudges.title(len(all_nudges))
    blocks: list[Block] = [section(f"*{title}*")]
    for nudge in all_nudges[:SHOWN]:
        blocks.append(section(escape(nudges.line(nudge, zone=zone))))
        buttons = [
            button(label, verb=verb, value=_value(nudge, verb), key=str(nudge.hypothesis))
            for verb, label in _VERBS[nudge.case]
        ]
        blocks.append(actions(buttons))
    if len(all_nudges) > SHOWN:
        blocks.append(context(f"and {len(all_nudges) - SHOWN} more: `/hypothesis list mine`"))
    first = nudges.line(all_nudges[0], zone=zone)
    return Message(text=escape(f"{title}: {first}"), blocks=tuple(blocks))


def _value(nudge: Nudge, verb: str) -> str:
    # An old message's button must not act on the experiment that runs today.
    is_about_experiment = verb in ("result", "stop", "again") and nudge.experiment is not None
    return f"E-{nudge.experiment}" if is_about_experiment else f"H-{nudge.hypothesis}"
