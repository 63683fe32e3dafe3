"""The migrations make the tables that the code expects, on both databases, and can be taken back."""

import subprocess
import sys
import threading

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from builders import LEAD, NOW, OWNER, WORKSPACE
from labcoat.db import dossiers, migrating, people, workspaces
from labcoat.db.database import Database
from labcoat.db.tables import metadata
from labcoat.domain.ids import HypothesisNumber


def _differences(database: Database) -> list[object]:
    with database.writing() as tx:
        context = MigrationContext.configure(tx, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, metadata))


def _tables(database: Database) -> set[str]:
    with database.reading() as tx:
        return set(inspect(tx).get_table_names()) - {"alembic_version"}


def _config(database: Database) -> Config:
    config = Config()
    config.set_main_option("script_location", "migrations")
    config.attributes["url"] = database.url
    return config


def _downgrade(database: Database) -> None:
    command.downgrade(_config(database), "base")


def test_migrations_make_the_tables_of_the_code(empty_database: Database) -> None:
    migrating.migrate(empty_database)

    assert _differences(empty_database) == []
    assert migrating.is_current(empty_database)


def test_an_empty_database_is_not_current(empty_database: Database) -> None:
    assert not migrating.is_current(empty_database)


def test_migrating_twice_changes_nothing(database: Database) -> None:
    migrating.migrate(database)

    assert _differences(database) == []


def test_migrations_can_be_taken_back_and_made_again(empty_database: Database) -> None:
    migrating.migrate(empty_database)
    _downgrade(empty_database)
    emptied = _tables(empty_database)
    migrating.migrate(empty_database)

    assert emptied == set()
    assert _tables(empty_database) == set(metadata.tables)


def test_what_was_stored_under_an_earlier_schema_stays(empty_database: Database) -> None:
    config = _config(empty_database)
    command.upgrade(config, "0001")
    with empty_database.writing() as tx:
        tx.execute(text("INSERT INTO workspaces (id, last_hypothesis, last_experiment) VALUES ('T1', 1, 0)"))
        tx.execute(text("INSERT INTO leads (workspace, person) VALUES ('T1', 'ULEAD')"))
        tx.execute(text("INSERT INTO people (workspace, person, zone) VALUES ('T1', 'UOWNER', 'Asia/Kolkata')"))
        tx.execute(text(_HYPOTHESIS))
        tx.execute(text(_NEED))  # a child, which goes with its table if that is rebuilt

    migrating.migrate(empty_database)

    with empty_database.reading() as tx:
        dossier = dossiers.find(tx, WORKSPACE, HypothesisNumber(1))
        assert dossier is not None
        assert (dossier.hypothesis.change, dossier.hypothesis.deputy) == ("Fresh first", None)
        assert [need.summary for need in dossier.needs] == ["A place for features"]
        assert workspaces.leads(tx, WORKSPACE, from_settings=True) == [LEAD]
        assert people.zones(tx, WORKSPACE) == {OWNER: "Asia/Kolkata"}
        assert people.unchecked(tx, WORKSPACE, before=NOW) == [OWNER]


_REPLICA = """
import sys
from labcoat.db import migrating
from labcoat.db.database import Database
database = Database(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
migrating.migrate(database)
"""


def test_replicas_that_migrate_at_once_all_end_well(empty_database: Database) -> None:
    command_line = [sys.executable, "-c", _REPLICA, empty_database.url]
    replicas = [
        subprocess.Popen(command_line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]

    ready = [one.stdout.readline() for one in replicas if one.stdout is not None]
    for one in replicas:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    for one in replicas:
        one.communicate(timeout=120)

    assert ready == ["ready\n"] * 3
    assert [one.returncode for one in replicas] == [0, 0, 0]
    assert _differences(empty_database) == []


def test_who_starts_while_another_migrates_waits_and_finds_it_done(empty_database: Database) -> None:
    other = Database(empty_database.url)
    found: list[bool] = []

    def start() -> None:
        migrating.wait_for_others(other)
        found.append(migrating.is_current(other))

    waiting = threading.Thread(target=start)
    with empty_database.writing() as tx:
        migrating.take_turn(tx)
        waiting.start()
        waiting.join(0.3)
        is_waiting = waiting.is_alive()
        context = MigrationContext.configure(tx)
        context.stamp(ScriptDirectory("migrations"), "head")
    waiting.join(60)

    assert is_waiting
    assert found == [True]
    other.dispose()


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_statement_that_hangs_is_ended_but_no_migration_is(database: Database) -> None:
    with database.reading() as tx:
        shown = {name: tx.execute(text(f"SHOW {name}")).scalar_one() for name in ("statement_timeout", "lock_timeout")}
    assert shown == {"statement_timeout": "30s", "lock_timeout": "10s"}

    with database.writing() as tx:
        tx.execute(text("SET LOCAL statement_timeout = '20ms'"))
        with pytest.raises(DBAPIError, match="statement timeout"):
            tx.execute(text("SELECT pg_sleep(60)"))

    with database.writing() as tx:
        migrating.take_turn(tx)
        assert tx.execute(text("SHOW statement_timeout")).scalar_one() == "0"


_HYPOTHESIS = """
    INSERT INTO hypotheses (workspace, number, version, channel, stage, stage_since, change, metric, direction, because,
        smallest_effect, refuted_by, tags, filed_by, filed_at, involved)
    VALUES ('T1', 1, 1, 'C1', 'hypothesize', '2026-11-01 09:00:00', 'Fresh first', 'orders', 'up', 'seen', '', '', '[]',
        'UOWNER', '2026-11-01 09:00:00', '[]')
"""
_NEED = """
    INSERT INTO needs (workspace, hypothesis, position, summary, found_by, found_at)
    VALUES ('T1', 1, 1, 'A place for features', 'UOWNER', '2026-11-01 09:00:00')
"""
