"""Baselines are measured once a day by one process, stored with their date, and never told to people as a problem."""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from builders import WORKSPACE
from labcoat.db import baselines as stored
from labcoat.db import clock
from labcoat.db.baselines import Tried
from labcoat.db.database import Database
from labcoat.db.tables import schema
from labcoat.domain.baseline import Baseline
from labcoat.usecases.looks import baselines
from labcoat.warehouse.metrics_file import MetricsFile
from labcoat.worker.baselines import measure_all
from warehouse.test_baselines import FILE, NOW, generated, on_duckdb

ZONE = "Europe/Berlin"  # at NOW it is 4:00 there, an hour after the quiet one
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def metrics(tmp_path: Path) -> MetricsFile:
    return on_duckdb(tmp_path, generated(1, users=400))


@pytest.fixture
def measure(database: Database, caplog: pytest.LogCaptureFixture) -> Callable[..., int]:
    """What runs the job, and returns how many metrics it measured."""
    caplog.set_level(logging.INFO)

    def run(metrics: MetricsFile, *, now: datetime = NOW) -> int:
        caplog.clear()
        measure_all(database, WORKSPACE, metrics, zone=ZONE, now=now)
        return sum(one.args[0] for one in caplog.records if "measured the baselines" in one.msg)  # type: ignore[index,misc]

    return run


def tried(database: Database) -> dict[str, Tried]:
    with database.reading() as tx:
        return stored.all_of(tx, WORKSPACE)


def shown(database: Database, metrics: MetricsFile) -> dict[str, Baseline]:
    with database.reading() as tx:
        return baselines.of_metrics(tx, WORKSPACE, metrics)


def test_all_metrics_are_measured_soon_after_the_start_and_then_once_a_night(
    database: Database, metrics: MetricsFile, measure: Callable[..., int]
) -> None:
    assert measure(metrics) == len(metrics.metrics)
    assert measure(metrics, now=NOW + HOUR) == 0
    assert measure(metrics, now=NOW + 22 * HOUR) == 0  # 2:00 in the morning
    assert measure(metrics, now=NOW + DAY) == len(metrics.metrics)

    assert {one.measured_at for one in shown(database, metrics).values()} == {NOW + DAY}
    assert set(shown(database, metrics)) == set(metrics.metrics)


def test_what_is_stored_is_what_was_measured(database: Database, metrics: MetricsFile) -> None:
    found = baselines.measure(metrics, tuple(metrics.metrics), now=NOW)

    with database.writing() as tx:
        baselines.record(tx, WORKSPACE, found, now=NOW)

    assert tried(database) == found


def test_two_replicas_at_once_measure_once(
    database: Database, metrics: MetricsFile, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    both = [
        threading.Thread(target=measure_all, args=(database, WORKSPACE, metrics), kwargs={"zone": ZONE, "now": NOW})
        for _ in range(2)
    ]

    for one in both:
        one.start()
    for one in both:
        one.join()

    assert len([one for one in caplog.records if "measured the baselines" in one.msg]) == 1
    assert len(tried(database)) == len(metrics.metrics)


def test_a_process_that_died_keeps_others_away_for_a_while_only(
    database: Database, metrics: MetricsFile, measure: Callable[..., int]
) -> None:
    with database.writing() as tx:
        at = clock.lease_now(tx)
        assert stored.claim(tx, WORKSPACE, "shop", at=at, until=at + HOUR)
    assert measure(metrics) == 0
    with database.writing() as tx:
        stored.release(tx, WORKSPACE, "shop", at=at - HOUR)

    assert measure(metrics) == len(metrics.metrics)


def test_a_changed_definition_makes_the_old_numbers_unusable_and_is_measured_at_once(
    database: Database, metrics: MetricsFile, measure: Callable[..., int], tmp_path: Path
) -> None:
    measure(metrics)
    changed = on_duckdb(tmp_path, generated(1, users=400), FILE.replace("cap: 60", "cap: 20"))

    assert "revenue" not in shown(database, changed)
    assert len(shown(database, changed)) == len(metrics.metrics) - 1
    assert measure(changed, now=NOW + HOUR) == 1
    assert shown(database, changed)["revenue"].mean < 20


def test_a_source_that_fails_keeps_the_numbers_of_before_and_tells_nobody(
    database: Database, metrics: MetricsFile, measure: Callable[..., int], tmp_path: Path
) -> None:
    measure(metrics)
    (tmp_path / "shop.duckdb").unlink()

    measure(metrics, now=NOW + DAY)

    one = tried(database)["basket"]
    assert one.problem is not None
    assert "shop.duckdb is not there" in one.problem
    assert one.tried_at == NOW + DAY
    assert one.baseline is not None
    assert one.baseline.measured_at == NOW
    assert set(shown(database, metrics)) == set(metrics.metrics)
    with database.reading() as tx:
        assert tx.execute(select(func.count()).select_from(schema.outbox)).scalar_one() == 0


def test_a_failure_under_a_new_definition_leaves_no_numbers(
    database: Database, metrics: MetricsFile, measure: Callable[..., int], tmp_path: Path
) -> None:
    measure(metrics)
    changed = on_duckdb(tmp_path, generated(1, users=400), FILE.replace("cap: 60", "cap: 20"))
    (tmp_path / "shop.duckdb").unlink()

    measure(changed, now=NOW + HOUR)

    assert tried(database)["revenue"].baseline is None
    assert tried(database)["basket"].baseline is not None


def test_a_metric_that_the_file_has_no_more_is_not_shown_and_forgotten_after_a_month(
    database: Database, metrics: MetricsFile, measure: Callable[..., int], tmp_path: Path
) -> None:
    measure(metrics)
    fewer = on_duckdb(tmp_path, generated(1, users=400), FILE.partition("  visits:")[0])

    assert "visits" not in shown(database, fewer)
    measure(fewer, now=NOW + 30 * DAY)
    assert set(tried(database)) == set(metrics.metrics)
    measure(fewer, now=NOW + 31 * DAY)
    assert set(tried(database)) == set(metrics.metrics) - {"visits"}


def test_replicas_with_another_metrics_file_do_not_undo_each_other_at_each_tick(
    metrics: MetricsFile, measure: Callable[..., int], tmp_path: Path
) -> None:
    changed = on_duckdb(tmp_path, generated(1, users=400), FILE.replace("cap: 60", "cap: 20"))
    measure(metrics)

    seen = [measure(one, now=NOW + minutes * HOUR / 60) for minutes in (5, 35, 59) for one in (changed, metrics)]

    assert seen == [0] * 6
    assert measure(changed, now=NOW + HOUR) == 1


def test_a_measurement_is_old_after_two_weeks(database: Database, metrics: MetricsFile) -> None:
    found = baselines.measure(metrics, ["revenue"], now=NOW)["revenue"].baseline
    assert found is not None

    assert not found.is_old(NOW + 14 * DAY)
    assert found.is_old(NOW + 14 * DAY + HOUR)
    assert not replace(found, measured_at=NOW + DAY).is_old(NOW + 15 * DAY)
