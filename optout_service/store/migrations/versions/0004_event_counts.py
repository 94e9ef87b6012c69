"""An index to count events by day: all that is counted is in it, so no event itself is read."""

from alembic import op

revision = "0004_event_counts"
down_revision = "0003_texts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_event_counts",
        "event",
        ["tenant", "recorded_at", "channel", "topic", "reason", "source", "action", "changed"],
    )


def downgrade() -> None:
    op.drop_index("ix_event_counts", table_name="event")
