"""Experiments that share a query get what each of them gets alone."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from labcoat.domain.plan import Measuring
from labcoat.stats.rule import Sample
from labcoat.warehouse import metrics_file, reading
from labcoat.warehouse.metrics_file import MetricsFile
from labcoat.warehouse.reading import MetricQuestion, Question, Reading

FIRST, LAST = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 25, tzinfo=UTC)
METRICS = """
sources: {shop: {engine: duckdb, tables: {seen: seen.csv, orders: orders.csv}}}
exposures: {users: {source: shop, table: seen, unit: user, variant: arm, exposed_at: at, experiment: experiment}}
metrics:
  revenue: {kind: mean, direction: up, table: orders, unit: user, time: at, value: amount, window_days: 7}
  so far:
    kind: mean
    direction: up
    sql: SELECT user, SUM(amount) AS value FROM orders WHERE at >= :since AND at < :until GROUP BY user
"""


@pytest.fixture
def world(tmp_path: Path) -> MetricsFile:
    """Two experiments; each of their users spends 1 every day."""
    users = [(f"{key}-{number}", "ab"[number % 2], key) for key in ("E-7", "E-8") for number in range(10)]
    seen = [f"{user},{arm},2026-03-{'02' if key == 'E-7' else '10'} 00:00:00,{key}" for user, arm, key in users]
    orders = [f"{user},2026-03-{day:02} 12:00:00,1" for user, *_ in users for day in range(1, 25)]
    (tmp_path / "seen.csv").write_text("\n".join(["user,arm,at,experiment", *seen]))
    (tmp_path / "orders.csv").write_text("\n".join(["user,at,amount", *orders]))
    (tmp_path / "metrics.yml").write_text(METRICS)
    return metrics_file.load(tmp_path / "metrics.yml")


def a_question(metric: str = "revenue", *, key: str = "E-7", window_days: float = 7) -> Question:
    measuring = Measuring(window_days=window_days, pre_period_days=0, cap=None)
    chosen = (MetricQuestion(name=metric, measuring=measuring),)
    return Question(key=key, goal=metric, metrics=chosen, variants=("a", "b"), since=FIRST, until=LAST)


def together(world: MetricsFile, *questions: Question) -> list[Sample]:
    found = [one for one in reading.read_many(world, questions) if isinstance(one, Reading)]
    assert len(found) == len(questions)
    return [one.sample for one in found]


def alone(world: MetricsFile, *questions: Question) -> list[Sample]:
    return [reading.read(world, question).sample for question in questions]


def means(sample: Sample) -> list[float]:
    return [one.mean for moments in sample.moments.values() for one in moments]


def test_plans_that_froze_one_metric_in_two_ways_get_each_their_own_numbers(world: MetricsFile) -> None:
    questions = a_question(window_days=7), a_question(key="E-8", window_days=3)

    found = together(world, *questions)

    assert [means(sample) for sample in found] == [[7.0, 7.0], [3.0, 3.0]]
    assert found == alone(world, *questions)


def test_since_and_until_in_a_select_are_each_experiment_s_own(world: MetricsFile) -> None:
    longer = a_question("so far", window_days=0)
    shorter = replace(
        longer, key="E-8", since=datetime(2026, 3, 9, tzinfo=UTC), until=datetime(2026, 3, 12, tzinfo=UTC)
    )

    found = together(world, longer, shorter)

    assert [means(sample) for sample in found] == [[24.0, 24.0], [3.0, 3.0]]


def test_two_experiments_with_one_key_get_each_their_own_numbers(world: MetricsFile) -> None:
    longer = a_question(window_days=2)
    shorter = replace(longer, until=datetime(2026, 3, 3, tzinfo=UTC))

    found = together(world, longer, shorter)

    assert [[one.count for one in sample.moments["revenue"]] for sample in found] == [[5, 5], [0, 0]]
    assert [sample.exposed for sample in found] == [(5, 5), (5, 5)]
    assert found == alone(world, longer, shorter)
