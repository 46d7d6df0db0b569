"""Alembic's environment: the engine comes from the caller, never from a file."""

from alembic import context

from monitor.store.tables import metadata

engine = context.config.attributes.get("engine")
if engine is None:
    raise SystemExit("run migrations with `monitor migrate`, which knows the store")

with engine.connect() as connection:
    context.configure(
        connection=connection, target_metadata=metadata, render_as_batch=connection.dialect.name == "sqlite"
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
