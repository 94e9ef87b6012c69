"""Lists are read in every dialect that people's programs write, and their rows stay as they are."""

import codecs
import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optout_service.core import charsets, lists
from optout_service.core.errors import (
    InvalidRequest,
    Malformed,
    OptOutError,
    TooLarge,
    UnsupportedMediaType,
)
from optout_service.core.lists import Listing, Media, Told
from optout_service.core.rows import MAX_ROW_BYTES
from optout_service.core.scope import Kind

CSV, TEXT, NDJSON = Media.CSV, Media.TEXT, Media.NDJSON


def begun(data: bytes, media: Media = CSV, pieces: int = 1 << 20, **told: object) -> Listing:
    chunks = (data[at : at + pieces] for at in range(0, len(data), pieces))
    return lists.read(chunks, Told(media=media, **({"kind": Kind.EMAIL} | told)))  # type: ignore[arg-type]


def rows_of(listing: Listing) -> list[tuple[int, bytes]]:
    return [row for block in listing.blocks for row in listing.rows(block)]


def addresses(data: bytes, media: Media = CSV, **told: object) -> list[str | None]:
    listing = begun(data, media, **told)
    return [listing.address(raw) for _, raw in rows_of(listing)]


@pytest.mark.parametrize(
    "data",
    [
        b"email,name\na@x.com,Jo\nb@x.com,Al\n",
        b"email,name\r\na@x.com,Jo\r\nb@x.com,Al\r\n",
        b"email,name\ra@x.com,Jo\rb@x.com,Al\r",
        b"email,name\na@x.com,Jo\nb@x.com,Al",
        b"\xef\xbb\xbfemail,name\na@x.com,Jo\nb@x.com,Al\n",
        b"email;name\na@x.com;Jo, the first\nb@x.com;Al\n",
        b"name\te-mail\nJo\ta@x.com\nAl\tb@x.com\n",
        b"name|Email Address\nJo|a@x.com\nAl|b@x.com\n",
        b'"email","name"\n"a@x.com","Jo"\n"b@x.com","Al"\n',
        b'name,email\n"Jo, or\nJosephine","a@x.com"\n"Al ""the, cat""",b@x.com\n',
        b"a@x.com\nb@x.com\n",
        b"a@x.com,Jo\nb@x.com,Al\n",
        b"\n\r\n\na@x.com\n\nb@x.com\n\n",
        b"Kunde\na@x.com\nb@x.com\n",
        b"address,EMAIL\n12 High Street,a@x.com\n1 Low Street,b@x.com\n",
        b"phone,mail\n+14155552671,a@x.com\n,b@x.com\n",
        "name;email\nJürgen;a@x.com\nÅsa;b@x.com\n".encode("latin-1"),
        "name;email\nJürgen;a@x.com\nÅsa;b@x.com\n".encode(),
        "name\temail\r\nJürgen\ta@x.com\r\n日本\tb@x.com\r\n".encode("utf-16"),
        codecs.BOM_UTF16_BE + "email\na@x.com\nb@x.com".encode("utf-16-be"),
    ],
    ids=[
        *("LF", "CRLF", "CR", "last line not ended", "BOM", "semicolon", "tab", "pipe", "quoted"),
        *("breaks and commas in quotes", "no header", "no header, more columns", "empty lines"),
        *("a header of another word", "street addresses beside", "phones beside"),
        *("latin-1 not said", "utf-8", "utf-16 of a spreadsheet", "utf-16 big-endian"),
    ],
)
def test_the_addresses_of_a_csv_are_found_however_it_is_written(data: bytes) -> None:
    assert addresses(data) == ["a@x.com", "b@x.com"]


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ({"column": "2"}, ["b@x.com", "d@x.com"]),
        ({"column": "Mail To"}, ["b@x.com", "d@x.com"]),
        ({"column": "mail to"}, ["b@x.com", "d@x.com"]),
        ({"column": "From"}, ["a@x.com", "c@x.com"]),
        ({"column": "1", "header": False}, ["From", "a@x.com", "c@x.com"]),
        ({"column": "3", "header": True}, [None, None]),
    ],
    ids=lambda value: str(value),
)
def test_a_column_is_chosen_by_name_or_number(
    told: dict[str, object], found: list[str | None]
) -> None:
    data = b"From,Mail To,\na@x.com,b@x.com\nc@x.com,d@x.com\n"
    assert addresses(data, **told) == found


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"email,name\na@x.com,Jo\n", {"column": "mail"}),
        (b"email,Email\na@x.com,b@x.com\n", {"column": "EMAIL"}),
        (b"email,Email\na@x.com,b@x.com\n", {}),
        (b"email,name\na@x.com,Jo\n", {"column": "3"}),
        (b"email,name\na@x.com,Jo\n", {"column": "0"}),
        (b"a@x.com,Jo\n", {"column": "email", "header": False}),
        (b"", {"column": "email"}),
    ],
    ids=["unknown", "two alike", "two that could be", "too high", "zero", "no header", "no row"],
)
def test_a_column_that_is_not_there_is_refused(data: bytes, told: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        begun(data, **told)
    assert refused.value.extra["field"] == "column"


def test_a_first_row_that_could_be_a_mistyped_address_is_no_header() -> None:
    assert addresses(b"a.x.com2\nb@x.com\n") == ["a.x.com2", "b@x.com"]


def test_the_kind_of_address_tells_between_two_columns() -> None:
    data = b"email,phone\na@x.com,+14155552671\n"
    assert addresses(data, kind=Kind.PHONE) == ["+14155552671"]


def test_rows_are_numbered_as_an_editor_shows_them() -> None:
    data = b'\nemail,name\n\na@x.com,"b\nc"\r\n\r\nd@x.com\n'
    assert [number for number, _ in rows_of(begun(data))] == [4, 6]


def test_a_text_is_one_address_a_line_whatever_is_in_it() -> None:
    data = b'a@x.com\r\n"b;c"@x.com\n\nemail\n d@x.com'
    assert addresses(data, TEXT) == ["a@x.com", '"b;c"@x.com', "email", " d@x.com"]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (b'{"email": "a@x.com", "n": {"email": 1}}', "a@x.com"),
        (b'{"E-Mail":"a@x.com"}', "a@x.com"),
        (b'{"t":"12:30","address":"a@x.com"}', "a@x.com"),
        (b'{"phone":"+1","email":"a@x.com"}', "a@x.com"),
        (b'{"email":"a@x.com","email":"b@x.com"}', None),
        (b'{"email":"a@x.com","\\u0065mail":"b@x.com"}', None),
        (b'{"email":"a@x.com","Email":"b@x.com"}', None),
        (b'{"email":7}', None),
        (b'{"name":"a@x.com"}', None),
        (b'["a@x.com"]', None),
        (b"a@x.com", None),
        (b'{"email":"a@x.com"', None),
        (b'{"email":"\xff"}', None),
        (b"[" * 60_000, None),
    ],
    ids=lambda value: value[:40] if isinstance(value, bytes) else None,
)
def test_a_row_of_ndjson_has_one_address_or_none(line: bytes, found: str | None) -> None:
    assert addresses(line + b"\n", NDJSON) == [found]


