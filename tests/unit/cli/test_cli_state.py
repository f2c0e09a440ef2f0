"""Opening the state: where it is, and the password that goes with it."""

from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import make_url

from syncd.config import Secret, StateSettings
from syncd.state.opening import open_state


@pytest.mark.parametrize("url", ["postgresql://db.internal/syncd", "postgresql://me@db.internal/syncd?sslmode=require"])
async def test_the_password_arrives_as_it_is_kept_and_is_in_no_repr(url: str) -> None:
    word = "s3cret /?&%+#@:'\\ü"
    settings = StateSettings(url=url, password=Secret(word), directory=Path("/nowhere"), schema_name="ours")
    async with open_state(settings) as database:
        assert conninfo_to_dict(database.conninfo())["password"] == word
        assert make_url(database.url).query["password"] == word  # how the migrations read it
        assert database.schema == "ours"
        assert "s3cret" not in repr(database) + repr(settings)
