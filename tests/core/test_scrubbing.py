"""A scrubbed list is the list without those who left: same order, same bytes."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optout_service.core import address, cutting, lists, rows
from optout_service.core.address import Address
from optout_service.core.digesting import Digester
from optout_service.core.errors import InvalidAddress, OptOutError
from optout_service.core.lists import Media, Told
from optout_service.core.rows import Block
from optout_service.core.scope import Kind
from optout_service.core.scrubbing import Counts, Keep, Scrub
from tests.stage import KEYS

CSV, TEXT, NDJSON = Media.CSV, Media.TEXT, Media.NDJSON
LEFT = ("a@x.com", "c.d+e@x-y.example", '"q, r"@x.com', "é@x.com", "+14155552671")


def digest(kind: Kind, text: str) -> bytes:
    return KEYS.digest(Address.parse(kind, text))


SUPPRESSED = frozenset(digest(Kind.EMAIL, text) for text in LEFT[:4]) | {
    digest(Kind.PHONE, LEFT[4])
}


def probe(digests: bytes) -> bytes:
    return bytes(digests[at : at + 16] in SUPPRESSED for at in range(0, len(digests), 16))


def scrub(
    data: bytes,
    media: Media = CSV,
    *,
    keep: Keep = Keep.ALLOWED,
    kind: Kind = Kind.EMAIL,
    safe: bool = False,
    pieces: int = 1 << 20,
    **told: object,
) -> tuple[bytes, tuple[int, int, int]]:
    chunks = (data[at : at + pieces] for at in range(0, len(data), pieces))
    listing = lists.read(chunks, Told(media=media, kind=kind, **told))  # type: ignore[arg-type]
    digested = Digester(listing, kind, KEYS).all(listing.blocks)
    done = Scrub(listing, digested, probe, keep, safe, Counts())
    out = b"".join(done.pieces())
    return out, (done.counts.rows, done.counts.suppressed, done.counts.invalid)


LIST = (
    b"name,email\r\n"
    b"Ann,A@x.com\r\n"
    b'"Bo, the 2nd",bo@x.com\r\n'
    b"Cy,nobody\r\n"
    b'"Di\nDi","c.d+E@X-Y.example"\r\n'
    b"Ed\r\n"
    b"Flo,flo@x.com"
)


def test_the_allowed_come_out_as_they_came_in() -> None:
    out, counts = scrub(LIST)
    assert out == b'name,email\r\n"Bo, the 2nd",bo@x.com\r\nFlo,flo@x.com'
    assert counts == (6, 2, 2)


def test_the_suppressed_can_be_had_instead() -> None:
    out, _ = scrub(LIST, keep=Keep.SUPPRESSED)
    assert out == b'name,email\r\nAnn,A@x.com\r\n"Di\nDi","c.d+E@X-Y.example"\r\n'


def test_all_rows_can_be_had_with_their_verdicts() -> None:
    out, _ = scrub(LIST, keep=Keep.ALL)
    assert out == (
        b"name,email,verdict\r\n"
        b"Ann,A@x.com,suppressed\r\n"
        b'"Bo, the 2nd",bo@x.com,allowed\r\n'
        b"Cy,nobody,invalid\r\n"
        b'"Di\nDi","c.d+E@X-Y.example",suppressed\r\n'
        b"Ed,invalid\r\n"
        b"Flo,flo@x.com,allowed"
    )


@pytest.mark.parametrize(
    ("line", "marked"),
    [
        (b'{"email":"a@x.com"}\n', b'{"email":"a@x.com","verdict":"suppressed"}\n'),
        (b'{ "email": "b@x.com" } \r\n', b'{ "email": "b@x.com" ,"verdict":"allowed"}\r\n'),
        (b'{"email":"b"}', b'{"email":"b","verdict":"invalid"}'),
        (b"{ }\n", b'{ "verdict":"invalid"}\n'),
        (b"[1]\n", b'{"verdict":"invalid"}\n'),
        (b'{"email":"a@x.com"\n', b'{"verdict":"invalid"}\n'),
        (b'nonsense"}\n', b'{"verdict":"invalid"}\n'),
    ],
)
def test_a_verdict_is_a_field_of_ndjson(line: bytes, marked: bytes) -> None:
    out, _ = scrub(line, NDJSON, keep=Keep.ALL)
    assert out == marked
    assert json.loads(out)["verdict"]


def test_a_verdict_stands_behind_a_tab_in_a_text() -> None:
    assert scrub(b"a@x.com\nb@x.com\n", TEXT, keep=Keep.ALL)[0] == (
        b"a@x.com\tsuppressed\nb@x.com\tallowed\n"
    )


def test_another_charset_goes_back_as_it_came() -> None:
    data = "name\te-mail\r\nJürgen\ta@x.com\r\n日本\tb@x.com\r\n".encode("utf-16")
    expected = "name\te-mail\r\n日本\tb@x.com\r\n".encode("utf-16")
    assert scrub(data, pieces=3)[0] == expected
    latin = "näme;mail\nJürgen;b@x.com\nÅsa;a@x.com\n".encode("latin-1")
    assert scrub(latin, charset="iso-8859-1")[0] == "näme;mail\nJürgen;b@x.com\n".encode("latin-1")


def test_phones_are_looked_at_in_every_form_that_people_write() -> None:
    data = b"phone,mail\n+1 (415) 555-2671,x\n+14155552671,x\n+447911123456,x\n4155552671,x\n"
    out, counts = scrub(data, kind=Kind.PHONE)
    assert (out, counts) == (b"phone,mail\n+447911123456,x\n", (4, 2, 1))


@pytest.mark.parametrize("kind", [Kind.EMAIL, Kind.PHONE])
def test_a_hashed_address_is_looked_up_as_it_is(kind: Kind) -> None:
    text = LEFT[0] if kind is Kind.EMAIL else LEFT[4]
    hashed = f"sha256:{Address.parse(kind, text).sha256.hex()}".encode()
    other = b"sha256:" + b"0" * 64
    short = b"sha256:" + b"0" * 63
    out, counts = scrub(b"sha256\n%b\n%b\n%b\n" % (hashed, other, short), kind=kind)
    assert (out, counts) == (b"sha256\n%b\n" % other, (3, 1, 1))


@pytest.mark.parametrize(
    ("cell", "safe"),
    [
        (b"=1+1", b"'=1+1"),
        (b"@SUM(A1)", b"'@SUM(A1)"),
        (b"-2+3", b"'-2+3"),
        (b"\tx", b"'\tx"),
        (b'"=HYPERLINK(""http://x"", ""y"")"', b'"\'=HYPERLINK(""http://x"", ""y"")"'),
        (b'"\n=1"', b'"\'\n=1"'),
        (b"+14155552671", b"+14155552671"),
        (b'"+14155552671"', b'"+14155552671"'),
        (b"-12.50", b"-12.50"),
        (b"x=1", b"x=1"),
        (b"", b""),
    ],
)
def test_a_cell_that_would_be_a_formula_is_made_harmless_on_request(
    cell: bytes, safe: bytes
) -> None:
    data = b"email,note\nb@x.com," + cell + b"\n"
    assert scrub(data)[0] == data
    assert scrub(data, safe=True)[0] == b"email,note\nb@x.com," + safe + b"\n"


def reference(data: bytes, media: Media, kind: Kind, keep: Keep, pieces: int) -> bytes:
    """The scrub, row by row, as one would write it first."""
    chunks = (data[at : at + pieces] for at in range(0, len(data), pieces))
    listing = lists.read(chunks, Told(media=media, kind=kind))
    out = listing.head
    for block in listing.blocks:
        for _, raw in listing.rows(block):
            text = listing.address(raw)
            try:
                gone = text is not None and digest(kind, text) in SUPPRESSED
                verdict = Keep.SUPPRESSED if gone else Keep.ALLOWED
            except InvalidAddress:
                continue
            if text is not None and verdict is keep:
                out += raw
    return out


ADDRESSES = st.sampled_from(
    [
        *LEFT,
        *("b@x.com", "A@X.com", " a@x.com", "a@x.com.", "a@@x.com", "a@x..com", "@x.com", "a@"),
        *("a@.x.com", "a!b@x.com", "a@x!.com", "É@x.com", "a@é.com", "a", "", "+1 415 555 2671"),
        *("a@x.com b", "a|b@x.com", "a@x|com", "a@" + "x" * 400, "+447911123456", "a\x00@x.com"),
    ]
)
CELLS = st.one_of(ADDRESSES, st.text(alphabet='ab@.,;" \té', max_size=4))
QUOTED = st.one_of(CELLS, CELLS.map(lambda cell: '"' + cell.replace('"', '""') + '"'))
LINES = st.lists(QUOTED, min_size=1, max_size=4).flatmap(
    lambda cells: st.sampled_from(",;|").map(lambda stop: stop.join(cells))
)
LISTS = st.tuples(
    st.lists(LINES, max_size=8), st.sampled_from(["\n", "\r\n", "\r", "\n\n"]), st.booleans()
).map(lambda made: (made[1].join(made[0]) + made[1] * made[2]).encode())


@given(
    LISTS,
    st.sampled_from([CSV, TEXT]),
    st.sampled_from(Kind),
    st.sampled_from([Keep.ALLOWED, Keep.SUPPRESSED]),
    st.integers(1, 40),
)
def test_the_quick_way_and_the_exact_way_give_the_same_bytes(
    data: bytes, media: Media, kind: Kind, keep: Keep, pieces: int
) -> None:
    try:
        expected = reference(data, media, kind, keep, pieces)
    except OptOutError:
        with pytest.raises(OptOutError):
            scrub(data, media, kind=kind, keep=keep, pieces=pieces)
        return
    assert scrub(data, media, kind=kind, keep=keep, pieces=pieces)[0] == expected


@given(st.lists(st.text(alphabet="ab@.-_!A\t é", max_size=8), min_size=1, max_size=8))
def test_plain_is_what_the_pattern_of_addresses_says(cells: list[str]) -> None:
    data = "\n".join(cells).encode()
    found = cutting.cut(Block(data, 1), b"", 0)
    expected = [bool(address._PLAIN_EMAIL.fullmatch(cell.lower())) for cell in cells]
    if not cells[-1]:
        expected.pop()
    assert cutting.plain_emails(data.lower(), found).tolist() == expected


@given(LISTS, st.integers(0, 3))
def test_rows_and_cells_are_cut_at_the_same_places(data: bytes, column: int) -> None:
    lines = data.replace(b'"', b"").replace(b"\r", b"")
    found = cutting.cut(Block(lines, 1), b",", column)
    pattern, at = rows.row_pattern(b",", column), 0
    for start, end, a, b in np.stack(
        [found.starts, found.ends, found.cells, found.cell_stops], axis=1
    ).tolist():
        match = pattern.match(lines, at)
        assert match is not None
        assert (start, end) == match.span()
        assert (lines[a:b] if a >= 0 else None) == match["cell"]
        at = end
    assert at == len(lines)
