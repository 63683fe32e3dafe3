"""The tables of results: what people typed, looks, and units between them."""

from collections.abc import Mapping

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text, false, text

from labcoat.db.schema import ID, metadata
from labcoat.db.types import Json, UTCDateTime, Word
from labcoat.domain.late_data import Short
from labcoat.domain.left_out import LeftOut
from labcoat.stats.results import NoLookReason, Readout, SampleRatio
from labcoat.stats.rule import Moments, Sample

entries = Table(
    "entries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("workspace", ID, nullable=False),
    Column("experiment", Integer, nullable=False),
    Column("metric", String(80), nullable=False),
    Column("as_of", UTCDateTime, nullable=False),
    Column("sent_by", ID),
    Column("program", String(80), comment="what sent them where no person did"),
    Column("sent_at", UTCDateTime, nullable=False),
    Column("moments", Json(tuple[Moments, ...]), nullable=False),
    Column(
        "wrong_since", UTCDateTime, comment="of a correction: from when on earlier totals of the metric count no more"
    ),
    Index(None, "workspace", "experiment", "id"),
)

looks = Table(
    "looks",
    metadata,
    Column("workspace", ID, primary_key=True),
    Column("experiment", Integer, primary_key=True),
    Column("slot", UTCDateTime, primary_key=True),
    Column("as_of", UTCDateTime, nullable=False),
    Column("made_at", UTCDateTime, nullable=False),
    Column("sample", Json(Sample), nullable=False),
    Column("readout", Json(Readout)),
    Column("no_look", Word(NoLookReason)),
    Column("is_superseded", Boolean(create_constraint=False), nullable=False),
    Column("crossed", Integer, nullable=False, server_default=text("0")),
    Column("definitions", Json(Mapping[str, str])),
    Column("left_out", Json(LeftOut, empty=LeftOut()), comment="rows that lacked something; empty for none"),
    Column("short", Json(tuple[Short, ...], empty=()), comment="sources whose data ended too early; empty for none"),
)

waiting_looks = Table(
    "waiting_looks",
    metadata,
    Column("workspace", ID, primary_key=True),
    Column("experiment", Integer, primary_key=True),
    Column("slot", UTCDateTime, nullable=False, comment="of the first look that waited"),
    Column("until", UTCDateTime, nullable=False, comment="business time; then it is made with what there is"),
    Column("is_final", Boolean(create_constraint=False), nullable=False),
    Column("short", Json(tuple[Short, ...]), nullable=False, comment="the sources that it waits for"),
)

source_problems = Table(
    "source_problems",
    metadata,
    Column("workspace", ID, primary_key=True),
    Column("experiment", Integer, primary_key=True),
    Column("message", Text, nullable=False),
    Column("since", UTCDateTime, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("1")),
    Column("is_of_count", Boolean(create_constraint=False), nullable=False, server_default=false()),
    Column("is_owner_told", Boolean(create_constraint=False), nullable=False, server_default=false()),
)

unit_counts = Table(
    "unit_counts",
    metadata,
    Column("workspace", ID, primary_key=True),
    Column("experiment", Integer, primary_key=True),
    Column("next_at", UTCDateTime, comment="business time of the next count"),
    Column("reading_until", UTCDateTime, comment="machine time; whoever reads its numbers holds it until then"),
    Column("as_of", UTCDateTime),
    Column("exposed", Json(tuple[int, ...])),
    Column("split", Json(SampleRatio)),
    Column("told_live_at", UTCDateTime),
)
