"""kill -9 while a file of totals is read: another process takes the job over, and its totals are stored once."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

import postgres
from chaos.replicas import Change, Fatal, Replica, free_port, run_command
from chaos.world import CHANNELS, PATIENCE_SECONDS, World, a_world
from journeys.playing import CONFIDENCE_SEQUENCE, DAY, PLAN, read
from labcoat.db.tables import schema
from labcoat.demo import people
from labcoat.domain.file_job import FileJobState
from labcoat.domain.notice import NoticeKind

POINTS = (
    Fatal("labcoat.db.file_jobs:claim", "after"),  # claimed, not committed
    Fatal("labcoat.worker.file_worker:FileWork._totals", "before"),  # the claim is committed
    Fatal("labcoat.slack.incoming.downloads:Download.into", "after"),
    Fatal("labcoat.usecases.experiments.uploads:read_file", "after"),
    Fatal("labcoat.db.file_jobs:finish", "after"),  # settled, not committed
    Fatal("labcoat.usecases.experiments.files:record", "after"),  # stored, not committed
    Fatal("labcoat.worker.file_worker:FileWork.do_next", "after"),  # all is committed
)
CHART_POINTS = (
    Fatal("slack_sdk:WebClient.files_getUploadURLExternal", "after"),  # Slack waits for the picture
    Fatal("slack_sdk:WebClient.files_completeUploadExternal", "before"),  # it has the picture
    Fatal("slack_sdk:WebClient.files_completeUploadExternal", "after"),
    Fatal(
        "labcoat.slack.outgoing.delivery:upload_picture", "after"
    ),  # it knows what the picture is; no message names it
    Fatal("slack_sdk:WebClient.chat_postMessage", "after"),  # it has the message too, and nobody has stored so
)
A_DIGESTS_TIME = datetime(2026, 11, 30, 9, tzinfo=UTC)
METRICS = ["orders per user", "refund rate", "basket"]


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path: Path, migrated_sqlite: Path) -> Iterator[World]:
    """E-1 runs, and takes totals of three metrics; no process is there."""
    if request.param == "sqlite":
        shutil.copy(migrated_sqlite, tmp_path / "labcoat.db")
        with a_world(f"sqlite:///{tmp_path / 'labcoat.db'}") as made:
            yield _running(made)
        return
    server: postgres.Server = request.getfixturevalue("postgres_server")
    with server.fresh_database() as url, a_world(url) as made:
        yield _running(made)


def test_a_file_whose_reader_is_killed_is_read_by_the_next_and_stored_once(
    world: World, size: Callable[[int, int], int], tell: Callable[[str], None]
) -> None:
    replica = _replica(world)
    half = -(-len(POINTS) // 2)
    lives = size(half, 10 * len(POINTS))
    first = 0 if world.database.is_sqlite else half  # in the small size each database has half of the points

    for life in range(lives):
        replica.start(POINTS[(first + life) % len(POINTS)])
        assert replica.wait_until_it_answers()
        _gives(world, units=30_000 + 100 * life)
        world.slack.wait_for(lambda: not replica.is_alive, timeout_seconds=PATIENCE_SECONDS)
        assert replica.has_killed_itself()
        replica.start()
        world.slack.wait_for(lambda: _is_read(world), timeout_seconds=PATIENCE_SECONDS)
        world.wait_until_all_is_told()
        replica.kill()

    stored = _stored(world)
    tell(f"{lives} kills while a file was read: {len(stored)} totals, {len(world.twice())} messages twice")
    assert stored == [(metric, 30_000 + 100 * life) for life in range(lives) for metric in METRICS]
    assert (world.lost(), world.twice()) == ([], [])
    assert len(_told_of_files(world)) == lives


def test_a_chart_whose_sender_is_killed_again_and_again_is_shown_once(
    world: World, size: Callable[[int, int], int]
) -> None:
    first, step = size(int(world.database.is_sqlite), 0), size(2, 1)  # in the small size each has half of the points
    replica = _replica(world)
    replica.start()
    assert replica.wait_until_it_answers()
    totals = "record E-1 control=2000/20000 treatment=2300/20000"
    assert world.person(people.ANA).command("/experiment", totals, channel=CHANNELS[0]).ok
    world.slack.wait_for(lambda: _stored(world), timeout_seconds=PATIENCE_SECONDS)  # a busy bot answers before
    world.wait_until_all_is_told()
    replica.kill()

    world.set_clock(A_DIGESTS_TIME)
    for point in CHART_POINTS[first::step]:
        replica.start(point)
        world.slack.wait_for(lambda: not replica.is_alive, timeout_seconds=PATIENCE_SECONDS)
        assert replica.has_killed_itself()
    replica.start()
    world.wait_until_all_is_told()
    replica.kill()

    assert [row["kind"] for row in world.rows()].count(NoticeKind.CHART) == 1
    assert (world.lost(), world.twice()) == ([], [])


def test_a_job_that_is_not_settled_with_its_totals_is_told_twice(world: World) -> None:
    """The control. The same totals again are no news since corrections are told apart, so they are stored once."""
    replica = _replica(world, (("labcoat.db.file_jobs:finish", "true"),))
    replica.start()
    assert replica.wait_until_it_answers()

    _gives(world, units=30_000)

    world.slack.wait_for(lambda: _notices_of_files(world) > 1, timeout_seconds=PATIENCE_SECONDS)
    replica.kill()
    assert _stored(world) == [(metric, 30_000) for metric in METRICS]


@pytest.mark.parametrize(
    "line", ["labcoat.usecases.experiments.uploads:read_file", "labcoat.usecases.experiments.files:record_from_disk"]
)
def test_an_import_that_is_killed_has_stored_nothing_and_can_be_run_again(
    world: World, tmp_path: Path, line: str
) -> None:
    (tmp_path / "units.csv").write_bytes(_file(units=400))
    command = ["import", "E-1", str(tmp_path / "units.csv")]

    killed = run_command(command, world.environment, Fatal(line, "after"))
    before = _stored(world)
    again = run_command(command, world.environment)

    assert (killed, before, again) == (-9, [], 0)
    assert _stored(world) == [(metric, 400) for metric in METRICS]


def _running(world: World) -> World:
    replica = _replica(world)
    replica.start()
    assert replica.wait_until_it_answers()
    world.set_clock(datetime(2026, 11, 24, 8, tzinfo=UTC))
    ana, channel = world.person(people.ANA), CHANNELS[0]
    world.files(channel)
    assert world.adds_evidence(1)
    world.opens(ana, "/experiment", "plan H-1", channel=channel)
    guardrails = "refund rate down\nsecondary mean basket up"
    world.submits(ana, PLAN | {"design": CONFIDENCE_SEQUENCE, "guardrails": guardrails})
    world.opens(ana, "/experiment", "start E-1", channel=channel)
    world.submits(ana, {})
    world.move(2 * DAY)
    world.wait_until_all_is_told()
    replica.kill()
    return world


def _replica(world: World, changes: tuple[Change, ...] = ()) -> Replica:
    replica = Replica(world.environment, free_port(), changes)
    world.sandbox.app_url = replica.url
    return replica


def _file(*, units: int) -> bytes:
    """Return a row a unit; with 30,000 of them larger than what a form waits for."""
    rows = (
        f"u{n}{'x' * 30},{'treatment' if n % 2 else 'control'},{int(n % 20 < 2)},{int(n % 40 < 2)},{n % 7}.5\n"
        for n in range(units)
    )
    return ("user_id,variant,orders per user,refund_rate,basket\n" + "".join(rows)).encode()


def _gives(world: World, *, units: int) -> None:
    ana = world.person(people.ANA)
    world.opens(ana, "/experiment", "record E-1", channel=CHANNELS[0])
    done = ana.submit({"file": [ana.upload("units.csv", _file(units=units))]})
    assert done.ok, done
    assert not done.errors, done.errors


def _is_read(world: World) -> bool:
    with world.database.reading() as tx:
        states = tx.execute(select(schema.file_jobs.c.state)).scalars().all()
    return set(states) == {FileJobState.DONE}


def _stored(world: World) -> list[tuple[str, int]]:
    """Return each stored total: its metric, and its units in both variants."""
    column = schema.entries.c
    with world.database.reading() as tx:
        rows = tx.execute(select(column.metric, column.moments).order_by(column.id)).all()
    return [(metric, sum(arm.count for arm in arms)) for metric, arms in rows]


def _notices_of_files(world: World) -> int:
    return [row["kind"] for row in world.rows()].count(NoticeKind.FILE)


def _told_of_files(world: World) -> list[str]:
    said = [read(message) for message in world.person(people.ANA).direct_messages()]
    return [one for one in said if "Stored for E-1" in one]
