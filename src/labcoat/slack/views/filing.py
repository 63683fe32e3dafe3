"""The form of a new hypothesis: three questions, what was tried before, and what could be said better."""

from collections.abc import Sequence

from labcoat.domain.hypothesis import Statement
from labcoat.domain.ids import ChannelId, UserId
from labcoat.slack.blocks import (
    Block,
    button,
    channel_input,
    context,
    divider,
    escape,
    form,
    person_input,
    radio_input,
    section,
    text_input,
)
from labcoat.slack.views.hypothesis import DIRECTIONS
from labcoat.slack.views.metric import meanings
from labcoat.usecases.hypotheses.similar import Found
from labcoat.warehouse.reading import MetricDescription
from labcoat.words import numbers

CHANGE_LENGTH, LEARNING_LENGTH = 150, 200


def file_form(
    statement: Statement,
    *,
    metrics: Sequence[str],
    described: Sequence[MetricDescription],
    tags: Sequence[str],
    owner: UserId,
    channel: ChannelId | None,
    similar: Sequence[Found],
    warnings: Sequence[str] = (),
    is_review: bool = False,
    metadata: str,
) -> Block:
    """Return the form. statement: what its fields hold.

    metrics, tags: names known here, for hints. described: those of the metrics file. channel: where it will live, None
    to be chosen. similar: shown above the questions. warnings: what a first submission found. is_review: the next
    submission is taken as it is.
    """
    known = f"Known here: {', '.join(metrics[:5])}. A new name is fine." if metrics else "Example: orders per user."
    used = f"Used here: {', '.join(tags[:8])}." if tags else ""
    blocks: list[Block] = [*_warnings(warnings), *_similar(similar)]
    blocks += [
        text_input(
            "change",
            "What do we change, and for whom?",
            initial=statement.change,
            example="Show fresh offers first to people who come back within a day",
            is_long=True,
        ),
        text_input(
            "metric", "Which metric should react?", initial=statement.metric, hint=known, example="orders per user"
        ),
        *meanings(described),
        radio_input("direction", "Which way?", DIRECTIONS, initial=statement.direction),
        text_input(
            "because",
            "Because",
            initial=statement.because,
            hint="What have you seen that makes you believe it? It may be wrong: both are results.",
            example="4 of 5 people we watched scrolled past offers they had seen before",
            is_long=True,
        ),
    ]
    if similar or statement.different_because:
        blocks.append(
            text_input(
                "different_because",
                "Different from those, because",
                initial=statement.different_because,
                example="Then it was for everybody, now only for who comes back",
                is_optional=True,
            )
        )
    blocks += [
        divider(),
        context("*More*, all optional"),
        text_input(
            "smallest_effect",
            "Smallest effect worth having",
            initial=statement.smallest_effect,
            example="2 %",
            is_optional=True,
        ),
        text_input(
            "refuted_by",
            "What would refute it?",
            initial=statement.refuted_by,
            example="People do not notice the order",
            is_optional=True,
        ),
        text_input(
            "tags",
            "Tags",
            initial=", ".join(statement.tags),
            hint=used,
            example="search, freshness",
            is_optional=True,
        ),
        person_input("owner", "Owner", initial=owner),
        channel_input("channel", "Channel", initial=channel, hint="Its card and its story live there."),
    ]
    submit = "File it anyway" if is_review else "File it"
    return form("file", title="New hypothesis", submit=submit, metadata=metadata, blocks=blocks)


def _warnings(warnings: Sequence[str]) -> list[Block]:
    if not warnings:
        return []
    lines = "\n".join(f"• {escape(warning)}" for warning in warnings)
    return [section(f":bulb: *Could be said better, or filed as it is:*\n{lines}"), divider()]


def _similar(similar: Sequence[Found]) -> list[Block]:
    if not similar:
        return []
    return [
        section(":mag: *Have we tried this?*"),
        *(_one(found) for found in similar),
        divider(),
    ]


def _one(found: Found) -> Block:
    follow = button("Follow that one", verb="follow", value=f"H-{found.number}", key=str(found.number))
    return section(found_line(found), accessory=follow if found.ending is None else None)


def found_line(found: Found) -> str:
    """Return a hypothesis that was found, in mrkdwn: what it changes, where it is, what was learned."""
    change = escape(numbers.shortened(found.change, CHANGE_LENGTH))
    if found.ending is None:
        return f"*H-{found.number}* {change}\nOpen, at the stage {found.stage}"
    learning = escape(numbers.shortened(found.ending.learning, LEARNING_LENGTH))
    return f"*H-{found.number}* {change}\n{found.ending.outcome.capitalize()}, {found.ending.decision}. {learning}"
