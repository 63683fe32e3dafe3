"""Reading a PostgreSQL warehouse in the background: once in all replicas, and never in anybody's way."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from slack_sdk import WebClient

import postgres
from builders import E7, E8, NOW, WORKSPACE, a_dossier, a_member, a_plan, an_experiment
from labcoat.db import clock, counts, looks
from labcoat.db.database import Database
from labcoat.domain.lifecycle import ExperimentState
from labcoat.domain.plan import Plan, Variant
from labcoat.jobs import Jobs
from labcoat.slack.delivery import Delivery
from labcoat.slack.downloading import downloader
from labcoat.slack.file_work import FileWork
from labcoat.usecases import experiments
from labcoat.warehouse.metrics_file import MetricsFile
from usecases.storing import stored
from warehouse import shop

HOUR = timedelta(hours=1)
POSTGRESQL = "{engine: postgresql, url: '${SHOP_URL}', time_limit_seconds: 30}"
ALL_TIME = timedelta(days=3000)


@pytest.fixture(scope="module")
def shop_url(postgres_server: postgres.Server) -> Iterator[str]:
    with postgres_server.fresh_database(is_migrated=False) as url:
        shop.write_postgresql(url)
        yield url


@pytest.fixture
def jobs(database: Database, shop_url: str, tmp_path: Path) -> Jobs:
    """A process that runs E-7 since the shop's first day."""
    since = shop.SINCE
    with database.writing() as tx:
        draft = stored(tx, a_dossier(an_experiment(ExperimentState.DRAFT, plan=a_shop_plan(), since=since)))
        experiments.start(tx, draft, E7, by=a_member(), since=since, now=since)
    return a_process(database, shop_url, tmp_path)


def a_shop_plan(*, goal: str = "orders") -> Plan:
    plan = a_plan(planned_days=3000)
    metric = replace(plan.goal, name=goal, is_complete_at_exposure=True)
    return replace(
        plan,
        metrics=(metric,),
        variants=(Variant(name="a", weight=0.5), Variant(name="b", weight=0.5)),
        experiment_key="E-7",
        planned_days=366,
    )


def a_process(database: Database, url: str, folder: Path, *, source: str = POSTGRESQL) -> Jobs:
    client = WebClient()
    delivery = Delivery(
        database=database, client_of=lambda _: client, zone="UTC", lease=HOUR, sending=HOUR, settling=HOUR
    )
    return Jobs(
        database=database,
        delivery=delivery,
        files=FileWork(database=database, client=client, download=downloader(client), zone="UTC"),
        metrics=shop.load(folder, source, environment={"SHOP_URL": url}),
        workspace=WORKSPACE,
        zone="UTC",
        describe=lambda _: None,
        count_every=HOUR,
    )


def scans(url: str) -> int:
    """Return how often the exposures were scanned; each read's own connection has told so when it ended."""
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'exposures'").fetchone()
    assert row is not None
    return int(row[0])


def test_two_replicas_at_once_read_each_experiment_once(jobs: Jobs, shop_url: str, tmp_path: Path) -> None:
    second = a_process(jobs.database, shop_url, tmp_path)
    before = scans(shop_url)
    both = [threading.Thread(target=one.count_units, args=(NOW,)) for one in (jobs, second)]

    for one in both:
        one.start()
    for one in both:
        one.join()

    with jobs.database.reading() as tx:
        found = counts.find(tx, WORKSPACE, E7)
    assert found is not None
    assert sum(found.exposed) == len(shop.units_by_hand("E-7")[0])
    assert scans(shop_url) - before == 1


def test_a_lease_that_a_killed_process_left_ends(jobs: Jobs) -> None:
    at = clock.machine_now()
    with jobs.database.writing() as tx:
        assert counts.claim(tx, WORKSPACE, E7, at=at, until=at + HOUR)
    jobs.count_units(NOW)
    with jobs.database.reading() as tx:
        assert counts.find(tx, WORKSPACE, E7) is None

    with jobs.database.writing() as tx:
        assert counts.claim(tx, WORKSPACE, E7, at=at + HOUR, until=at)
    jobs.count_units(NOW)

    with jobs.database.reading() as tx:
        assert counts.find(tx, WORKSPACE, E7) is not None


