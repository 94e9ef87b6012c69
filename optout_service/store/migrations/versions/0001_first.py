"""The first schema: tenants, the ledger, and what stands.

The types are written out, not imported from ``tables``: what a migration did must not change when
the code does.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001_first"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_set_up()
    _create_memory()
    for statement in _GUARDS[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    for table in (
        "idempotency",
        "provider_message",
        "address_book",
        "event",
        "suppression",
        "api_key",
        "sender",
        "provider_account",
        "topic",
        "tenant",
        "seal",
    ):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION event_is_append_only()")


def _create_set_up() -> None:
    op.create_table(
        "seal",
        sa.Column("id", sa.SmallInteger, autoincrement=False, nullable=False),
        sa.Column("pepper", sa.String(16), nullable=False),
        sa.Column("encryption", sa.String, nullable=False),
        sa.Column("signing", sa.String, nullable=False),
        sa.Column("canary", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_seal"),
        comment="One row: which keys the database was made with; a canary that only they open.",
    )
    op.create_table(
        "tenant",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("slug", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("contact", sa.String(200), nullable=False),
        sa.Column("address_book", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("head", sa.LargeBinary(32), nullable=False),
        sa.Column("lift_day", sa.Integer, nullable=False),
        sa.Column("lift_count", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tenant"),
        sa.UniqueConstraint("slug", name="uq_tenant_slug"),
        comment="The wall between data. seq and head: last number and hash of its ledger.",
    )
    op.create_table(
        "topic",
        sa.Column("tenant", sa.Integer, nullable=False),
        sa.Column("slug", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "slug", name="pk_topic"),
        sa.ForeignKeyConstraint(["tenant"], ["tenant.id"], name="fk_topic_tenant"),
    )
    op.create_table(
        "provider_account",
        sa.Column("tenant", sa.Integer, nullable=False),
        sa.Column("provider", sa.String(32), nullable=False),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("tokens", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "provider", "account", name="pk_provider_account"),
        sa.ForeignKeyConstraint(["tenant"], ["tenant.id"], name="fk_provider_account_tenant"),
        comment="tokens: the signing secrets, newest first, encrypted.",
    )
    op.create_index(
        "ix_provider_account_provider_account",
        "provider_account",
        ["provider", "account"],
    )
    op.create_table(
        "sender",
        sa.Column("tenant", sa.Integer, nullable=False),
        sa.Column("provider", sa.String(32), nullable=False),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("address", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("topic", sa.String(64), nullable=False),
        sa.Column("advanced_opt_out", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "provider", "account", "address", name="pk_sender"),
        sa.ForeignKeyConstraint(
            ["tenant", "provider", "account"],
            [
                "provider_account.tenant",
                "provider_account.provider",
                "provider_account.account",
            ],
            name="fk_sender_tenant_provider_account",
        ),
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("tenant", sa.Integer, nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("revoked_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_api_key"),
        sa.UniqueConstraint("digest", name="uq_api_key_digest"),
        sa.ForeignKeyConstraint(["tenant"], ["tenant.id"], name="fk_api_key_tenant"),
    )


def _create_memory() -> None:
    op.create_table(
        "suppression",
        sa.Column("digest", sa.LargeBinary(16), nullable=False),
        sa.Column("tenant", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("channel", sa.SmallInteger, autoincrement=False, nullable=False),
        sa.Column("topic", sa.String(64), nullable=False),
        sa.Column("purpose", sa.SmallInteger, autoincrement=False, nullable=False),
        sa.Column("reason", sa.SmallInteger, nullable=False),
        sa.Column("source", sa.SmallInteger, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("event", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint(
            "digest", "tenant", "channel", "topic", "purpose", name="pk_suppression"
        ),
        sqlite_with_rowid=False,
        comment="The state. Read on every send: small rows, key first by digest.",
    )
    op.create_index("ix_suppression_tenant_event", "suppression", ["tenant", "event"])
    op.create_table(
        "event",
        sa.Column("tenant", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("action", sa.SmallInteger, nullable=False),
        sa.Column("changed", sa.Boolean, nullable=False),
        sa.Column("digest", sa.LargeBinary(16), nullable=False),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("channel", sa.SmallInteger, nullable=False),
        sa.Column("topic", sa.String(64), nullable=False),
        sa.Column("purpose", sa.SmallInteger, nullable=False),
        sa.Column("reason", sa.SmallInteger, nullable=False),
        sa.Column("source", sa.SmallInteger, nullable=False),
        sa.Column("actor", sa.String(100), nullable=False),
        sa.Column("occurred_at", sa.BigInteger, nullable=False),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.Column("provider", sa.String(32)),
        sa.Column("account", sa.String(64)),
        sa.Column("message_id", sa.String(200)),
        sa.Column("commitment", sa.LargeBinary(32), nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.Column("salt", sa.LargeBinary(16)),
        sa.Column("private", sa.LargeBinary),
        sa.PrimaryKeyConstraint("tenant", "number", name="pk_event"),
        sqlite_with_rowid=False,
        comment="The ledger: appended, never edited; only salt and private can be erased.",
    )
    op.create_index("ix_event_digest_tenant", "event", ["digest", "tenant"])
    op.create_table(
        "address_book",
        sa.Column("tenant", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("digest", sa.LargeBinary(16), nullable=False),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "digest", name="pk_address_book"),
        sqlite_with_rowid=False,
        comment="digest -> encrypted address. Erasable without touching a suppression.",
    )
    op.create_table(
        "provider_message",
        sa.Column("tenant", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("provider", sa.String(32), nullable=False),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("message_id", sa.String(200), nullable=False),
        sa.Column("event", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint(
            "tenant", "provider", "account", "message_id", name="pk_provider_message"
        ),
        sqlite_with_rowid=False,
        comment="Every provider's message counts once, for ever: a replay can change nothing.",
    )
    op.create_table(
        "idempotency",
        sa.Column("tenant", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("api_key", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("key", sa.LargeBinary(32), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(32), nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("answer", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "api_key", "key", name="pk_idempotency"),
        sqlite_with_rowid=False,
        comment="What an Idempotency-Key was answered with. Sealed: answers can name an address.",
    )


_FIXED = (
    "tenant, number, action, changed, digest, kind, channel, topic, purpose, reason, source, actor,"
    " occurred_at, recorded_at, provider, account, message_id, commitment, hash"
)
_GUARDS = {
    "sqlite": (
        f"CREATE TRIGGER event_is_not_edited BEFORE UPDATE OF {_FIXED} ON event"
        " BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END",
        "CREATE TRIGGER event_is_only_erased BEFORE UPDATE OF salt, private ON event"
        " WHEN NEW.salt IS NOT NULL OR NEW.private IS NOT NULL"
        " BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END",
        "CREATE TRIGGER event_is_not_deleted BEFORE DELETE ON event"
        " BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION event_is_append_only() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$",
        f"CREATE TRIGGER event_is_not_edited BEFORE UPDATE OF {_FIXED} ON event"
        " FOR EACH ROW EXECUTE FUNCTION event_is_append_only()",
        "CREATE TRIGGER event_is_only_erased BEFORE UPDATE OF salt, private ON event"
        " FOR EACH ROW WHEN (NEW.salt IS NOT NULL OR NEW.private IS NOT NULL)"
        " EXECUTE FUNCTION event_is_append_only()",
        "CREATE TRIGGER event_is_not_deleted BEFORE DELETE ON event"
        " FOR EACH ROW EXECUTE FUNCTION event_is_append_only()",
        "CREATE TRIGGER event_is_not_truncated BEFORE TRUNCATE ON event"
        " FOR EACH STATEMENT EXECUTE FUNCTION event_is_append_only()",
    ),
}
