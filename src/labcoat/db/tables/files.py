"""The table of work on files."""

from collections.abc import Mapping

from sqlalchemy import Column, Index, Integer, String, Table

from labcoat.db.tables.metadata import ID, metadata
from labcoat.db.types import Json, UTCDateTime, Word
from labcoat.domain.file_job import AskedExport, FileJobState, GivenTotals
from labcoat.stats.rule import Moments

file_jobs = Table(
    "file_jobs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("workspace", ID, nullable=False),
    Column("person", ID, nullable=False),
    Column("subject", String(80), nullable=False, comment="jobs of one subject are done in order"),
    Column("task", Json(GivenTotals | AskedExport), nullable=False),
    Column("state", Word(FileJobState), nullable=False),
    Column("created_at", UTCDateTime, nullable=False, comment="machine time, as the next two"),
    Column("next_try_at", UTCDateTime, nullable=False),
    Column("lease_until", UTCDateTime),
    Column("attempts", Integer, nullable=False, default=0),
    Column("totals", Json(Mapping[str, Mapping[str, Moments]])),
    Index(None, "state", "next_try_at"),
)
