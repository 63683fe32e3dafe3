"""A play for each test: a sandbox and a bot in this process, on SQLite unless a test says otherwise."""

import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

import postgres
from journeys.playing import Play, playing


@pytest.fixture(autouse=True)
def no_bugs(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing that ended in the log as a bug passes unseen; a test that makes one uses `a_bug`."""
    yield
    ours = [record for record in caplog.get_records("call") if record.name.startswith("labcoat")]
    errors = [record.getMessage() for record in ours if record.levelno >= logging.ERROR]
    assert bool(errors) == ("a_bug" in request.fixturenames), errors


@pytest.fixture
def a_bug() -> None:
    """Say that this test makes a bug, which must end in the log."""


@pytest.fixture
def database_url(tmp_path: Path, migrated_sqlite: Path) -> str:
    """A migrated SQLite database of the test's own."""
    shutil.copy(migrated_sqlite, tmp_path / "labcoat.db")
    return f"sqlite:///{tmp_path / 'labcoat.db'}"


@pytest.fixture
def play(database_url: str) -> Iterator[Play]:
    with playing(database_url) as running:
        yield running


@pytest.fixture
def play_with(database_url: str) -> Iterator[Callable[..., Play]]:
    """What makes a play with other settings: slack, leads, metrics, timing, as `playing` takes them."""
    with ExitStack() as stack:
        yield lambda **more: stack.enter_context(playing(database_url, **more))


@pytest.fixture(scope="module")
def module_play(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[Callable[..., Play]]:
    """What makes a play that a module's tests share, where they change nothing."""
    path = tmp_path_factory.mktemp("shared") / "labcoat.db"
    shutil.copy(migrated_sqlite, path)
    with ExitStack() as stack:
        yield lambda **more: stack.enter_context(playing(f"sqlite:///{path}", **more))


@pytest.fixture(params=["sqlite", "postgresql", "socket mode"])
def play_on_both(request: pytest.FixtureRequest, database_url: str) -> Iterator[Play]:
    """A play on SQLite, one on PostgreSQL, and one on SQLite that Slack reaches by links instead of HTTP."""
    if request.param != "postgresql":
        with playing(database_url, has_links=request.param == "socket mode") as running:
            yield running
        return
    server: postgres.Server = request.getfixturevalue("postgres_server")
    with server.fresh_database() as url, playing(url) as running:
        yield running
