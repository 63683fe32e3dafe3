"""A database without rows for each test that asks for one, and the two sizes of heavy proofs: `--full`, or small."""

import logging
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

import postgres
from builders import LEAD, OTHER_LEAD, WORKSPACE
from labcoat.db import workspaces
from labcoat.db.database import Database, Transaction
from labcoat.db.migrating import migrate

BACKENDS = ("sqlite", "postgresql")
DATA_SETS = (30, 200)
"""How many worlds of rows are generated for a proof: in `make test`, and in full size."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="run the heavy proofs in their full size")


def pytest_configure(config: pytest.Config) -> None:
    settings.register_profile("no deadline", deadline=None)  # times are never asserted
    settings.load_profile("no deadline")
    settings.register_profile("data sets", max_examples=DATA_SETS[config.getoption("full")], deadline=None)


@pytest.fixture(scope="session")
def size(pytestconfig: pytest.Config) -> Callable[[int, int], int]:
    """What picks how often something is done: `size(small, full)`."""
    is_full: bool = pytestconfig.getoption("full")

    def pick(small: int, full: int) -> int:
        return full if is_full else small

    return pick


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """What writes a figure where whoever runs the full size reads it."""

    def write(line: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n{line}\n")

    return write


@pytest.fixture(autouse=True)
def _log_as_before() -> Iterator[None]:
    """Take back what a command of a test did to the log: its handler writes where nobody reads any more."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    with postgres.running_server() as server:
        yield server


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("migrated") / "labcoat.db"
    database = Database(f"sqlite:///{path}")
    migrate(database)
    database.dispose()
    return path


@pytest.fixture(scope="session")
def shared_sqlite(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[Database]:
    path = tmp_path_factory.mktemp("shared") / "labcoat.db"
    shutil.copy(migrated_sqlite, path)
    yield from _open(f"sqlite:///{path}")


@pytest.fixture(scope="session")
def shared_postgresql(postgres_server: postgres.Server) -> Iterator[Database]:
    yield from _open(postgres_server.shared_url)


@pytest.fixture(params=BACKENDS)
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A database at the newest schema, without rows: always the same, whose connections and statements stay warm."""
    shared: Database = request.getfixturevalue(f"shared_{request.param}")
    on_notices = shared.on_notices
    yield shared
    shared.on_notices = on_notices
    postgres.empty(shared)


@pytest.fixture
def tx(database: Database) -> Iterator[Transaction]:
    """An open transaction in a workspace with two leads, as a use case gets it."""
    with database.writing() as tx:
        workspaces.set_leads(tx, WORKSPACE, [LEAD, OTHER_LEAD], from_settings=True)
        yield tx


@pytest.fixture(params=BACKENDS)
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without tables."""
    if request.param == "sqlite":
        yield from _open(f"sqlite:///{tmp_path / 'empty.db'}")
    else:
        server: postgres.Server = request.getfixturevalue("postgres_server")
        with server.fresh_database(is_migrated=False) as url:
            yield from _open(url)


def _open(url: str) -> Iterator[Database]:
    database = Database(url, pool_size=8)
    yield database
    database.dispose()
