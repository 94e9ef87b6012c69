"""How often links were opened, by message and day."""

import sqlalchemy as sa
from alembic import op

revision = "0007_visits"
down_revision = "0006_key_use"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "visit",
        sa.Column("tenant", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("day", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("message", sa.String(200), nullable=False),
        sa.Column("method", sa.String(8), nullable=False),
        sa.Column("hits", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "day", "message", "method", name="pk_visit"),
        sqlite_with_rowid=False,
        comment="How often links were opened, by people and scanners alike. day: from 0001-01-01.",
    )


def downgrade() -> None:
    op.drop_table("visit")
