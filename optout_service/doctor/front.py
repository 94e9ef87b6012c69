"""What stands before the service, told by a click that came through it."""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from optout_service.doctor.asking import Answer
from optout_service.doctor.finding import Finding, advice, mend, ok
from optout_service.settings import Settings

_INVENTED: Final = "203.0.113."
"""Addresses that nobody has (RFC 5737, 3)."""
_MANY: Final = 16

INVENTED: Final = ", ".join(f"{_INVENTED}{number}" for number in range(_MANY, 0, -1))
"""What a caller may claim in ``X-Forwarded-For``: none of it should be believed. The last one is
number 1, so that the one that was believed says how many too many were counted."""


def examine(settings: Settings, answer: Answer, noted: str) -> Iterator[Finding]:
    """Of a click that claimed ``INVENTED``: ``noted`` is the address that the service wrote down.

    Told beside it: whether browsers are to come back by https alone (RFC 6797).
    """
    yield proxies(settings.proxies, answer.here, noted)
    if urlsplit(settings.public_url).scheme == "https":
        yield https_only(answer.https_only)


def proxies(counted: int, here: str, noted: str) -> Finding:
    """Whether ``OPTOUT_PROXIES`` fits those that are there; ``here``: our own address."""
    if noted.startswith(_INVENTED):
        too_many = int(noted.removeprefix(_INVENTED))
        return mend(
            "proxy headers",
            f"The service believes what a caller writes into X-Forwarded-For: anybody can write "
            f"their own address into the evidence. OPTOUT_PROXIES is {counted}, and {too_many} too "
            f"many: set it to {max(counted - too_many, 0)}, or let each proxy add the address of "
            "who called it.",
        )
    if noted == here:
        return ok("proxy headers", f"This machine's own address is noted, {here}.")
    if not noted or _is_this_machine(noted):
        return mend(
            "proxy headers",
            f"The service notes {noted or 'no address'}, which is a proxy's and not this "
            f"machine's: everybody's evidence says the same. OPTOUT_PROXIES is {counted}. Set it "
            "to the number of proxies of yours that add to X-Forwarded-For.",
        )
    return advice(
        "proxy headers",
        f"The service notes {noted}, and this machine calls itself {here}. That is well if a "
        f"network of yours translates addresses. If {noted} is a proxy of yours, OPTOUT_PROXIES, "
        f"which is {counted}, is too low.",
    )


def _is_this_machine(noted: str) -> bool:
    try:
        return ip_address(noted).is_loopback
    except ValueError:
        return False  # some write a port behind it


def https_only(said: str) -> Finding:
    """Whether the answer came with Strict-Transport-Security (RFC 6797, 6.1)."""
    lasting = said.replace(" ", "").lower()
    if "max-age=" in lasting and "max-age=0" not in lasting.split(";"):
        return ok("https", "Browsers are told to come by https alone.")
    return advice(
        "https",
        "Browsers are not told to come by https alone, so that the first call of a page may be in "
        "clear. Let the proxy add Strict-Transport-Security: max-age=31536000 (deploy/nginx).",
    )
