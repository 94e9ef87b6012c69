"""Every example of the documentation, run in the order of its page, beside a running demo."""

import os
import shutil
import subprocess
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
import yaml

from tests.docs import stage
from tests.docs.pages import README, SET_UP, Block, agrees, blocks, pages
from tests.twilio_api import Standin, message, serving

HELD_ELSEWHERE: Final = {
    ("calls.md", "xml"): "tests/providers/test_voice.py",
    ("sending.md", "py"): "tests/client/test_sending.py",
    ("metrics.md", "yaml"): "tests/deploy/test_prometheus.py",
}
OF_OTHERS: Final = {("mail.md", "conf"), ("operations.md", "conf"), ("scaling.md", "conf")}
"""Settings and commands of programs that are not ours, and are not here."""
WITH_EXAMPLES: Final = [page for page in pages() if any(block.runs for block in blocks(page))]


def script(page: Path, directory: Path, twilio_url: str) -> str:
    """The page as a script of bash; what each block says goes to a file of its own."""
    lines = ["set -euo pipefail"]
    if page != README:
        lines += [values().text]
    for number, block in enumerate(blocks(page)):
        if block.runs:
            text = stage.beside_the_world(page.name, block.text, directory, twilio_url)
            if block.language == "python":
                (directory / f"block-{number}.py").write_text(text, encoding="utf-8")
                text = f"python3 block-{number}.py\n"
            lines += [f"echo {block.place} >&2", "{", text.rstrip("\n"), f"}} > said-{number}"]
    return "\n".join(lines) + "\n"


def values() -> Block:
    """The block of the README that takes the demo's values, which the other pages build on."""
    return next(block for block in blocks(README) if block.text.startswith("value() {"))


@pytest.mark.skipif(
    shutil.which("curl") is None and os.environ.get("OPTOUT_TEST_BROWSER") != "required",
    reason="there is no curl here",
)
@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=lambda page: page.name)
def test_the_examples_of_a_page_run_as_they_stand_and_answer_what_it_says(
    page: Path, tmp_path: Path
) -> None:
    log = [message("SM1", datetime(2026, 11, 24, 9, tzinfo=UTC))]
    with stage.demo(tmp_path) as told, serving(Standin(log, told["twilio"]["auth_token"])) as api:
        stage.lay_out(page.name, tmp_path, told)
        for block in blocks(page):
            if block.file:
                (tmp_path / block.file).write_text(block.text, encoding="utf-8")
        ran = subprocess.run(
            ["bash", "-c", script(page, tmp_path, api.url)],
            cwd=tmp_path,
            env=stage.environ(tmp_path),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert ran.returncode == 0, ran.stderr
    for number, (before, block) in enumerate(zip(blocks(page), blocks(page)[1:], strict=False)):
        if block.answers:
            assert before.runs, f"{block.place}: the answer to which example?"
            said = (tmp_path / f"said-{number}").read_text(encoding="utf-8")
            assert agrees(block.text, said, block.language), f"{block.place}: {said}"


def test_no_block_of_the_documentation_is_left_untried() -> None:
    untried = [
        block.place
        for page in pages()
        for block in blocks(page)
        if not (block.runs or block.answers or block.file or block.text.startswith(SET_UP))
        and (page.name, block.language) not in (*HELD_ELSEWHERE, *OF_OTHERS)
    ]
    assert untried == []


def test_the_readme_sets_up_with_two_commands() -> None:
    found = [block.text for block in blocks(README) if block.text.startswith(SET_UP)]
    assert [text.count("\n") for text in found] == [1, 1]
    assert found[0].endswith("&& .venv/bin/optout demo\n")
    assert found[1].endswith("&& .venv/bin/python -m pytest\n")


@pytest.mark.parametrize(
    ("documented", "told", "same"),
    [
        (
            '{"as_of": 1, "at": "2026-01-31T12:00:00Z"}',
            '{"at": "2026-11-24T09:00:00.1Z", "as_of": 7}',
            True,
        ),
        ('{"link": "http://…/u/…"}', '{"link": "http://127.0.0.1/u/x"}', True),
        ('{"link": "http://…/u/…"}', '{"link": "https://127.0.0.1/u/x"}', False),
        ('{"suppressed": true}', '{"suppressed": false}', False),
        ('{"rows": 2}', '{"rows": 3}', False),
        ('{"rows": 2}', '{"rows": 2, "more": 1}', False),
        ('{"items": [1]}', '{"items": []}', False),
    ],
)
def test_an_answer_is_the_documented_one_but_for_what_must_differ(
    documented: str, told: str, same: bool
) -> None:
    assert agrees(documented, told, "json") is same


def test_the_files_that_a_page_shows_can_be_read() -> None:
    for page in pages():
        for block in blocks(page):
            if block.language == "toml":
                assert tomllib.loads(block.text)
            if block.language == "yaml":
                assert yaml.safe_load(block.text)
