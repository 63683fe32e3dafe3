"""Reading a PostgreSQL warehouse in the background: once in all replicas, and never in anybody's way."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from slack_sdk import WebClient

import postgres
from builders import E7, E8, H12, NOW, WORKSPACE, a_dossier, a_member, a_plan, an_experiment
from labcoat.db import clock, dossiers, looks, unit_counts
from labcoat.db.database import Database
from labcoat.domain.ids import ExperimentNumber, HypothesisNumber
from labcoat.domain.lifecycle import ExperimentState
from labcoat.domain.look import Look
from labcoat.domain.plan import Plan, Variant
from labcoat.slack.incoming.downloads import downloader
from labcoat.slack.outgoing.delivery import Delivery
from labcoat.stats.rule import MetricKind
from labcoat.usecases.experiments import experiments
from labcoat.warehouse import metrics_file
from labcoat.warehouse.metrics_file import MetricsFile
from labcoat.worker import background as running
from labcoat.worker.background import Background
from labcoat.worker.file_worker import FileWork
from labcoat.worker.schedule import Jobs
from usecases.storing import stored
from warehouse import shop

HOUR = timedelta(hours=1)
POSTGRESQL = "{engine: postgresql, url: '${SHOP_URL}', time_limit_seconds: 30}"
ALL_TIME = timedelta(days=3000)
SHOP = "shop"
VISITS = "visitor,variant,at,experiment,pages\n" + "".join(
    f"{visitor},{'ab'[visitor % 2]},2026-03-02 10:00,E-8,{visitor % 7}\n" for visitor in range(40)
)
TWO_SOURCES = """
sources:
  shop: {engine: postgresql, url: '${SHOP_URL}'}
  files: {engine: duckdb, tables: {visits: visits.csv}}
exposures:
  users: {source: shop, table: exposures, unit: user_id, variant: variant, exposed_at: seen_at, experiment: experiment}
  visitors: {source: files, table: visits, unit: visitor, variant: variant, exposed_at: at, experiment: experiment}
metrics:
  orders: {kind: mean, direction: up, exposures: users, table: orders, time: ordered_at, complete_at_exposure: true}
  pages: {kind: mean, direction: up, exposures: visitors, value: pages}
"""


@pytest.fixture(scope="module")
def shop_url(postgres_server: postgres.Server) -> Iterator[str]:
    with postgres_server.fresh_database(is_migrated=False) as url:
        shop.write_postgresql(url)
        yield url


@pytest.fixture
def jobs(database: Database, shop_url: str, tmp_path: Path) -> Jobs:
    """A process that runs E-7 since the shop's first day."""
    start(database, E7, goal="orders")
    return a_process(database, shop_url, tmp_path)


def start(database: Database, number: ExperimentNumber, *, goal: str) -> None:
    plan = a_shop_plan(number, goal=goal)
    with database.writing() as tx:
        experiment = an_experiment(ExperimentState.DRAFT, number=number, plan=plan, since=shop.SINCE)
        draft = stored(tx, a_dossier(experiment, number=H12 + number))
        experiments.start(tx, draft, number, by=a_member(), since=shop.SINCE, now=shop.SINCE)


def a_shop_plan(number: ExperimentNumber, *, goal: str) -> Plan:
    plan = a_plan(planned_days=3000)
    goal_of_it = replace(plan.goal, name=goal, kind=MetricKind.MEAN, is_complete_at_exposure=True)
    return replace(
        plan,
        metrics=(goal_of_it,),
        variants=(Variant(name="a", weight=0.5), Variant(name="b", weight=0.5)),
        experiment_key=f"E-{number}",
        planned_days=366,
    )


