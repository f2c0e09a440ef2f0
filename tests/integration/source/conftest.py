"""The source databases that tests read: each server once for all of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from source_databases import (
    Database,
    Server,
    mariadb_database,
    mariadb_server,
    postgresql_database,
    postgresql_server,
    sqlite_database,
)


@pytest.fixture(scope="session")
def shared_postgresql() -> Iterator[Server]:
    with postgresql_server() as server:
        yield server


@pytest.fixture(scope="session")
def shared_mariadb() -> Iterator[Server]:
    with mariadb_server() as server:
        yield server


@pytest.fixture
def postgresql(shared_postgresql: Server) -> Database:
    return postgresql_database(shared_postgresql)


@pytest.fixture
def mariadb(shared_mariadb: Server) -> Database:
    return mariadb_database(shared_mariadb)


@pytest.fixture
def sqlite(tmp_path: Path) -> Database:
    return sqlite_database(tmp_path / "crm.db")


@pytest.fixture(params=["postgresql", "mariadb", "sqlite"])
def source(request: pytest.FixtureRequest) -> Iterator[Database]:
    """Each of them in turn, with an empty table ``calls``."""
    database: Database = request.getfixturevalue(request.param)
    database.write("CREATE TABLE calls (customer bigint PRIMARY KEY, note varchar(100))")
    yield database
    database.write("DROP TABLE calls")


@pytest.fixture(params=["postgresql", "mariadb"])
def doomed(request: pytest.FixtureRequest) -> Iterator[tuple[Database, Server]]:
    """A server that the test may kill."""
    if request.param == "postgresql":
        with postgresql_server() as server:
            yield postgresql_database(server), server
    else:
        with mariadb_server() as server:
            yield mariadb_database(server), server