def test_a_field_of_ndjson_is_chosen_by_its_name() -> None:
    assert addresses(b'{"email":"a@x.com","cc":"b@x.com"}', NDJSON, column="cc") == ["b@x.com"]


@pytest.mark.parametrize(
    ("data", "error", "row"),
    [
        (b"email\na@x.com\n" + b"b" * MAX_ROW_BYTES + b"\n", TooLarge, 3),
        (b"email\n" * 9000 + b"b" * MAX_ROW_BYTES + b"\n", TooLarge, 9001),
        (b'email\n"a@x.com\n' + b"b\n" * 40_000, TooLarge, 2),
        (b'email\na@x.com\n"b@x.com\nc@x.com\n', Malformed, 3),
        (b"x" * (MAX_ROW_BYTES + 1), TooLarge, 1),
        (b'"' + b"\n" * 200_000, TooLarge, 1),
    ],
    ids=["line", "late line", "open quote", "open quote at the end", "one row", "all quoted"],
)
def test_a_list_that_cannot_be_cut_into_rows_is_refused_by_the_row(
    data: bytes, error: type[OptOutError], row: int
) -> None:
    with pytest.raises(error) as refused:
        rows_of(begun(data))
    assert refused.value.extra["row"] == row


def test_a_row_of_just_the_limit_is_read() -> None:
    data = b"b" * (MAX_ROW_BYTES - 1) + b"\n"
    assert [len(raw) for _, raw in rows_of(begun(data * 3, header=False))] == [MAX_ROW_BYTES] * 3


