"""`labcoat metrics replay` on DuckDB: past units split at random 500 times, all looks run on each; one JSON line.

One million units and two million orders of four weeks: a mean with CUPED and a cap, a share, a ratio with CUPED, each
with 500 splits; and a total that grows, with 50 splits at four looks. The seconds are of everything, from opening the
files to the shares of false calls. Python's memory is what it allocates at its peak (tracemalloc, in a run of its own),
at a tenth of the units and at all. `replay.py 0.1` does the same with a tenth of everything.
"""

import json
import sys
import tempfile
import time
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from labcoat.usecases.looks import replaying
from labcoat.usecases.looks.replaying import Replayed
from labcoat.warehouse import metrics_file
from labcoat.warehouse.metrics_file import MetricsFile

MOST_SECONDS, MOST_MEGABYTES_APART = 60.0, 5.0
UNITS = 1_000_000
UNTIL = datetime(2026, 3, 29, tzinfo=UTC)

METRICS = """
sources:
  shop:
    engine: duckdb
    tables: {exposures: exposures.parquet, orders: orders.parquet}
exposures:
  users:
    {source: shop, table: exposures, unit: user_id, variant: variant, exposed_at: seen_at, experiment: experiment}
metrics:
  revenue:
    {kind: mean, direction: up, table: orders, time: ordered_at, value: amount, window_days: 7, pre_period_days: 7,
     cap: 500}
  bought: {kind: proportion, direction: up, table: orders, time: ordered_at, window_days: 7}
  basket:
    {kind: ratio, direction: up, table: orders, time: ordered_at, value: amount, denominator: items, window_days: 7,
     pre_period_days: 7}
  total: {kind: mean, direction: up, table: orders, time: ordered_at, value: amount}
"""


def main() -> None:
    """Measure and print."""
    units = round(UNITS * float(sys.argv[1] if len(sys.argv) > 1 else 1))
    with tempfile.TemporaryDirectory(prefix="labcoat-bench-") as name:
        small, whole = (_shop(Path(name) / str(count), units=count) for count in (units // 10, units))
        seconds, shares = {}, {}
        for metric in whole.metrics:
            begun = time.perf_counter()
            found = _replayed(whole, metric)
            seconds[metric] = round(time.perf_counter() - begun, 1)
            shares[metric] = {
                f"{one.design}, {len(one.looks)} looks": f"{one.false_calls} of {one.splits}" for one in found.calls
            }
        megabytes = [_python_megabytes(file) for file in (small, whole)]
    is_within = max(seconds.values()) < MOST_SECONDS and max(megabytes) - min(megabytes) <= MOST_MEGABYTES_APART
    print(
        json.dumps(
            {
                "benchmark": "replay",
                "units": units,
                "seconds": seconds,
                "false_calls": shares,
                "python_megabytes": megabytes,
                "limits": {"seconds": MOST_SECONDS, "python_megabytes_apart": MOST_MEGABYTES_APART},
                "is_within_limits": is_within,
            }
        )
    )
    sys.exit(0 if is_within else 1)


def _shop(folder: Path, *, units: int) -> MetricsFile:
    """Write a shop whose customers spend after their first visit as they did before, more or less."""
    folder.mkdir()
    with duckdb.connect() as connection:
        connection.execute(f"""COPY (
            SELECT range AS user_id, CASE WHEN hash(range, 1) % 2 = 0 THEN 'a' ELSE 'b' END AS variant,
              'E-' || hash(range, 2) % 5 AS experiment,
              TIMESTAMP '2026-03-01' + INTERVAL (hash(range, 3) % (28 * 86400)) SECOND AS seen_at
            FROM range({units})) TO '{folder}/exposures.parquet' (FORMAT parquet)""")
        # A person's level is in all of its orders, which is what CUPED finds.
        connection.execute(f"""COPY (
            SELECT user_id, TIMESTAMP '2026-02-22' + INTERVAL (hash(number, 4) % (35 * 86400)) SECOND AS ordered_at,
              exp((hash(user_id, 5) % 10000 + hash(number, 6) % 10000) / 5000.0) AS amount,
              1 + hash(number, 7) % 4 AS items
            FROM (SELECT range AS number, hash(range, 8) % {units} AS user_id FROM range({2 * units}))
            ) TO '{folder}/orders.parquet' (FORMAT parquet)""")
    (folder / "metrics.yml").write_text(METRICS)
    return metrics_file.load(folder / "metrics.yml")


def _replayed(file: MetricsFile, metric: str) -> Replayed:
    return replaying.replay(
        file, metric, exposures=None, until=UNTIL, days=28, splits=None, seed=1, told=lambda _done, _of: None
    )


def _python_megabytes(file: MetricsFile) -> float:
    tracemalloc.start()
    _replayed(file, "revenue")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return round(peak / 1e6, 1)


if __name__ == "__main__":
    main()
