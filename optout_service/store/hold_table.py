"""The table of legal holds. A hold outlives what ``tables`` has of its recipient."""

from sqlalchemy import Column, Index, Integer, LargeBinary, SmallInteger, String, Table

from optout_service.store.codes import KIND, Code, Instant
from optout_service.store.metadata import metadata

legal_hold = Table(
    "legal_hold",
    metadata,
    Column("tenant", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("digest", LargeBinary(16), nullable=False),
    Column("kind", Code(KIND), nullable=False),
    Column("grounds", LargeBinary, nullable=False),
    Column("placed_at", Instant, nullable=False),
    Column("placed_by", String(100), nullable=False),
    Column("ended_at", Instant),
    Column("ended_by", String(100)),
    Column("generation", SmallInteger),
    Index("ix_legal_hold_tenant_digest", "tenant", "digest"),
    sqlite_with_rowid=False,
    comment="Whose evidence is needed in court: neither erased nor outdated. grounds: sealed.",
)
