"""A table of digests answers as the store does, or not at all."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from optout_service.core.address import Address
from optout_service.core.evidence import Action, Authority
from optout_service.core.keyring import KeyRing
from optout_service.core.scope import ANY, Kind, Scope
from optout_service.runtime import Runtime
from optout_service.store import quick, tenants
from optout_service.store.checks import Question
from optout_service.store.digest_tables import Digests, DigestTable, halves
from optout_service.store.quick import Tables
from optout_service.store.snapshots import Held, split
from tests.cast import ANA
from tests.stage import KEYS, Cast, settings_for
from tests.store.acts import MARKETING, act

ASKED = [
    Scope("email", topic, purpose)
    for topic, purpose in product((ANY, "newsletter", "offers"), ("marketing", "transactional"))
]


def mailbox(number: int) -> Address:
    return Address.parse(Kind.EMAIL, f"r{number}@example.com")


MAILBOXES = [mailbox(number) for number in range(120)]
DIGESTS = b"".join(map(KEYS.digest, MAILBOXES))


def question_of(rt: Runtime, tenant: int, asked: Scope) -> Question:
    return Question(tenant, asked, 0, rt.belief.regime, rt.now())


@contextmanager
def snapshot(rt: Runtime) -> Iterator[Any]:
    """The driver's own connection, in a transaction that sees one state."""
    with rt.database.reading_one_state() as connection:
        yield connection.connection.driver_connection


@pytest.fixture
def tables(rt: Runtime, tmp_path: Path) -> Tables:
    return tables_in(rt, tmp_path / "cache")


def tables_in(rt: Runtime, folder: Path, keys: KeyRing = KEYS, least: int = 1) -> Tables:
    return Tables(folder, keys, rt.database.dialect, rt.database.reading_one_state, least)


def leave(rt: Runtime, tenant: int, number: int, scope: Scope = MARKETING) -> None:
    authority = Authority.ADMIN if tenant else Authority.PLATFORM
    with rt.writing() as connection:
        evidence = act(tenant, address=mailbox(number), scope=scope, authority=authority)
        rt.record(connection, evidence)


def come_back(rt: Runtime, tenant: int, number: int, scope: Scope = MARKETING) -> None:
    with rt.writing() as connection:
        rt.record(connection, act(tenant, Action.OPT_IN, address=mailbox(number), scope=scope))


@pytest.fixture
def full(rt: Runtime, cast: Cast) -> Cast:
    """Suppressions of every kind of scope, of two tenants and the platform."""
    scopes = [
        Scope(channel, topic, purpose)
        for channel, topic, purpose in product(
            (ANY, "email"), (ANY, "newsletter"), (ANY, "marketing", "transactional")
        )
    ]
    for number, scope in enumerate(scopes * 2):
        leave(rt, cast.acme, number, scope)
    for number, tenant in ((30, 0), (31, 0), (40, cast.bolt), (31, cast.acme), (0, 0)):
        leave(rt, tenant, number)
    return cast


def answers(rt: Runtime, tables: Tables, tenant: int, asked: Scope) -> tuple[bytes, bytes] | None:
    """What the store says and what the table says; None: the table says nothing."""
    with snapshot(rt) as connection:
        held = Held(rt.database.dialect, connection, question_of(rt, tenant, asked))
        found = tables.quick(held)
        exact = held.probe(DIGESTS), held.as_of
    if found is None:
        return None
    assert found.as_of == exact[1]
    return exact[0], found.probe(DIGESTS)


def agree(rt: Runtime, tables: Tables, tenant: int) -> bool:
    """Whether the table answers; if so, each answer must be the store's."""
    given = [answers(rt, tables, tenant, asked) for asked in ASKED]
    for answer in given:
        if answer is not None:
            assert answer[0] == answer[1]
    return None not in given


def test_a_table_answers_as_the_store_does(rt: Runtime, full: Cast, tables: Tables) -> None:
    assert not agree(rt, tables, full.acme), "there is none yet"
    tables.build(full.acme)
    assert agree(rt, tables, full.acme)
    exact = answers(rt, tables, full.acme, ASKED[2])
    assert exact is not None
    assert 0 < sum(exact[1]) < len(MAILBOXES)


def test_what_happens_after_it_was_made_counts_at_once(
    rt: Runtime, full: Cast, tables: Tables
) -> None:
    tables.build(full.acme)
    acts: list[Callable[[], None]] = [
        lambda: leave(rt, full.acme, 100),
        lambda: leave(rt, 0, 101),
        lambda: leave(rt, full.bolt, 102),
        lambda: come_back(rt, full.acme, 100),
        lambda: come_back(rt, full.acme, 10, Scope("email", "newsletter", "marketing")),
        lambda: come_back(rt, full.acme, 31),
        lambda: leave(rt, full.acme, 0, Scope(ANY, ANY, ANY)),
    ]
    for done in acts:
        done()
        assert agree(rt, tables, full.acme)


