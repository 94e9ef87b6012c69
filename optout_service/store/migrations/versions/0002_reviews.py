"""The review queue: what a person must read and decide."""

import sqlalchemy as sa
from alembic import op

revision = "0002_reviews"
down_revision = "0001_first"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "review",
        sa.Column("tenant", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("digest", sa.LargeBinary(16)),
        sa.Column("kind", sa.SmallInteger),
        sa.Column("channel", sa.SmallInteger, nullable=False),
        sa.Column("topic", sa.String(64), nullable=False),
        sa.Column("source", sa.SmallInteger, nullable=False),
        sa.Column("why", sa.SmallInteger, nullable=False),
        sa.Column("rule", sa.String, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("hold_event", sa.BigInteger),
        sa.Column("provider", sa.String(32)),
        sa.Column("account", sa.String(64)),
        sa.Column("message_id", sa.String(200)),
        sa.Column("private", sa.LargeBinary),
        sa.Column("decided_at", sa.BigInteger),
        sa.Column("decision", sa.SmallInteger),
        sa.Column("decided_by", sa.String(100)),
        sa.Column("decision_event", sa.BigInteger),
        sa.Column("grounds", sa.LargeBinary),
        sa.PrimaryKeyConstraint("tenant", "number", name="pk_review"),
        sa.UniqueConstraint(
            "tenant",
            "provider",
            "account",
            "message_id",
            name="uq_review_tenant_provider_account_message_id",
        ),
        sqlite_with_rowid=False,
        comment="What a person must read. private: what was said; grounds: why it was decided so.",
    )
    still_open = sa.text("decided_at IS NULL")
    op.create_index(
        "ix_review_open",
        "review",
        ["tenant", "number", "due_at"],
        sqlite_where=still_open,
        postgresql_where=still_open,
    )


def downgrade() -> None:
    op.drop_table("review")
