"""The migrations make the tables that the code expects, on both databases, and can be taken back."""

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from labcoat.db import migrating
from labcoat.db.database import Database
from labcoat.db.tables import metadata


def _differences(database: Database) -> list[object]:
    with database.writing() as tx:
        context = MigrationContext.configure(tx, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, metadata))


def _tables(database: Database) -> set[str]:
    with database.reading() as tx:
        return set(inspect(tx).get_table_names()) - {"alembic_version"}


def _downgrade(database: Database) -> None:
    config = Config()
    config.set_main_option("script_location", "migrations")
    config.attributes["url"] = database.url
    command.downgrade(config, "base")


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
