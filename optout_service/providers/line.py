"""Our end of a call: whose number it is, what it says, where the talk stands, what it records."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from optout_service.core.address import Address
from optout_service.core.evidence import Action, Authority, Evidence, Source
from optout_service.core.review import Why
from optout_service.core.scope import ANY, Channel, Scope
from optout_service.providers import scopes
from optout_service.providers.inbound import Hook
from optout_service.providers.phrases import DEFAULT, phrases
from optout_service.providers.twilio import PROVIDER
from optout_service.providers.twiml import Call
from optout_service.runtime import Runtime
from optout_service.store import addressees, reviews, scripts, tenants
from optout_service.store.reviews import Doubt
from optout_service.store.scripts import CallScript
from optout_service.store.senders import Sender
from optout_service.web import runtime


@dataclass(frozen=True, slots=True)
class Line:
    """Who speaks on our end. ``senders``: none on a number that nobody registered, several on one
    that several tenants have."""

    senders: tuple[Sender, ...]
    brand: str
    contact: str
    script: CallScript

    @property
    def language(self) -> str:
        """The language it speaks first."""
        own = self.senders[0].language if self.senders else ""
        return phrases(self.script.language or own).language

    @property
    def other_language(self) -> str:
        """The language it offers, or ""."""
        return phrases(other).language if (other := self.script.second_language) else ""

    @property
    def other_key(self) -> str | None:
        """The key that changes the language; None where it speaks but one."""
        if self.other_language in ("", self.language):
            return None
        return "1" if self.script.opt_out_key != "1" else "2"


@dataclass(frozen=True, slots=True)
class Turn:
    """Where the talk stands. It travels in the query of the next URL, which is signed with it.

    ``any_key``: each key opts out, since the question before was asked by ``fallback``.
    """

    language: str
    attempt: int = 1
    any_key: bool = False

    @classmethod
    def in_query(cls, query: Mapping[str, str], language: str) -> Self:
        """Read a query; ``language`` is spoken where it names none. Never raises."""
        attempt = query.get("try", "")
        return cls(
            phrases(query.get("language") or language).language,
            int(attempt) if attempt in tuple("123456789") else 1,
            query.get("key") == "any",
        )

    @classmethod
    def in_url(cls, url: str) -> Self:
        """The turn at which this URL failed. Never raises."""
        try:
            query = urlsplit(url).query
        except ValueError:
            query = ""
        return cls.in_query(dict(parse_qsl(query)), DEFAULT)

    def next(self, *, any_key: bool = False) -> Self:
        """Asked once more."""
        return replace(self, attempt=self.attempt + 1, any_key=any_key)

    def in_language(self, language: str) -> Self:
        """The same turn, spoken otherwise."""
        return replace(self, language=language)

    @property
    def query(self) -> str:
        """As the query of a URL."""
        values = {"language": self.language, "try": str(self.attempt)}
        return urlencode(values | ({"key": "any"} if self.any_key else {}))


def find_line(hook: Hook[Call]) -> Line:
    """Whose number this call came from, or reached; all tenants of the account if nobody's."""
    call = hook.told
    with runtime().reading() as connection:
        found = addressees.reached(
            connection,
            hook.tenants,
            PROVIDER,
            call.account,
            number=call.number,
            channel=Channel.VOICE,
            service="",
        )
        speaking = [sender.tenant for sender in found] or hook.tenants
        brands = [tenants.get_by_id(connection, tenant) for tenant in speaking]
        script = scripts.find(connection, found[0]) if len(found) == 1 else None
    name = ", ".join(brand.name for brand in brands)
    contact = brands[0].contact if len(brands) == 1 else ""
    return Line(tuple(found), name, contact, script or scripts.DEFAULT)


def record(hook: Hook[Call], line: Line, address: Address, told: Mapping[str, str]) -> None:
    """Write the opt-out down; when this returns it is on the disk. Raises StoreUnavailable."""
    rt = runtime()
    # A key on a number that nobody registered is meant for whoever calls from this account.
    targets = [(sender.tenant, sender) for sender in line.senders]
    unknown = [] if targets else [(tenant, None) for tenant in hook.tenants]
    everybody = [*targets, *unknown]
    with rt.writing(everybody[0][0] if len(everybody) == 1 else None) as connection:
        for tenant, sender in everybody:
            evidence = _evidence(rt, hook.told, tenant, sender, address, told)
            rt.record(connection, evidence)
            if sender is None:
                reviews.open_review(connection, _doubt(evidence), at=rt.now(), keys=rt.keys)


def _evidence(
    rt: Runtime,
    call: Call,
    tenant: int,
    sender: Sender | None,
    address: Address,
    told: Mapping[str, str],
) -> Evidence:
    return Evidence(
        tenant=tenant,
        action=Action.OPT_OUT,
        address=address,
        scope=_scope(rt, sender),
        source=Source.CALL,
        authority=Authority.RECIPIENT_PHONE,
        actor="recipient",
        provider_message=call.key,
        private={"call": "outbound" if call.outbound else "inbound", "to": call.number, **told},
    )


def _scope(rt: Runtime, sender: Sender | None) -> Scope:
    """What a STOP by text to the same sender would stop, and calls in any case."""
    stop = scopes.of_stop(sender, rt.now().date(), rt.settings.revoke_all_from)
    return stop if stop.channel == Channel.VOICE else replace(stop, channel=ANY)


def _doubt(evidence: Evidence) -> Doubt:
    """Somebody is to find out whose number it was."""
    return Doubt(
        tenant=evidence.tenant,
        address=evidence.address,
        channel=Channel.VOICE,
        source=evidence.source,
        why=Why.UNKNOWN_SENDER,
        rule="call:key",
        private={"to": evidence.private["to"]},
        provider_message=evidence.provider_message,
    )
