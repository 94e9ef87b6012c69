"""The tables. Their history is in ``migrations``; a test proves that the two say the same."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    text,
)

from optout_service.store.codes import (
    ACTION,
    CHANNEL,
    KIND,
    PURPOSE,
    REASON,
    REVIEW_DECISION,
    SOURCE,
    WHY,
    Code,
    Instant,
)
from optout_service.store.hold_table import legal_hold as legal_hold
from optout_service.store.metadata import metadata as metadata

seal = Table(
    "seal",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("pepper", String(16), nullable=False),
    Column("encryption", String, nullable=False),
    Column("signing", String, nullable=False),
    Column("canary", LargeBinary, nullable=False),
    comment="One row: which keys the database was made with; a canary that only they open.",
)

tenant = Table(
    "tenant",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("slug", String(64), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("contact", String(200), nullable=False),
    Column("address_book", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("head", LargeBinary(32), nullable=False),
    Column("lift_day", Integer, nullable=False),
    Column("lift_count", Integer, nullable=False),
    Column("regime", SmallInteger, nullable=False, server_default="0"),
    comment="The wall between data. seq and head: last number and hash of its ledger.",
)

topic = Table(
    "topic",
    metadata,
    Column("tenant", ForeignKey("tenant.id"), primary_key=True),
    Column("slug", String(64), primary_key=True),
    Column("name", String(200), nullable=False),
)

brand = Table(
    "brand",
    metadata,
    Column("tenant", ForeignKey("tenant.id"), primary_key=True),
    Column("contact_url", String(300), nullable=False),
    Column("colour", String(7), nullable=False),
    Column("dark_colour", String(7), nullable=False),
    Column("language", String(16), nullable=False),
    Column("logo", LargeBinary, nullable=False),
    comment="How a tenant's page looks. Not in its row, which every event rewrites.",
)

provider_account = Table(
    "provider_account",
    metadata,
    Column("tenant", ForeignKey("tenant.id"), primary_key=True),
    Column("provider", String(32), primary_key=True),
    Column("account", String(64), primary_key=True),
    Column("tokens", LargeBinary, nullable=False),
    Index("ix_provider_account_provider_account", "provider", "account"),
    comment="tokens: the signing secrets, newest first, encrypted.",
)

sender = Table(
    "sender",
    metadata,
    Column("tenant", Integer, primary_key=True),
    Column("provider", String(32), primary_key=True),
    Column("account", String(64), primary_key=True),
    Column("address", String(100), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("topic", String(64), nullable=False),
    Column("advanced_opt_out", Boolean, nullable=False),
    Column("channel", String(16), nullable=False, server_default="*"),
    Column("language", String(35), nullable=False, server_default=""),
    ForeignKeyConstraint(
        ["tenant", "provider", "account"],
        [
            "provider_account.tenant",
            "provider_account.provider",
            "provider_account.account",
        ],
    ),
)

call_script = Table(
    "call_script",
    metadata,
    Column("tenant", Integer, primary_key=True),
    Column("provider", String(32), primary_key=True),
    Column("account", String(64), primary_key=True),
    Column("address", String(100), primary_key=True),
    Column("opt_out_key", String(1), nullable=False),
    Column("language", String(16), nullable=False),
    Column("second_language", String(16), nullable=False),
    Column("message", String(1000), nullable=False),
    Column("call_back", String(100), nullable=False),
    ForeignKeyConstraint(
        ["tenant", "provider", "account", "address"],
        ["sender.tenant", "sender.provider", "sender.account", "sender.address"],
        name="fk_call_script_sender",
        ondelete="CASCADE",
    ),
    comment="What a sender says on the phone, where it is not the default.",
)

reply_text = Table(
    "reply_text",
    metadata,
    Column("tenant", ForeignKey("tenant.id"), primary_key=True),
    Column("said", String(16), primary_key=True),
    Column("language", String(35), primary_key=True),
    Column("text", String(1600), nullable=False),
    comment="A tenant's own words for a reply, instead of the built-in ones.",
)

mailbox = Table(
    "mailbox",
    metadata,
    Column("address", String(320), primary_key=True),
    Column("tenant", ForeignKey("tenant.id"), nullable=False),
    Column("topic", String(64), nullable=False),
    Index("ix_mailbox_tenant", "tenant"),
    comment="Where a tenant's recipients write to, when they want to leave.",
)

api_key = Table(
    "api_key",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("tenant", ForeignKey("tenant.id"), nullable=False),
    Column("role", String(16), nullable=False),
    Column("name", String(200), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("revoked_at", Instant),
    Column("last_used_at", Instant),
)

suppression = Table(
    "suppression",
    metadata,
    Column("digest", LargeBinary(16), primary_key=True),
    Column("tenant", Integer, primary_key=True, autoincrement=False),
    Column("channel", Code(CHANNEL), primary_key=True, autoincrement=False),
    Column("topic", String(64), primary_key=True),
    Column("purpose", Code(PURPOSE), primary_key=True, autoincrement=False),
    Column("reason", Code(REASON), nullable=False),
    Column("source", Code(SOURCE), nullable=False),
    Column("since", Instant, nullable=False),
    Column("event", BigInteger, nullable=False),
    Index("ix_suppression_tenant_event", "tenant", "event"),
    sqlite_with_rowid=False,
    comment="The state. Read on every send: small rows, key first by digest.",
)

event = Table(
    "event",
    metadata,
    Column("tenant", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("action", Code(ACTION), nullable=False),
    Column("changed", Boolean, nullable=False),
    Column("digest", LargeBinary(16), nullable=False),
    Column("kind", Code(KIND), nullable=False),
    Column("channel", Code(CHANNEL), nullable=False),
    Column("topic", String(64), nullable=False),
    Column("purpose", Code(PURPOSE), nullable=False),
    Column("reason", Code(REASON), nullable=False),
    Column("source", Code(SOURCE), nullable=False),
    Column("actor", String(100), nullable=False),
    Column("occurred_at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("provider", String(32)),
    Column("account", String(64)),
    Column("message_id", String(200)),
    Column("commitment", LargeBinary(32), nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    Column("salt", LargeBinary(16)),
    Column("private", LargeBinary),
    Column("generation", SmallInteger),
    Index("ix_event_digest_tenant", "digest", "tenant"),
    Index(
        "ix_event_counts",
        "tenant",
        "recorded_at",
        "channel",
        "topic",
        "reason",
        "source",
        "action",
        "changed",
    ),
    sqlite_with_rowid=False,
    comment="The ledger: appended, never edited; only salt and private can be erased.",
)

address_book = Table(
    "address_book",
    metadata,
    Column("tenant", Integer, primary_key=True, autoincrement=False),
    Column("digest", LargeBinary(16), primary_key=True),
    Column("kind", Code(KIND), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("generation", SmallInteger),
    sqlite_with_rowid=False,
    comment="digest -> encrypted address. Erasable without touching a suppression.",
)

provider_message = Table(
    "provider_message",
    metadata,
    Column("tenant", Integer, primary_key=True, autoincrement=False),
    Column("provider", String(32), primary_key=True),
    Column("account", String(64), primary_key=True),
    Column("message_id", String(200), primary_key=True),
    Column("event", BigInteger, nullable=False),
    Column("answer", String),
    sqlite_with_rowid=False,
    comment="Every provider's message counts once, for ever: a replay can change nothing.",
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("tenant", Integer, primary_key=True, autoincrement=False),
    Column("api_key", Integer, primary_key=True, autoincrement=False),
    Column("key", LargeBinary(32), primary_key=True),
    Column("fingerprint", LargeBinary(32), nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("digest", LargeBinary(16)),
    Column("generation", SmallInteger),
    Index("ix_idempotency_tenant_digest", "tenant", "digest"),
    sqlite_with_rowid=False,
    comment="What an Idempotency-Key was answered with. Sealed: answers can name an address.",
)

_OPEN = text("decided_at IS NULL")

review = Table(
    "review",
    metadata,
    Column("tenant", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", LargeBinary(16)),
    Column("kind", Code(KIND)),
    Column("channel", Code(CHANNEL), nullable=False),
    Column("topic", String(64), nullable=False),
    Column("source", Code(SOURCE), nullable=False),
    Column("why", Code(WHY), nullable=False),
    Column("rule", String, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("hold_event", BigInteger),
    Column("provider", String(32)),
    Column("account", String(64)),
    Column("message_id", String(200)),
    Column("private", LargeBinary),
    Column("decided_at", Instant),
    Column("decision", Code(REVIEW_DECISION)),
    Column("decided_by", String(100)),
    Column("decision_event", BigInteger),
    Column("grounds", LargeBinary),
    Column("generation", SmallInteger),
    UniqueConstraint("tenant", "provider", "account", "message_id"),
    Index("ix_review_tenant_digest", "tenant", "digest"),
    Index(
        "ix_review_open", "tenant", "number", "due_at", sqlite_where=_OPEN, postgresql_where=_OPEN
    ),
    sqlite_with_rowid=False,
    comment="What a person must read. private: what was said; grounds: why it was decided so.",
)

visit = Table(
    "visit",
    metadata,
    Column("tenant", Integer, primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("message", String(200), primary_key=True),
    Column("method", String(8), primary_key=True),
    Column("hits", BigInteger, nullable=False),
    sqlite_with_rowid=False,
    comment="How often links were opened, by people and scanners alike. day: from 0001-01-01.",
)
