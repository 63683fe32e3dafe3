"""The tables of results: what people typed, looks, units between them, and what metrics were before."""

from collections.abc import Mapping

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, String, Table, Text, false, text

from labcoat.db.tables.metadata import ID, metadata
from labcoat.db.types import Json, UTCDateTime, Word
from labcoat.domain.findings import Findings
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
    Column("findings", Json(Findings), comment="what the data were found to be; empty if that was known before"),
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

metric_baselines = Table(
    "metric_baselines",
    metadata,
    Column("workspace", ID, primary_key=True),
    Column("metric", String(80), primary_key=True),
    Column("definition", String(40), nullable=False, comment="a hash; of another one the numbers say nothing"),
    Column("tried_at", UTCDateTime, nullable=False),
    Column("problem", Text, comment="why the last try gave no numbers"),
    Column("measured_at", UTCDateTime),
    Column("since", UTCDateTime),
    Column("until", UTCDateTime),
    Column("units", BigInteger),
    Column("units_per_day", Float),
    Column("mean", Float),
    Column("deviation", Float),
    Column("variance_reduction", Float, comment="CUPED's gain, 0-1; empty without covariate"),
    Column("trial_days", Float, comment="of a pre-period that was only tried"),
)

baseline_reads = Table(
    "baseline_reads",
    metadata,
    Column("workspace", ID, primary_key=True),
    Column("source", String(80), primary_key=True),
    Column(
        "reading_until",
        UTCDateTime,
        nullable=False,
        comment="machine time; whoever measures a source holds it until then",
    ),
)
