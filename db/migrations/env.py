"""Alembic's entry: runs the migrations on the URL that db.migrate hands over."""

from alembic import context

from db.engine import make_unpooled_engine
from db.tables import metadata

engine = make_unpooled_engine(context.config.attributes["url"])
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
