"""A process that advances a rollout in a loop, to be killed. Run as a program by `rollout_world.Advancer`; it tells on standard output.

What the ledger's being away raises is told and tried again, as an orchestrator would; whatever else is raised ends it.
"""

import json
import sys
import time
from itertools import count
from typing import Any

from ratchet.delivery.evidence import TrafficEvidence
from ratchet.delivery.ledger import Ledger
from ratchet.delivery.trial_run import advance_in_run
from ratchet.errors import LedgerError
from ratchet.settings import Settings

IMPORTED = (TrafficEvidence,)  # before the first advance, because it takes seconds


def tell(**said: str) -> None:
    print(json.dumps(said), flush=True)


def main(request: dict[str, Any]) -> None:
    """Advance until killed; stall at a checkpoint if told to."""

    def checkpoint(phase: str) -> None:
        tell(checkpoint=phase)
        while phase == request["stall_at"]:
            time.sleep(60)

    settings, name = Settings(**request["settings"]), request["name"]
    tell(ready="yes")
    for number in count():
        run = f"{request['prefix']}-{number}"
        try:
            ledger = Ledger.open(settings, checkpoint=checkpoint)
            done = advance_in_run(name, run_id=run, version="", generation=0, wait=request["wait"], as_of="", ledger=ledger)
            tell(verdict=done.verdict, reason=done.reason, run=run)
        except LedgerError as error:
            tell(error=str(error), run=run)
        time.sleep(0.2)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
