"""`labcoat metrics check` and one readout: 40 metrics over 300,000 units and 600,000 orders in CSV files.

One JSON line with the seconds of each, and the limit of both together on two idle cores.
"""

import json
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from labcoat.warehouse import checking, metrics_file, reading
from labcoat.warehouse.reading import MetricQuestion, Question

UNITS, ORDERS, METRICS, COLUMNS = 300_000, 600_000, 40, 10
MOST_SECONDS = 12.0
SINCE, NOW = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
HEAD = """
sources: {shop: {engine: duckdb, tables: {exposures: exposures.csv, orders: orders.csv}}}
exposures:
  users:
    {source: shop, table: exposures, unit: user_id, variant: variant, exposed_at: seen_at, experiment: experiment}
metrics:
"""


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="labcoat-check-") as name:
        world = metrics_file.load(_written(Path(name)))
        begun = time.perf_counter()
        checked = checking.check(world, names=tuple(world.metrics), key=None, now=NOW)
        middle = time.perf_counter()
        assert not checked.troubles
        metrics = tuple(MetricQuestion(name=one) for one in world.metrics)
        question = Question(key="E-0", goal="m0", metrics=metrics, variants=("a", "b"), since=SINCE, until=NOW)
        reading.read(world, question)
        check, readout = middle - begun, time.perf_counter() - middle
    found = {"benchmark": "metrics_check", "units": UNITS, "orders": ORDERS, "metrics": METRICS}
    found |= {"check_seconds": round(check, 2), "readout_seconds": round(readout, 2), "most_seconds": MOST_SECONDS}
    print(json.dumps({**found, "is_within_limits": check + readout <= MOST_SECONDS}))


def _written(folder: Path) -> Path:
    values = ", ".join(f"(hash(range, {10 + place}) % 10000) / 100.0 AS v{place}" for place in range(COLUMNS))
    tables = {
        "exposures": f"""SELECT range AS user_id, CASE WHEN hash(range) % 2 = 0 THEN 'a' ELSE 'b' END AS variant,
        TIMESTAMP '2026-11-01' + INTERVAL (hash(range, 1) % 2000000) SECOND AS seen_at, 'E-0' AS experiment
        FROM range({UNITS})""",
        "orders": f"""SELECT hash(range, 2) % {UNITS} AS user_id,
        TIMESTAMP '2026-10-20' + INTERVAL (hash(range, 3) % 3400000) SECOND AS ordered_at, {values}
        FROM range({ORDERS})""",
    }
    with duckdb.connect() as connection:
        for name, rows in tables.items():
            connection.execute(f"COPY ({rows}) TO '{folder / name}.csv' (FORMAT csv)")
    lines = [
        f"  m{number}: {{kind: mean, direction: up, table: orders, time: ordered_at, value: v{number % COLUMNS}, "
        f"window_days: {1 + number // COLUMNS}, pre_period_days: 7}}"
        for number in range(METRICS)
    ]
    path = folder / "metrics.yml"
    path.write_text(HEAD + "\n".join(lines))
    return path


if __name__ == "__main__":
    main()
