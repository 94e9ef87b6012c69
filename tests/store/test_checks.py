"""What every sender is told before each send."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from optout_service.core.address import Address
from optout_service.core.errors import (
    NotFound,
    Unauthenticated,
    UnknownTopic,
    WrongKeys,
)
from optout_service.core.evidence import Authority, Reason, Source
from optout_service.core.scope import ANY, Channel, Kind, Purpose, Scope
from optout_service.runtime import Runtime
from optout_service.store import keys as api_keys
from optout_service.store.keys import Role
from tests.stage import Cast
from tests.store.acts import AT, MAIL, MARKETING, NEWSLETTER, act


def suppress(rt: Runtime, tenant: int, scope: Scope, address: Address = MAIL) -> None:
    with rt.writing() as connection:
        authority = Authority.ADMIN if tenant else Authority.PLATFORM
        rt.record(connection, act(tenant, scope=scope, address=address, authority=authority))


def test_nobody_is_suppressed_at_first(rt: Runtime, cast: Cast) -> None:
    answer = rt.check(cast.acme, MAIL, NEWSLETTER)
    assert (answer.suppressed, answer.matches, answer.as_of) == (False, (), 0)


def test_a_verdict_says_why_since_when_and_by_which_event(rt: Runtime, cast: Cast) -> None:
    suppress(rt, cast.acme, NEWSLETTER)
    answer = rt.check(cast.acme, MAIL, NEWSLETTER)
    (match,) = answer.matches
    assert (match.tenant, match.scope, match.reason) == (
        cast.acme,
        NEWSLETTER,
        Reason.OPTED_OUT,
    )
    assert (match.source, match.event, answer.as_of) == (Source.PAGE, 1, 1)
    assert abs((rt.now() - match.since).total_seconds()) < 60


def every_scope() -> Iterator[Scope]:
    for channel in (ANY, Channel.SMS, Channel.VOICE):
        for topic in (ANY, "newsletter", "offers"):
            for purpose in (ANY, *Purpose):
                yield Scope(channel, topic, purpose)


def test_a_suppression_matches_when_each_part_is_equal_or_all(rt: Runtime, cast: Cast) -> None:
    asked = Scope("sms", "newsletter", "marketing")
    for number, stands in enumerate(every_scope()):
        phone = Address.parse(Kind.PHONE, f"+1415555{2600 + number}")
        suppress(rt, cast.acme, stands, phone)
        assert rt.check(cast.acme, phone, asked).suppressed is stands.covers(asked), stands


def test_no_tenant_sees_anothers_suppressions(rt: Runtime, cast: Cast) -> None:
    suppress(rt, cast.bolt, MARKETING)
    assert not rt.check(cast.acme, MAIL, NEWSLETTER).suppressed


def test_the_platforms_suppressions_bind_every_tenant(rt: Runtime, cast: Cast) -> None:
    suppress(rt, 0, MARKETING)
    assert rt.check(cast.acme, MAIL, NEWSLETTER).matches[0].tenant == 0
    assert rt.check(cast.bolt, MAIL, Scope("email", "news", "marketing")).suppressed


def test_a_hashed_address_gets_the_same_answer(rt: Runtime, cast: Cast) -> None:
    suppress(rt, cast.acme, NEWSLETTER)
    hashed = Address.parse(Kind.EMAIL, f"sha256:{MAIL.sha256.hex()}")
    assert rt.check(cast.acme, hashed, NEWSLETTER).suppressed


def test_an_unknown_topic_is_refused_and_not_called_allowed(rt: Runtime, cast: Cast) -> None:
    with pytest.raises(UnknownTopic):
        rt.check(cast.acme, MAIL, Scope("email", "news", "marketing"))
    with pytest.raises(UnknownTopic):
        rt.check_many(cast.acme, [rt.keys.digest(MAIL)], Scope("email", "news", "marketing"))


def test_an_unknown_tenant_is_refused(rt: Runtime) -> None:
    with pytest.raises(NotFound):
        rt.check(4711, MAIL, MARKETING)


@pytest.mark.parametrize("ended", ["revoked", "expired"])
def test_a_key_that_has_ended_gets_no_answer_from_the_very_next_check(
    rt: Runtime, cast: Cast, ended: str
) -> None:
    with rt.writing() as connection:
        key, _ = api_keys.create(
            connection,
            cast.acme,
            Role.SENDER,
            name="ends",
            at=AT,
            keys=rt.keys,
            expires_at=rt.now() if ended == "expired" else None,
        )
    if ended == "revoked":
        assert not rt.check(cast.acme, MAIL, MARKETING, api_key=key.id).suppressed
        with rt.writing() as connection:
            api_keys.revoke(connection, cast.acme, key.id, at=rt.now())
    with pytest.raises(Unauthenticated):
        rt.check(cast.acme, MAIL, MARKETING, api_key=key.id)


def test_a_database_of_another_pepper_gets_no_answer(rt: Runtime, cast: Cast) -> None:
    with rt.writing() as connection:
        connection.execute(text("UPDATE seal SET pepper = '0123456789abcdef'"))
    with pytest.raises(WrongKeys):
        rt.check(cast.acme, MAIL, MARKETING)
    with pytest.raises(WrongKeys):
        rt.check_many(cast.acme, [rt.keys.digest(MAIL)], MARKETING)


@pytest.mark.parametrize("asked", [0, 1, 499, 500, 501, 1203])
def test_a_batch_answers_as_single_checks_do(rt: Runtime, cast: Cast, asked: int) -> None:
    addresses = [Address.parse(Kind.EMAIL, f"r{number}@example.com") for number in range(asked)]
    left = addresses[::7]
    with rt.writing() as connection:
        for address in left:
            rt.record(connection, act(cast.acme, address=address))
    digests = [rt.keys.digest(address) for address in addresses]
    found, as_of = rt.check_many(cast.acme, digests, NEWSLETTER)
    assert set(found) == {rt.keys.digest(address) for address in left}
    assert as_of == len(left)
    for address in addresses[:15]:
        matches = rt.check(cast.acme, address, NEWSLETTER).matches
        assert list(matches) == found.get(rt.keys.digest(address), [])


def test_the_same_address_twice_in_a_batch_is_answered(rt: Runtime, cast: Cast) -> None:
    suppress(rt, cast.acme, NEWSLETTER)
    digest = rt.keys.digest(MAIL)
    found, _ = rt.check_many(cast.acme, [digest, digest], NEWSLETTER)
    assert list(found) == [digest]
