"""Databases at an earlier revision of the schema, for tests of upgrades."""

from alembic.config import Config

from labcoat.db.database import Database


def config_of(database: Database) -> Config:
    """Return what Alembic's commands need to change the schema of a database."""
    config = Config()
    config.set_main_option("script_location", "migrations")
    config.attributes["url"] = database.url
    return config
