"""Who attacks: with all keys at hand, and as somebody who has none."""

from tests.api.conftest import ask as ask
from tests.api.conftest import ask_with as ask_with
from tests.api.conftest import queue as queue