def test_another_process_that_opened_it_before_sees_the_next_one(
    rt: Runtime, full: Cast, tables: Tables, tmp_path: Path
) -> None:
    tables.build(full.acme)
    other = tables_in(rt, tmp_path / "cache")
    assert agree(rt, other, full.acme)
    leave(rt, full.acme, 110)
    tables.build(full.acme)
    leave(rt, full.acme, 111)
    assert agree(rt, other, full.acme)


def test_a_new_topic_is_pinned_without_an_event_and_missed_by_no_table(
    rt: Runtime, full: Cast, tables: Tables
) -> None:
    come_back(rt, full.acme, 8, Scope("email", "newsletter", "marketing"))
    tables.build(full.acme)
    assert agree(rt, tables, full.acme)
    with rt.writing() as connection:
        tenants.create_topic(connection, full.acme, "brand-new")
    new = Scope("email", "brand-new", "marketing")
    assert answers(rt, tables, full.acme, new) is None
    tables.build(full.acme)
    exact = answers(rt, tables, full.acme, new)
    assert exact is not None
    assert exact[0] == exact[1]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE tenant SET seq = seq - 1",
        "UPDATE tenant SET seq = seq - 1, head = :other WHERE id = 0",
        "UPDATE tenant SET head = :other",
        "UPDATE tenant SET created_at = created_at + 1",
        "UPDATE seal SET pepper = '0123456789abcdef'",
    ],
)
def test_a_table_of_another_database_says_nothing(
    rt: Runtime, full: Cast, tables: Tables, change: str
) -> None:
    tables.build(full.acme)
    table = DigestTable.open(tables._path(full.acme, rt.belief.regime), KEYS)
    assert table is not None
    with rt.writing() as connection:
        statement = text(change)
        connection.execute(statement, {"other": b"x" * 32} if ":other" in change else {})
    with snapshot(rt) as connection:
        source = quick.Source(connection, rt.database.dialect, full.acme)
        pepper = connection.execute("SELECT pepper FROM seal").fetchone()[0]
        assert not source.fits(table.origin, pepper)


def test_a_restored_backup_that_went_another_way_is_told_apart(
    tmp_path: Path, migrated_file: Path
) -> None:
    path, backup = tmp_path / "optout.db", tmp_path / "backup.db"
    shutil.copy(migrated_file, path)
    rt = Runtime.set_up(settings_for(f"sqlite:///{path}"), KEYS)
    with rt.writing() as connection:
        acme = tenants.create(connection, "acme", name="Acme", at=rt.now()).id
    leave(rt, acme, 1)
    with snapshot(rt) as source, sqlite3.connect(backup) as copy:
        source.backup(copy)
    copy.close()
    leave(rt, acme, 2)
    tables_in(rt, tmp_path / "cache").build(acme)
    rt.close()
    restored = Runtime.build(settings_for(f"sqlite:///{backup}"), KEYS)
    tables = tables_in(restored, tmp_path / "cache")
    assert answers(restored, tables, acme, MARKETING) is None, "older than the table"
    leave(restored, acme, 3)
    assert answers(restored, tables, acme, MARKETING) is None, "as old, with another history"
    leave(restored, acme, 4)
    assert answers(restored, tables, acme, MARKETING) is None, "younger, with another history"
    restored.close()


