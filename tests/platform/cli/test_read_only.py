"""An account of the database that may only read: what it can do, and what says that it may not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from fermiloop.db_init import setup
from fermiloop.platform.errors import MAY_NOT_WRITE
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.settings import settings
from fermiloop.platform.store import campaigns, connection, materials
from fermiloop.schemas.vocabulary import Origin


@pytest.fixture
def reader(database: str, server_uri: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A store with a material and a campaign, connected by an account that may only read."""
    setup.init()
    materials.save(PROTOTYPES["B2"].build("Ni", "Al", 12.0), origin=Origin.SEED, source={"name": "made up"})
    campaigns.create("pd-like", {"name": "pd-like"}, "name: pd-like")
    connection.disconnect()
    host = server_uri.rpartition("@")[2].partition("/")[0]
    with MongoClient(server_uri) as client:
        client[database].command("createUser", "reader", pwd="s3cret", roles=[{"role": "read", "db": database}])
        monkeypatch.setenv("FERMILOOP_MONGODB_URI", f"mongodb://reader:s3cret@{host}/{database}?directConnection=true")
        settings.cache_clear()
        yield
        connection.disconnect()
        client[database].command("dropUser", "reader")


@pytest.mark.parametrize(
    "words",
    ["materials find", "candidates find", "campaign list", "schedule list", "generators list", "calculations find",
     "db status"],
)  # fmt: skip
def test_what_is_there_can_be_looked_at(reader: None, cli: Callable[..., Any], words: str) -> None:
    told = cli(*words.split())
    assert (told.code, told.err) == (0, "")
    assert "s3cret" not in told.out


@pytest.mark.parametrize(
    "words", ["campaign pause pd-like", "db load FILE", "schedule run --once", "token create x --role read"]
)
def test_what_writes_says_that_this_account_may_not(
    reader: None, cli: Callable[..., Any], words: str, tmp_path: Path
) -> None:
    (tmp_path / "x.jsonl").write_text('{"cell": [3, 3, 3, 90, 90, 90], "species": ["Ni"], "frac": [[0, 0, 0]]}\n')
    told = cli(*words.replace("FILE", str(tmp_path / "x.jsonl")).split(), "--debug")
    assert told.code == 2
    assert told.err.splitlines()[-1] == MAY_NOT_WRITE
    assert "s3cret" not in told.out + told.err
