"""Older encryption keys give up what they have sealed, and can leave."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import delete, select, text

from optout_service.core.errors import (
    Conflict,
    InvalidRequest,
    Misconfigured,
    StoreUnavailable,
    WrongKeys,
)
from optout_service.rotation import encryption, report
from optout_service.runtime import Runtime
from optout_service.store import chain, resealing, senders
from optout_service.store.tables import address_book, event, idempotency
from tests.rotation.ground import fill, process, say
from tests.stage import ACCOUNT, KEYS, TOKEN, Cast

ADDED = replace(KEYS, encryption=(*KEYS.encryption, b"f" * 31 + b"2"))
ONLY_NEW = replace(KEYS, encryption=ADDED.encryption[1:])
OLD, NEW = ADDED.fingerprints.encryption


@pytest.fixture
def new(rt: Runtime, cast: Cast) -> Iterator[Runtime]:
    """A process with a new encryption key, over a full database."""
    fill(rt, cast)
    with process(rt, ADDED) as made:
        yield made


def without_answers(rt: Runtime) -> None:
    with rt.writing() as connection:
        connection.execute(delete(idempotency))


def counts(rt: Runtime) -> dict[str, int]:
    with rt.reading_one_state() as connection:
        return resealing.counts(connection, ADDED)


def test_all_is_under_the_newest_key_and_reads_as_before(new: Runtime, cast: Cast) -> None:
    before = say(new, cast)
    texts = counts(new)
    assert texts[OLD] > 20
    assert texts[NEW] == 0
    done = encryption.rotate(new, step=3)
    assert set(done) == {
        "seal.canary",
        "provider_account.tokens",
        "address_book.sealed",
        "review.private",
        "legal_hold.grounds",
        "event.private",
    }
    assert counts(new) == {OLD: 1, NEW: texts[OLD] - 1}, "but for the stored answer"
    assert say(new, cast) == before
    assert encryption.rotate(new) == {}


def test_it_goes_on_where_it_was_broken_off(new: Runtime, cast: Cast) -> None:
    def stop(_: encryption.Progress) -> None:
        raise KeyboardInterrupt

    before, moments = say(new, cast), 0
    broken = True
    while broken:
        try:
            encryption.rotate(new, tell=stop, step=50)
            broken = False
        except KeyboardInterrupt:
            moments += 1
            assert say(new, cast) == before
    assert moments > 5


def test_a_retired_key_can_leave_the_ring(new: Runtime, cast: Cast) -> None:
    without_answers(new)
    before = say(new, cast)
    with pytest.raises(WrongKeys), process(new, ONLY_NEW):
        pass
    with pytest.raises(Conflict, match="rotate encryption"):
        encryption.retire(new, OLD)
    encryption.rotate(new)
    encryption.retire(new, OLD)
    with process(new, ADDED):
        """Started once more before the key was taken out: that brings nothing back."""
    with process(new, ONLY_NEW) as made:
        assert say(made, cast) == before
        with made.reading() as connection:
            accounts = senders.accounts(connection, "twilio", ACCOUNT, keys=made.keys)
        assert [one.tokens for one in accounts] == [(TOKEN,)]


def test_an_answer_that_is_kept_holds_its_key_until_retention_takes_it(new: Runtime) -> None:
    encryption.rotate(new)
    with pytest.raises(Conflict, match=r"1 answers .* retention"):
        encryption.retire(new, OLD)
    without_answers(new)
    encryption.retire(new, OLD)


@pytest.mark.parametrize("fingerprint", [NEW, "0" * 16])
def test_only_an_older_key_of_the_ring_can_be_retired(new: Runtime, fingerprint: str) -> None:
    with pytest.raises(InvalidRequest):
        encryption.retire(new, fingerprint)


def test_two_keys_that_texts_do_not_tell_apart_are_refused(rt: Runtime) -> None:
    alike = next(
        ring
        for number in range(10_000)
        if (ring := replace(KEYS, encryption=(*KEYS.encryption, b"%032d" % number))).hints[0]
        == ring.hints[1]
    )
    with process(rt, alike) as made, pytest.raises(Misconfigured, match="begin alike"):
        encryption.rotate(made)


def test_the_database_lets_no_other_content_pass_as_sealed_anew(new: Runtime, cast: Cast) -> None:
    for change in ("private = salt", "salt = NULL", "salt = hash", "private = NULL"):
        statement = text(f"UPDATE event SET {change} WHERE tenant = 1 AND number = 2")
        with pytest.raises(StoreUnavailable) as refused, new.writing() as connection:
            connection.execute(statement)
        assert "append-only" in str(refused.value.__cause__)


def test_a_content_that_was_changed_on_the_way_is_found(new: Runtime, cast: Cast) -> None:
    context = chain.private_context(cast.acme, 2)
    which = (event.c.tenant == cast.acme) & (event.c.number == 2)
    with new.writing() as connection:
        sealed = connection.scalar(select(event.c.private).where(which))
        assert sealed is not None
        plain = new.keys.open(sealed, context)
        other = new.keys.seal(plain.replace(b"Mail", b"Nail"), context)
        connection.execute(event.update().where(which).values(private=other))
    with new.reading() as connection:
        assert chain.verify(connection, cast.acme, new.keys).broken_at == 2


def test_what_is_erased_meanwhile_stays_erased(new: Runtime, cast: Cast) -> None:
    part = next(one for one in resealing.PARTS if one.table is address_book)
    with new.reading_one_state() as connection:
        texts = resealing.next_texts(connection, part, new.keys, after=None, limit=9)
    assert texts
    with new.writing() as connection:
        connection.execute(delete(address_book))
        resealing.reseal(connection, part, texts, new.keys)
        assert connection.execute(select(address_book)).all() == []


def test_the_report_names_every_key_and_tells_none(new: Runtime) -> None:
    told = report.keys(new)
    assert [(one.ring, one.newest) for one in told] == [
        ("pepper", True),
        ("encryption", False),
        ("encryption", True),
        ("signing", True),
    ]
    assert "0 texts" in told[2].use
