"""Alembic's entry: runs on the connection that syncd.state.migrate passes in, inside its transaction."""

from alembic import context

connection = context.config.attributes["connection"]
schema = context.config.attributes["schema"]

context.configure(connection=connection, version_table="schema_version", version_table_schema=schema)
context.run_migrations()
