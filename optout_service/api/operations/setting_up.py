"""Setting up: tenants, their brands, topics, provider accounts, senders, keys."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from optout_service.api.bodies import brand, setup
from optout_service.api.operations.operation import Operation
from optout_service.core import errors

_TAG: Final = "Setting up"
_TENANT: Final = {
    "slug": "green-grocer",
    "name": "Green Grocer",
    "contact": "help@grocer.example",
    "address_book": True,
}
_BRAND: Final = {
    "name": "Green Grocer",
    "contact": "help@grocer.example",
    "contact_url": "mailto:help@grocer.example",
    "colour": "#a3182a",
    "dark_colour": "",
    "language": "fr",
    "logo": "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAMAAADz0U65AAAAA1BMVEWj"
    "GCol5I9sAAAADElEQVR42mNgoA4AAABIAAEQRe/SAAAAAElFTkSuQmCC",
}
_TOPIC: Final = {"slug": "recipes", "name": "Recipes"}
_ACCOUNT_ID: Final = {"provider": "twilio", "account": "AC00000000000000000000000000000001"}
_ACCOUNT: Final = _ACCOUNT_ID | {"tokens": 2}
_SENDER_ID: Final = _ACCOUNT_ID | {"address": "+15005550006"}
_SENDER: Final = _SENDER_ID | {
    "kind": "long_code",
    "topic": "*",
    "channel": "*",
    "language": "fr",
    "advanced_opt_out": False,
}
_KEY: Final[dict[str, Any]] = {
    "id": 7,
    "role": "sender",
    "name": "campaign engine",
    "created_at": "2026-11-24T12:00:00Z",
    "expires_at": None,
    "revoked_at": None,
    "last_used_at": None,
}
_SECRET: Final = "oo_..."
_ENDS: Final = {"expires_at": "2026-11-25T12:00:00Z"}


def _list(answer: type[Struct], example: Mapping[str, Any]) -> Operation:
    return Operation(
        tag=_TAG,
        query=setup.Page,
        answers={200: answer},
        answer={"items": [example], "next": None},
        refuses=(errors.Malformed,),
    )


OPERATIONS: Final[Mapping[tuple[str, str], Operation]] = {
    ("GET", "/v1/tenants"): _list(setup.TenantsAnswer, _TENANT),
    ("POST", "/v1/tenants"): Operation(
        tag=_TAG,
        body=setup.TenantRequest,
        answers={201: setup.TenantShape},
        example=_TENANT,
        answer=_TENANT,
        refuses=(errors.Conflict,),
    ),
    ("GET", "/v1/tenants/<slug>"): Operation(
        tag=_TAG,
        path={"slug": "acme"},
        answers={200: setup.TenantShape},
        answer=_TENANT,
    ),
    ("PATCH", "/v1/tenants/<slug>"): Operation(
        tag=_TAG,
        path={"slug": "acme"},
        body=setup.TenantChange,
        answers={200: setup.TenantShape},
        example={"contact": "help@grocer.example"},
        answer=_TENANT,
    ),
    ("GET", "/v1/brand"): Operation(
        tag=_TAG,
        answers={200: brand.BrandShape},
        answer=_BRAND,
        refuses=(errors.InvalidRequest,),
    ),
    ("PUT", "/v1/brand"): Operation(
        tag=_TAG,
        body=brand.BrandRequest,
        answers={200: brand.BrandShape},
        example=_BRAND,
        answer=_BRAND,
    ),
    ("GET", "/v1/topics"): _list(setup.TopicsAnswer, _TOPIC),
    ("POST", "/v1/topics"): Operation(
        tag=_TAG,
        body=setup.TopicRequest,
        answers={201: setup.TopicShape},
        example=_TOPIC,
        answer=_TOPIC,
        refuses=(errors.Conflict, errors.UnknownTopic),
    ),
    ("PATCH", "/v1/topics/<slug>"): Operation(
        tag=_TAG,
        path={"slug": "newsletter"},
        body=setup.TopicChange,
        answers={200: setup.TopicShape},
        example={"name": "Our newsletter"},
        answer=_TOPIC,
    ),
    ("GET", "/v1/provider-accounts"): _list(setup.AccountsAnswer, _ACCOUNT),
    ("POST", "/v1/provider-accounts"): Operation(
        tag=_TAG,
        body=setup.AccountRequest,
        answers={200: setup.AccountShape, 201: setup.AccountShape},
        example=_ACCOUNT_ID | {"token": "the-auth-token-of-the-account"},
        answer=_ACCOUNT,
    ),
    ("POST", "/v1/provider-accounts/<provider>/<account>/retire-tokens"): Operation(
        tag=_TAG,
        path=_ACCOUNT_ID,
        answers={200: setup.AccountShape},
        answer=_ACCOUNT | {"tokens": 1},
    ),
    ("GET", "/v1/senders"): _list(setup.SendersAnswer, _SENDER),
    ("POST", "/v1/senders"): Operation(
        tag=_TAG,
        body=setup.SenderRequest,
        answers={201: setup.SenderShape},
        example=_SENDER | {"address": "+15005550007"},
        answer=_SENDER | {"address": "+15005550007"},
        refuses=(errors.Conflict, errors.UnknownTopic),
    ),
    ("GET", "/v1/senders/<provider>/<account>/<address>"): Operation(
        tag=_TAG,
        path=_SENDER_ID,
        answers={200: setup.SenderShape},
        answer=_SENDER,
    ),
    ("PATCH", "/v1/senders/<provider>/<account>/<address>"): Operation(
        tag=_TAG,
        path=_SENDER_ID,
        body=setup.SenderChange,
        answers={200: setup.SenderShape},
        example={"channel": "sms", "language": "fr", "advanced_opt_out": True},
        answer=_SENDER | {"channel": "sms", "advanced_opt_out": True},
        refuses=(errors.UnknownTopic,),
    ),
    ("DELETE", "/v1/senders/<provider>/<account>/<address>"): Operation(
        tag=_TAG,
        path=_SENDER_ID,
        answers={200: setup.SenderShape},
        answer=_SENDER,
    ),
    ("GET", "/v1/keys"): _list(setup.KeysAnswer, _KEY),
    ("POST", "/v1/keys"): Operation(
        tag=_TAG,
        body=setup.KeyRequest,
        answers={201: setup.MadeKey},
        example={"role": "sender", "name": "campaign engine"},
        answer={"key": _KEY, "secret": _SECRET},
    ),
    ("POST", "/v1/keys/<int:number>/rotate"): Operation(
        tag=_TAG,
        path={"number": 1},
        body=setup.RotateRequest,
        answers={201: setup.RotatedKey},
        example={"overlap_hours": 24},
        answer={"key": _KEY | {"id": 8}, "secret": _SECRET, "replaces": _KEY | _ENDS},
        refuses=(errors.Conflict,),
    ),
    ("POST", "/v1/keys/<int:number>/revoke"): Operation(
        tag=_TAG,
        path={"number": 1},
        answers={200: setup.KeyShape},
        answer=_KEY | {"revoked_at": "2026-11-24T18:00:00Z"},
    ),
}
