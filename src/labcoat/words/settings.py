"""A channel's settings in words: what each part is now, and what changed."""

from collections.abc import Callable, Mapping

from labcoat.domain.channel import ChannelSettings

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def digest_time(settings: ChannelSettings, *, zone: str) -> str:
    """Return when the digest comes, as "Monday 09:30 (Europe/Berlin)". zone: for a channel that chose none."""
    clock = f"{settings.digest_time:%H:%M}"
    return f"{WEEKDAYS[settings.digest_weekday]} {clock} ({settings.zone or zone})"


def changes(old: ChannelSettings, new: ChannelSettings, *, zone: str, escape: Callable[[str], str] = str) -> list[str]:
    """Return what changed, one line a part, old -> new. escape: makes typed text harmless where this is shown."""
    said = [(label, say(old, zone, escape), say(new, zone, escape)) for label, say in _PARTS.items()]
    return [f"{label}: {before} → {after}" for label, before, after in said if before != after]


def _digest(settings: ChannelSettings, zone: str, escape: Callable[[str], str]) -> str:  # noqa: ARG001
    return digest_time(settings, zone=zone)


def _size(settings: ChannelSettings, zone: str, escape: Callable[[str], str]) -> str:  # noqa: ARG001
    return "detailed" if settings.is_detailed else "compact"


def _nudges(settings: ChannelSettings, zone: str, escape: Callable[[str], str]) -> str:  # noqa: ARG001
    return "on" if settings.has_nudges else "off"


def _quiet(settings: ChannelSettings, zone: str, escape: Callable[[str], str]) -> str:  # noqa: ARG001
    if settings.quiet is None:
        return "none"
    start, end = settings.quiet
    return f"{start:02}:00 to {end:02}:00"


def _home(settings: ChannelSettings, zone: str, escape: Callable[[str], str]) -> str:  # noqa: ARG001
    return f"<#{settings.home}>" if settings.home else "this channel"


def _tags(settings: ChannelSettings, zone: str, escape: Callable[[str], str]) -> str:  # noqa: ARG001
    return escape(", ".join(settings.tags)) or "none"


_PARTS: Mapping[str, Callable[[ChannelSettings, str, Callable[[str], str]], str]] = {
    "Digest comes": _digest,
    "Digest is": _size,
    "Nudges": _nudges,
    "Quiet hours": _quiet,
    "Hypotheses from here live in": _home,
    "Tags": _tags,
}
