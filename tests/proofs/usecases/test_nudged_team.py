"""A team that files, stalls, ignores, snoozes and goes away: nobody is flooded, and nothing is forgotten.

A small version of `benchmarks/nudges.py`, whose figures are in docs/operate.md.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks.nudges import simulate

from labcoat.db.database import Database

WEEKS, TEAM = 13, 4
"""Longer than the eleven weeks after which an item that nobody was told of counts as forgotten."""


@pytest.fixture
def sqlite(tmp_path: Path, migrated_sqlite: Path) -> Iterator[Database]:
    shutil.copy(migrated_sqlite, tmp_path / "labcoat.db")
    database = Database(f"sqlite:///{tmp_path / 'labcoat.db'}")
    yield database
    database.dispose()


def test_nobody_gets_more_than_the_caps_allow_and_nothing_is_forgotten(sqlite: Database) -> None:
    figures = simulate(sqlite, team=TEAM, weeks=WEEKS, seed=1)

    assert figures.filed > 0
    assert sum(figures.nudged.values()) > 0
    assert max(figures.capped.values()) <= 2
    assert sum(figures.nudged.values()) <= 2 * figures.person_weeks
    assert figures.forgotten == []


def test_control_without_the_bot_things_are_forgotten(sqlite: Database) -> None:
    figures = simulate(sqlite, team=TEAM, weeks=WEEKS, seed=1, has_bot=False)

    assert figures.forgotten
