"""A hook that we sign ourselves, sent through the front door: does its signature hold there?"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final
from urllib.parse import urlencode

from optout_service.doctor.asking import ask
from optout_service.doctor.finding import Finding, mend, ok
from optout_service.runtime import Runtime
from optout_service.store import senders
from optout_service.store.senders import Account

Sign = Callable[[str, str, Mapping[str, str]], str]
"""A token, the URL and the fields: what Twilio would put into X-Twilio-Signature."""

_FORM: Final = "application/x-www-form-urlencoded"
_QUERY: Final = "optout=doctor%20%7E&a=%2F"
"""What a proxy that rewrites queries would spell otherwise."""


def examine(rt: Runtime, sign: Sign) -> Iterator[Finding]:
    """A finding for each of Twilio's accounts. Nothing is recorded: that a message has arrived is
    nobody's opt-out. Raises StoreUnavailable.
    """
    with rt.reading() as connection:
        known = [
            senders.accounts(connection, "twilio", account, keys=rt.keys)[0]
            for account in senders.account_ids(connection, "twilio")
        ]
    for account in known:
        yield _tried(rt.settings.public_url, account, sign)


def _tried(public_url: str, account: Account, sign: Sign) -> Finding:
    subject = f"hook of {account.account}"
    url = f"{public_url}/hooks/twilio/status?{_QUERY}"
    fields = {
        "AccountSid": account.account,
        "MessageSid": "SM" + "0" * 32,
        "MessageStatus": "delivered",
        "To": "+15005550006",
        "From": "+15005550006",
    }
    signature = sign(account.tokens[0], url, fields)
    headers = {"Content-Type": _FORM, "X-Twilio-Signature": signature}
    answer = ask(subject, url, "POST", urlencode(fields).encode(), headers)
    if isinstance(answer, Finding):
        return answer
    if answer.status == 200:
        return ok(subject, f"What is signed for {public_url}/hooks/twilio/ is proven here.")
    if answer.status == 403:
        return mend(
            subject,
            "A request that is signed with its newest token is refused (403): the proxy changes "
            "the path, the query or the body, or the service runs under another "
            "OPTOUT_PUBLIC_URL. Let it hand targets on byte for byte (deploy/nginx).",
        )
    return mend(
        subject,
        f"A signed request is answered with {answer.status}. Let /hooks/ through to the service, "
        "with any query, without a redirect and without a cookie.",
    )
