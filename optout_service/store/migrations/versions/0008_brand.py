"""How a tenant's page looks: where its contact leads, its colours, its language, its logo."""

import sqlalchemy as sa
from alembic import op

revision = "0008_brand"
down_revision = "0007_visits"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "brand",
        sa.Column("tenant", sa.Integer(), nullable=False),
        sa.Column("contact_url", sa.String(300), nullable=False),
        sa.Column("colour", sa.String(7), nullable=False),
        sa.Column("dark_colour", sa.String(7), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("logo", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", name="pk_brand"),
        sa.ForeignKeyConstraint(["tenant"], ["tenant.id"], name="fk_brand_tenant"),
        comment="How a tenant's page looks. Not in its row, which every event rewrites.",
    )


def downgrade() -> None:
    op.drop_table("brand")
