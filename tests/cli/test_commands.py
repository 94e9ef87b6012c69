"""The command line, as an operator types it, on both databases."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from optout_service import keyfiles
from optout_service.cli import main, recipient
from optout_service.cli.main import main as group
from optout_service.client import LinkMinter
from optout_service.core.keyring import new_key

AC = "AC00000000000000000000000000000001"
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, empty_database_url: str) -> Run:
    """Run a command on a data directory of its own; ``ok=False``: it is to be refused."""

    def invoke(*arguments: str, ok: bool = True, stdin: str | None = None) -> Result:
        where = ["--data-dir", str(tmp_path / "data"), "--database-url", empty_database_url]
        result = CliRunner().invoke(group, [*arguments, *where], input=stdin)
        assert result.exit_code == (0 if ok else 1), result.output
        return result

    return invoke


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The data directory, with keys in it."""
    keyfiles.create_missing(tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture
def acme(run: Run, data: Path) -> str:
    """A tenant with a topic."""
    run("db", "upgrade")
    run("tenant", "create", "acme", "--name", "Acme Shop", "--contact", "help@acme.example")
    run("topic", "create", "--tenant", "acme", "newsletter")
    return "acme"


def told(result: Result) -> dict[str, object]:
    read: dict[str, object] = json.loads(result.stdout)
    return read


def test_main_is_the_console_script() -> None:
    assert main is group


def test_a_new_database_is_upgraded_once_and_then_ready(run: Run, data: Path) -> None:
    assert told(run("db", "status", "--json", ok=False))["current"] is None
    assert told(run("db", "upgrade", "--json"))["up_to_date"] is True
    run("db", "upgrade")
    assert told(run("db", "status", "--json"))["ready"] is True


def test_without_keys_it_says_which_variable_to_set(run: Run) -> None:
    assert "OPTOUT_PEPPER" in run("db", "upgrade", ok=False).output


def test_with_another_pepper_nothing_is_answered(run: Run, acme: str, data: Path) -> None:
    pepper = keyfiles.directory(data) / "pepper"
    pepper.write_text(new_key())
    for command in (
        ("tenant", "list"),
        ("check", "--tenant", "acme", "--address", "jo@example.com"),
        ("db", "upgrade"),
    ):
        refused = run(*command, ok=False)
        assert "Put the original pepper back" in refused.output
        assert "allowed" not in refused.output


def test_leaving_is_seen_by_the_next_check_and_told_by_the_history(run: Run, acme: str) -> None:
    who = ("--tenant", acme, "--address", "Jo@Example.com")
    assert run("check", *who).output == "allowed\n"
    run("opt-out", *who, "--topic", "newsletter", "--reference", "letter 7")
    assert run("check", *who).output == "allowed\n", "other topics"
    checked = told(run("check", *who, "--topic", "newsletter", "--json"))
    assert checked["suppressed"] is True
    assert run("check", *who, "--topic", "newsletter").output.startswith("suppressed\n")
    history = json.loads(run("history", *who, "--json").stdout)
    assert [row["evidence"] for row in history["events"]] == [{"reference": "letter 7"}]
    assert [row["scope"]["topic"] for row in history["stands"]] == ["newsletter"]
    assert "letter 7" in run("history", *who).output


def test_a_reason_is_spelled_as_everywhere(run: Run, acme: str) -> None:
    who = ("--tenant", acme, "--address", "jo@example.com")
    run("opt-out", *who, "--reason", "complaint")
    assert "complaint" in run("check", *who).output


def test_a_history_without_events_says_that_nothing_stands(run: Run, acme: str) -> None:
    who = ("--tenant", acme, "--address", "jo@example.com")
    assert "Nothing stands." in run("history", *who).output
    assert json.loads(run("history", *who, "--json").stdout) == {"stands": [], "events": []}


@pytest.mark.parametrize("option", ["--channel", "--purpose"])
def test_a_check_of_everything_at_once_is_refused_and_never_allowed(
    run: Run, acme: str, option: str
) -> None:
    who = ("--tenant", acme, "--address", "jo@example.com")
    run("opt-out", *who)
    refused = run("check", *who, option, "*", ok=False)
    assert "allowed" not in refused.output
    assert "one" in refused.output


def test_whoever_is_typing_an_address_holds_up_no_other_writer(
    run: Run, acme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def somebody_else_writes_meanwhile(text: str) -> str:
        monkeypatch.undo()
        run("opt-out", "--tenant", acme, "--address", "bo@example.com")
        return text

    monkeypatch.setattr(recipient, "read_address", somebody_else_writes_meanwhile)
    run("opt-out", "--tenant", acme, "--address", "jo@example.com")
    assert told(run("evidence", "verify", "--tenant", acme, "--json"))["events"] == 2


def test_check_can_answer_by_its_exit_status(run: Run, acme: str) -> None:
    who = ("--tenant", acme, "--address", "jo@example.com")
    run("check", *who, "--exit-code")
    run("opt-out", *who)
    run("check", *who, "--exit-code", ok=False)


def test_an_address_can_be_read_from_standard_input(run: Run, acme: str) -> None:
    run("opt-out", "--tenant", acme, "--address", "-", stdin="jo@example.com\n")
    result = run("check", "--tenant", acme, "--address", "-", stdin="jo@example.com\n")
    assert result.output.startswith("suppressed")


def test_the_link_key_mints_the_links_that_the_command_would(run: Run, acme: str) -> None:
    minter = LinkMinter(run("link-key", "--tenant", acme).stdout)
    one = ("--address", "jo@example.com", "--topic", "newsletter", "--json")
    made = told(run("link", "--tenant", acme, *one))
    assert minter.mint("jo@example.com", topic="newsletter") == made["url"]


def test_a_link_comes_with_its_two_header_fields(run: Run, acme: str) -> None:
    made = told(
        run(
            "link",
            "--tenant",
            acme,
            "--address",
            "jo@example.com",
            "--topic",
            "newsletter",
            "--json",
        )
    )
    assert made["List-Unsubscribe"] == f"<{made['url']}>"
    assert made["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "jo@example" not in str(made["url"])


def test_a_keys_secret_is_shown_once(run: Run, acme: str) -> None:
    made = told(run("key", "create", "--tenant", acme, "--role", "sender", "--json"))
    assert str(made["key"]).startswith("oo_")
    listed = run("key", "list", "--tenant", acme)
    assert str(made["key"]) not in listed.output
    run("key", "revoke", "--tenant", acme, str(made["id"]))
    assert json.loads(run("key", "list", "--tenant", acme, "--json").stdout)[0]["revoked_at"]
    assert "no key 99" in run("key", "revoke", "--tenant", acme, "99", ok=False).output


def test_a_platform_key_belongs_to_no_tenant(run: Run, acme: str) -> None:
    run("key", "create", "--role", "platform")
    refused = run("key", "create", "--tenant", acme, "--role", "platform", ok=False)
    assert "belongs to no tenant" in refused.output
    run("key", "create", "--role", "sender", ok=False)


def test_a_sender_needs_its_account_first(run: Run, acme: str) -> None:
    sender = ("--tenant", acme, "--account", AC, "--address", "+15005550006")
    refused = run("sender", "create", *sender, "--kind", "long_code", ok=False)
    assert "Add it first" in refused.output
    run("account", "add", "--tenant", acme, "--account", AC, "--token-file", "-", stdin="s3cret")
    made = run("sender", "create", *sender, "--kind", "long_code", "--topic", "newsletter")
    assert "s3cret" not in made.output
    listed = json.loads(run("sender", "list", "--tenant", acme, "--json").stdout)
    assert [row["topic"] for row in listed] == ["newsletter"]
    assert (
        "registered already"
        in run("sender", "create", *sender, "--kind", "long_code", ok=False).output
    )


def test_what_was_set_up_can_be_shown_and_changed(run: Run, acme: str) -> None:
    changed = run("tenant", "set", acme, "--name", "Acme & Co", "--no-address-book", "--json")
    assert told(changed) == told(run("tenant", "show", acme, "--json"))
    assert (told(changed)["name"], told(changed)["contact"]) == ("Acme & Co", "help@acme.example")
    run("topic", "rename", "--tenant", acme, "newsletter", "Our news")
    topics = json.loads(run("topic", "list", "--tenant", acme, "--json").stdout)
    assert topics == [{"topic": "newsletter", "name": "Our news"}]


def test_a_sender_and_old_tokens_can_be_put_aside(run: Run, acme: str) -> None:
    of = ("--tenant", acme, "--account", AC)
    for token in ("old", "new"):
        run("account", "add", *of, "--token", token)
    assert json.loads(run("account", "list", "--tenant", acme, "--json").stdout) == [
        {"provider": "twilio", "account": AC, "tokens": 2}
    ]
    assert told(run("account", "retire-tokens", *of, "--json"))["tokens"] == 1
    sender = (*of, "--address", "+15005550006")
    run("sender", "create", *sender, "--kind", "long_code")
    changed = told(run("sender", "set", *sender, "--topic", "newsletter", "--json"))
    assert (changed["topic"], changed["kind"]) == ("newsletter", "long_code")
    run("sender", "remove", *sender)
    assert "no such sender" in run("sender", "remove", *sender, ok=False).output


def test_a_key_is_rotated_with_an_overlap(run: Run, acme: str) -> None:
    made = told(run("key", "create", "--tenant", acme, "--role", "sender", "--json"))
    turned = told(run("key", "rotate", "--tenant", acme, str(made["id"]), "--json"))
    assert (turned["replaces"], turned["role"]) == (made["id"], "sender")
    assert turned["key"] != made["key"]
    old, new = json.loads(run("key", "list", "--tenant", acme, "--json").stdout)
    assert (old["expires_at"], new["expires_at"]) == (turned["old_expires_at"], None)


@pytest.mark.parametrize(
    ("command", "hint"),
    [
        (("check", "--tenant", "nobody", "--address", "jo@example.com"), "optout tenant list"),
        (("check", "--tenant", "acme", "--address", "jo"), "an @ and a domain"),
        (("check", "--tenant", "acme", "--address", "jo@x.example", "--topic", "x"), "topic"),
        (("check", "--tenant", "acme", "--address", "jo@x.example", "--channel", "fax"), "sms"),
        (("tenant", "create", "acme", "--name", "Again"), "already"),
        (("tenant", "create", "A B", "--name", "x"), "slug"),
        (("topic", "create", "--tenant", "acme", "newsletter"), "already"),
    ],
)
def test_a_refusal_says_what_to_do(
    run: Run, acme: str, command: tuple[str, ...], hint: str
) -> None:
    assert hint in run(*command, ok=False).output


def test_a_refusal_is_for_programs_too(run: Run, acme: str) -> None:
    refused = run("check", "--tenant", "nobody", "--address", "jo@example.com", "--json", ok=False)
    assert told(refused)["error"]["kind"] == "not-found"  # type: ignore[index]


def test_a_refusal_is_for_people_where_json_is_only_a_name(run: Run, acme: str) -> None:
    refused = run("tenant", "create", acme, "--name", "--json", ok=False)
    assert refused.stderr.startswith("error: ")
    assert refused.stdout == ""


def test_the_ledger_is_proven_whole(run: Run, acme: str) -> None:
    run("opt-out", "--tenant", acme, "--address", "jo@example.com")
    proven = told(run("evidence", "verify", "--tenant", acme, "--json"))
    assert (proven["whole"], proven["events"]) == (True, 1)


def test_a_database_url_of_another_kind_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(group, ["db", "status", "--database-url", "mysql://u:s3cret@x/y"])
    assert result.exit_code == 1
    assert "postgresql://" in result.output
    assert "s3cret" not in result.output


def test_a_database_file_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    keyfiles.create_missing(tmp_path)
    where = ["--data-dir", str(tmp_path), "--database-url", "sqlite:////dev/null/optout.db"]
    result = CliRunner().invoke(group, ["db", "upgrade", *where])
    assert (result.exit_code, result.stderr) == (1, "error: /dev/null: File exists.\n")


def test_an_empty_data_directory_is_refused_as_in_the_environment() -> None:
    result = CliRunner().invoke(group, ["tenant", "list", "--data-dir", ""])
    assert result.exit_code == 1
    assert "OPTOUT_DATA_DIR: it is empty" in result.stderr


@pytest.mark.parametrize(
    "token", [(), ("--token", "s3cret", "--token-file", "-")], ids=["none", "two"]
)
def test_an_account_needs_exactly_one_auth_token(token: tuple[str, ...]) -> None:
    account = ("account", "add", "--tenant", "acme", "--account", AC)
    result = CliRunner().invoke(group, [*account, *token], input="s3cret")
    assert result.exit_code == 2
    assert "--token-file" in result.stderr


def test_an_auth_token_may_be_given_as_an_option(run: Run, acme: str) -> None:
    run("account", "add", "--tenant", acme, "--account", AC, "--token", "s3cret")
    sender = ("--tenant", acme, "--account", AC, "--address", "+15005550006")
    run("sender", "create", *sender, "--kind", "long_code")


def test_help_loads_neither_server_nor_database() -> None:
    heavy = {"flask", "gunicorn", "alembic", "sqlalchemy", "twilio", "psycopg"}
    told_by = "import sys, optout_service.cli; print(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", told_by], capture_output=True, text=True, check=True
    )
    assert heavy & set(ran.stdout.split()) == set()


def test_wrong_usage_is_status_2() -> None:
    assert CliRunner().invoke(group, ["check"]).exit_code == 2
    assert CliRunner().invoke(group, ["nonsense"]).exit_code == 2
