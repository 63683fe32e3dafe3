"""How many units an experiment takes: the form and the answer."""

from labcoat.slack.blocks import Block, Message, context, escape, form, section, text_input
from labcoat.usecases.experiments.sizing import Asked
from labcoat.words import sizing as words


def size_form(*, metadata: str) -> Block:
    """Return the form that asks what `/experiment size` is typed with."""
    blocks = [
        text_input("baseline", "What is the metric today?", example="19 %, or 4.2"),
        text_input("minimum_effect", "Smallest effect worth having", example="5 %, or 0.5 points"),
        text_input(
            "deviation",
            "Standard deviation, for a number per unit",
            hint="Leave it empty for a share, such as 19 %.",
            example="7.9",
            is_optional=True,
        ),
        text_input("power", "Power", initial="0.8", example="0.8"),
        text_input("alpha", "Alpha", initial="0.05", example="0.05"),
    ]
    return form("size", title="Size", submit="Work it out", blocks=blocks, metadata=metadata)


def size_message(asked: Asked) -> Message:
    """Return the answer, a line a design."""
    lines = "\n".join(f"• {escape(line)}" for line in words.designs(asked))
    lead = escape(words.asked(asked))
    return Message(
        text=lead, blocks=(section(f":triangular_ruler: *{lead}*\n{lines}"), context(escape(words.sized_for(asked))))
    )
