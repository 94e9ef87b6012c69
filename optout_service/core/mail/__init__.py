"""Mail that comes in: requests to stop, complaints (RFC 5965), bounces (RFC 3464), and the rest.

``reader.read`` takes a raw message apart and says which of these it is. Whoever writes is known by
the token of a link alone, never by From, which anybody can write. docs/mail.md has the whole.
"""
