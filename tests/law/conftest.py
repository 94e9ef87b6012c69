"""The same store, seen by a process of another day."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta

import pytest

from optout_service.core.keyring import KeyRing
from optout_service.runtime import Runtime

LaterOn = Callable[..., Runtime]
"""Days from now, and the keys it runs under, if they are others: a runtime of that day."""


@pytest.fixture
def later_on(rt: Runtime) -> Iterator[LaterOn]:
    """Start the service again after so many days."""
    with ExitStack() as stack:

        def start(days: int, keys: KeyRing = rt.keys) -> Runtime:
            class Later(Runtime):
                def now(self) -> datetime:
                    return super().now() + timedelta(days)

            started = Later.build(rt.settings, keys)
            stack.callback(started.close)
            return started

        yield start
