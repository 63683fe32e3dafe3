"""Readouts from DuckDB: beside the same SQL by hand and tea-tasting, memory as rows grow, experiments sharing a scan.

1. 10 million exposures and 10 million orders, four metrics: a mean with CUPED and a cap, a count, a share, a ratio.
   By hand is the same generated SQL in a plain DuckDB with the same limits. tea-tasting, in an environment of its own,
   which this script makes once, gets one row per unit from the SQL that a person would write over the same files.
2. One to 100 million units, one metric beside the exposures, each in a process of its own. Python's memory is what
   Python allocates at its peak (tracemalloc); the process grows by what DuckDB takes, which its memory_limit bounds.
3. 1, 10, 100 and 1,000 of the 1,000 experiments in one table of exposures, asked for together.

One JSON line. `readout.py 0.1` does the same with a tenth of the rows. It writes up to 2 GB below the temporary folder
and removes them.
"""

import gc
import json
import resource
import subprocess
import sys
import tempfile
import time
import tracemalloc
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import duckdb

from labcoat.warehouse import metrics_file, reading
from labcoat.warehouse.metrics_file import MetricsFile
from labcoat.warehouse.reading import MetricQuestion, Question, Reading

MOST_TIMES, MOST_MORE_SECONDS, MOST_MEGABYTES = 1.1, 0.05, 20.0
USERS, ROWS, ROUNDS, MEMORY = 8_000_000, 10_000_000, 3, "4GB"
GROWING = (1_000_000, 10_000_000, 100_000_000)
SMALL_MEMORY_MEGABYTES = 1000
EXPERIMENTS, SHARED_ROWS, TOGETHER = 1000, 5_000_000, (1, 10, 100, 1000)
UNTIL = datetime(2026, 4, 1, tzinfo=UTC)
OTHERS = Path(tempfile.gettempdir()) / "labcoat-benchmark-readout"
# ibis, which tea-tasting reads DuckDB with, breaks at run time with duckdb 2 and sqlglot 30.
OTHERS_VERSIONS = ("tea-tasting==1.14.*", "ibis-framework[duckdb]==12.*", "duckdb<2", "sqlglot<28")

METRICS = """
sources:
  shop:
    engine: duckdb
    tables: {{exposures: exposures.parquet, orders: orders.parquet}}
    memory_limit: {memory}
    time_limit_seconds: 3600
exposures:
  users:
    {{source: shop, table: exposures, unit: user_id, variant: variant, exposed_at: seen_at, experiment: experiment}}
metrics:
  revenue:
    {{kind: mean, direction: up, table: orders, time: ordered_at, value: amount, window_days: 7, pre_period_days: 7,
     cap: 500}}
  orders: {{kind: mean, direction: up, table: orders, time: ordered_at, window_days: 7}}
  bought: {{kind: proportion, direction: up, table: orders, time: ordered_at, window_days: 7}}
  basket:
    {{kind: ratio, direction: up, table: orders, time: ordered_at, value: amount, denominator: items, window_days: 7}}
"""

PREPARED = """
WITH first AS (
  SELECT user_id, MIN(variant) AS variant, MIN(seen_at) AS seen_at FROM read_parquet('exposures.parquet')
  WHERE experiment = 'E-0' AND seen_at < TIMESTAMP '2026-04-01' GROUP BY user_id HAVING MIN(variant) = MAX(variant)
), closed AS (SELECT * FROM first WHERE seen_at + INTERVAL 7 DAY < TIMESTAMP '2026-04-01')
SELECT f.user_id, f.variant,
  LEAST(SUM(CASE WHEN o.ordered_at >= f.seen_at THEN o.amount ELSE 0 END), 500) AS revenue,
  LEAST(SUM(CASE WHEN o.ordered_at < f.seen_at THEN o.amount ELSE 0 END), 500) AS revenue_before,
  COUNT(CASE WHEN o.ordered_at >= f.seen_at THEN 1 END) AS orders,
  MAX(CASE WHEN o.ordered_at >= f.seen_at THEN 1 ELSE 0 END) AS bought,
  SUM(CASE WHEN o.ordered_at >= f.seen_at THEN o.items ELSE 0 END) AS items,
  SUM(CASE WHEN o.ordered_at >= f.seen_at THEN o.amount ELSE 0 END) AS amount
FROM closed AS f LEFT JOIN read_parquet('orders.parquet') AS o
  ON o.user_id = f.user_id AND o.ordered_at >= f.seen_at - INTERVAL 7 DAY AND o.ordered_at < f.seen_at + INTERVAL 7 DAY
GROUP BY f.user_id, f.variant
"""

