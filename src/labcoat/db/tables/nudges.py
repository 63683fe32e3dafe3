"""The tables of nudges: what was sent, whose day is taken, what was snoozed, and since when what stalls is known."""

from sqlalchemy import Column, Date, Index, Integer, String, Table, UniqueConstraint

from labcoat.db.tables.metadata import ID, metadata
from labcoat.db.types import Json, UTCDateTime, Word
from labcoat.domain.nudge import Nudge
from labcoat.domain.stall import NudgeCase

nudges = Table(
    "nudges",
    metadata,
    Column("workspace", ID, primary_key=True),
    Column("key", String(120), primary_key=True, comment="case, subject, since and step: each is sent once"),
    Column("person", ID, nullable=False),
    Column("made_at", UTCDateTime, nullable=False),
    Column("hypothesis", Integer),
    Column("subject", String(80), comment="of the message it is in; empty for what was told elsewhere"),
    Column("nudge", Json(Nudge)),
    Column("entry", Integer, comment="of the history: the change that ended it"),
    Column("snoozed_until", UTCDateTime),
    Index(None, "workspace", "subject"),
    Index("ix_nudges_open", "workspace", "hypothesis", "entry"),
)

nudge_days = Table(
    "nudge_days",
    metadata,
    Column("workspace", ID, primary_key=True),
    Column("person", ID, primary_key=True),
    Column("day", Date, primary_key=True, comment="where the person is"),
    Column("week", Date, nullable=False, comment="its Monday"),
    Column("position", Integer, nullable=False, comment="1, 2, ... within the week"),
    UniqueConstraint("workspace", "person", "week", "position"),
)

snoozes = Table(
    "snoozes",
    metadata,
    Column("workspace", ID, primary_key=True),
    Column("hypothesis", Integer, primary_key=True),
    Column("person", ID, primary_key=True),
    Column("until", UTCDateTime, nullable=False),
)

stalls = Table(
    "stalls",
    metadata,
    Column("workspace", ID, primary_key=True),
    Column("hypothesis", Integer, primary_key=True),
    Column("case", Word(NudgeCase), primary_key=True),
    Column("since", UTCDateTime, nullable=False, comment="when it was found, where nothing else dates it"),
)