@pytest.mark.parametrize("cell", [b'"a@x.com"b', b'"a@x.com" ', b"\xff@x.com"])
def test_a_cell_whose_quotes_or_bytes_do_not_fit_has_no_address(cell: bytes) -> None:
    assert addresses(b"email,n\n" + cell + b",1\nb@x.com,2\n") == [None, "b@x.com"]


@pytest.mark.parametrize("charset", ["shift_jis", "utf-7", "idna", "base64", "x\x00", "no-such"])
def test_a_charset_that_does_not_go_there_and_back_is_refused(charset: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        begun(b"a@x.com\n", charset=charset)


def test_a_list_that_is_not_in_its_charset_is_refused() -> None:
    with pytest.raises(Malformed):
        begun(b"a@x.com\n" + b"\x00\xd8" * 3, charset="utf-16-le")


@pytest.mark.parametrize("codec", sorted(charsets._RECODED - {"utf-16-le", "utf-16-be"}))
def test_every_character_of_a_charset_goes_there_and_back(codec: str) -> None:
    for number in range(256):
        byte = bytes([number])
        try:
            text = byte.decode(codec)
        except UnicodeDecodeError:
            continue
        assert text.encode(codec) == byte


BROKEN = st.text(alphabet='ab@.",;\r\n\t é', max_size=60)


@given(BROKEN, st.integers(1, 7), st.sampled_from([CSV, TEXT, NDJSON]))
def test_no_byte_is_lost_or_changed_however_the_list_arrives(
    text: str, pieces: int, media: Media
) -> None:
    data = text.encode()
    try:
        whole = begun(data, media)
        rows = rows_of(whole)
    except OptOutError:
        with pytest.raises(OptOutError):
            rows_of(begun(data, media, pieces))
        return
    arrived = begun(data, media, pieces)
    assert rows_of(arrived) == rows
    assert (arrived.head, arrived.names) == (whole.head, whole.names)
    kept = whole.head + b"".join(raw for _, raw in rows)
    empty_lines = data.translate(None, b"\r\n")
    assert kept.translate(None, b"\r\n") == empty_lines


CELLS = st.text(alphabet='ab@.",;\r\n é', max_size=6)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=4), min_size=1, max_size=6))
def test_a_csv_is_read_as_the_standard_library_reads_it(table: list[list[str]]) -> None:
    written = io.StringIO(newline="")
    csv.writer(written, quoting=csv.QUOTE_ALL).writerows(table)
    listing = begun(written.getvalue().encode(), header=False, column="1", delimiter=b",")
    assert [listing.cells(raw) for _, raw in rows_of(listing)] == table


@given(st.text(alphabet="ab@.,\r\n é", max_size=60))
def test_a_csv_without_quotes_is_read_so_too(text: str) -> None:
    listing = begun(text.encode(), header=False, column="1", delimiter=b",")
    expected = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    assert [listing.cells(raw) for _, raw in rows_of(listing)] == expected
