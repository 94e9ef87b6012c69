"""With a hand's help the digests are those that they are without, in the same order."""

import logging
import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from optout_service.core import lists
from optout_service.core.digesting import Digester
from optout_service.core.lists import Media, Told
from optout_service.core.rows import Block
from optout_service.core.scope import Kind
from optout_service.hands import Hands, hand
from tests.stage import KEYS

LISTS = {
    "mail": (Media.CSV, Kind.EMAIL, b"name,email\n", b"Person,A%d@X.example\n"),
    "quoted": (Media.CSV, Kind.EMAIL, b"name,email\r\n", b'"Per, son","A%d@X.example"\r\n'),
    "phones": (Media.TEXT, Kind.PHONE, b"", b"+1 415 555 %04d\n"),
    "json": (Media.NDJSON, Kind.EMAIL, b"", b'{"name": "x", "mail": "a%d@x.example"}\n'),
    "no addresses": (Media.TEXT, Kind.EMAIL, b"", b"nobody %d\n"),
}


@pytest.fixture
def hands() -> Iterator[Hands]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "cpu_count", lambda: 2)
        made = Hands(KEYS)
    yield made
    made.close()


def begun(name: str, rows: int = 8000, piece: int = 1000) -> tuple[Digester, Iterator[Block]]:
    """A list, in many small blocks."""
    media, kind, head, row = LISTS[name]
    data = head + b"".join(row % (number % 10_000) for number in range(rows))
    chunks = (data[at : at + piece] for at in range(0, len(data), piece))
    # The first block has what is needed to look at the first row; the rest come as they are.
    listing = lists.read(chunks, Told(media=media, kind=kind))
    return Digester(listing, kind, KEYS), iter(listing.blocks)


def plainly(name: str) -> list[tuple[bytes, list[int], bytes]]:
    digester, blocks = begun(name)
    return [(d.block.data, d.places.tolist(), d.digests) for d in digester.all(blocks)]


def helped(hands: Hands, name: str) -> list[tuple[bytes, list[int], bytes]]:
    digester, blocks = begun(name)
    return [(d.block.data, d.places.tolist(), d.digests) for d in hands.all(digester, blocks)]


def process(hands: Hands) -> subprocess.Popen[bytes]:
    assert hands._hand is not None
    return hands._hand._process


@pytest.mark.parametrize("name", LISTS)
def test_a_long_list_is_digested_as_it_is_without_help(hands: Hands, name: str) -> None:
    assert helped(hands, name) == plainly(name)
    assert process(hands).poll() is None, "it has helped, and stays for the next list"


def test_a_hand_does_some_of_the_work(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    own = []
    exact = Digester.of
    monkeypatch.setattr(Digester, "of", lambda s, block: own.append(block) or exact(s, block))
    assert len(helped(hands, "mail")) > len(own) > 0


def test_the_next_list_has_the_same_hand(hands: Hands) -> None:
    helped(hands, "mail")
    first = process(hands)
    assert helped(hands, "phones") == plainly("phones")
    assert process(hands) is first


def test_a_short_list_starts_no_process(hands: Hands) -> None:
    digester, blocks = begun("mail", rows=100, piece=1 << 20)
    assert len(list(hands.all(digester, blocks))) == 1
    assert hands._hand is None


def test_nor_does_one_core_or_whoever_wants_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    alone = Hands(KEYS)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    for hands in (alone, Hands(KEYS, wanted=False)):
        assert helped(hands, "mail") == plainly("mail")
        assert hands._hand is None


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_hand_that_dies_or_stands_still_is_missed_by_nobody(
    hands: Hands,
    how: signal.Signals,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(hand, "_PATIENCE", 0.3)
    digester, blocks = begun("mail")
    found, hit = [], False
    with caplog.at_level(logging.WARNING):
        for digested in hands.all(digester, blocks):
            found.append((digested.block.data, digested.places.tolist(), digested.digests))
            if hands._hand is not None and not hit:
                process(hands).send_signal(how)
                hit = True
    assert hit
    assert found == plainly("mail")
    assert "a hand was lost" in caplog.text
    monkeypatch.undo()
    assert helped(hands, "quoted") == plainly("quoted"), "the next list has a new one"
    assert process(hands).poll() is None


def test_what_a_reader_left_behind_is_not_given_to_the_next_list(hands: Hands) -> None:
    digester, blocks = begun("mail")
    reading = hands.all(digester, blocks)
    for _ in range(8):
        next(reading)
    reading.close()  # type: ignore[attr-defined]
    assert helped(hands, "phones") == plainly("phones")


def test_a_second_list_at_the_same_time_does_without(hands: Hands) -> None:
    digester, blocks = begun("mail")
    first = hands.all(digester, blocks)
    begin = [next(first) for _ in range(8)]
    assert helped(hands, "phones") == plainly("phones")
    whole = [(d.block.data, d.places.tolist(), d.digests) for d in (*begin, *first)]
    assert whole == plainly("mail")


def test_where_no_process_can_be_started_the_worker_does_it_all(
    hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no more processes")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    assert helped(hands, "mail") == plainly("mail")


def test_the_pepper_is_in_no_argument_and_no_environment(hands: Hands) -> None:
    helped(hands, "mail")
    root = f"/proc/{process(hands).pid}"
    if not os.path.isdir(root):
        pytest.skip("needs /proc")
    for name in ("cmdline", "environ"):
        with open(f"{root}/{name}", "rb") as file:
            shown = file.read()
        assert KEYS.pepper not in shown
        assert KEYS.pepper.hex().encode() not in shown
