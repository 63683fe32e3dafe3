"""Verdicts of 10,000 experiments x 5 metrics x 2 variants, with SRM, beside tea-tasting; one JSON line.

tea-tasting reads the same counts, means and covariances of some of the experiments, in its own environment, which this
script makes once: two proportions, a mean, a ratio and a mean with a covariate, and the sample ratio.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from labcoat.stats import batch, sequential
from labcoat.stats.arrays import FloatArray
from labcoat.stats.batch import Analysis, Batch
from labcoat.stats.moments import MomentArrays
from labcoat.stats.verdict import VERDICTS, Earlier, Metrics, Moment

LARGEST_SECONDS, LEAST_TIMES = 0.2, 50.0
EXPERIMENTS, METRICS, SHARED, ROUNDS = 10_000, 5, 300, 7
OTHERS = Path(tempfile.gettempdir()) / "labcoat-benchmark-tea-tasting"
OTHERS_VERSION = "tea-tasting==1.14.*"

WORKER = """
import json, sys, time
import tea_tasting as tt
from tea_tasting.aggr import Aggregates
tests = tt.Experiment(
    p=tt.Proportion("p"), q=tt.Proportion("q"), m=tt.Mean("m"), r=tt.RatioOfMeans("y", "x"), c=tt.Mean("c", "b"),
    split=tt.SampleRatio(),
)
read = [
    {int(arm): Aggregates(one["n"], one["mean"], one["var"], {tuple(k.split()): v for k, v in one["cov"].items()})
     for arm, one in experiment.items()}
    for experiment in json.load(open(sys.argv[1]))
]
tests.analyze(read[0], control=0)
begun = time.perf_counter()
results = [tests.analyze(one, control=0) for one in read]
seconds = (time.perf_counter() - begun) / len(read)
def effects(one):
    return [one[name].treatment - one[name].control for name in "pqmrc"]
