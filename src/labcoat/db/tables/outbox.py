"""The tables of delivery: what is to be told, where messages are, and which methods of Slack have to wait.

Their times are machine time; on PostgreSQL the database's own clock, so that replicas agree.
"""

from sqlalchemy import JSON, Boolean, Column, Index, Integer, String, Table, Text, UniqueConstraint, false, text

from labcoat.db.tables.metadata import ID, metadata
from labcoat.db.types import UTCDateTime, Word
from labcoat.domain.notice import NoticeKind


def _index(name: str, *columns: str, where: str) -> Index:
    return Index(f"ix_outbox_{name}", *columns, postgresql_where=text(where), sqlite_where=text(where))


# Apart: what waits is found as quickly however much was sent before, and the other way round.
_UNFINISHED, _FINISHED = "finished_at IS NULL", "finished_at IS NOT NULL"


outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(32), nullable=False, comment="opaque; in the message's metadata, to find it again"),
    Column("workspace", ID, nullable=False),
    Column("kind", Word(NoticeKind), nullable=False),
    Column("channel", ID),
    Column("person", ID),
    Column(
        "target", String(60), nullable=False, comment="whose notices are told in order: a channel, a person, a Home"
    ),
    Column("subject", String(80)),
    Column("parent", String(80)),
    Column("is_loud", Boolean(create_constraint=False), nullable=False),
    Column("details", JSON, nullable=False),  # the fact, see `db.fact_rows`
    Column("state", String(10), nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
    Column("tried_since", UTCDateTime, nullable=False, comment="a day later it is given up; set anew by a retry"),
    Column("next_try_at", UTCDateTime, nullable=False, comment="when it may be claimed; while it is sent: by others"),
    Column("finished_at", UTCDateTime, comment="when it was sent or given up"),
    Column("attempts", Integer, nullable=False, default=0),
    Column("failures", Integer, nullable=False, default=0),
    Column(
        "may_be_sent",
        Boolean(create_constraint=False),
        nullable=False,
        server_default=false(),
        comment="an attempt may have reached Slack",
    ),
    Column("doubt_since", UTCDateTime, comment="an attempt may have reached Slack from then"),
    Column("doubt_until", UTCDateTime, comment="and until then; empty: until now"),
    Column("doubt_cursor", Text, comment="Slack's, of a look-up that had to stop"),
    Column("sent_channel", ID),
    Column("sent_ts", String(40)),
    Column("problem", Text),
    UniqueConstraint("key"),
    _index("unfinished_target", "workspace", "target", "id", where=_UNFINISHED),
    _index("unfinished_next_try_at", "next_try_at", where=_UNFINISHED),
    _index("unfinished_subject", "workspace", "subject", where=_UNFINISHED),
    _index("finished", "state", "finished_at", where=_FINISHED),
)

_BY_BYTES = String(80).with_variant(String(80, collation="C"), "postgresql")
"""In the same order everywhere, so that all that begins alike is a range (decision 43)."""

posts = Table(
    "posts",
    metadata,
    Column("workspace", ID, primary_key=True),
    Column("subject", _BY_BYTES, primary_key=True),
    Column("channel", ID, nullable=False),
    Column("ts", String(40), nullable=False),
)

holds = Table(
    "holds",
    metadata,
    Column("workspace", ID, primary_key=True),
    Column("method", String(60), primary_key=True, comment="of Slack's Web API"),
    Column("until", UTCDateTime, nullable=False, comment="as Retry-After said"),
)
