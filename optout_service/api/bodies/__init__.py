"""The JSON that comes in and goes out: every shape of the contract once, and no rule.

Channels, topics and purposes are plain text here: ``core.scope`` is the one place that reads them.
"""
