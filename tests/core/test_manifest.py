"""The manifest of a backup: bytes that are kept for years, and the keys that it names."""

from dataclasses import replace

import msgspec
import pytest

from optout_service.core.manifest import Manifest, as_text, from_text, is_good, missing_keys, sign
from optout_service.core.signing import Signatures
from tests.stage import KEYS

GOLDEN = """{
 "origin": "https://optout.example.com",
 "release": "0.1.0",
 "made_at": "2026-01-31T12:00:00.123456Z",
 "database": "sqlite",
 "schema": "0009",
 "ledgers": [
  {
   "number": 1,
   "tenant": "acme",
   "seq": 4,
   "head": "ab"
  }
 ],
 "pepper": "p",
 "encryption": [
  "e"
 ],
 "signing": [
  "s"
 ],
 "parts": [
  {
   "name": "optout.db",
   "bytes": 5,
   "sha256": "cd"
  }
 ],
 "key": "k",
 "signature": "s"
}
"""


def test_a_manifests_form_never_changes() -> None:
    assert as_text(from_text(GOLDEN)) == GOLDEN


def test_what_is_no_manifest_is_refused() -> None:
    for text in ("", "[]", "{}", GOLDEN.replace('"seq": 4', '"seq": "4"'), b"\xff"):
        with pytest.raises(ValueError, match="no such statement"):
            from_text(text)


def test_it_is_signed_whole_for_this_use_alone() -> None:
    signatures = Signatures(KEYS)
    signed = sign(signatures, from_text(GOLDEN))
    assert is_good(signed, signatures.public_keys(0))
    assert not is_good(signed, signatures.public_keys(1))
    assert not is_good(replace_schema(signed, "0008"), signatures.public_keys(0))


def replace_schema(manifest: Manifest, schema: str) -> Manifest:
    return msgspec.structs.replace(manifest, schema=schema)


def test_it_names_the_keys_that_are_not_here() -> None:
    prints = KEYS.fingerprints
    made_with = msgspec.structs.replace(
        from_text(GOLDEN),
        pepper=prints.pepper,
        encryption=(*prints.encryption, "gone"),
        signing=prints.signing,
    )
    assert missing_keys(made_with, KEYS) == ("gone",)
    newer = replace(KEYS, signing=(*KEYS.signing, b"t" * 32))
    assert missing_keys(made_with, newer) == ("gone",)
