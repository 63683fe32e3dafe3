"""Notices that the version before typed facts left in the outbox say what that version said of the same database.

version_0022_notices.jsonl.gz: for each kind of notice and step, the database, the notice's row and the message, dumped
by version 0.1 (schema 0022) while its own tests ran.
"""

import gzip
import json
from collections.abc import Mapping
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Boolean, Column, Date, DateTime, MetaData, Time, delete, insert

from labcoat.db import fact_rows, migrating
from labcoat.db.database import Database, Transaction
from labcoat.db.fact_rows import UnreadableFactError
from labcoat.domain import facts
from labcoat.domain.ids import ChannelId, ExperimentNumber, HypothesisNumber, UserId, WorkspaceId
from labcoat.domain.notice import Notice, NoticeKind
from labcoat.slack.outgoing import rendering
from revisions import config_of

DUMP = Path(__file__).with_name("version_0022_notices.jsonl.gz")
SAMPLES: list[dict[str, Any]] = [json.loads(line) for line in gzip.decompress(DUMP.read_bytes()).splitlines()]


def _notice(stored: Mapping[str, Any]) -> Notice:
    kind = NoticeKind(stored["kind"])
    return Notice(
        kind=kind,
        workspace=WorkspaceId(stored["workspace"]),
        channel=None if stored["channel"] is None else ChannelId(stored["channel"]),
        person=None if stored["person"] is None else UserId(stored["person"]),
        subject=stored["subject"],
        parent=stored["parent"],
        is_loud=stored["is_loud"],
        fact=fact_rows.load(kind, stored["details"]),
    )


def _fill(tx: Transaction, there: MetaData, rows_of: Mapping[str, list[dict[str, Any]]]) -> None:
    for table in reversed(there.sorted_tables):
        tx.execute(delete(table))
    for table in there.sorted_tables:
        for row in rows_of.get(table.name, ()):
            tx.execute(insert(table).values({name: _typed(table.columns[name], value) for name, value in row.items()}))


def _typed(column: Column[Any], value: Any) -> Any:
    """Return a dumped value as its column takes it: dates and times were dumped as SQLite has them."""
    match column.type:
        case _ if value is None:
            return None
        case DateTime():
            return datetime.fromisoformat(f"{value}+00:00")
        case Date():
            return date.fromisoformat(value)
        case Time():
            return time.fromisoformat(value)
        case Boolean():
            return bool(value)
    return value


def test_the_dump_has_every_kind_of_notice_that_is_a_message() -> None:
    kinds = {sample["notice"]["kind"] for sample in SAMPLES}

    assert kinds == set(NoticeKind) - {NoticeKind.HOME}
    assert len(SAMPLES) > 50


def test_what_the_version_before_left_is_told_as_it_would_have_told_it(empty_database: Database) -> None:
    command.upgrade(config_of(empty_database), "0022")
    with empty_database.reading() as tx:
        there = MetaData()
        there.reflect(tx, only=lambda name, _: name != "alembic_version")
    said = {}
    for sample in SAMPLES:
        command.downgrade(config_of(empty_database), "0022")
        with empty_database.writing() as tx:
            _fill(tx, there, sample["rows"])
        migrating.migrate(empty_database)
        with empty_database.writing() as tx:
            now, zone = datetime.fromisoformat(sample["now"]), sample["zone"]
            said[sample["name"]] = rendering.render(tx, _notice(sample["notice"]), now=now, zone=zone).arguments()

    assert said == {sample["name"]: sample["message"] for sample in SAMPLES}


@pytest.mark.parametrize(
    ("kind", "details", "fact"),
    [
        (NoticeKind.HOME, {}, facts.HomeChanged()),
        (NoticeKind.CHART, {"count": 12}, facts.ChartsLeftOut(count=12)),
        (
            NoticeKind.STORY,
            {"hypothesis": 12, "experiment": 7, "redefined": ["a", "b"]},
            facts.DefinitionsChanged(
                hypothesis=HypothesisNumber(12), experiment=ExperimentNumber(7), metrics=("a", "b")
            ),
        ),
        (
            NoticeKind.HEALTH,
            {"hypothesis": 12, "experiment": 7, "live": "", "exposed": [1, 2]},
            facts.DraftLive(
                hypothesis=HypothesisNumber(12), experiment=ExperimentNumber(7), since=None, exposed=(1, 2)
            ),
        ),
    ],
)
def test_kinds_that_the_dump_lacks_are_read_too(kind: NoticeKind, details: dict[str, Any], fact: facts.Fact) -> None:
    assert fact_rows.load(kind, details) == fact


@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"hypothesis": "twelve"},
        {"type": "CardChanged", "v": 3, "hypothesis": 12},
        {"type": "NoSuchFact", "v": 2},
        {"type": "CardChanged", "v": 2},
        {"type": "CardChanged"},
    ],
)
def test_what_no_version_wrote_is_unreadable(stored: dict[str, Any]) -> None:
    with pytest.raises(UnreadableFactError):
        fact_rows.load(NoticeKind.CARD, stored)
