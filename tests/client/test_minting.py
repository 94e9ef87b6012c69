"""Links minted offline: the same bytes as the service's, and the same refusals."""

import json
from typing import Any

import pytest

from optout_service.client import LinkMinter, Refused
from optout_service.core.keyring import KeyRing
from optout_service.core.link_key import LinkKey
from optout_service.core.token import Links
from tests.cast import ANA
from tests.core.test_token import GOLDEN, NEW, OLD, SIGNED_BY_THE_NEW_KEY

BASE = "https://optout.example.com"


def key_of(ring: KeyRing, tenant: int = 1) -> dict[str, Any]:
    topics = ("newsletter", "offers")
    return LinkKey(tenant, "acme", BASE, topics, ring.link_ring(tenant)).document()


@pytest.mark.parametrize(("token", "claim"), GOLDEN.items())
def test_it_makes_the_links_that_were_once_sent(token: str, claim: Any) -> None:
    minter = LinkMinter(key_of(OLD, claim.tenant))
    made = minter.mint(
        claim.address.value,
        claim.channel,
        claim.topic,
        message=claim.message,
        language=claim.language,
    )
    assert made == f"{BASE}/u/{token}"


def test_it_mints_with_the_newest_key() -> None:
    assert LinkMinter(key_of(NEW)).mint("jo@example.com") == f"{BASE}/u/{SIGNED_BY_THE_NEW_KEY}"


def test_what_an_older_credential_mints_is_read_after_the_keys_have_rotated() -> None:
    url = LinkMinter(key_of(OLD)).mint("jo@example.com")
    assert Links(NEW).read(url.removeprefix(f"{BASE}/u/")).address.value == "jo@example.com"


def test_many_come_in_their_order() -> None:
    minter = LinkMinter(key_of(OLD))
    addresses = [f"R{number}@Example.com" for number in range(20)]
    made = minter.mint_many(iter(addresses), topic="offers", message="c42")
    assert list(made) == [minter.mint(a, topic="offers", message="c42") for a in addresses]


def test_it_takes_the_credential_as_text() -> None:
    key = key_of(OLD)
    assert LinkMinter(json.dumps(key)).mint(ANA.email) == LinkMinter(key).mint(ANA.email)


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        ({"address": "nobody"}, "invalid-address"),
        ({"address": "sha256:" + "0" * 64}, "invalid-address"),
        ({"address": ANA.email, "channel": "sms"}, "invalid-address"),
        ({"address": ANA.email, "channel": "*"}, "unknown-channel"),
        ({"address": ANA.email, "topic": "newsleter"}, "unknown-topic"),
        ({"address": ANA.email, "topic": "Not A Slug"}, "unknown-topic"),
        ({"address": ANA.email, "message": "m" * 201}, "invalid-request"),
        ({"address": ANA.email, "language": "x" * 36}, "invalid-request"),
    ],
    ids=str,
)
def test_it_refuses_as_the_service_does(asked: dict[str, str], kind: str) -> None:
    with pytest.raises(Refused) as refused:
        LinkMinter(key_of(OLD)).mint(**asked)
    assert (refused.value.status, refused.value.kind) == (422, kind)
    assert "canary" not in str(refused.value)


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in key_of(OLD).items() if key != name}


@pytest.mark.parametrize(
    "other",
    [
        *(without(name) for name in key_of(OLD)),
        key_of(OLD) | {"version": 2},
        key_of(OLD) | {"keys": []},
        key_of(OLD) | {"keys": ["short"]},
        key_of(OLD) | {"tenant": -1},
        key_of(OLD) | {"topics": [1]},
        "no JSON",
        "[]",
        b"\xff",
    ],
    ids=lambda other: str(other)[:20],
)
def test_what_is_no_link_key_is_refused(other: Any) -> None:
    with pytest.raises(Refused, match="link-key"):
        LinkMinter(other)


def test_a_later_member_of_the_credential_is_left_alone() -> None:
    later = key_of(OLD) | {"colour": "blue"}
    assert LinkMinter(later).mint(ANA.email) == LinkMinter(key_of(OLD)).mint(ANA.email)


def test_no_secret_is_printed() -> None:
    key = key_of(OLD)
    shown = repr(LinkMinter(key)) + repr(LinkKey.read(key))
    assert key["keys"][0] not in shown
