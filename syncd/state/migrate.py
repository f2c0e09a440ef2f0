"""Bringing the state's schema up to date, from the checkout or from the wheel alike."""

from importlib import resources
from pathlib import Path

import sqlalchemy
from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from syncd.errors import StateUnavailable
from syncd.state.database import CONNECT_SECONDS, Database

LOCK = "syncd schema"


def migrations() -> Path:
    """Return the folder of the migrations: inside the wheel, else beside the package in a checkout."""
    packaged = Path(str(resources.files("syncd"))) / "_migrations"
    return packaged if packaged.is_dir() else Path(str(resources.files("syncd"))).parent / "migrations"


def migrate(database: Database) -> bool:
    """Bring the schema to the newest revision; return whether anything was done. Blocking: call it in a thread.

    Any number of hosts may do it at once, one does the work. Raise StateUnavailable.
    """
    config = AlembicConfig()
    config.set_main_option("script_location", str(migrations()))
    engine = sqlalchemy.create_engine(_sqlalchemy_url(database), hide_parameters=True, poolclass=sqlalchemy.NullPool)
    quoted = '"' + database.schema.replace('"', '""') + '"'
    try:
        with engine.begin() as connection:
            connection.execute(
                sqlalchemy.text("SELECT pg_advisory_xact_lock(hashtextextended(:lock, 0))"), {"lock": LOCK}
            )
            if not connection.scalar(
                sqlalchemy.text("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = :schema)"),
                {"schema": database.schema},
            ):
                connection.exec_driver_sql(f"CREATE SCHEMA {quoted}")
            connection.exec_driver_sql(f"SET LOCAL search_path TO {quoted}")
            before = _revision(connection, quoted)
            head = ScriptDirectory.from_config(config).get_current_head()
            if before == head:
                return False
            config.attributes["connection"], config.attributes["schema"] = connection, database.schema
            command.upgrade(config, "head")
            return True
    except CommandError as error:
        raise StateUnavailable(
            f"its schema {database.schema!r} is of a revision that this syncd does not know", "install the newer syncd"
        ) from error
    except sqlalchemy.exc.SQLAlchemyError as error:
        cause = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise StateUnavailable(cause, "check [state] in the config and the server") from error
    finally:
        engine.dispose()


def _revision(connection: sqlalchemy.Connection, schema: str) -> str | None:
    there = connection.scalar(sqlalchemy.text("SELECT to_regclass(:name)"), {"name": f"{schema}.schema_version"})
    return connection.scalar(sqlalchemy.text("SELECT version_num FROM schema_version")) if there else None


def _sqlalchemy_url(database: Database) -> sqlalchemy.URL:
    url = sqlalchemy.make_url(database.url)
    return url.set(drivername="postgresql+psycopg").update_query_dict({"connect_timeout": str(CONNECT_SECONDS)})
