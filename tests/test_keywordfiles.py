"""A tenant's own words come from files that are read once, at the start."""

from dataclasses import replace
from pathlib import Path

import pytest

from optout_service.core.errors import Misconfigured
from optout_service.core.keyword import Intent
from optout_service.keywordfiles import Readers
from optout_service.runtime import Runtime
from tests import stage


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A word for all tenants, and one for Acme."""
    made = tmp_path / "keywords"
    made.mkdir()
    (made / "all.toml").write_text('[en.keywords]\nopt_out = ["enough already"]', "utf-8")
    (made / "acme.toml").write_text('[en.keywords]\nopt_out = ["vale acme"]', "utf-8")
    (made / "notes.txt").write_text("not read", "utf-8")
    return made


@pytest.mark.parametrize(
    ("tenant", "text", "intent"),
    [
        ("acme", "enough already", Intent.OPT_OUT),
        ("acme", "vale acme", Intent.OPT_OUT),
        ("bolt", "enough already", Intent.OPT_OUT),
        ("bolt", "vale acme", Intent.NONE),
        ("", "enough already", Intent.OPT_OUT),
        ("", "stop", Intent.OPT_OUT),
    ],
)
def test_a_tenant_has_the_words_of_all_and_its_own(
    directory: Path, tenant: str, text: str, intent: Intent
) -> None:
    assert Readers.load(str(directory)).read(tenant, text).intent is intent


def test_without_a_directory_our_own_rules_hold() -> None:
    assert Readers.load("").read("acme", "stop").intent is Intent.OPT_OUT


def test_the_faults_of_all_files_are_told_at_once(directory: Path) -> None:
    (directory / "acme.toml").write_text('[en.keywords]\nstop = ["x"]', "utf-8")
    (directory / "bolt.toml").write_bytes(b"\xff")
    with pytest.raises(Misconfigured) as refused:
        Readers.load(str(directory))
    assert "acme.toml: en.keywords.stop" in refused.value.detail
    assert "bolt.toml: it is not in UTF-8" in refused.value.detail


def test_a_directory_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="OPTOUT_KEYWORDS_DIR"):
        Readers.load(str(tmp_path / "nowhere"))


def test_the_service_does_not_start_with_a_faulty_file(directory: Path, database_url: str) -> None:
    (directory / "acme.toml").write_text("[en", "utf-8")
    settings = replace(stage.settings_for(database_url), keywords_dir=str(directory))
    with pytest.raises(Misconfigured, match=r"acme\.toml"):
        Runtime.set_up(settings, stage.KEYS)
