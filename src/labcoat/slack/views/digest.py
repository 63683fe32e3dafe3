"""The weekly digest as a message."""

from labcoat.domain.digest import Digest
from labcoat.slack.blocks import Block, Message, actions, button, context, escape, header, section
from labcoat.words import digests


def digest_message(digest: Digest, *, is_preview: bool = False) -> Message:
    """Return the digest: a headline and at most five groups; people are mentioned under "decide now" only."""
    title = digests.title(digest, is_preview=is_preview)
    headline = escape(digests.headline(digest))
    blocks: list[Block] = [header(title), section(f"*{headline}*")]
    for group in digests.groups(digest):
        shown = group.lines[: digests.ITEMS_SHOWN_DETAILED if digest.is_detailed else digests.ITEMS_SHOWN]
        lines = [f"• {escape(line)}{_for(group, position, is_preview)}" for position, line in enumerate(shown)]
        if len(group.lines) > len(shown):
            lines.append(f"• and {len(group.lines) - len(shown)} more: `/hypothesis list open`")
        blocks.append(section(f":{group.sign}: *{group.title}*\n" + "\n".join(lines)))
    if digest.has_no_inflow and not digest.is_empty:
        blocks.append(section(f":seedling: {digests.NO_INFLOW}"))
    buttons = _buttons(digest)
    blocks += [actions(buttons)] if buttons else []
    blocks.append(
        context("Effects are read at the stored daily look, with intervals that stay true however often you look.")
    )
    return Message(text=f"{title}. {headline}", blocks=tuple(blocks))


def _for(group: digests.Group, position: int, is_preview: bool) -> str:
    if position >= len(group.people):
        return ""
    # A preview is private, yet a mention in it would still look like one; the name is left to the real digest.
    return "" if is_preview else f": <@{group.people[position]}>"


def _buttons(digest: Digest) -> list[Block]:
    buttons = [
        button(f"Decide H-{item.hypothesis}", verb="decide", value=f"H-{item.hypothesis}", key=str(item.hypothesis))
        for item in digest.decide[: digests.ITEMS_SHOWN]
    ]
    if not buttons and digest.oldest_waiting is not None:
        value = f"H-{digest.oldest_waiting}"
        buttons.append(button(f"Begin a prototype for {value}", verb="prototype", value=value))
    return buttons
