"""A phone number as somebody keys it in: without a plus, in the national form or with a code."""

from typing import Final

import phonenumbers

from optout_service.core.address import Address
from optout_service.core.errors import InvalidAddress
from optout_service.core.scope import Kind

_FEWEST: Final = 7
"""Without its country code no number that could be told from a slip of the finger has fewer."""


def read_dialled(digits: str, near: str) -> Address:
    """The address that ``digits`` mean to somebody who calls ``near``, our number in E.164.

    First as they are dialled in the country of ``near`` (with its prefixes for abroad, such as 00
    or 011), then as a whole international number without its plus. Raises InvalidAddress.
    """
    keyed = digits.strip()
    if len(keyed) < _FEWEST or not keyed.isascii() or not keyed.isdecimal():
        raise InvalidAddress("Key in a whole phone number, in digits.")
    for text, region in ((keyed, _region(near)), (f"+{keyed}", None)):
        if (found := _whole(text, region)) is not None:
            return Address.parse(Kind.PHONE, found)
    raise InvalidAddress("Key in a whole phone number, with its area code.")


def _whole(text: str, region: str | None) -> str | None:
    """E.164, unless it could be dialled only within its own area, or nowhere."""
    try:
        parsed = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    possible = phonenumbers.ValidationResult.IS_POSSIBLE
    if phonenumbers.is_possible_number_with_reason(parsed) != possible:
        return None
    whole: str = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return whole


def _region(near: str) -> str | None:
    """The country whose way of dialling is meant; None where our number tells of none."""
    try:
        code = phonenumbers.parse(near, None).country_code
    except phonenumbers.NumberParseException:
        return None
    region: str = phonenumbers.region_code_for_country_code(code or 0)
    return region if len(region) == 2 and region.isalpha() and region != "ZZ" else None
