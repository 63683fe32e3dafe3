"""What Labcoat says when it is invited to a channel."""

from labcoat.slack.blocks import Message, actions, button, section


def welcome_message() -> Message:
    """Return the welcome: what it does, and the first things to do."""
    text = "I help this team learn before it builds."
    return Message(text=text, blocks=(section(text), actions([button("File the first", verb="file", value="")])))
