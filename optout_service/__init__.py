"""An opt-out service: people say stop through any door, senders ask before they send."""

__version__ = "0.1.0"
