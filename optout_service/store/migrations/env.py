"""Run by Alembic. The connection comes from ``store.migrating``, on both databases alike."""

from alembic import context

from optout_service.store.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
connection.commit()