WORKER = """
import json, sys, time
import ibis
import tea_tasting as tt
connection = ibis.duckdb.connect(threads=2, memory_limit=sys.argv[2])
connection.raw_sql("SET enable_progress_bar = false")
units = connection.sql(open(sys.argv[1]).read())
tests = tt.Experiment(
    revenue=tt.Mean("revenue", "revenue_before"), orders=tt.Mean("orders"), bought=tt.Mean("bought"),
    basket=tt.RatioOfMeans("amount", "items"), split=tt.SampleRatio(),
)
for line in sys.stdin:
    begun = time.perf_counter()
    result = tests.analyze(units, control="a")
    seconds = time.perf_counter() - begun
    print(json.dumps({"seconds": seconds, "orders": result["orders"].control}), flush=True)
"""


def main(scale: float) -> None:
    """Measure and print. scale: of all numbers of rows."""
    growing = tuple(round(rows * scale) for rows in GROWING)
    with tempfile.TemporaryDirectory(prefix="labcoat-readout-") as name:
        folder = Path(name)
        beside = _beside_others(folder, users=round(USERS * scale), rows=round(ROWS * scale))
        shared = _shared(folder, rows=round(SHARED_ROWS * scale))
        grown = [_grown(folder, rows) for rows in growing]
    python = [one["python_megabytes"] for one in grown]
    is_flat = max(python) - min(python) <= MOST_MEGABYTES
    is_inside = all(one["process_grew_megabytes"] <= 1.25 * SMALL_MEMORY_MEGABYTES + 100 for one in grown)
    falls = list(shared.values())
    is_within = (
        beside["seconds"] <= MOST_TIMES * beside["by_hand_seconds"] + MOST_MORE_SECONDS
        and beside["seconds"] < beside["tea_tasting_seconds"]
        and is_flat
        and is_inside
        and all(later < earlier for earlier, later in pairwise(falls))
    )
    print(
        json.dumps(
            {
                "benchmark": "readout",
                "rows": round(ROWS * scale),
                **beside,
                "memory": dict(zip([f"{rows:,} rows" for rows in growing], grown, strict=True)),
                "ms_per_experiment_together": shared,
                "limits": {
                    "seconds": f"{MOST_TIMES} x by hand + {MOST_MORE_SECONDS} s, and less than tea-tasting",
                    "python_megabytes_apart": MOST_MEGABYTES,
                    "process_megabytes": f"about the memory_limit of {SMALL_MEMORY_MEGABYTES}",
                },
                "is_within_limits": is_within,
            }
        )
    )


def _beside_others(folder: Path, *, users: int, rows: int) -> dict[str, float]:
    _write(
        folder / "exposures.parquet",
        f"""SELECT range % {users} AS user_id, CASE WHEN hash(range % {users}) % 2 = 0 THEN 'a' ELSE 'b' END AS variant,
        TIMESTAMP '2026-03-01' + INTERVAL (hash(range, 1) % 2000000) SECOND AS seen_at, 'E-0' AS experiment
        FROM range({rows})""",
    )
    _write(
        folder / "orders.parquet",
        f"""SELECT hash(range, 2) % {users * 3 // 10} * 3 AS user_id,
        TIMESTAMP '2026-02-20' + INTERVAL (hash(range, 3) % 3400000) SECOND AS ordered_at,
        (hash(range, 4) % 10000) / 100.0::DOUBLE AS amount, (1 + hash(range, 5) % 4)::INTEGER AS items
        FROM range({rows})""",
    )
    metrics = _metrics_file(folder, METRICS.format(memory=MEMORY))
    question = _question("E-0", ("revenue", "orders", "bought", "basket"))
    text = reading.written(metrics, question)["users"]
    mine, by_hand, others = [], [], []
    (folder / "prepared.sql").write_text(PREPARED)
    command = [str(_tea_tasting()), "-c", WORKER, "prepared.sql", MEMORY]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=folder, stdin=pipe, stdout=pipe, text=True) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        for _ in range(ROUNDS):  # in turn, so that whatever else the machine does meets all three
            begun = time.perf_counter()
            found = reading.read(metrics, question)
            mine.append(time.perf_counter() - begun)
            by_hand.append(_by_hand(folder, text))
            worker.stdin.write("again\n")
            worker.stdin.flush()
            theirs = json.loads(worker.stdout.readline())
            others.append(theirs["seconds"])
        worker.stdin.close()
    ours = found.sample.moments["orders"][0].mean
    return {
        "seconds": round(min(mine), 3),
        "by_hand_seconds": round(min(by_hand), 3),
        "tea_tasting_seconds": round(min(others), 3),
        "disagreement_with_tea_tasting": float(f"{abs(ours / theirs['orders'] - 1):.1e}"),
    }


