"""Mail as programs send it: recorded messages, with a link's token where one belongs."""

from optout_service.core.address import Address
from optout_service.core.scope import Kind, Scope
from optout_service.core.token import Claim
from optout_service.runtime import Runtime
from tests.cast import ANA, BO
from tests.payloads import FOLDER

NAMES = sorted(path.stem for path in (FOLDER / "mail").glob("*.eml"))
NEWSLETTER = Scope("email", "newsletter", "marketing")
ALL_MAIL = Scope("email", "*", "marketing")
WORDS_SCOPE = Scope("*", "*", "marketing")
RECEIPTS = Scope("email", "*", "transactional")


def mailbox_of(email: str) -> Address:
    """A person's mailbox."""
    return Address.parse(Kind.EMAIL, email)


ADDRESS = mailbox_of(ANA.email)


def mint(rt: Runtime, tenant: int, topic: str = "newsletter") -> str:
    """The token of the link in Ana's newsletter."""
    return rt.links.mint(Claim(tenant, "email", ADDRESS, topic, "m-42"))


def eml(name: str, token: str, **changes: str) -> bytes:
    """A recorded message, as it comes over the wire; ``changes`` replace one text by another."""
    half, third = len(token) // 2, len(token) // 3
    quoted = [part.replace("_", "=5F") for part in (token[:half], token[half:])]
    places = {
        "@TOKEN@": token,
        "@TOKEN_A@": token[:half],
        "@TOKEN_B@": token[half:],
        "@QTOKEN_A@": quoted[0],
        "@QTOKEN_B@": quoted[1],
        "@WRAPPED@": f"{token[:third]}=20\n{token[third:-third]}=\n{token[-third:]}",
        "@SOFT@": f"{token[:third]}=\n{token[third:]}",
        "@ANA@": ANA.email,
        "@ANA_UPPER@": ANA.email.upper(),
        "@BO@": BO.email,
    }
    text = (FOLDER / "mail" / f"{name}.eml").read_text(encoding="utf-8")
    for place, value in (places | changes).items():
        text = text.replace(place, value)
    return text.replace("\n", "\r\n").encode()
