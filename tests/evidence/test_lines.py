"""Files of lines: whole after a crash, and read from either end."""

from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optout_service.evidence import lines


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.jsonl"


def test_a_file_that_is_not_there_has_no_lines(path: Path) -> None:
    assert list(lines.forwards(path)) == []
    assert list(lines.backwards(path)) == []


def test_lines_are_read_in_order_and_from_the_end(path: Path) -> None:
    for number in range(3):
        lines.append(path, f"line {number}")
    assert list(lines.forwards(path)) == [b"line 0\n", b"line 1\n", b"line 2\n"]
    assert list(lines.backwards(path)) == [b"line 2", b"line 1", b"line 0"]


def test_it_is_for_its_owner_alone(path: Path) -> None:
    lines.append(path, "x")
    assert path.stat().st_mode & 0o077 == 0


def test_what_a_crash_left_of_a_line_is_no_line_and_is_cut_off(path: Path) -> None:
    lines.append(path, "whole")
    for torn in ("half a li", "x" * 200_000):
        with path.open("a") as file:
            file.write(torn)
        assert list(lines.forwards(path)) == [b"whole\n"]
        assert list(lines.backwards(path)) == [b"whole"]
    lines.append(path, "next")
    assert path.read_text() == "whole\nnext\n"


def test_a_file_with_nothing_but_a_torn_line_has_none(path: Path) -> None:
    path.write_text("half")
    assert list(lines.backwards(path)) == []
    lines.append(path, "first")
    assert path.read_text() == "first\n"


@given(st.lists(st.integers(1, 90_000), max_size=6))
def test_both_ways_give_the_same_lines_however_long(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int]
) -> None:
    path = tmp_path_factory.mktemp("lines") / "x"
    written = [bytes([97 + number]) * length for number, length in enumerate(lengths)]
    path.write_bytes(b"".join(line + b"\n" for line in written))
    assert list(lines.backwards(path)) == written[::-1]
    assert [line[:-1] for line in lines.forwards(path)] == written


def test_reading_the_end_does_not_read_the_beginning(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)  # a terabyte of nothing, and two lines behind it
        file.seek(1 << 40)
        file.write(b"\none\ntwo\n")
    assert list(islice(lines.backwards(path), 2)) == [b"two", b"one"]
