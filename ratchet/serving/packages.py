"""Copies of model packages on the gateway's own disk, by digest: what was fetched once needs no storage any more.

A copy appears whole or not at all, so any number of worker processes may share the folder. It is verified each time that it is loaded; a
damaged one is fetched again.
"""

import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from ratchet.delivery.deployment import ModelRef
from ratchet.delivery.storage import package_of
from ratchet.errors import PackageError
from ratchet.serving.served import Served, describe, load
from ratchet.settings import Settings

log = logging.getLogger(__name__)

KEPT_SECONDS = 3600.0  # another worker may be about to load what this one no longer needs


class Packages:
    """The local copies."""

    def __init__(self, folder: Path, settings: Settings, *, clock: Callable[[], float] = time.time) -> None:
        """Use a folder, which need not be there yet."""
        self.folder = folder
        self.settings = settings
        self.clock = clock

    def load(self, ref: ModelRef) -> Served:
        """Return a model, loaded into this process; fetch its package where there is no copy.

        Raises:
            PackageError: the package in storage is damaged, or another one.
            RegistryError: it is not in storage.
        """
        return self._open(ref, load)

    def describe(self, ref: ModelRef) -> Served:
        """Return what a package says of itself and make sure of a copy; its model is not loaded.

        Raises:
            PackageError: the package in storage is damaged, or another one.
            RegistryError: it is not in storage.
        """
        return self._open(ref, describe)

    def prune(self, needed: Iterable[ModelRef]) -> None:
        """Remove the copies that were last fetched an hour ago or earlier and that nobody names."""
        names = {_name(ref) for ref in needed}
        for path in self.folder.iterdir() if self.folder.is_dir() else ():
            try:
                old = path.stat().st_mtime < self.clock() - KEPT_SECONDS
            except OSError:
                continue  # another worker was faster
            if old and path.name not in names:
                shutil.rmtree(path, ignore_errors=True)

    def _open(self, ref: ModelRef, how: Callable[[Path, ModelRef, bytes | None], Served]) -> Served:
        copy = self.folder / _name(ref)
        key = self.settings.signing()
        if copy.is_dir():
            try:
                return how(copy, ref, key)
            except (PackageError, OSError) as error:
                log.warning("the local copy of %s cannot be used (%s); fetching it again", ref, error)
                shutil.rmtree(copy, ignore_errors=True)
        self._fetch(ref, copy)
        return how(copy, ref, key)

    def _fetch(self, ref: ModelRef, copy: Path) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with package_of(ref, self.settings) as stored:
            staging = Path(tempfile.mkdtemp(prefix=".part-", dir=self.folder))
            try:
                shutil.copytree(stored, staging, dirs_exist_ok=True)
                try:
                    staging.rename(copy)
                except OSError:  # another worker has put the same there
                    if not copy.is_dir():
                        raise
            finally:
                shutil.rmtree(staging, ignore_errors=True)


def _name(ref: ModelRef) -> str:
    return ref.digest.replace(":", "-")
