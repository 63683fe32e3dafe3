"""The tables of delivery: what is to be told, where messages are, and which methods of Slack have to wait.

Their times are machine time; on PostgreSQL the database's own clock, so that replicas agree.
"""

from collections.abc import Mapping

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text, UniqueConstraint, false, text

from labcoat.db.schema import ID, metadata
from labcoat.db.types import Json, UTCDateTime, Word
from labcoat.domain.notice import NoticeKind


def _of_unfinished(name: str, *columns: str) -> Index:
    """Return an index without what is finished: a claim costs the same however much was sent before."""
    unfinished = text("finished_at IS NULL")
    return Index(f"ix_outbox_unfinished_{name}", *columns, postgresql_where=unfinished, sqlite_where=unfinished)


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
    Column("details", Json(Mapping[str, object]), nullable=False),
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
    _of_unfinished("target", "workspace", "target", "id"),
    _of_unfinished("next_try_at", "next_try_at"),
    _of_unfinished("subject", "workspace", "subject"),
    Index(None, "state", "finished_at"),
)

posts = Table(
    "posts",
    metadata,
    Column("workspace", ID, primary_key=True),
    Column("subject", String(80), primary_key=True),
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
