"""Where a person was who left by way of our proxies: what these say, and nobody else."""

from dataclasses import replace

import pytest

from optout_service.app import create_app
from optout_service.core.address import Address
from optout_service.core.scope import Kind
from optout_service.core.token import Claim
from optout_service.runtime import Runtime
from optout_service.store import feed
from tests.cast import ANA
from tests.stage import Cast

MAIL = Address.parse(Kind.EMAIL, ANA.email)
PAIR = {"List-Unsubscribe": "One-Click"}


@pytest.mark.parametrize(
    ("proxies", "forwarded", "noted"),
    [
        (0, "203.0.113.9", "127.0.0.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (2, "198.51.100.1, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        (2, "203.0.113.9", "127.0.0.1"),
        (1, "", "127.0.0.1"),
        (1, "2001:db8::9", "2001:db8::9"),
    ],
)
def test_the_address_of_who_clicked_is_what_our_own_proxies_say(
    rt: Runtime, cast: Cast, proxies: int, forwarded: str, noted: str
) -> None:
    behind = replace(rt, settings=replace(rt.settings, proxies=proxies))
    link = f"/u/{rt.links.mint(Claim(cast.acme, 'email', MAIL, 'newsletter'))}"
    told = {"X-Forwarded-For": forwarded}
    create_app(behind).test_client().post(link, data=PAIR, headers=told)
    with rt.reading() as connection:
        (event,) = feed.history(connection, cast.acme, MAIL, rt.keys)
    assert event.evidence["ip"] == noted
