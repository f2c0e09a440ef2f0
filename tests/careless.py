"""PostgreSQL for tests: nobody needs its data after a power cut."""

import psycopg


def let_go_of_the_disk(url: str) -> None:
    """Have a server write to its disk when it likes, in place of waiting for it at each commit."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
