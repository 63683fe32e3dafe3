"""How often an app may post into one channel; who is faster is told when to come back."""

import math
from collections.abc import Callable


class Pace:
    """When each channel may be posted to again. seconds: between two posts; 0 lets everything through."""

    def __init__(self, seconds: float, *, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._clock = clock
        self._free_at: dict[str, float] = {}

    def seconds_to_wait(self, channel: str) -> int:
        """Count a post now and return 0, or return how many whole seconds it is too early."""
        now = self._clock()
        free_at = self._free_at.get(channel, now)
        if free_at > now:
            return math.ceil(free_at - now)
        self._free_at[channel] = now + self._seconds
        return 0
