"""The tables of results sent over HTTP: tokens, and what was answered to a request that may come again."""

from sqlalchemy import Column, Index, String, Table, Text

from labcoat.db.tables.metadata import ID, metadata
from labcoat.db.types import Json, UTCDateTime

tokens = Table(
    "tokens",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("workspace", ID, nullable=False),
    Column("name", String(60), nullable=False),
    Column("hashed", String(64), nullable=False, comment="SHA-256 of the secret, which is stored nowhere"),
    Column("scopes", Json(frozenset[str]), nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
    Column("last_used_at", UTCDateTime, comment="to the hour"),
    Column("revoked_at", UTCDateTime),
    Index(None, "workspace"),
)

api_answers = Table(
    "api_answers",
    metadata,
    Column("token", String(16), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("request_hash", String(64), nullable=False),
    Column("answer", Text, comment="empty only within the transaction that answers"),
    Column("received_at", UTCDateTime, nullable=False, index=True, comment="machine time"),
)
