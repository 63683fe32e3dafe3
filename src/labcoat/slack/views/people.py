"""People in mrkdwn."""

from labcoat.domain.ids import UserId


def mention(person: UserId | None) -> str:
    """Return a mention, or that there is nobody."""
    return f"<@{person}>" if person else "nobody yet"
