"""How often one person may act: generous to people, short with a stuck key or a script."""

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

_TOLD = RateLimitItemPerMinute(1, namespace="told")


class PersonLimit:
    """Counts the acts of each person in the last minute, in this process."""

    def __init__(self, acts_per_minute: int | None) -> None:
        self._limit = None if acts_per_minute is None else RateLimitItemPerMinute(acts_per_minute, namespace="act")
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def admits(self, user: str) -> bool:
        """Return whether this person may act once more, and count it."""
        return self._limit is None or self._limiter.hit(self._limit, user)

    def is_to_be_told(self, user: str) -> bool:
        """Return whether to say so with a call to Slack, which is done once a minute."""
        return self._limiter.hit(_TOLD, user)
