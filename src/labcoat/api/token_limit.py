"""How often a token may send: so many times in any minute, counted in this process."""

import math

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from labcoat.db.clock import machine_now


class TokenLimit:
    """Counts requests by token, in a moving window, so that no two windows' worth come at once."""

    def __init__(self, per_minute: int) -> None:
        self._most = RateLimitItemPerMinute(per_minute)
        self._counted = MovingWindowRateLimiter(MemoryStorage())

    def wait_seconds(self, token_id: str) -> int:
        """Count a request; return 0 if it is within the pace, else after how many whole seconds the next one is."""
        if self._counted.hit(self._most, token_id):
            return 0
        free_at = self._counted.get_window_stats(self._most, token_id).reset_time
        return max(1, math.ceil(free_at - machine_now().timestamp()))
