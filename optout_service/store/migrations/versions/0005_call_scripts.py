"""What a sender says on the phone: the key, the languages, a message, the call-back number."""

import sqlalchemy as sa
from alembic import op

revision = "0005_call_scripts"
down_revision = "0004_event_counts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "call_script",
        sa.Column("tenant", sa.Integer(), nullable=False),
        sa.Column("provider", sa.String(32), nullable=False),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("address", sa.String(100), nullable=False),
        sa.Column("opt_out_key", sa.String(1), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("second_language", sa.String(16), nullable=False),
        sa.Column("message", sa.String(1000), nullable=False),
        sa.Column("call_back", sa.String(100), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "provider", "account", "address", name="pk_call_script"),
        sa.ForeignKeyConstraint(
            ["tenant", "provider", "account", "address"],
            ["sender.tenant", "sender.provider", "sender.account", "sender.address"],
            name="fk_call_script_sender",
            ondelete="CASCADE",
        ),
        comment="What a sender says on the phone, where it is not the default.",
    )


def downgrade() -> None:
    op.drop_table("call_script")
