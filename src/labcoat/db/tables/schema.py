"""The tables. Columns that mirror a domain value are named as its fields; everything is scoped by workspace."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Float,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Table,
    Text,
    false,
    text,
    true,
)

from labcoat.db.history_rows import Changes
from labcoat.db.tables.api import api_answers, tokens
from labcoat.db.tables.files import file_jobs
from labcoat.db.tables.metadata import ID, metadata
from labcoat.db.tables.nudges import nudge_days, nudges, snoozes, stalls
from labcoat.db.tables.outbox import holds, outbox, posts
from labcoat.db.tables.results import (
    baseline_reads,
    entries,
    looks,
    metric_baselines,
    source_problems,
    unit_counts,
    waiting_looks,
)
from labcoat.db.types import Json, UTCDateTime, Word
from labcoat.domain.channel import ChannelSettings
from labcoat.domain.evidence import EvidenceKind, OfflineEvaluation
from labcoat.domain.experiment import CauseFixed, DroppedTreatment
from labcoat.domain.hypothesis import Ending, Outcome
from labcoat.domain.lifecycle import ExperimentState, RequestState, Stage, Step
from labcoat.domain.person import Standing
from labcoat.domain.plan import Plan
from labcoat.domain.request import NoExperimentReason
from labcoat.stats.results import Verdict
from labcoat.stats.rule import Direction

__all__ = [
    "api_answers",
    "baseline_reads",
    "entries",
    "file_jobs",
    "holds",
    "looks",
    "metadata",
    "metric_baselines",
    "nudge_days",
    "nudges",
    "outbox",
    "posts",
    "snoozes",
    "source_problems",
    "stalls",
    "tokens",
    "unit_counts",
    "waiting_looks",
]
"""Made elsewhere; every table is found here."""


def _of_hypothesis() -> tuple[Column[str], Column[int], ForeignKeyConstraint]:
    owned = ForeignKeyConstraint(["workspace", "hypothesis"], ["hypotheses.workspace", "hypotheses.number"])
    return Column("workspace", ID, primary_key=True), Column("hypothesis", Integer, primary_key=True), owned


workspaces = Table(
    "workspaces",
    metadata,
    Column("id", ID, primary_key=True),
    Column("last_hypothesis", Integer, nullable=False, default=0),
    Column("last_experiment", Integer, nullable=False, default=0),
)

leads = Table(
    "leads",
    metadata,
    Column("workspace", ID, primary_key=True),
    Column("person", ID, primary_key=True),
    Column(
        "is_from_settings",
        Boolean(create_constraint=False),
        nullable=False,
        server_default=true(),
        comment="of LABCOAT_LEADS",
    ),
)

people = Table(
    "people",
    metadata,
    Column("workspace", ID, primary_key=True),
    Column("person", ID, primary_key=True),
    Column("zone", String(60), comment="IANA name; empty until Slack was asked"),
    Column("standing", Word(Standing), comment="empty until Slack was asked"),
    Column("is_admin", Boolean(create_constraint=False), nullable=False, server_default=false()),
    Column("checked_at", UTCDateTime, comment="machine time; when Slack was asked last"),
    Column("away_until", UTCDateTime),
    Column("stand_in", ID),
)

channels = Table(
    "channels",
    metadata,
    Column("workspace", ID, primary_key=True),
    Column("channel", ID, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("settings", Json(ChannelSettings), nullable=False),
)

hypotheses = Table(
    "hypotheses",
    metadata,
    Column("workspace", ID, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    Column("channel", ID, nullable=False),
    Column("stage", Word(Stage), nullable=False),
    Column("stage_since", UTCDateTime, nullable=False),
    Column("change", Text, nullable=False),
    Column("metric", Text, nullable=False),
    Column("direction", Word(Direction), nullable=False),
    Column("because", Text, nullable=False),
    Column("smallest_effect", Text, nullable=False),
    Column("refuted_by", Text, nullable=False),
    Column("different_because", Text, nullable=False, server_default=text("''")),
    Column("tags", Json(tuple[str, ...]), nullable=False),
    Column("owner", ID),
    Column("deputy", ID),
    Column("filed_by", ID, nullable=False),
    Column("filed_at", UTCDateTime, nullable=False),
    Column("involved", Json(tuple[str, ...]), nullable=False),
    Column("replaces", Integer),
    Column("is_imported", Boolean(create_constraint=False), nullable=False, server_default=false()),
    Column("ending", Json(Ending)),
    Column("ended_at", UTCDateTime, comment="of the ending, for queries"),
    Column("changed_at", UTCDateTime, comment="of the newest step"),
    Column("next_nudge_at", UTCDateTime, comment="business time; empty when nothing can stall"),
    Column("touched", Integer, nullable=False, server_default=text("0"), comment="grows with what may stall it"),
    Index(None, "workspace", "channel", "ended_at"),
    Index(None, "workspace", "ended_at", "number"),
    Index(None, "workspace", "filed_at"),
    Index(None, "next_nudge_at"),
    Index(None, "workspace", "next_nudge_at"),
)

prototypes = Table(
    "prototypes",
    metadata,
    *_of_hypothesis(),
    Column("position", Integer, primary_key=True),
    Column("summary", Text, nullable=False),
    Column("cap_days", Float, nullable=False),
    Column("stop_when", Text, nullable=False),
    Column("build_guess_days", Float),
    Column("spent_days", Float, nullable=False),
    Column("begun_by", ID, nullable=False),
    Column("begun_at", UTCDateTime, nullable=False),
)

evidence = Table(
    "evidence",
    metadata,
    *_of_hypothesis(),
    Column("position", Integer, primary_key=True),
    Column("kind", Word(EvidenceKind), nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("summary", Text, nullable=False),
    Column("link", Text),
    Column("added_by", ID, nullable=False),
    Column("added_at", UTCDateTime, nullable=False),
    Column("offline", Json(OfflineEvaluation)),
)

experiments = Table(
    "experiments",
    metadata,
    Column("workspace", ID, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("hypothesis", Integer, nullable=False),
    Column("state", Word(ExperimentState), nullable=False),
    Column("plan", Json(Plan), nullable=False),
    Column("plan_version", Integer, nullable=False),
    Column("planned_by", ID, nullable=False),
    Column("planned_at", UTCDateTime, nullable=False),
    Column("no_feedback_reason", Text),
    Column("skip_reason", Text),
    Column("since", UTCDateTime),
    Column("started_at", UTCDateTime),
    Column("is_registered_late", Boolean(create_constraint=False), nullable=False),
    Column("ended_at", UTCDateTime),
    Column("stopped_at", UTCDateTime),
    Column("stop_reason", Text),
    Column("cancel_reason", Text),
    Column("dropped", Json(tuple[DroppedTreatment, ...], empty=())),
    Column("fixed_cause", Json(CauseFixed)),
    Column("next_look_at", UTCDateTime, comment="business time; empty while no look is to come"),
    ForeignKeyConstraint(["workspace", "hypothesis"], ["hypotheses.workspace", "hypotheses.number"]),
    Index(None, "workspace", "hypothesis"),
    Index(None, "next_look_at"),
    Index(None, "state", "workspace"),
)

requests = Table(
    "requests",
    metadata,
    *_of_hypothesis(),
    Column("position", Integer, primary_key=True),
    Column("state", Word(RequestState), nullable=False),
    Column("experiment", Integer),
    Column("asked_by", ID, nullable=False),
    Column("asked_of", ID, nullable=False),
    Column("asked_at", UTCDateTime, nullable=False),
    Column("expires_at", UTCDateTime, nullable=False),
    Column("conclusion", Word(Outcome), nullable=False),
    Column("learning", Text, nullable=False),
    Column("amount_days", Float, nullable=False),
    Column("no_experiment_reason", Word(NoExperimentReason)),
    Column("no_experiment_note", Text, nullable=False),
    Column("is_member_confirmation", Boolean(create_constraint=False), nullable=False),
    Column("is_self_release", Boolean(create_constraint=False), nullable=False, server_default=false()),
    Column("treatment", String(60)),
    Column("verdict", Word(Verdict)),
    Column("decided_by", ID),
    Column("decided_at", UTCDateTime),
    Column("answer", Text),
    Column("seen_version", Integer),
    Index(None, "state", "expires_at"),
)

needs = Table(
    "needs",
    metadata,
    *_of_hypothesis(),
    Column("position", Integer, primary_key=True),
    Column("summary", Text, nullable=False),
    Column("found_by", ID, nullable=False),
    Column("found_at", UTCDateTime, nullable=False),
)

predictions = Table(
    "predictions",
    metadata,
    Column("workspace", ID, primary_key=True),
    Column("experiment", Integer, primary_key=True),
    Column("person", ID, primary_key=True),
    Column("chance", Float, nullable=False),
    Column("made_at", UTCDateTime, nullable=False),
)

followers = Table(
    "followers",
    metadata,
    *_of_hypothesis(),
    Column("person", ID, primary_key=True),
)

history = Table(
    "history",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("workspace", ID, nullable=False),
    Column("hypothesis", Integer, nullable=False),
    Column("step", Word(Step), nullable=False),
    Column("by", ID),
    Column("at", UTCDateTime, nullable=False),
    Column("reason", Text),
    Column("changes", Changes, nullable=False),
    Index(None, "workspace", "hypothesis", "id"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("key", String(80), primary_key=True),
    Column("received_at", UTCDateTime, nullable=False, index=True),
)

digest_channels = Table(
    "digest_channels",
    metadata,
    Column("workspace", ID, primary_key=True),
    Column("channel", ID, primary_key=True),
    Column("first_filed_at", UTCDateTime, nullable=False),
    Column("newest_monday", Date, index=True, comment="of its newest digest; empty before the first"),
)

digests = Table(
    "digests",
    metadata,
    Column("workspace", ID, primary_key=True),
    Column("channel", ID, primary_key=True),
    Column("monday", Date, primary_key=True),
    Column("made_at", UTCDateTime, nullable=False),
    Column("is_silent", Boolean(create_constraint=False), nullable=False),
    Column("said_nothing_open", Boolean(create_constraint=False), nullable=False),
    Column("told", Json(tuple[str, ...]), comment="of the hour before it; empty before this was remembered"),
)

clock = Table(
    "clock",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("offset_seconds", Float, nullable=False, comment="only `labcoat demo` ever moves business time"),
)
