"""A logo is a small still picture, by its own bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optout_service.core import logo
from optout_service.core.errors import InvalidRequest
from tests import pictures

GOOD = {
    "png": (pictures.png(), "image/png"),
    "jpeg": (pictures.JPEG, "image/jpeg"),
    "webp": (pictures.WEBP, "image/webp"),
    "webp lossless": (pictures.WEBP_LOSSLESS, "image/webp"),
    "webp with alpha": (pictures.WEBP_WITH_ALPHA, "image/webp"),
}
MOVING_WEBP = pictures.WEBP_WITH_ALPHA[:20] + b"\x12" + pictures.WEBP_WITH_ALPHA[21:]


@pytest.mark.parametrize("name", GOOD)
def test_a_picture_is_known_by_its_bytes_with_its_size(name: str) -> None:
    data, media = GOOD[name]
    assert logo.parse(data) == logo.Logo(media, 24, 12, data)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "1 to 6144 bytes"),
        (pictures.padded_png(6145), "1 to 6144 bytes"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "Save an SVG as one of these"),
        (b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", "PNG, JPEG or WebP"),
        (b"<!doctype html><script>alert(1)</script>", "PNG, JPEG or WebP"),
        (pictures.png()[:-1], "not whole"),
        (pictures.png() + b"<script>", "not whole"),
        (pictures.JPEG[:-1], "not whole"),
        (pictures.WEBP[:-1], "not whole"),
        (pictures.WEBP + b"\0\0", "not whole"),
        (pictures.moving_png(), "no still picture"),
        (MOVING_WEBP, "no still picture"),
        (pictures.png(0, 12), "not whole"),
        (pictures.png(1025, 1), "1024 pixels"),
        (pictures.png(1, 1025), "1024 pixels"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[:12].hex(),
)
def test_what_is_no_small_still_picture_is_refused_with_what_to_do(data: bytes, told: str) -> None:
    with pytest.raises(InvalidRequest, match=told) as refused:
        logo.parse(data)
    assert refused.value.extra == {"field": "logo"}


def test_the_limits_themselves_are_allowed() -> None:
    assert len(logo.parse(pictures.padded_png(6144)).data) == 6144
    assert logo.parse(pictures.png(1024, 1)).width == 1024


@given(st.sampled_from(sorted(GOOD)), st.integers(0, 300), st.binary(max_size=8))
def test_whatever_is_done_to_a_picture_it_is_taken_or_refused(
    name: str, at: int, put: bytes
) -> None:
    data = GOOD[name][0]
    try:
        taken = logo.parse(data[:at] + put + data[at + len(put) :])
    except InvalidRequest:
        return
    assert 0 < taken.width <= logo.MAX_PIXELS
    assert 0 < taken.height <= logo.MAX_PIXELS
