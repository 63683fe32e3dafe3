"""What a channel chose: when its digest comes, how much it says, who is nudged and when not."""

from dataclasses import dataclass
from datetime import time

from labcoat.domain.ids import ChannelId

DIGEST_TIME = time(9, 30)
MONDAY = 0


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
