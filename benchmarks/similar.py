"""Finding what was tried before among ten thousand hypotheses; prints one JSON line.

On SQLite, in this process: from the words that a person typed to the three nearest, with all reading for it. "cold"
is after any change in the workspace, when the index is made anew; "warm" is as long as nothing changed; "first" is once
in the life of a process.
"""

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from labcoat.db.database import Database
from labcoat.db.migrating import migrate
from labcoat.domain.hypothesis import Statement
from labcoat.domain.ids import ChannelId, UserId, WorkspaceId
from labcoat.domain.member import Member
from labcoat.stats.rule import Direction
from labcoat.usecases.hypotheses import hypotheses
from labcoat.usecases.hypotheses.similar import Memory

WORKSPACE, OWNER = WorkspaceId("T1"), UserId("U1")
LARGEST_MS = 200.0
TEXT = "Show frehs offers first, for people who come back within a day, because 4 of 5 scrolled past old ones"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hypotheses", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=15)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="labcoat-bench-") as folder:
        database = Database(f"sqlite:///{Path(folder) / 'labcoat.db'}")
        migrate(database)
        fill(database, given.hypotheses)
        warm = Memory()
        first = timed(lambda: ask(database, warm))
        times = {
            "cold": [timed(lambda: ask(database, Memory())) for _ in range(given.rounds)],
            "warm": [timed(lambda: ask(database, warm)) for _ in range(given.rounds)],
        }
        database.dispose()
    shown = {name: round(statistics.median(all_ms), 1) for name, all_ms in times.items()}
    slowest = max(max(all_ms) for all_ms in times.values())
    print(
        json.dumps(
            {
                "benchmark": "similar",
                "hypotheses": given.hypotheses,
                "first_ms": round(first, 1),
                "median_ms": shown,
                "slowest_ms": round(slowest, 1),
                "limits": {"slowest_ms": LARGEST_MS},
                "is_within_limits": slowest < LARGEST_MS,
            }
        )
    )


def ask(database: Database, memory: Memory) -> None:
    """Look for what was tried before."""
    with database.reading() as tx:
        memory.nearest(tx, WORKSPACE, TEXT)


def timed(act: Callable[[], None]) -> float:
    """Return the milliseconds that it takes."""
    begun = time.perf_counter()
    act()
    return (time.perf_counter() - begun) * 1000


def fill(database: Database, count: int) -> None:
    """File hypotheses of words that occur as words do: few often, many seldom."""
    chance = random.Random(1)
    vocabulary = ["".join(chance.choices("abcdefghijklmnoprstuvwy", k=chance.randint(4, 10))) for _ in range(8000)]
    weights = [1 / (rank + 1) for rank in range(len(vocabulary))]

    def words(length: int) -> str:
        return " ".join(chance.choices(vocabulary, weights, k=length))

    now, by = datetime.now(UTC), Member(user=OWNER)
    with database.writing() as tx:
        for _ in range(count):
            said = Statement(change=words(12), metric=words(2), direction=Direction.UP, because=words(14))
            hypotheses.file(tx, WORKSPACE, said, by=by, owner=OWNER, channel=ChannelId("C1"), now=now)


if __name__ == "__main__":
    main()
