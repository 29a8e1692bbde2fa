"""Brings the lineup to what the ledger says: loads what is missing, off the event loop, and puts it in when it is there.

It compares what is with what should be each time anew, so it does not matter in what order things change, fail and come back. Out goes a
companion at once, without waiting for anything; in comes a model only after its manifest held.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ratchet.delivery.deployment import ModelRef
from ratchet.errors import PackageError
from ratchet.serving.breaker import Breaker
from ratchet.serving.companion import Companion, CompanionOptions
from ratchet.serving.lineup import Lineup
from ratchet.serving.packages import Packages
from ratchet.serving.served import Served
from ratchet.serving.standing import Standing, save_standing
from ratchet.settings import Settings

log = logging.getLogger(__name__)


class Roster:
    """Who answers, and who should. All methods belong to the event loop."""

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        saved: Path,
        options: CompanionOptions,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Begin with nobody.

        Args:
            settings: The installation.
            folder: Of the local copies of packages.
            saved: File of the last known state.
            options: Of the companion.
            clock: Returns unix seconds.
        """
        self.settings = settings
        self.packages = Packages(folder, settings, clock=clock)
        self.saved = saved
        self.options = options
        self.lineup: Lineup | None = None
        self.standing: Standing | None = None
        self.withheld = False
        self.breaker = Breaker(clock, failures=1, pause=0.25)  # of the storage
        self._saved: Standing | None = None
        self._retired: set[asyncio.Task[None]] = set()

    def want(self, standing: Standing, *, withheld: bool = False) -> None:
        """Note what should be, and do what can be done at once.

        Args:
            standing: What the ledger says.
            withheld: The challenger must have no traffic, whatever the ledger says.
        """
        self.standing, self.withheld = standing, withheld
        lineup, champion = self.lineup, standing.deployment.champion
        if lineup is None:
            return
        if champion is None:
            self._put(None)
        elif lineup.champion.ref.digest == champion.digest:
            fits = lineup.companion is not None and not withheld and _is_wanted(lineup.companion, standing)
            companion = lineup.companion if fits else None
            if companion is not lineup.companion or lineup.standing != standing:
                same = lineup.champion if lineup.champion.ref == champion else Served(lineup.champion.package, champion)
                self._put(Lineup(same, companion, standing))
        elif lineup.companion is not None and (lineup.companion.ref.digest != champion.digest or withheld):
            # A challenger that was promoted goes on in its child until it is loaded here; any other one is out.
            self._put(replace(lineup, companion=None))

    @property
    def unsettled(self) -> bool:
        """Whether there is something to load or to save, and now is the time to try."""
        if self.standing is None:
            return False
        missing = self._lacks_champion() or self._lacks_companion()
        return (missing and self.breaker.allows()) or (not missing and self._saved != self.standing)

    async def settle(self) -> None:
        """Load what is missing and put it in. Never raises; what fails is in `health`, and is tried again."""
        if self._lacks_champion():
            await self._settle_champion()
        if self._lacks_companion() and not self._lacks_champion():
            await self._settle_companion()
        standing = self.standing
        if standing is not None and self._saved != standing and not self._lacks_champion():
            state = standing.deployment
            told = f"{state.phase} {state.percent}%" if state.phase == "canary" else state.phase
            log.info("%r is at generation %d: champion %s, %s", state.name, state.generation, state.champion, told)
            try:
                await asyncio.to_thread(self._save, standing)
            except OSError as error:
                log.warning("the last known state cannot be written to %s: %s", self.saved, error)
            self._saved = standing

    async def close(self) -> None:
        """End the companion."""
        self.standing = None
        self._put(None)
        await asyncio.gather(*self._retired)

    @property
    def busy(self) -> bool:
        """Whether a champion is due that no failure keeps away."""
        return self._lacks_champion() and self.breaker.state == "closed"

    def health(self) -> dict[str, Any]:
        """Return the health of the storage."""
        return self.breaker.health()

    def _lacks_champion(self) -> bool:
        wanted = self.standing.deployment.champion if self.standing else None
        return wanted is not None and (self.lineup is None or self.lineup.champion.ref.digest != wanted.digest)

    def _lacks_companion(self) -> bool:
        if self.standing is None or self.withheld or self.standing.deployment.champion is None:
            return False
        return _wanted(self.standing) is not None and (self.lineup is None or self.lineup.companion is None)

    async def _settle_champion(self) -> None:
        assert self.standing is not None
        wanted = self.standing.deployment.champion
        assert wanted is not None
        served = await self._fetch(self.packages.load, wanted)
        if isinstance(served, PackageError):
            self.breaker.failed(str(served))
            log.error("the champion cannot be loaded, the former state goes on: %s", served)
        elif served is not None and self._still(wanted, champion=True):
            self._put(Lineup(served, None, self.standing))

    async def _settle_companion(self) -> None:
        standing = self.standing
        wanted = _wanted(standing) if standing else None
        if standing is None or wanted is None:
            return
        found = await self._fetch(self.packages.describe, wanted)
        now = self.standing
        if found is None or now is None or self.lineup is None or not self._still(wanted):
            return
        if now.deployment.begun != standing.deployment.begun:
            return
        companion = Companion(
            wanted,
            found if isinstance(found, Served) else None,
            begun=standing.deployment.begun,
            timeout_ms=standing.timeout_ms,
            key=self.settings.signing(),
            background=standing.in_background,
            refusal=str(found) if isinstance(found, PackageError) else _unlike(found, self.lineup.champion),
            options=self.options,
        )
        companion.start()
        self._put(replace(self.lineup, companion=companion))

    def _still(self, wanted: ModelRef, *, champion: bool = False) -> bool:
        """Return whether a model that took its time to load is wanted yet."""
        if self.standing is None or (self.withheld and not champion):
            return False
        now = self.standing.deployment.champion if champion else _wanted(self.standing)
        return now is not None and now.digest == wanted.digest

    async def _fetch(self, how: Callable[[ModelRef], Served], ref: ModelRef) -> Served | PackageError | None:
        """Return a model, the error of a damaged one, or None when the storage is away."""
        try:
            served = await asyncio.to_thread(how, ref)
        except PackageError as error:
            return error
        except Exception as error:  # MLflow and file systems have errors of their own
            if self.breaker.state == "closed":
                log.warning("%s cannot be fetched, trying again: %s", ref, error)
            self.breaker.failed(f"{type(error).__name__}: {error}"[:500])
            return None
        self.breaker.succeeded()
        return served

    def _put(self, lineup: Lineup | None) -> None:
        before, self.lineup = self.lineup, lineup
        old = before.companion if before else None
        if old is not None and (lineup is None or lineup.companion is not old):
            task = asyncio.get_running_loop().create_task(old.close())
            self._retired.add(task)
            task.add_done_callback(self._retired.discard)

    def _save(self, standing: Standing) -> None:
        save_standing(self.saved, standing)
        deployment = standing.deployment
        self.packages.prune(ref for ref in (deployment.champion, deployment.previous, deployment.challenger) if ref)


def _wanted(standing: Standing) -> ModelRef | None:
    return standing.deployment.companion if standing.deployment.begun else None


def _is_wanted(companion: Companion, standing: Standing) -> bool:
    wanted = _wanted(standing)
    same = wanted is not None and wanted.digest == companion.ref.digest and companion.begun == standing.deployment.begun
    return same and companion.background == standing.in_background


def _unlike(companion: Served, champion: Served) -> str:
    """Return why a companion's answers cannot stand in for the champion's; empty when they can."""
    own, other = companion.package.spec, champion.package.spec
    unnamed = own.task == "anomaly" and not (own.target and other.target)  # a truth value, whatever a label would be called
    if own.task == other.task and (own.classes == other.classes or unnamed):
        return ""
    return f"it predicts {own.task} {list(own.classes)}, the champion {other.task} {list(other.classes)}; train it for the same target"
