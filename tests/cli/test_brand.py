"""A tenant's brand, from the command line."""

from pathlib import Path

from tests import pictures
from tests.cli.test_commands import Run, told


def test_what_is_given_is_changed_and_the_rest_stays(run: Run, acme: str, tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_bytes(pictures.png())
    first = told(run("tenant", "brand", acme, "--json"))
    assert (first["name"], first["colour"], first["logo"]) == ("Acme Shop", "", "")
    run("tenant", "brand", acme, "--colour", "#A3182A", "--logo", str(tmp_path / "logo.png"))
    run("tenant", "brand", acme, "--language", "fr", "--contact-url", "tel:+14155550100")
    shown = told(run("tenant", "brand", acme, "--name", "Acme", "--json"))
    assert shown == {
        "tenant": "acme",
        "name": "Acme",
        "contact": "help@acme.example",
        "contact_url": "tel:+14155550100",
        "colour": "#a3182a",
        "dark_colour": "",
        "language": "fr",
        "logo": "image/png, 24 x 12 pixels",
    }


def test_an_empty_value_goes_back_to_what_is_built_in(run: Run, acme: str, tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_bytes(pictures.png())
    run("tenant", "brand", acme, "--colour", "#a3182a", "--logo", str(tmp_path / "logo.png"))
    shown = told(run("tenant", "brand", acme, "--colour", "", "--no-logo", "--json"))
    assert (shown["colour"], shown["logo"]) == ("", "")


def test_what_is_refused_changes_nothing(run: Run, acme: str, tmp_path: Path) -> None:
    (tmp_path / "logo.svg").write_text("<svg/>")
    refused = run("tenant", "brand", acme, "--name", "New", "--colour", "#ffd400", ok=False)
    assert "The nearest that has it is #" in refused.output
    svg = ("--logo", str(tmp_path / "logo.svg"))
    assert "PNG" in run("tenant", "brand", acme, "--name", "New", *svg, ok=False).output
    assert told(run("tenant", "brand", acme, "--json"))["name"] == "Acme Shop"
    run("tenant", "brand", "nobody", ok=False)
