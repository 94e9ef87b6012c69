"""How many links a second one core mints. Called by ``tests.bench``, or by itself."""

import time
from collections.abc import Iterable

from itsdangerous import URLSafeSerializer

from optout_service.client import LinkMinter
from optout_service.core.link_key import LinkKey
from tests import stage

COUNT = 1_000_000


def minting() -> str:
    """A million links offline, beside itsdangerous signing the same as JSON, in the clear."""
    ring = stage.KEYS.link_ring(1)
    minter = LinkMinter(
        LinkKey(1, "acme", stage.PUBLIC_URL, stage.TOPICS, ring).document(),
    )
    addresses = [f"r{number}@example.com" for number in range(COUNT)]
    ours = _seconds(minter.mint_many(addresses, topic="newsletter", message="c42"))
    dumps = URLSafeSerializer("secret", salt="link").dumps
    some = addresses[: COUNT // 20]
    theirs = 20 * _seconds(dumps([1, "email", one, "newsletter", "c42"]) for one in some)
    each = ours / COUNT * 1e6
    return (
        f"Minting {COUNT:,} links offline from addresses as text, encrypted and signed: "
        f"{ours:.1f} s of one core, **{COUNT / ours:,.0f}** a second, {each:.1f} us each; "
        f"{theirs / ours:.1f} times as fast as itsdangerous' serializer signs the same as "
        f"readable JSON ({theirs:.1f} s)."
    )


def _seconds(links: Iterable[object]) -> float:
    started = time.process_time()
    for _ in links:
        pass
    return time.process_time() - started


if __name__ == "__main__":
    print(minting())
