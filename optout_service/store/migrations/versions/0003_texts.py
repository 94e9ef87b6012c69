"""What is said back: a tenant's own texts, the language and channel of a sender, answers given."""

import sqlalchemy as sa
from alembic import op

revision = "0003_texts"
down_revision = "0002_reviews"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reply_text",
        sa.Column("tenant", sa.Integer, nullable=False),
        sa.Column("said", sa.String(16), nullable=False),
        sa.Column("language", sa.String(35), nullable=False),
        sa.Column("text", sa.String(1600), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "said", "language", name="pk_reply_text"),
        sa.ForeignKeyConstraint(["tenant"], ["tenant.id"], name="fk_reply_text_tenant"),
        comment="A tenant's own words for a reply, instead of the built-in ones.",
    )
    op.add_column("sender", sa.Column("channel", sa.String(16), nullable=False, server_default="*"))
    op.add_column("sender", sa.Column("language", sa.String(35), nullable=False, server_default=""))
    op.add_column("provider_message", sa.Column("answer", sa.String))


def downgrade() -> None:
    op.drop_column("provider_message", "answer")
    op.drop_column("sender", "language")
    op.drop_column("sender", "channel")
    op.drop_table("reply_text")
