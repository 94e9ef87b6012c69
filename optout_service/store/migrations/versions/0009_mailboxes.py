"""The mailboxes to which a tenant's recipients write when they want to leave."""

import sqlalchemy as sa
from alembic import op

revision = "0009_mailboxes"
down_revision = "0008_brand"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mailbox",
        sa.Column("address", sa.String(320), nullable=False),
        sa.Column("tenant", sa.Integer, nullable=False),
        sa.Column("topic", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("address", name="pk_mailbox"),
        sa.ForeignKeyConstraint(["tenant"], ["tenant.id"], name="fk_mailbox_tenant"),
        comment="Where a tenant's recipients write to, when they want to leave.",
    )
    op.create_index("ix_mailbox_tenant", "mailbox", ["tenant"])


def downgrade() -> None:
    op.drop_table("mailbox")
