"""What a channel chose: when its digest comes, how much it says, who is nudged and when not."""

from dataclasses import dataclass, replace
from datetime import time
from functools import cache
from zoneinfo import available_timezones

from labcoat.domain.ids import ChannelId
from labcoat.domain.refusal import Reason, Refusal

DIGEST_TIME = time(9, 30)
MONDAY = 0
MOST_TAGS, LONGEST_TAG = 20, 40


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSettings:
    """A channel's settings; what nobody changed is as here.

    home: where hypotheses filed from here live, None for here. digest_weekday: Monday is 0. zone: IANA name, None for
    the one Labcoat runs with. is_detailed: the digest names every item, not five a group.
    quiet_from, quiet_until: local hours 0-23 between which nobody is nudged; both None for never quiet.
    tags: offered when a hypothesis is filed from here.
    """

    home: ChannelId | None = None
    digest_weekday: int = MONDAY
    digest_time: time = DIGEST_TIME
    zone: str | None = None
    is_detailed: bool = False
    has_nudges: bool = True
    quiet_from: int | None = None
    quiet_until: int | None = None
    tags: tuple[str, ...] = ()

    @property
    def quiet(self) -> tuple[int, int] | None:
        """From and until which local hour nobody is nudged."""
        if self.quiet_from is None or self.quiet_until is None:
            return None
        return self.quiet_from, self.quiet_until

    @property
    def digest_slot(self) -> tuple[int, time, str | None]:
        """Weekday, time and zone of the digest."""
        return self.digest_weekday, self.digest_time, self.zone


def checked(settings: ChannelSettings) -> ChannelSettings:
    """Return the settings with their tags cleaned; raise Refusal for what cannot be."""
    if (settings.quiet_from is None) != (settings.quiet_until is None):
        raise Refusal(Reason.QUIET_HALF, "quiet_until" if settings.quiet_until is None else "quiet_from")
    if settings.quiet_from is not None and settings.quiet_from == settings.quiet_until:
        raise Refusal(Reason.QUIET_ALWAYS, "quiet_until")
    tags = tuple(dict.fromkeys(tag.strip().lower() for tag in settings.tags if tag.strip()))
    if len(tags) > MOST_TAGS:
        raise Refusal(Reason.TOO_MANY, "tags", count=len(tags), most=MOST_TAGS)
    for tag in tags:
        if len(tag) > LONGEST_TAG:
            raise Refusal(Reason.TOO_LONG, "tags", length=len(tag), longest=LONGEST_TAG)
    return replace(settings, tags=tags)


@cache
def _zones() -> tuple[str, ...]:
    return tuple(sorted(available_timezones()))


def read_zone(text: str) -> str:
    """Return the IANA name that somebody meant; raise Refusal if there is none.

    >>> read_zone("europe/berlin"), read_zone("New York"), read_zone("utc")
    ('Europe/Berlin', 'America/New_York', 'UTC')
    """
    wanted = "_".join(text.split()).lower()
    known = _zones()
    exact = [name for name in known if name.lower() == wanted]
    cities = [name for name in known if name.lower().rpartition("/")[2] == wanted and "/" in name]
    found = exact or cities
    if not found:
        raise Refusal(Reason.NOT_A_ZONE, "zone", text=text[:60])
    return found[0]
