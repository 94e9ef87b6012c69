"""Whose answers are kept, so that they can be erased; and what a hold forbids to erase."""

import sqlalchemy as sa
from alembic import op

revision = "0010_erasure"
down_revision = "0009_mailboxes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("idempotency", sa.Column("digest", sa.LargeBinary(16)))
    op.create_index("ix_idempotency_tenant_digest", "idempotency", ["tenant", "digest"])
    op.create_table(
        "legal_hold",
        sa.Column("tenant", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("digest", sa.LargeBinary(16), nullable=False),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("grounds", sa.LargeBinary, nullable=False),
        sa.Column("placed_at", sa.BigInteger, nullable=False),
        sa.Column("placed_by", sa.String(100), nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("ended_by", sa.String(100)),
        sa.PrimaryKeyConstraint("tenant", "number", name="pk_legal_hold"),
        sqlite_with_rowid=False,
        comment="Whose evidence is needed in court: neither erased nor outdated. grounds: sealed.",
    )
    op.create_index("ix_legal_hold_tenant_digest", "legal_hold", ["tenant", "digest"])


def downgrade() -> None:
    op.drop_table("legal_hold")
    op.drop_index("ix_idempotency_tenant_digest", "idempotency")
    op.drop_column("idempotency", "digest")
