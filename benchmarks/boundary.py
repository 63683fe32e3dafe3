"""Group-sequential boundaries: a new path, one more look from the stored density, a cached one; one JSON line."""

import json
import statistics
import time
from collections.abc import Callable

from labcoat.stats import sequential

LARGEST_NEW_MS = 10.0
LARGEST_ONE_MORE_MS = 1.0
ROUNDS = 30


def main() -> None:
    """Measure and print."""
    shown = {
        "benchmark": "boundary",
        "new_28_looks_ms": _median_ms(lambda turn: _boundary(28, turn)),
        "new_84_looks_ms": _median_ms(lambda turn: _boundary(84, turn)),
        "one_more_of_28_ms": _median_ms(
            lambda turn: _boundary(28, turn), before=lambda turn: _boundary(28, turn, looks=27)
        ),
        "one_more_of_84_ms": _median_ms(
            lambda turn: _boundary(84, turn), before=lambda turn: _boundary(84, turn, looks=83)
        ),
        "again_of_84_ms": _median_ms(lambda turn: _boundary(84, turn), before=lambda turn: _boundary(84, turn)),
    }
    limits = {"new_28_looks_ms": LARGEST_NEW_MS, "one_more_of_28_ms": LARGEST_ONE_MORE_MS}
    limits["one_more_of_84_ms"] = LARGEST_ONE_MORE_MS
    is_within = all(float(str(shown[name])) < limit for name, limit in limits.items())
    print(json.dumps({**shown, "limits": limits, "is_within_limits": is_within}))


_turns = iter(range(10**6))


def _boundary(planned: int, turn: int, *, looks: int | None = None) -> None:
    """Ask for a boundary that no earlier turn asked for: units differ a little, as they do between experiments."""
    shares = tuple(look / planned for look in range(1, (looks or planned) + 1))
    sequential.boundary(shares, tuple(share * (10_000 + turn) for share in shares), 0.05)


def _median_ms(act: Callable[[int], None], *, before: Callable[[int], None] | None = None) -> float:
    sequential.boundary((0.5, 1.0), (0.5, 1.0), 0.05)  # loads what is loaded once
    seconds = []
    for _ in range(ROUNDS):
        turn = next(_turns)
        if before is not None:
            before(turn)
        begun = time.perf_counter()
        act(turn)
        seconds.append(time.perf_counter() - begun)
    return round(1000 * statistics.median(seconds), 4)


if __name__ == "__main__":
    main()