def with_visits(jobs: Jobs, url: str, folder: Path) -> Jobs:
    """Return a process that also runs E-8, over a file."""
    start(jobs.database, E8, goal="pages")
    (folder / "visits.csv").write_text(VISITS)
    (folder / "two.yml").write_text(TWO_SOURCES)
    return replace(jobs, metrics=metrics_file.load(folder / "two.yml", environment={"SHOP_URL": url}))


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
    both = [threading.Thread(target=one.count_units, args=(NOW, SHOP)) for one in (jobs, second)]

    for one in both:
        one.start()
    for one in both:
        one.join()

    with jobs.database.reading() as tx:
        found = unit_counts.find(tx, WORKSPACE, E7)
    assert found is not None
    assert sum(found.exposed) == len(shop.units_by_hand("E-7")[0])
    assert scans(shop_url) - before == 1


def test_a_lease_that_a_killed_process_left_ends(jobs: Jobs) -> None:
    at = clock.machine_now()
    with jobs.database.writing() as tx:
        assert unit_counts.claim(tx, WORKSPACE, E7, at=at, until=at + HOUR)
    jobs.count_units(NOW, SHOP)
    with jobs.database.reading() as tx:
        assert unit_counts.find(tx, WORKSPACE, E7) is None

    with jobs.database.writing() as tx:
        assert unit_counts.claim(tx, WORKSPACE, E7, at=at + HOUR, until=at)
    jobs.count_units(NOW, SHOP)

    with jobs.database.reading() as tx:
        assert unit_counts.find(tx, WORKSPACE, E7) is not None


def test_a_source_that_hangs_delays_neither_the_clock_nor_clicks_and_is_told(jobs: Jobs, shop_url: str) -> None:
    """The exposures are locked by another session, as by a migration: the read waits until its limit."""
    slow = replace(jobs, metrics=_with_limit(jobs, seconds=2.0))
    with psycopg.connect(shop_url) as holder:
        holder.execute("LOCK TABLE exposures IN ACCESS EXCLUSIVE MODE")
        reader = threading.Thread(target=slow.read_source, args=(SHOP,))
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


def test_a_source_that_hangs_delays_no_experiment_of_another(
    jobs: Jobs, shop_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "TICK_SECONDS", 0.1)
    both = with_visits(jobs, shop_url, tmp_path)
    background = Background(both, deliverers=0)
    with psycopg.connect(shop_url) as holder:
        holder.execute("LOCK TABLE exposures IN ACCESS EXCLUSIVE MODE")
        background.start()
        _wait_until_waiting(shop_url)

        looked_at = _wait_until_looked_at(jobs.database, E8)
        with jobs.database.reading() as tx:
            hung = looks.list_of(tx, WORKSPACE, E7), looks.find_problem(tx, WORKSPACE, E7)
    background.stop()

    assert looked_at.sample.exposed == (20, 20)
    assert hung == ([], None)
    with jobs.database.reading() as tx:
        assert looks.list_of(tx, WORKSPACE, E7) != []


def test_rows_that_arrive_after_the_stop_are_a_new_look(jobs: Jobs, shop_url: str, tmp_path: Path) -> None:
    process = with_visits(jobs, shop_url, tmp_path)
    ended_at = shop.SINCE + 28 * shop.DAY
    with jobs.database.writing() as tx:
        running = dossiers.find(tx, WORKSPACE, HypothesisNumber(H12 + E8))
        assert running is not None
        experiments.stop(tx, running, E8, by=a_member(), ended_at=ended_at, reason="enough", now=ended_at)
    process.make_looks(ended_at, "files")
    process.make_looks(ended_at + shop.DAY, "files")

    with (tmp_path / "visits.csv").open("a") as file:
        file.write("99,b,2026-03-03 10:00,E-8,6\n100,b,2026-04-20 10:00,E-8,6\n")
    process.make_looks(ended_at + 2 * shop.DAY, "files")

    with jobs.database.reading() as tx:
        final, late = looks.list_of(tx, WORKSPACE, E8)
    assert final.readout is not None
    assert late.readout is not None
    assert (final.sample.exposed, final.readout.is_final) == ((20, 20), True)
    assert (late.sample.exposed, late.as_of) == ((20, 21), ended_at)
    assert (late.readout.is_after_final, late.readout.verdict) == (True, final.readout.verdict)


