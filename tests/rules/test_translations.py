"""Every language says all that the pages say. ``python -m tests.rules.test_translations`` takes
new texts into the catalogues, compiles them, and names what is still to be translated."""

import re
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po

from optout_service.core.language import DEFAULT, LANGUAGES
from optout_service.recipients.languages import CATALOGUES, DOMAIN, get

TEMPLATES = CATALOGUES.parent / "templates"
TRANSLATED = [code for code in LANGUAGES if code != DEFAULT]
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")
LETTERS = {
    "zh": "[一-鿿]",
    "ja": "[ぁ-ヿ一-鿿]",
    "ar": "[ء-ي]",
    "he": "[א-ת]",
    "hi": "[ऀ-ॿ]",
}


def template() -> Catalog:
    """All that the pages say, in English."""
    said = Catalog(domain=DOMAIN)
    found = extract_from_dir(
        TEMPLATES, [("**.html", "jinja2")], {"**.html": {"trim_blocks": "true"}}
    )
    for _, _, message, _, _ in sorted(found, key=lambda one: (one[0], one[1])):
        said.add(message)
    return said


def path(code: str, ending: str) -> Path:
    """Of a language's catalogue, as it is written (``po``) or compiled (``mo``)."""
    return CATALOGUES / code / "LC_MESSAGES" / f"{DOMAIN}.{ending}"


def read(code: str) -> Catalog:
    """A catalogue as it is written."""
    return read_po(BytesIO(path(code, "po").read_bytes()), locale=code, domain=DOMAIN)


def texts(catalogue: Catalog) -> dict[tuple[str, ...], tuple[str, ...]]:
    """What a catalogue says, in each of its plural forms, by what it says it for."""
    return {originals(message): forms(message) for message in catalogue if message.id}


def originals(message: Message) -> tuple[str, ...]:
    """The message itself: one text, or that for one and that for many."""
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def forms(message: Message) -> tuple[str, ...]:
    """The translation of a message, in each of its plural forms."""
    string = message.string or ""
    return (string,) if isinstance(string, str) else tuple(string)


@pytest.mark.parametrize("code", TRANSLATED)
def test_no_text_is_missing_doubtful_or_left_over(code: str) -> None:
    catalogue = read(code)
    assert texts(catalogue).keys() == texts(template()).keys()
    assert [message.id for message in catalogue if message.id and message.fuzzy] == []
    assert not catalogue.obsolete
    for message in catalogue:
        if message.id:
            assert len(forms(message)) == (catalogue.num_plurals if message.pluralizable else 1)
            assert all(form.strip() for form in forms(message)), message.id


@pytest.mark.parametrize("code", TRANSLATED)
def test_a_translation_names_what_the_original_names(code: str) -> None:
    for message in read(code):
        named = set(PLACEHOLDER.findall("".join(originals(message))))
        # A form for one number alone may write it in letters.
        spared = {"num"} if message.pluralizable else set()
        for form in forms(message) if message.id else ():
            found = PLACEHOLDER.findall(form)
            assert named - spared <= set(found) <= named, (message.id, form)
            assert len(found) == len(set(found))
            assert "%" not in PLACEHOLDER.sub("", form)
            assert "<" not in form, "the texts are markup, and have none of their own"


@pytest.mark.parametrize("code", sorted(LETTERS))
def test_a_translation_is_in_the_letters_of_its_language(code: str) -> None:
    latin = [
        message.id
        for message in read(code)
        if message.id and not all(re.search(LETTERS[code], form) for form in forms(message))
    ]
    assert latin in ([], ["Text messages"])  # SMS, in Japanese


@pytest.mark.parametrize("code", TRANSLATED)
def test_what_is_compiled_is_what_is_written(code: str) -> None:
    with path(code, "mo").open("rb") as compiled:
        assert texts(read_mo(compiled)) == texts(read(code))


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_number_has_its_plural_form(code: str) -> None:
    one, many = "You can undo this for %(num)d minute.", "You can undo this for %(num)d minutes."
    for number in (0, 1, 2, 3, 5, 11, 22, 30, 100):
        text = get(code).count(one, many, number)
        assert "%" not in text
        assert text
        assert code == DEFAULT or text not in (one % {"num": number}, many % {"num": number})


def update() -> None:
    """Take the templates' texts into every catalogue, and compile it."""
    for code in TRANSLATED:
        catalogue = read(code) if path(code, "po").exists() else Catalog(code, domain=DOMAIN)
        catalogue.update(template(), no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        write(code, catalogue)
        missing = [message.id for message in catalogue if message.id and not any(forms(message))]
        print(f"{code}: {len(missing)} to translate {missing or ''}")


def write(code: str, catalogue: Catalog) -> None:
    """Write a catalogue and compile it."""
    path(code, "po").parent.mkdir(parents=True, exist_ok=True)
    plain = Catalog(
        code,
        domain=DOMAIN,
        header_comment=f"# {LANGUAGES[code]}: what the pages say.",
        fuzzy=False,
    )
    for message in catalogue:
        if message.id:
            plain.add(message.id, message.string)
    with path(code, "po").open("wb") as written:
        write_po(written, plain, width=100, omit_header=False)
    # Who wrote it, when and by which tool is in the history, and would change with every run.
    kept = ("Language:", "Plural-Forms:", "MIME-", "Content-")
    lines = path(code, "po").read_text(encoding="utf-8").split("\n")
    header = [n for n, line in enumerate(lines) if re.fullmatch(r'"[\w-]+: .*\\n"', line)]
    dropped = {n for n in header if not lines[n][1:].startswith(kept)}
    text = "\n".join(line for n, line in enumerate(lines) if n not in dropped)
    path(code, "po").write_text(text, encoding="utf-8")
    to_compile = read(code)
    to_compile.creation_date = to_compile.revision_date = datetime(2026, 1, 1, tzinfo=UTC)
    with path(code, "mo").open("wb") as compiled:
        write_mo(compiled, to_compile)


if __name__ == "__main__":
    update()
