"""Processes that are killed while they promote or register. Run as a program: the libraries are imported once, then forked.

For each kill: a victim is forked, begins, and gets SIGKILL at a named point or at a moment of chance; then another process looks at what
is left, does the step again as the orchestrator would, and looks again. Not a test itself; `test_promotion_kills` asks it.
"""

import json
import os
import random
import select
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow.artifacts
import mlflow.store.model_registry.sqlalchemy_store
import mlflow.store.tracking.sqlalchemy_store
import mlflow.tracking
import sqlparse

from ratchet.delivery.aliases import reconcile
from ratchet.delivery.champion import find_champion
from ratchet.delivery.ledger import Ledger
from ratchet.delivery.mlflow_store import open_client
from ratchet.delivery.promotion import promote_in_run
from ratchet.delivery.registry import Lineage, register_model
from ratchet.models.package import ModelPackage
from ratchet.settings import Settings

IMPORTED = (ModelPackage, mlflow.artifacts, sqlparse.parse("a = 'b'"))  # before any fork, because each costs time
NAME = "victim"
PROMOTION = (
    "before the transaction",
    "deployment written",
    "before the commit",
    "after the commit",
    "head written",
    "alias champion written",
    "alias previous written",
    "alias challenger written",
    "aliases written",
)
REGISTRATION = ("run created", "parameters logged", "artifacts logged", "version created")
ALONE = 25  # after each so many kills it is not the same step that comes again, but the next run


def forked(work: Callable[[], Any]) -> Any:
    """Do some work in a forked process and return its answer; a fork must not inherit a database that is open."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            answer = {"answer": work()}
        except BaseException:
            answer = {"error": traceback.format_exc()}
        with os.fdopen(writer, "w") as file:
            json.dump(answer, file)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as file:
        told = json.load(file)
    os.waitpid(child, 0)
    if "error" in told:
        raise AssertionError(told["error"])
    return told["answer"]


def kill(work: Callable[[Callable[[str], None]], Any], phases: tuple[str, ...], target: str, delay: float) -> str:
    """Fork a victim, kill it at a phase, or a while after its first one, and return the last phase that it passed; empty if it got away."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:

        def at(phase: str) -> None:
            os.write(writer, bytes([phases.index(phase)]))
            while phase == target:
                time.sleep(60)

        try:
            work(at)
        except BaseException:
            traceback.print_exc()
        os._exit(0)
    os.close(writer)
    passed = b""
    while not passed or (target and phases[passed[-1]] != target):
        byte = os.read(reader, 1)
        if not byte:
            break
        passed += byte
    if not target:
        select.select([], [], [], delay)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    passed += os.read(reader, 64)
    os.close(reader)
    return phases[passed[-1]] if os.WIFSIGNALED(status) else ""


