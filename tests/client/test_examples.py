"""Every example of the client's docstrings and of its page, run as it stands."""

import doctest
import importlib
import re
from pathlib import Path

import pytest

from optout_service.client import Client, LinkMinter, Replica
from tests.client.conftest import Served

PAGE = Path(__file__).parents[2] / "docs" / "client.md"
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


def test_the_examples_of_the_page_run_as_they_stand(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("campaign.csv").write_text("name,email\nJo,jo@example.com\n")
    keys = served.cast.keys
    here = {name.upper(): keys[name] for name in ("sender", "integration", "admin")}
    here["BASE"] = served.server.base_url
    text = "".join(re.findall(r"```py\n(.*?)```", PAGE.read_text(), re.DOTALL))
    exec(compile(text, str(PAGE), "exec"), here)
    assert Path("allowed.csv").read_text() == "name,email\nJo,jo@example.com\n"
