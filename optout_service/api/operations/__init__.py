"""What each route reads, answers and refuses: the table behind ``/openapi.json``, a part a tag.

Shapes and rules come from the types that validate; here stand only what goes with what, and the
examples. A test sends every example, and holds the table to the routes.
"""

from collections.abc import Mapping
from typing import Final

from optout_service.api.operations import (
    asking,
    linking,
    lists,
    proving,
    reading,
    recording,
    reviewing,
    setting_up,
    texting,
)
from optout_service.api.operations.operation import Operation

OPERATIONS: Final[Mapping[tuple[str, str], Operation]] = {
    **asking.OPERATIONS,
    **recording.OPERATIONS,
    **linking.OPERATIONS,
    **reading.OPERATIONS,
    **lists.OPERATIONS,
    **proving.OPERATIONS,
    **reviewing.OPERATIONS,
    **setting_up.OPERATIONS,
    **texting.OPERATIONS,
}
