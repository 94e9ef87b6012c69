"""What every answer says of itself: that it is for this reader alone, and does nothing.

OWASP ASVS 5.0, 3.2 to 3.5, and 14.3.2.
"""

from typing import Final

ALWAYS: Final = (
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Robots-Tag", "noindex"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)
"""Not cached, sniffed or indexed; not named to others, not loaded by them, not held by a window."""

POLICY: Final = "Content-Security-Policy"
NO_PAGE: Final = (POLICY, "default-src 'none'; frame-ancestors 'none'")
"""Where an answer has no policy of its own: nothing is loaded, nobody frames it."""
