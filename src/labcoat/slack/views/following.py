"""What a follower reads."""

from labcoat.domain.dossier import Dossier
from labcoat.slack.blocks import Message, actions, button, escape, section
from labcoat.words import numbers


def followed_message(dossier: Dossier, line: str) -> Message:
    """Return what became of a hypothesis that somebody follows. line: its story, in mrkdwn."""
    value = f"H-{dossier.hypothesis.number}"
    change = escape(numbers.shortened(dossier.hypothesis.change, 120))
    buttons = [button("Show", verb="show", value=value), button("Stop following", verb="unfollow", value=value)]
    text = f"You follow {value}: {change}"
    return Message(text=text, blocks=(section(f"You follow *{value}* {change}\n{line}"), actions(buttons)))
