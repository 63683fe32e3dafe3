"""A CSV file of 50 MB through the one reader, beside DuckDB's own, which `tables` of the metrics file had before.

One JSON line with the best of three of each: as a table, alone and with the moments of one metric; as a given file.
"""

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

from labcoat.warehouse.engines import duckdb as duckdb_source
from labcoat.warehouse.files.asked import MetricColumns, read_asked
from labcoat.warehouse.sources import DuckDbSource

ROWS, TRIES = 1_050_000, 3
MOMENTS = (
    "SELECT variant, COUNT(DISTINCT user_id), AVG(amount), VAR_SAMP(amount) FROM users GROUP BY variant ORDER BY 1"
)


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="labcoat-files-") as name:
        path = _written(Path(name))
        ours, theirs = _table(path, ""), _by_duckdb(path, "")
        table, duckdbs = _table(path, MOMENTS), _by_duckdb(path, MOMENTS)
        given = _best(
            lambda: read_asked(path, metrics=[MetricColumns(value="amount")], variant="variant", unit="user_id")
        )
        megabytes = path.stat().st_size / 1e6
    found = {"benchmark": "files", "rows": ROWS, "megabytes": round(megabytes, 1), "table_seconds": round(ours, 2)}
    found |= {"duckdb_seconds": round(theirs, 2), "table_and_moments_seconds": round(table, 2)}
    found |= {"duckdb_and_moments_seconds": round(duckdbs, 2), "given_and_moments_seconds": round(given, 2)}
    print(json.dumps({**found, "is_within_limits": max(table, given) <= duckdbs}))


def _best(read: Callable[[], object]) -> float:
    seconds = []
    for _ in range(TRIES):
        begun = time.perf_counter()
        read()
        seconds.append(time.perf_counter() - begun)
    return min(seconds)


def _table(path: Path, query: str) -> float:
    source = DuckDbSource(engine="duckdb", tables={"users": path})

    def read() -> None:
        with duckdb_source.opened(source, name="shop", tables={"users"}) as found:
            found.rows(query or "SELECT COUNT(*) FROM users")

    return _best(read)


def _by_duckdb(path: Path, query: str) -> float:
    """Return the seconds of the reader before: DuckDB guesses types from all rows, after a look at how dates are."""

    def read() -> None:
        with duckdb.connect(config={"threads": 2, "memory_limit": "1GB"}) as connection:
            how = "header = true, delim = ',', quote = '\"', escape = '\"', sample_size = -1"
            connection.execute(f"FROM sniff_csv('{path}', {how})").fetchall()
            connection.execute(f"CREATE TEMP TABLE users AS SELECT * FROM read_csv('{path}', {how})")
            connection.execute(query or "SELECT COUNT(*) FROM users").fetchall()

    return _best(read)


def _written(folder: Path) -> Path:
    path = folder / "users.csv"
    with duckdb.connect() as connection:
        connection.execute(
            "COPY (SELECT range AS user_id, CASE WHEN hash(range) % 2 = 0 THEN 'control' ELSE 'new' END AS variant, "
            "TIMESTAMP '2026-11-01' + INTERVAL (hash(range, 1) % 2000000) SECOND AS seen_at, "
            "['DE', 'FR', 'NO'][1 + CAST(hash(range, 2) % 3 AS INT)] AS country, "
            "(hash(range, 3) % 100000) / 100.0 AS amount "
            f"FROM range(1000000, {1_000_000 + ROWS})) TO '{path}' (FORMAT csv)"
        )
    return path


if __name__ == "__main__":
    main()
