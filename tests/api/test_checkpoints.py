"""Checkpoints over the API."""

from datetime import datetime

from optout_service.core.checkpoint import Checkpoint, is_good
from optout_service.evidence import checkpoints
from optout_service.runtime import Runtime
from tests.api.asking import Asker


def test_checkpoints_are_listed_newest_first_with_their_keys(rt: Runtime, ask: Asker) -> None:
    for n in range(5):
        ask.opt_out(f"r{n}@example.com")
        checkpoints.write(rt)
    seen, before = [], None
    while True:
        query = {"limit": 2} if before is None else {"limit": 2, "before": before}
        page = ask.get("/v1/checkpoints", by="auditor", query=query).json
        for one in page["checkpoints"]:
            at = datetime.fromisoformat(one["at"])
            assert is_good(Checkpoint(**(one | {"at": at})), page["public_keys"])
        seen += [one["seq"] for one in page["checkpoints"]]
        if (before := page["next"]) is None:
            break
    assert seen == [5, 4, 3, 2, 1]
    assert ask.get("/v1/checkpoints", by="bolt-admin").json["checkpoints"] == []
