"""Every example of the client's docstrings, run as it stands."""

import doctest
import importlib
from pathlib import Path

import pytest

from optout_service.client import Client, LinkMinter, Replica
from tests.client.conftest import Served

MODULES = ("asking", "client", "headers", "minting", "replica")


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_the_docstrings_hold(
    served: Served, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(f"optout_service.client.{name}")
    client = served.by("admin")
    here = {
        "BASE": served.server.base_url,
        "KEY": served.cast.keys["integration"],
        "Client": Client,
        "LinkMinter": LinkMinter,
        "Path": Path,
        "Replica": Replica,
        "client": client,
        "minter": LinkMinter(client.link_key()),
    }
    ran = doctest.testmod(module, extraglobs=here)
    assert (ran.failed, ran.attempted > 0) == (0, True)
