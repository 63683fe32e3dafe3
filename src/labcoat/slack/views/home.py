"""App Home as a view."""

from labcoat.slack.blocks import Block, actions, button, header


def home() -> Block:
    """Return a person's Home."""
    blocks = [header("Labcoat"), actions([button("New hypothesis", verb="file", value="")])]
    return {"type": "home", "blocks": blocks}