print(json.dumps({"seconds": seconds, "effects": [effects(one) for one in results]}))
"""


def main() -> None:
    """Measure and print."""
    moments = _moments(np.random.default_rng(20))
    given = _batch(moments)
    seconds = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        analysis = batch.analyse(given)
        seconds.append(time.perf_counter() - begun)
    mine = statistics.median(seconds) / EXPERIMENTS
    others, effects = _tea_tasting(moments)
    times = others / mine
    shown = {
        "benchmark": "verdicts",
        "experiments": EXPERIMENTS,
        "seconds": round(mine * EXPERIMENTS, 4),
        "us_per_experiment": round(1e6 * mine, 2),
        "tea_tasting_us_per_experiment": round(1e6 * others, 1),
        "times_faster": round(times, 1),
        "largest_disagreement": _disagreement(analysis, effects),
        "verdicts": {
            str(VERDICTS[code]): int(count)
            for code, count in zip(*np.unique(analysis.table.verdicts, return_counts=True), strict=True)
        },
        "limits": {"seconds": LARGEST_SECONDS, "times_faster": LEAST_TIMES},
    }
    is_within = mine * EXPERIMENTS < LARGEST_SECONDS and times >= LEAST_TIMES
    print(json.dumps({**shown, "is_within_limits": is_within}))


def _moments(rng: np.random.Generator) -> MomentArrays:
    """Return moments as experiments have them: equal in truth, and as far apart as chance makes them."""
    shape = (EXPERIMENTS, METRICS, 2)
    total = rng.integers(10_000, 100_000, EXPERIMENTS)
    control = rng.binomial(total, 0.5)
    counts = np.repeat(np.stack([control, total - control], axis=-1)[:, np.newaxis], METRICS, axis=1).astype(float)
    means, covariances = np.zeros((*shape, 4)), np.zeros((*shape, 4, 4))
    means[..., 1] = means[..., 3] = 1
    rates = rng.uniform(0.05, 0.4, (EXPERIMENTS, 2, 1))
    means[:, :2, :, 0] = rng.binomial(counts[:, :2].astype(int), np.broadcast_to(rates, (EXPERIMENTS, 2, 2)))
    means[:, :2, :, 0] /= counts[:, :2]
    covariances[:, :2, :, 0, 0] = means[:, :2, :, 0] * (1 - means[:, :2, :, 0])
    truths = {
        2: np.array([[10.0, 1, 0], [25, 0, 0], [0, 0, 0], [0, 0, 0]]),
        3: np.array([[2.0, 8, 0], [4, 5, 0], [5, 16, 0], [0, 0, 0]]),
        4: np.array([[12.0, 1, 9], [36, 0, 20], [0, 0, 0], [20, 0, 25]]),
    }
    for metric, (mean, *covariance) in truths.items():
        covariances[:, metric, :, :3, :3] = covariance
        noise = rng.multivariate_normal(np.zeros(3), np.array(covariance), (EXPERIMENTS, 2))
        means[:, metric, :, :3] = mean + noise / np.sqrt(counts[:, metric])[..., np.newaxis]
    return MomentArrays(counts=counts, means=means, covariances=covariances)


def _batch(moments: MomentArrays) -> Batch:
    """Return the experiments at day 21 of 28; their boundaries are stored, as they are from the day before."""
    shares = tuple(look / 28 for look in range(1, 22))
    k = [sequential.boundary(shares, shares, alpha)[-1] for alpha in (0.05, 0.0125)]
    each = np.ones(EXPERIMENTS)
    crossings, ends = np.zeros((EXPERIMENTS, METRICS, 1), dtype=np.int64), np.full((EXPERIMENTS, METRICS, 1), np.nan)

    def rows(*metrics: float) -> FloatArray:
        return np.broadcast_to(np.array(metrics), (EXPERIMENTS, METRICS))

    return Batch(
        moments=moments,
        metrics=Metrics(
            is_goal=rows(1, 0, 0, 0, 0) > 0,
            is_guardrail=rows(0, 1, 1, 1, 1) > 0,
            is_proportion=rows(1, 1, 0, 0, 0) > 0,
            sign=rows(1, 1, 1, -1, 1),
            minimum_effect=rows(0.01, np.nan, np.nan, np.nan, np.nan),
            margin=rows(0, 0.02, 0, 0, 0.1),
        ),
        multipliers=rows(k[0], k[1], k[1], k[1], k[1])[..., np.newaxis],
        is_student=each > 0,
        exposed=moments.counts[:, 0],
        weights=np.full((EXPERIMENTS, 2), 0.5),
        past_evidence=0 * each,
        has_error=each < 0,
        moment=Moment(
            day=21 * each,
            planned_days=28 * each,
            is_final=each < 0,
            minimum_units=100 * each,
            minimum_events=25 * each,
        ),
        earlier=Earlier(low=ends, high=ends, bad=crossings, good=crossings),
    )


def _tea_tasting(moments: MomentArrays) -> tuple[float, FloatArray]:
    """Return its seconds per experiment and its effects, of the first experiments."""
    python = OTHERS / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(OTHERS)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-qq", OTHERS_VERSION], check=True)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump([{arm: _aggregates(moments, run, arm) for arm in (0, 1)} for run in range(SHARED)], file)
        file.flush()
        ended = subprocess.run([str(python), "-c", WORKER, file.name], check=True, capture_output=True, text=True)
    answer = json.loads(ended.stdout)
    return float(answer["seconds"]), np.array(answer["effects"], dtype=np.float64)


def _aggregates(moments: MomentArrays, run: int, arm: int) -> dict[str, object]:
    means, covariances = moments.means[run, :, arm], moments.covariances[run, :, arm]
    columns = {"p": (0, 0), "q": (1, 0), "m": (2, 0), "y": (3, 0), "x": (3, 1), "c": (4, 0), "b": (4, 2)}
    return {
        "n": int(moments.counts[run, 0, arm]),
        "mean": {name: float(means[place]) for name, place in columns.items()},
        "var": {name: float(covariances[metric, column, column]) for name, (metric, column) in columns.items()},
        "cov": {"x y": float(covariances[3, 0, 1]), "b c": float(covariances[4, 0, 2])},
    }


def _disagreement(analysis: Analysis, effects: FloatArray) -> float:
    """Return the largest difference between the two's effects, in standard errors."""
    mine = analysis.estimates.difference[:SHARED, :, 0]
    return float(f"{np.max(np.abs(mine - effects) / analysis.estimates.standard_error[:SHARED, :, 0]):.1e}")


if __name__ == "__main__":
    main()