def _by_hand(folder: Path, text: str) -> float:
    with duckdb.connect(config={"memory_limit": MEMORY, "threads": 2}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for table in ("exposures", "orders"):
            connection.execute(f"CREATE VIEW {table} AS SELECT * FROM read_parquet('{folder / table}.parquet')")
        begun = time.perf_counter()
        connection.execute(text).fetchall()
        return time.perf_counter() - begun


def _tea_tasting() -> Path:
    python = OTHERS / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(OTHERS)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-qq", *OTHERS_VERSIONS], check=True)
    return python


def _grown(folder: Path, rows: int) -> dict[str, float]:
    """Read so many units in a process of its own."""
    _write(
        folder / "units.parquet",
        f"""SELECT range AS user_id, CASE WHEN hash(range) % 2 = 0 THEN 'a' ELSE 'b' END AS variant,
        (hash(range, 1) % 1000)::DOUBLE AS spent FROM range({rows})""",
    )
    ended = subprocess.run([sys.executable, __file__, "units", str(folder)], check=True, capture_output=True, text=True)
    (folder / "units.parquet").unlink()
    answer: dict[str, float] = json.loads(ended.stdout)
    return answer


def _read_units(folder: Path) -> None:
    metrics = _metrics_file(
        folder,
        f"""
sources:
  shop:
    engine: duckdb
    tables: {{units: units.parquet}}
    memory_limit: {SMALL_MEMORY_MEGABYTES}MB
    time_limit_seconds: 3600
exposures:
  users: {{source: shop, table: units, unit: user_id, variant: variant}}
metrics:
  spent: {{kind: mean, direction: up, value: spent}}
""",
    )
    question = _question("E-0", ("spent",))
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tracemalloc.start()
    begun = time.perf_counter()
    reading.read(metrics, question)
    seconds = time.perf_counter() - begun
    peak = tracemalloc.get_traced_memory()[1]
    grew = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(
        json.dumps(
            {
                "python_megabytes": round(peak / 1e6, 2),
                "process_grew_megabytes": round(grew / 1e3),
                "seconds": round(seconds, 2),
            }
        )
    )


def _shared(folder: Path, *, rows: int) -> dict[str, float]:
    """Return milliseconds per experiment, by how many are asked for together."""
    _write(
        folder / "exposures.parquet",
        f"""SELECT range AS user_id, CASE WHEN hash(range) % 2 = 0 THEN 'a' ELSE 'b' END AS variant,
        TIMESTAMP '2026-03-01' + INTERVAL (hash(range, 1) % 2000000) SECOND AS seen_at,
        'E-' || (hash(range, 2) % {EXPERIMENTS}) AS experiment FROM range({rows})""",
    )
    metrics = _metrics_file(folder, METRICS.format(memory=MEMORY))
    spent = {}
    for many in TOGETHER:
        questions = [_question(f"E-{number}", ("orders", "bought")) for number in range(many)]
        begun = time.perf_counter()
        found = reading.read_many(metrics, questions)
        spent[str(many)] = round(1000 * (time.perf_counter() - begun) / many, 1)
        assert all(isinstance(one, Reading) for one in found)
    return spent


def _question(key: str, names: tuple[str, ...]) -> Question:
    return Question(
        key=key,
        goal=names[0],
        metrics=tuple(MetricQuestion(name=name) for name in names),
        variants=("a", "b"),
        since=None,
        until=UNTIL,
    )


def _metrics_file(folder: Path, text: str) -> MetricsFile:
    (folder / "metrics.yml").write_text(text)
    return metrics_file.load(folder / "metrics.yml")


def _write(path: Path, select: str) -> None:
    with duckdb.connect(config={"threads": 2, "memory_limit": "4GB"}) as connection:
        connection.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet)")


if __name__ == "__main__":
    if sys.argv[1:2] == ["units"]:
        _read_units(Path(sys.argv[2]))
    else:
        main(float(sys.argv[1]) if sys.argv[1:] else 1.0)
