"""``optout text classify``: messages in, readings out, a line each, in order."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from optout_service.cli.main import main


def classify(lines: Sequence[object], *arguments: str) -> Result:
    stdin = "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
    return CliRunner().invoke(main, ["text", "classify", *arguments], input=stdin)


def answers(result: Result) -> list[dict[str, str]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_each_message_is_answered_in_its_place() -> None:
    result = classify(
        [
            {"text": "STOP"},
            {"text": "Dejen de mandarme publicidad", "language": "es"},
            {"text": "help please", "language": None},
            {"text": "wrong number", "campaign": 7},
            {"text": ""},
        ]
    )
    assert result.exit_code == 0
    assert [each["intent"] for each in answers(result)] == [
        "opt_out",
        "opt_out",
        "help",
        "review",
        "none",
    ]
    assert answers(result)[0] == {"intent": "opt_out", "rule": "per_se:en:stop", "language": "en"}


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        ("{", "Line 2 is no JSON"),
        ("[]", "Line 2 has no text"),
        ({"txt": "STOP"}, "Line 2 has no text"),
        ({"text": 5}, "Line 2 has no text"),
        ({"text": "STOP", "language": 5}, "Line 2: the language is no text"),
        ("[" * 100_000, "Line 2 is no JSON"),
    ],
)
def test_a_bad_line_ends_it_after_the_answers_before_it(bad: object, fault: str) -> None:
    result = classify([{"text": "STOP"}, bad, {"text": "STOP"}])
    assert result.exit_code == 1
    assert len(answers(result)) == 1
    assert fault in result.stderr


def test_a_line_that_is_no_utf_8_is_a_bad_line(tmp_path: Path) -> None:
    (tmp_path / "messages").write_bytes(b'{"text": "STOP"}\n{"text": "\xff"}\n')
    result = CliRunner().invoke(main, ["text", "classify", str(tmp_path / "messages")])
    assert (result.exit_code, len(answers(result))) == (1, 1)
    assert "Line 2" in result.stderr


def test_ones_own_words_come_on_top_of_ours(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('[en.keywords]\nopt_out = ["vanish"]', "utf-8")
    messages = [{"text": "Vanish!"}, {"text": "STOP"}]
    assert [a["intent"] for a in answers(classify(messages))] == ["none", "opt_out"]
    own = classify(messages, "--keywords", str(tmp_path / "own.toml"))
    assert [a["intent"] for a in answers(own)] == ["opt_out", "opt_out"]


def test_a_faulty_file_of_words_is_refused_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('[en.words]\nstopp = ["x"]', "utf-8")
    result = classify([{"text": "STOP"}], "--keywords", str(tmp_path / "own.toml"))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "own.toml: en.words.stopp" in result.stderr


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    missing = classify([{"text": "STOP"}], "--keywords", str(tmp_path / "none.toml"))
    assert missing.exit_code == 1
    assert "none.toml" in missing.stderr


def test_a_program_that_asks_line_by_line_is_answered_line_by_line() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "optout_service.cli", "text", "classify"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as asked:
        assert asked.stdin is not None
        assert asked.stdout is not None
        for text, intent in (("STOP", "opt_out"), ("hello", "none"), ("arrêt", "opt_out")):
            asked.stdin.write(json.dumps({"text": text}) + "\n")
            asked.stdin.flush()
            assert json.loads(asked.stdout.readline())["intent"] == intent
        asked.stdin.close()
        assert asked.wait() == 0


def test_it_needs_no_settings_and_loads_neither_web_nor_database() -> None:
    probe = (
        "import sys\n"
        "from optout_service.cli.main import main\n"
        "main(['text', 'classify'], standalone_mode=False)\n"
        "loaded = {'flask', 'sqlalchemy', 'twilio'} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", probe],
        input='{"text": "STOP"}\n',
        env={"OPTOUT_NO_SUCH_SETTING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