def spoilt(whole: bytes) -> Iterator[bytes]:
    yield b""
    yield whole[:-8]
    yield whole + b"\0" * 8
    for place in range(0, len(whole), max(len(whole) // 40, 1)):
        yield whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]


def test_a_damaged_table_says_nothing(rt: Runtime, full: Cast, tables: Tables) -> None:
    tables.build(full.acme)
    path = tables._path(full.acme, rt.belief.regime)
    whole = path.read_bytes()
    for damaged in spoilt(whole):
        path.write_bytes(damaged)
        assert DigestTable.open(path, KEYS) is None
    path.write_bytes(whole)
    assert agree(rt, tables, full.acme)


def test_a_table_under_another_pepper_says_nothing(rt: Runtime, full: Cast, tables: Tables) -> None:
    tables.build(full.acme)
    other = KeyRing(b"x" * 31 + b"1", KEYS.encryption, KEYS.signing)
    assert DigestTable.open(tables._path(full.acme, rt.belief.regime), other) is None
    assert DigestTable.open(tables._path(full.acme, rt.belief.regime), KEYS) is not None


def test_a_table_is_its_owners_and_names_nobody(rt: Runtime, full: Cast, tables: Tables) -> None:
    tables.build(full.acme)
    path = tables._path(full.acme, rt.belief.regime)
    assert path.stat().st_mode & 0o777 == 0o600
    assert b"example.com" not in path.read_bytes()
    assert ANA.email.encode() not in path.read_bytes()
    assert sorted(p.suffix for p in path.parent.iterdir()) == [".digests", ".lock"]


def test_too_much_since_then_is_left_to_the_store(
    rt: Runtime, full: Cast, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables.build(full.acme)
    monkeypatch.setattr(quick, "MOST_EVENTS", 2)
    for number in range(90, 92):
        leave(rt, full.acme, number)
    assert agree(rt, tables, full.acme)
    leave(rt, full.acme, 92)
    assert answers(rt, tables, full.acme, MARKETING) is None


def test_a_table_is_made_aside_where_there_are_enough_rows(
    rt: Runtime, full: Cast, tmp_path: Path
) -> None:
    for least, made in ((0, False), (1000, False), (10, True)):
        tables = tables_in(rt, tmp_path / str(least), least=least)
        assert answers(rt, tables, full.acme, MARKETING) is None
        assert not (tmp_path / str(least)).exists(), "a process that does not keep up makes none"
        tables.keep_up()
        assert answers(rt, tables, full.acme, MARKETING) is None
        with tables._building:
            assert agree(rt, tables, full.acme) is made


def test_a_table_that_cannot_be_made_leaves_the_store_to_answer(
    rt: Runtime, full: Cast, tmp_path: Path
) -> None:
    (tmp_path / "cache").write_text("no directory")
    tables = tables_in(rt, tmp_path / "cache")
    tables.keep_up()
    for _ in range(2):
        assert answers(rt, tables, full.acme, MARKETING) is None
        with tables._building:
            pass


def test_only_one_process_makes_it(rt: Runtime, full: Cast, tables: Tables) -> None:
    assert tables.build(full.acme)
    with quick._alone(tables._path(full.acme, rt.belief.regime).with_suffix(".lock")) as alone:
        assert alone
        assert not tables.build(full.acme)


SMALL = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=12)


@given(SMALL, SMALL)
def test_a_set_of_digests_holds_what_was_put_in_it_and_nothing_else(
    inside: list[tuple[int, int]], asked: list[tuple[int, int]]
) -> None:
    def joined(pairs: list[tuple[int, int]]) -> bytes:
        return b"".join(high.to_bytes(8) + low.to_bytes(8) for high, low in pairs)

    high, low = halves(joined(sorted(asked)))
    found = Digests.of(joined(inside)).holds(high, low)
    assert found.tolist() == [pair in inside for pair in sorted(asked)]
    assert found.dtype == np.bool_
    assert split(joined(asked)) == [joined([pair]) for pair in asked]


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: f"{asked.topic} {asked.purpose}")
def test_a_large_batch_is_answered_by_way_of_the_table_and_says_the_same(
    rt: Runtime, full: Cast, tables: Tables, asked: Scope
) -> None:
    tables.build(full.acme)
    leave(rt, full.acme, 100)
    come_back(rt, full.acme, 31)
    question = question_of(rt, full.acme, asked)
    exact = rt.check_many(full.acme, split(DIGESTS), asked)
    narrow = tables.narrowed(question)
    assert narrow is not None
    with snapshot(rt) as connection:
        assert set(narrow(connection, split(DIGESTS))) == set(exact[0])
    quickly = rt.database.ask(
        lambda driver: rt.checks.check_many(driver, question, split(DIGESTS), narrow)
    )
    assert quickly == exact


def test_large_batches_too_have_a_table_made_where_it_is_worth_it(
    rt: Runtime, full: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quick, "_LOOKS_EVERY", 3)
    tables = tables_in(rt, tmp_path / "cache", least=10)
    question = question_of(rt, full.acme, MARKETING)
    assert tables.narrowed(question) is None, "a process that does not keep up makes none"
    tables.keep_up()
    assert [tables.narrowed(question) for _ in range(2)] == [None, None]
    looking = tables.narrowed(question)
    assert looking is not None
    with snapshot(rt) as connection:
        assert looking(connection, split(DIGESTS)) == split(DIGESTS), "the store answers meanwhile"
    with tables._building:
        pass
    narrow = tables.narrowed(question)
    assert narrow is not None
    with snapshot(rt) as connection:
        assert len(narrow(connection, split(DIGESTS))) < len(split(DIGESTS))
