"""The deployments that a worker serves: an engine for each, new ones of the ledger included.

Which deployments there are is asked of the ledger in a thread, and of what earlier engines saved on this disk where the ledger is away, so
that a gateway that is started during an outage serves what it served before.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ratchet.delivery.deployment import check_name
from ratchet.delivery.ledger import Ledger
from ratchet.errors import RatchetError
from ratchet.serving.engine import Engine
from ratchet.serving.options import GatewayOptions
from ratchet.serving.protocol import ModelInterface
from ratchet.serving.served import Served
from ratchet.settings import Settings

log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Face:
    served: Served
    extra: Mapping[str, str]
    interface: ModelInterface


class Deployments:
    """The engines of a worker, by the name of their deployment.

    Attributes:
        engines: Those that are there now.
    """

    def __init__(self, settings: Settings, options: GatewayOptions, make: Callable[[str], Engine]) -> None:
        """Prepare; `start` begins.

        Args:
            settings: The installation.
            options: Which deployments, and the bounds of requests.
            make: Returns a new engine for a name.
        """
        self.settings = settings
        self.options = options
        self.engines: dict[str, Engine] = {}
        self._make = make
        self._faces: dict[str, _Face] = {}
        self._discovery: asyncio.Task[None] | None = None
        self._ledger: Ledger | None = None
        self._complaint = ""

    async def start(self) -> None:
        """Start an engine for each deployment and wait until each has loaded what there is; then look for new ones.

        Raises:
            LedgerError: a name cannot be one.
        """
        names = [check_name(name) for name in self.options.names] or await asyncio.to_thread(self._names)
        await asyncio.gather(*(self._add(name) for name in names))
        if not self.options.names:
            self._discovery = asyncio.get_running_loop().create_task(self._discover())

    async def close(self) -> None:
        """Close every engine."""
        if self._discovery is not None:
            self._discovery.cancel()
            await asyncio.gather(self._discovery, return_exceptions=True)
        await asyncio.gather(*(engine.close() for engine in self.engines.values()))

    @property
    def ready(self) -> bool:
        """Whether every deployment that was named is served; without names, whether any is."""
        if self.options.names:
            return all(engine.ready for engine in self.engines.values()) and bool(self.engines)
        return any(engine.ready for engine in self.engines.values())

    def face(self, engine: Engine, served: Served) -> ModelInterface:
        """Return the interface of the model that an engine answers with now; made once a model."""
        face, extra = self._faces.get(engine.name), engine.extra_inputs
        if face is None or face.served is not served or face.extra != extra:
            interface = ModelInterface(
                engine.name,
                served.package.spec,
                extra=extra,
                max_rows=self.options.max_rows,
                latent=served.latent,
                columns=served.columns,
            )
            face = self._faces[engine.name] = _Face(served, extra, interface)
        return face.interface

    async def _add(self, name: str) -> None:
        engine = self._make(name)
        self.engines[name] = engine
        await engine.start()

    async def _discover(self) -> None:
        begun: set[asyncio.Task[None]] = set()
        while True:
            await asyncio.sleep(self.options.discovery_seconds)
            for name in await asyncio.to_thread(self._names):
                if name not in self.engines:
                    log.info("new deployment %r", name, extra={"deployment": name})
                    task = asyncio.get_running_loop().create_task(self._add(name))
                    begun.add(task)
                    task.add_done_callback(begun.discard)

    def _names(self) -> list[str]:
        try:
            if self._ledger is None or self._ledger.database.is_sqlite:  # whose file may be gone, and to connect would make an empty one
                self._ledger = Ledger.existing(self.settings)
            names = [deployment.name for deployment in self._ledger.deployments()]
            self._complaint = ""
            return names
        except Exception as error:  # ours or a driver's; the next look may go well
            self._complain(str(error) if isinstance(error, RatchetError) else f"{type(error).__name__}: {error}")
        return sorted(path.stem for path in (self.settings.journal_folder() / "serving").glob("*.json"))

    def _complain(self, why: str) -> None:
        if why != self._complaint:  # once, and not each second
            log.warning("the ledger does not say which deployments there are: %s", why)
        self._complaint = why
