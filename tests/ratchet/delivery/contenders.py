"""Sixteen processes that promote at once, round after round. Run as a program: the library is imported once, then forked.

Reads a request as JSON on standard input; prints one JSON list of answers a round. Not a test itself; `test_ledger_race` asks it.
"""

import json
import multiprocessing
import sys
from pathlib import Path
from typing import Any

from ratchet.delivery.ledger import Ledger, ModelRef
from ratchet.errors import ConflictError
from ratchet.settings import Settings

PROCESSES = 16
BY = {"who": "contender", "why": "race"}


def contend(number: int, settings: dict[str, Any], rounds: int, barrier: Any, answers: Any) -> None:
    """Promote a model of one's own in each round, from the generation that everybody read before it began."""
    barrier.wait()
    ledger = Ledger.open(Settings(**settings))  # all at once, on an empty database
    for turn in range(rounds):
        generation = ledger.deployment("race").generation
        model = ModelRef(f"{turn}-{number}", f"sha256:{turn:032x}{number:032x}", "/models")
        barrier.wait()
        try:
            effect = ledger.promote("race", model, generation=generation, **BY).effect
        except ConflictError:
            effect = "conflict"
        except BaseException as error:
            effect = f"{type(error).__name__}: {error}"
        answers.put((turn, generation, model.version, effect))
        barrier.wait()


def main() -> None:
    request = json.loads(sys.stdin.read())
    fork = multiprocessing.get_context("fork")
    barrier, answers = fork.Barrier(PROCESSES), fork.Queue()
    arguments = (request["settings"], request["rounds"], barrier, answers)
    processes = [fork.Process(target=contend, args=(number, *arguments)) for number in range(PROCESSES)]
    for process in processes:
        process.start()
    rounds: list[list[Any]] = [[] for _ in range(request["rounds"])]
    for _ in range(request["rounds"] * PROCESSES):
        turn, *answer = answers.get(timeout=120)
        rounds[turn].append(answer)
    for process in processes:
        process.join()
    Path(request["answers"]).write_text(json.dumps(rounds), encoding="utf-8")


if __name__ == "__main__":
    main()