def test_a_source_that_hangs_delays_neither_the_clock_nor_clicks_and_is_told(jobs: Jobs, shop_url: str) -> None:
    """The exposures are locked by another session, as by a migration: the read waits until its limit."""
    slow = replace(jobs, metrics=_with_limit(jobs, seconds=2.0))
    with psycopg.connect(shop_url) as holder:
        holder.execute("LOCK TABLE exposures IN ACCESS EXCLUSIVE MODE")
        reader = threading.Thread(target=slow.read_sources)
        reader.start()
        _wait_until_waiting(shop_url)

        slow.keep_time()
        with slow.database.writing() as tx:
            looks.schedule(tx, WORKSPACE, E7, NOW + ALL_TIME)
        is_reading = reader.is_alive()
        reader.join()

    with slow.database.reading() as tx:
        problem = looks.find_problem(tx, WORKSPACE, E7)
    assert is_reading
    assert problem is not None
    assert "took longer than 2 seconds" in problem.message


def test_a_connection_that_is_cut_while_it_reads_is_told_and_read_again(jobs: Jobs, shop_url: str) -> None:
    with psycopg.connect(shop_url) as holder:
        holder.execute("LOCK TABLE exposures IN ACCESS EXCLUSIVE MODE")
        reader = threading.Thread(target=jobs.count_units, args=(NOW,))
        reader.start()
        _wait_until_waiting(shop_url)
        holder.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'labcoat'")
        reader.join()
    with jobs.database.reading() as tx:
        problem = looks.find_problem(tx, WORKSPACE, E7)

    jobs.count_units(NOW + HOUR)

    assert problem is not None
    assert "connection to the database was lost" in problem.message
    with jobs.database.reading() as tx:
        assert counts.find(tx, WORKSPACE, E7) is not None
        assert looks.find_problem(tx, WORKSPACE, E7) is None


def test_what_nobody_foresaw_in_one_experiment_keeps_no_other_waiting(jobs: Jobs) -> None:
    """E-8 measures on exposures that are not there, which the file's own check would refuse at the start."""
    assert jobs.metrics is not None
    lost = jobs.metrics.metrics["refunds"].model_copy(update={"exposures": "gone"})
    metrics = jobs.metrics.model_copy(update={"metrics": {**jobs.metrics.metrics, "refunds": lost}})
    plan = a_shop_plan(goal="refunds")
    with jobs.database.writing() as tx:
        other = an_experiment(ExperimentState.DRAFT, number=E8, plan=plan, since=shop.SINCE)
        draft = stored(tx, a_dossier(other, number=13))
        experiments.start(tx, draft, E8, by=a_member(), since=shop.SINCE, now=shop.SINCE)
        for number in (E7, E8):
            looks.schedule(tx, WORKSPACE, number, NOW)

    replace(jobs, metrics=metrics).make_looks(NOW)

    with jobs.database.reading() as tx:
        made, problem = looks.newest(tx, WORKSPACE, E7), looks.find_problem(tx, WORKSPACE, E8)
    assert made is not None
    assert problem is not None
    assert "It is in Labcoat's log" in problem.message


def _with_limit(jobs: Jobs, *, seconds: float) -> MetricsFile:
    assert jobs.metrics is not None
    sources = {
        name: source.model_copy(update={"time_limit_seconds": seconds}) for name, source in jobs.metrics.sources.items()
    }
    return jobs.metrics.model_copy(update={"sources": sources})


def _wait_until_waiting(url: str) -> None:
    """Return once the read waits for the lock."""
    waiting = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'labcoat' AND wait_event_type = 'Lock'"
    with psycopg.connect(url, autocommit=True) as connection:
        while connection.execute(waiting).fetchone() is None:
            connection.execute("SELECT pg_sleep(0.02)")
