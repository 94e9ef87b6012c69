"""Who stands at a door: nobody in particular, a key that has ended, one of each role and tenant."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from optout_service.core.address import Address
from optout_service.core.scope import Kind
from optout_service.core.token import Claim
from optout_service.providers import twilio
from optout_service.runtime import Runtime
from optout_service.store import keys
from optout_service.store.keys import Role
from tests import stage
from tests.api.test_auth import CLEARANCE
from tests.cast import ANA
from tests.providers.playing import fields
from tests.security.doors import ANOTHER, ASKS, BY_ID, BY_THE_PLATFORM, TWILIO, Door
from tests.stage import Cast

SIGNS: Final = "a provider's signature"
_NO_SUCH_TENANT: Final = 404
_FORM: Final = fields("call_inbound") | fields("stop_long_code")


@dataclass(frozen=True)
class Caller:
    """Somebody, and what he shows.

    ``role``: of a good key; ``acts_for``: the tenant for which it acts, empty if it names one that
    is not there for it.
    """

    name: str
    headers: Mapping[str, str] = field(default_factory=dict)
    role: Role | None = None
    acts_for: str = ""

    def headers_at(self, path: str) -> dict[str, str]:
        """What is shown at this path: a signature is over the path."""
        if self.name != SIGNS:
            return dict(self.headers)
        signed = twilio.sign(stage.TOKEN, f"{stage.PUBLIC_URL}{path}", _FORM)
        return {"X-Twilio-Signature": signed}

    @property
    def form(self) -> Mapping[str, str] | None:
        """What is posted by who signs."""
        return _FORM if self.name == SIGNS else None

    def refused_at(self, door: Door) -> int:
        """The status by which this caller is refused at this door; 0: it opens."""
        takes = door.takes
        if takes is None:
            return 405
        if isinstance(takes, frozenset):
            return self._refused_by(door, takes)
        if takes == ANOTHER or (takes == TWILIO and self.name != SIGNS):
            asked = door.rule in ASKS and "Authorization" not in self.headers
            return 401 if asked else 403
        return 0

    def _refused_by(self, door: Door, roles: frozenset[str]) -> int:
        if self.role is None:
            return 401
        if not self.acts_for:
            return _NO_SUCH_TENANT
        if self.role not in roles:
            return 403
        theirs = {"acme": {}, "bolt": BY_ID, "platform": BY_THE_PLATFORM}[self.acts_for]
        return theirs.get(door.route, 0)


def callers(rt: Runtime, cast: Cast) -> list[Caller]:
    """One of each, for a store on which the stage is set."""
    link = rt.links.mint(Claim(cast.acme, "email", Address.parse(Kind.EMAIL, ANA.email)))
    nobodys = {
        "nothing": {},
        "an empty key": _bearer(""),
        "a key that was never made": _bearer(keys.PREFIX + "A" * 43),
        "a key by another scheme": {"Authorization": f"Basic {cast.keys['admin']}"},
        "a key beside the header": {"X-Api-Key": cast.keys["admin"]},
        "a revoked key": _bearer(_ended(rt, cast, revoked=True)),
        "an expired key": _bearer(_ended(rt, cast, revoked=False)),
        "a link's token": _bearer(link),
        "a clearance": _bearer(CLEARANCE),
        SIGNS: {},
    }
    return [
        *(Caller(name, shown) for name, shown in nobodys.items()),
        *_of(rt, cast.acme, "acme", reaches="bolt"),
        *_of(rt, cast.bolt, "bolt", reaches="acme"),
        *_platforms(cast.keys["platform"]),
    ]


def _of(rt: Runtime, tenant: int, slug: str, *, reaches: str) -> list[Caller]:
    found = []
    for role in Role:
        if role is not Role.PLATFORM:
            shown = _bearer(_made(rt, tenant, role))
            named = shown | {"Optout-Tenant": reaches}
            found.append(Caller(f"{slug}'s {role}", shown, role, slug))
            found.append(Caller(f"{slug}'s {role} that names {reaches}", named, role))
    return found


def _platforms(secret: str) -> list[Caller]:
    shown, role = _bearer(secret), Role.PLATFORM
    named = {slug: shown | {"Optout-Tenant": slug} for slug in ("acme", "nobody")}
    return [
        Caller("the platform", shown, role, "platform"),
        Caller("the platform for acme", named["acme"], role, "acme"),
        Caller("the platform for nobody", named["nobody"], role),
    ]


def _bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def _ended(rt: Runtime, cast: Cast, *, revoked: bool) -> str:
    ends = None if revoked else rt.now() - timedelta(seconds=1)
    with rt.writing() as connection:
        made, secret = keys.create(
            connection, cast.acme, Role.ADMIN, name="", at=rt.now(), keys=rt.keys, expires_at=ends
        )
        if revoked:
            keys.revoke(connection, cast.acme, made.id, at=rt.now())
    return secret


def _made(rt: Runtime, tenant: int, role: Role) -> str:
    with rt.writing() as connection:
        _, secret = keys.create(connection, tenant, role, name=role, at=rt.now(), keys=rt.keys)
    return secret
