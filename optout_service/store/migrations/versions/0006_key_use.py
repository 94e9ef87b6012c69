"""When an API key was used last."""

import sqlalchemy as sa
from alembic import op

revision = "0006_key_use"
down_revision = "0005_call_scripts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_key", sa.Column("last_used_at", sa.BigInteger))


def downgrade() -> None:
    with op.batch_alter_table("api_key") as table:
        table.drop_column("last_used_at")
