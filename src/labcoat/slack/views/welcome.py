"""What Labcoat says when it is invited to a channel."""

from labcoat.slack.blocks import Message, actions, button, context, header, section
from labcoat.words import home as words


def welcome_message() -> Message:
    """Return the welcome: what it does, and the first things to do. Nothing of it is required."""
    text = "I help this team learn before it builds."
    return Message(
        text=text,
        blocks=(
            header("Learn before you build"),
            section(f"{text}\n" + "\n".join(words.FIRST_RUN)),
            actions(
                [
                    button("File the first", verb="file", value="", style="primary"),
                    button("Bring past work", verb="import", value=""),
                    button("Set up", verb="settings", value=""),
                ]
            ),
            context(
                "Every Monday at 09:30 this channel reads what was learned. `/hypothesis help` shows the six words."
            ),
        ),
    )