class Promotions:
    """Two versions that take turns at being the champion."""

    def __init__(self, settings: Settings, packages: list[str], reference: str, schema: str) -> None:
        self.settings = settings
        self.folder = Path(packages[0]).parent
        versions = [self.register(package, reference, schema) for package in packages]
        forked(lambda: promote_in_run(NAME, versions[0], generation=0, run_id="first", why="first", ledger=self.ledger()).word)
        self.versions = versions
        self.generation = 1

    def ledger(self, checkpoint: Callable[[str], None] = lambda phase: None) -> Ledger:
        return Ledger.open(self.settings, checkpoint=checkpoint)

    def register(self, package: str, reference: str, schema: str) -> str:
        lineage = Lineage(NAME, 0, "first", {}, {})
        return forked(lambda: register_model(package, reference, schema, lineage=lineage, settings=self.settings).version)

    def once(self, run: str, target: str, delay: float) -> tuple[str, str]:
        """Kill one promotion; return the phase and what stood then, "old" or "new"."""
        standing, wanted = self.versions if self.generation % 2 else self.versions[::-1]
        arguments = {"generation": self.generation, "run_id": run, "why": "chance"}
        phase = kill(lambda at: promote_in_run(NAME, wanted, **arguments, ledger=self.ledger(at)), PROMOTION, target, delay)
        stood = forked(lambda: self.look(run, standing, wanted))
        if stood == "old" and not phase:
            raise AssertionError(f"{run}: the promotion ended by itself and changed nothing")
        self.generation = forked(lambda: self.again(run, wanted, arguments, stood))
        return phase, stood

    def look(self, run: str, standing: str, wanted: str) -> str:
        """Return what a dead victim left, or fail when it is neither the one nor the other."""
        ledger = self.ledger()
        state, report, said = ledger.deployment(NAME), ledger.verify_chain(NAME), ledger.verdicts(run)
        assert report.rows == state.generation
        assert report.behind <= 1
        if state.generation == self.generation:
            assert state.champion.version == standing
            assert "promote" not in said
            return "old"
        assert (state.generation, state.champion.version, state.previous.version) == (self.generation + 1, wanted, standing)
        assert said["promote"].verdict == "promoted"
        return "new"

    def again(self, run: str, wanted: str, arguments: dict[str, Any], stood: str) -> int:
        """Do the step again, or let the next run begin; either way the same end."""
        ledger = self.ledger()
        if stood == "new" and (self.generation + 1) % ALONE == 0:
            places = {f"{what}_path": self.folder / f"{what}-{run}" for what in ("model", "reference", "schema")}
            assert find_champion(NAME, run_id=f"after-{run}", ledger=ledger, **places).version == wanted
            assert ledger.outcome(run).word == "promoted"
        else:
            done = promote_in_run(NAME, wanted, **arguments, ledger=ledger)
            assert (done.word, done.effect) == ("promoted", "repeated" if stood == "new" else "applied")
        state, report = ledger.deployment(NAME), ledger.verify_chain(NAME)
        assert (state.champion.version, state.generation, report.head) == (wanted, self.generation + 1, "confirmed")
        assert not reconcile(ledger, NAME), "the aliases must show the ledger already"
        with open_client(self.settings) as client:
            aliases = {role: str(version) for role, version in client.get_registered_model(NAME).aliases.items()}
        assert aliases == {"champion": wanted, "previous": state.previous.version}
        return state.generation


def kill_promotions(request: dict[str, Any]) -> dict[str, Any]:
    """Kill so many times at the phases in turn, then at moments of chance; return kills per phase and what stood."""
    work = Promotions(Settings(**request["settings"]), request["packages"], request["reference"], request["schema"])
    chance = random.Random(request["seed"])
    kills: Counter[str] = Counter()
    stood: Counter[str] = Counter()
    number = 0
    while sum(kills.values()) < request["named"] + request["random"]:
        target = PROMOTION[number % len(PROMOTION)] if number < request["named"] else ""
        phase, what = work.once(f"run-{number}", target, chance.uniform(0, 0.15))
        number += 1
        if phase:
            kills[phase] += 1
            stood[f"{phase}: {what}"] += 1
    return {"kills": kills, "stood": stood}


def kill_registrations(request: dict[str, Any]) -> dict[str, Any]:
    """Kill one registration at each phase, always with the same operation; then let it end. Return the versions that there are."""
    settings, lineage = Settings(**request["settings"]), Lineage("registered", 0, "run", {"auc": 0.9}, {})

    def register(at: Callable[[str], None] = lambda phase: None) -> str:
        arguments = (request["packages"][0], request["reference"], request["schema"])
        return register_model(*arguments, lineage=lineage, settings=settings, checkpoint=at).version

    def versions() -> list[str]:
        with open_client(settings) as client:
            return [str(version.version) for version in client.search_model_versions("name='registered'")]

    killed = [kill(register, REGISTRATION, phase, 0.0) for phase in REGISTRATION]
    return {"killed": killed, "answers": [forked(register), forked(register)], "versions": forked(versions)}


if __name__ == "__main__":
    asked = json.loads(sys.stdin.read())
    answer = {"promotions": kill_promotions(asked), "registrations": kill_registrations(asked)}
    Path(asked["answer"]).write_text(json.dumps(answer), encoding="utf-8")