def test_a_file_that_is_cut_while_it_is_read_leaves_the_last_good_look(
    jobs: Jobs, shop_url: str, tmp_path: Path
) -> None:
    process, path = with_visits(jobs, shop_url, tmp_path), tmp_path / "visits.csv"
    process.make_looks(NOW, "files")
    path.write_text(VISITS + "0,a,2026-03-02 10:00,E-9,1\n" * 400_000)
    size = path.stat().st_size
    cutter = threading.Thread(target=_cut_once_open, args=(path, size // 2))
    cutter.start()
    process.make_looks(NOW + shop.DAY, "files")
    cutter.join()
    with jobs.database.reading() as tx:
        problem, looks_then = looks.find_problem(tx, WORKSPACE, E8), looks.list_of(tx, WORKSPACE, E8)

    path.write_text(VISITS + "99,b,2026-03-03 10:00,E-8,6\n")
    process.make_looks(NOW + shop.DAY + HOUR, "files")

    assert problem is not None
    assert "visits.csv changed while it was read" in problem.message
    assert len(looks_then) == 1
    with jobs.database.reading() as tx:
        assert looks.find_problem(tx, WORKSPACE, E8) is None
        assert looks.list_of(tx, WORKSPACE, E8)[-1].sample.exposed == (20, 21)


def test_a_connection_that_is_cut_while_it_reads_is_told_and_read_again(jobs: Jobs, shop_url: str) -> None:
    with psycopg.connect(shop_url) as holder:
        holder.execute("LOCK TABLE exposures IN ACCESS EXCLUSIVE MODE")
        reader = threading.Thread(target=jobs.count_units, args=(NOW, SHOP))
        reader.start()
        _wait_until_waiting(shop_url)
        holder.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'labcoat'")
        reader.join()
    with jobs.database.reading() as tx:
        problem = looks.find_problem(tx, WORKSPACE, E7)

    jobs.count_units(NOW + HOUR, SHOP)

    assert problem is not None
    assert "connection to the database was lost" in problem.message
    with jobs.database.reading() as tx:
        assert unit_counts.find(tx, WORKSPACE, E7) is not None
        assert looks.find_problem(tx, WORKSPACE, E7) is None


def test_what_nobody_foresaw_in_one_experiment_keeps_no_other_waiting(jobs: Jobs) -> None:
    """E-8 measures by a unit that is no name, which the file's own check would refuse at the start."""
    assert jobs.metrics is not None
    lost = jobs.metrics.metrics["refunds"].model_copy(update={"unit": 7})
    metrics = jobs.metrics.model_copy(update={"metrics": {**jobs.metrics.metrics, "refunds": lost}})
    start(jobs.database, E8, goal="refunds")
    with jobs.database.writing() as tx:
        for number in (E7, E8):
            looks.schedule(tx, WORKSPACE, number, NOW)

    replace(jobs, metrics=metrics).make_looks(NOW, SHOP)

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


def _cut_once_open(path: Path, size: int) -> None:
    """Cut a file as soon as this process reads it."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for link in Path("/proc/self/fd").iterdir():
            with suppress(FileNotFoundError):
                if link.readlink() == path:
                    os.truncate(path, size)
                    return


def _wait_until_looked_at(database: Database, number: ExperimentNumber) -> Look:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with database.reading() as tx:
            found = looks.list_of(tx, WORKSPACE, number)
        if found:
            return found[-1]
        time.sleep(0.02)
    message = f"E-{number} was not looked at while another source hung"
    raise AssertionError(message)


def _wait_until_waiting(url: str) -> None:
    """Return once the read waits for the lock."""
    waiting = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'labcoat' AND wait_event_type = 'Lock'"
    with psycopg.connect(url, autocommit=True) as connection:
        while connection.execute(waiting).fetchone() is None:
            connection.execute("SELECT pg_sleep(0.02)")
