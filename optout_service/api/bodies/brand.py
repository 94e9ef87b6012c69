"""How a tenant looks to its recipients."""

from typing import Annotated, Final

from msgspec import Meta, Struct
from msgspec.json import Decoder

from optout_service.api.bodies.setup import Contact, Name
from optout_service.core.language import LANGUAGES
from optout_service.core.logo import MAX_BYTES

_COLOUR: Final = {"pattern": "^(#[0-9A-Fa-f]{6})?$"}

ContactUrl = Annotated[
    str,
    Meta(
        description="Where a tap on the contact leads: https://, mailto: or tel:.",
        extra_json_schema={"maxLength": 300, "pattern": "^((https|mailto|tel):[!-~]+)?$"},
    ),
]
ButtonColour = Annotated[
    str,
    Meta(
        description="Of the large button. It stands out from the light page by 3 to 1 at least.",
        extra_json_schema=_COLOUR,
    ),
]
DarkColour = Annotated[
    str,
    Meta(
        description="The same in the dark theme; made of `colour` unless given.",
        extra_json_schema=_COLOUR,
    ),
]
PageLanguage = Annotated[
    str,
    Meta(
        description="For readers of whom nothing else is known.",
        extra_json_schema={"enum": ["", *LANGUAGES]},
    ),
]
LogoFile = Annotated[
    bytes,
    Meta(description=f"A PNG, JPEG or WebP file of at most {MAX_BYTES} bytes, in base64."),
]


class BrandShape(Struct, frozen=True):
    """How the tenant looks to its recipients. What is empty is as it is built in."""

    name: str
    contact: str
    contact_url: str
    colour: str
    dark_colour: str
    language: str
    logo: LogoFile


class BrandRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole brand; what is left out goes back to what is built in."""

    name: Name
    contact: Contact = ""
    contact_url: ContactUrl = ""
    colour: ButtonColour = ""
    dark_colour: DarkColour = ""
    language: PageLanguage = ""
    logo: LogoFile = b""


BRAND: Final = Decoder(BrandRequest)
