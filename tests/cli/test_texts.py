"""A tenant's own words, from the command line."""

from tests.cli.test_commands import Run, told
from tests.stage import ACCOUNT

GOOD = "{brand}: it is over. START comes back."


def test_a_text_is_set_listed_and_removed(run: Run, acme: str) -> None:
    where = ("--tenant", acme)
    made = told(run("sender", "text", "set", "stop", *where, "--text", GOOD, "--json"))
    assert (made["segments"], made["encoding"]) == (1, "gsm-7")
    run("sender", "text", "set", "help", *where, "--language", "de", stdin=f"{HELP}\n")
    assert [line.split()[0] for line in lines(run, acme)] == ["said", "help", "stop"]
    run("sender", "text", "remove", "stop", *where)
    run("sender", "text", "remove", "stop", *where, ok=False)
    assert [line.split()[0] for line in lines(run, acme)] == ["said", "help"]


HELP = "{brand}, {contact}: wöchentlich eine Nachricht, ohne Kosten. STOP beendet."


def lines(run: Run, tenant: str) -> list[str]:
    return run("sender", "text", "list", "--tenant", tenant).stdout.splitlines()


def test_a_text_that_lacks_a_part_is_refused_and_says_which(run: Run, acme: str) -> None:
    refused = run("sender", "text", "set", "stop", "--tenant", acme, "--text", "Bye", ok=False)
    assert "START" in refused.output
    assert "None: the built-in texts are used" in lines(run, acme)[0]


def test_a_sender_may_be_narrowed_to_a_channel_and_speak_a_language(run: Run, acme: str) -> None:
    run("account", "add", "--tenant", acme, "--account", ACCOUNT, "--token-file", "-", stdin="t\n")
    made = ("sender", "create", "--tenant", acme, "--account", ACCOUNT, "--kind", "short_code")
    run(*made, "--address", "55001", "--channel", "sms", "--language", "fr-CA")
    run(*made, "--address", "55002", "--channel", "email", ok=False)
    run(*made, "--address", "55003", "--language", "french", ok=False)
    shown = run("sender", "list", "--tenant", acme).stdout
    assert "fr-ca" in shown
    assert "55002" not in shown


def test_what_a_sender_is_narrowed_to_can_be_changed_later(run: Run, acme: str) -> None:
    run("account", "add", "--tenant", acme, "--account", ACCOUNT, "--token-file", "-", stdin="t\n")
    one = ("--tenant", acme, "--account", ACCOUNT, "--address", "55001")
    run("sender", "create", *one, "--kind", "short_code")
    narrow = told(run("sender", "set", *one, "--channel", "sms", "--language", "fr", "--json"))
    assert (narrow["channel"], narrow["language"], narrow["topic"]) == ("sms", "fr", "*")
    run("sender", "set", *one, "--channel", "email", ok=False)
    wide = told(run("sender", "set", *one, "--channel", "*", "--language", "", "--json"))
    assert (wide["channel"], wide["language"]) == ("*", "")
