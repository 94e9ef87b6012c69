"""Peppers and encryption keys that can be changed: under which regime, and in which generation.

The ledger's triggers let through what a rotation does to an event, and no more: its digest into the
next generation while its tenant is moving, once; its private part sealed anew under another key.
"""

from collections.abc import Mapping

import sqlalchemy as sa
from alembic import op

revision = "0011_rotation"
down_revision = "0010_erasure"
branch_labels = None
depends_on = None

_MARKED = ("event", "address_book", "review", "idempotency", "legal_hold")


def upgrade() -> None:
    op.add_column(
        "tenant", sa.Column("regime", sa.SmallInteger, nullable=False, server_default="0")
    )
    for table in _MARKED:
        op.add_column(table, sa.Column("generation", sa.SmallInteger))
    op.create_index("ix_review_tenant_digest", "review", ["tenant", "digest"])
    _replace_guards(_NEW)


def downgrade() -> None:
    """For tests and emergencies. Refuses where a rotation has begun: nothing leads back."""
    if op.get_bind().scalar(sa.text("SELECT max(regime) FROM tenant")):
        raise RuntimeError("the pepper was rotated: the schema before cannot say so")
    _replace_guards(_OLD)
    op.drop_index("ix_review_tenant_digest", "review")
    for table in reversed(_MARKED):
        op.drop_column(table, "generation")
    op.drop_column("tenant", "regime")


def _replace_guards(made: Mapping[str, tuple[str, ...]]) -> None:
    dialect = op.get_bind().dialect.name
    on = " ON event" if dialect == "postgresql" else ""
    for name in ("event_is_not_edited", "event_is_only_erased", "event_is_only_moved"):
        op.execute(f"DROP TRIGGER IF EXISTS {name}{on}")
    if dialect == "postgresql":
        for name in ("event_is_only_moved", "event_is_of_the_regime"):
            op.execute(f"DROP FUNCTION IF EXISTS {name}()")
    for statement in made[dialect]:
        op.execute(statement)


_FIXED = (
    "tenant, number, action, changed, kind, channel, topic, purpose, reason, source, actor,"
    " occurred_at, recorded_at, provider, account, message_id, commitment, hash"
)
_REFUSED = "RAISE(ABORT, 'the ledger is append-only')"
_MOVES = (
    "SELECT 1 FROM tenant t WHERE t.id = NEW.tenant AND t.regime % 2 = 1"
    " AND NEW.generation = (t.regime + 3) / 2 AND coalesce(OLD.generation, 1) = NEW.generation - 1"
)
_GONE = "NEW.salt IS NULL AND NEW.private IS NULL"
_SEALED_ANEW = (
    "NEW.salt = OLD.salt AND length(NEW.private) = length(OLD.private)"
    " AND substr(NEW.private, 1, 1) <> substr(OLD.private, 1, 1)"
)
_NOT_ERASED = f"NOT coalesce(({_GONE}) OR ({_SEALED_ANEW}), false)"
_NEW = {
    "sqlite": (
        f"CREATE TRIGGER event_is_not_edited BEFORE UPDATE OF {_FIXED} ON event"
        f" BEGIN SELECT {_REFUSED}; END",
        "CREATE TRIGGER event_is_only_moved BEFORE UPDATE OF digest, generation ON event"
        f" WHEN NOT EXISTS ({_MOVES}) BEGIN SELECT {_REFUSED}; END",
        "CREATE TRIGGER event_is_only_erased BEFORE UPDATE OF salt, private ON event"
        f" WHEN {_NOT_ERASED} BEGIN SELECT {_REFUSED}; END",
    ),
    "postgresql": (
        f"CREATE TRIGGER event_is_not_edited BEFORE UPDATE OF {_FIXED} ON event"
        " FOR EACH ROW EXECUTE FUNCTION event_is_append_only()",
        "CREATE FUNCTION event_is_only_moved() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN IF NOT EXISTS ({_MOVES}) THEN"
        " RAISE EXCEPTION 'the ledger is append-only'; END IF; RETURN NEW; END $$",
        "CREATE TRIGGER event_is_only_moved BEFORE UPDATE OF digest, generation ON event"
        " FOR EACH ROW EXECUTE FUNCTION event_is_only_moved()",
        "CREATE TRIGGER event_is_only_erased BEFORE UPDATE OF salt, private ON event"
        f" FOR EACH ROW WHEN ({_NOT_ERASED}) EXECUTE FUNCTION event_is_append_only()",
        # For a trigger that the first rotation puts on: see ``rotating``.
        "CREATE FUNCTION event_is_of_the_regime() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'written under a pepper that was rotated'; END $$",
    ),
}

_FIXED_BEFORE = _FIXED.replace("changed,", "changed, digest,")
_OLD = {
    "sqlite": (
        f"CREATE TRIGGER event_is_not_edited BEFORE UPDATE OF {_FIXED_BEFORE} ON event"
        f" BEGIN SELECT {_REFUSED}; END",
        "CREATE TRIGGER event_is_only_erased BEFORE UPDATE OF salt, private ON event"
        f" WHEN NEW.salt IS NOT NULL OR NEW.private IS NOT NULL BEGIN SELECT {_REFUSED}; END",
    ),
    "postgresql": (
        f"CREATE TRIGGER event_is_not_edited BEFORE UPDATE OF {_FIXED_BEFORE} ON event"
        " FOR EACH ROW EXECUTE FUNCTION event_is_append_only()",
        "CREATE TRIGGER event_is_only_erased BEFORE UPDATE OF salt, private ON event"
        " FOR EACH ROW WHEN (NEW.salt IS NOT NULL OR NEW.private IS NOT NULL)"
        " EXECUTE FUNCTION event_is_append_only()",
    ),
}
