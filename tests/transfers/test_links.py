"""A list with a link for each row: its bytes and its order are kept, and no row is lost."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optout_service.core import lists
from optout_service.core.address import Address
from optout_service.core.errors import InvalidRequest, OptOutError
from optout_service.core.lists import Media, Told
from optout_service.core.scope import Kind
from optout_service.transfers.links import Linking

CSV, TEXT, NDJSON = Media.CSV, Media.TEXT, Media.NDJSON


def link(text: str) -> str:
    """Stands for the link of an address: nothing that a list would need quotes for."""
    value = Address.parse(Kind.EMAIL, text).value
    assert value is not None
    return f"URL-{value.partition('@')[0]}"


def linking(data: bytes, media: Media = CSV, pieces: int = 1 << 20, **told: object) -> Linking:
    chunks = (data[at : at + pieces] for at in range(0, len(data), pieces))
    listing = lists.read(chunks, Told(media=media, kind=Kind.EMAIL, **told))  # type: ignore[arg-type]
    return Linking(listing, link)


def linked(data: bytes, media: Media = CSV, **told: object) -> bytes:
    return b"".join(linking(data, media, **told).pieces())


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            b'name;email\r\n"J; o";jo@x.example\r\n',
            b'name;email;unsubscribe_url\r\n"J; o";jo@x.example;URL-jo\r\n',
        ),
        (
            b"\xef\xbb\xbfemail\njo@x.example",
            b"\xef\xbb\xbfemail,unsubscribe_url\njo@x.example,URL-jo",
        ),
        (b"jo@x.example,Jo\n", b"jo@x.example,Jo,URL-jo\n"),
        (
            b"\n\nemail\n\njo@x.example\n\n",
            b"email,unsubscribe_url\njo@x.example,URL-jo\n",
        ),
        (
            b'email,note\njo@x.example,"two\nlines"\n',
            b'email,note,unsubscribe_url\njo@x.example,"two\nlines",URL-jo\n',
        ),
        (
            b"email\tname\rjo@x.example\tJo\r",
            b"email\tname\tunsubscribe_url\rjo@x.example\tJo\tURL-jo\r",
        ),
        (b"", b""),
        (b"email\n", b"email,unsubscribe_url\n"),
    ],
    ids=["semicolons", "BOM", "no header", "empty rows", "quotes", "CR", "nothing", "header alone"],
)
def test_csv_is_read_as_scrub_reads_it_and_gets_a_column(data: bytes, expected: bytes) -> None:
    assert linked(data) == expected


def test_a_charset_goes_out_as_it_came_in() -> None:
    data = "é,jo@x.example\n".encode("latin-1")
    out = linked(data, charset="latin-1", column="2")
    assert out == "é,jo@x.example,URL-jo\n".encode("latin-1")


def test_plain_lines_get_their_link_behind_a_tab() -> None:
    assert linked(b"jo@x.example\r\nbo@x.example", TEXT) == (
        b"jo@x.example\tURL-jo\r\nbo@x.example\tURL-bo"
    )


def test_json_gets_a_field() -> None:
    assert linked(b'{"email": "jo@x.example", "n": 1.0 }\n', NDJSON) == (
        b'{"email": "jo@x.example", "n": 1.0 ,"unsubscribe_url":"URL-jo"}\n'
    )


def test_a_row_without_an_address_stays_and_is_told_of_by_its_number() -> None:
    rows = [
        b"name,email",
        b"Jo,jo@x.example",
        b"Bo,nobody",
        b"",
        b"Cy,cy@x.example,too many",
        b"Di",
        b'Ed,"ed@x.example" x',
        b"Gus,gus@x.example",
    ]
    done = linking(b"\n".join(rows))
    lines = b"".join(done.pieces()).split(b"\n")
    assert lines == [
        rows[0] + b",unsubscribe_url",
        rows[1] + b",URL-jo",
        *(row + b"," for row in (rows[2], rows[4], rows[5], rows[6])),
        rows[7] + b",URL-gus",
    ]
    assert (done.rows, done.invalid) == (6, 4)
    assert [reject.row for reject in done.rejects] == [3, 5, 6, 7]
    assert done.rejects[1].detail == "The row has 3 cells, the header 2."
    assert "nobody" not in done.rejects[0].detail


def test_json_that_is_no_object_stays_a_row() -> None:
    done = linking(b'{"email":"nobody"}\n[1]\nnonsense\n', NDJSON)
    lines = b"".join(done.pieces()).splitlines()
    assert [json.loads(line)["unsubscribe_url"] for line in lines] == ["", "", ""]
    assert [reject.row for reject in done.rejects] == [1, 2, 3]


def test_a_thousand_rows_are_told_of_and_all_are_counted() -> None:
    done = linking(b"email\n" + b"nobody\n" * 1200)
    assert b"".join(done.pieces()).count(b"\n") == 1201
    assert (done.invalid, len(done.rejects)) == (1200, 1000)


@pytest.mark.parametrize(
    ("data", "media"),
    [
        (b"email,unsubscribe_url\njo@x.example,x\n", CSV),
        (b'{"email":"jo@x.example","unsubscribe_url":"x"}\n', NDJSON),
    ],
)
def test_a_list_that_has_such_a_column_is_refused(data: bytes, media: Media) -> None:
    with pytest.raises(InvalidRequest, match="already"):
        linked(data, media)


def test_a_list_comes_out_in_pieces_as_it_comes_in() -> None:
    given_out = linking(b"email\n" + b"jo@x.example\n" * 10_000, pieces=1300).pieces()
    next(given_out)
    assert 0 < next(given_out).count(b"\n") < 10_000


@given(st.binary(max_size=200), st.integers(min_value=1, max_value=50), st.sampled_from(Media))
def test_each_row_that_comes_in_comes_out_once(data: bytes, pieces: int, media: Media) -> None:
    done = linking(data, media, pieces)
    try:
        out = b"".join(done.pieces())
    except OptOutError:
        return
    read = lists.read([data], Told(media=media, kind=Kind.EMAIL))
    rows = [raw for block in read.blocks for _, raw in read.rows(block)]
    assert done.rows == len(rows)
    assert out.count(b"URL-") >= done.rows - done.invalid
    if media is not NDJSON and read.codec is None:
        assert all(raw.rstrip(b"\r\n") in out for raw in rows)
