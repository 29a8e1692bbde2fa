"""What bounds and tunes a gateway, in one value that travels from the command to each worker process as JSON.

Settings say where the installation's state is and are shared by all its processes; these belong to one gateway.
"""

import json
from dataclasses import asdict, dataclass, fields

from ratchet.errors import ParameterError, nearest

MEBIBYTE = 1 << 20
POSITIVE = ("max_body", "max_bodies", "body_seconds", "max_rows", "max_batch", "max_queue", "max_connections", "workers", "roll_seconds")


@dataclass(frozen=True, slots=True)
class GatewayOptions:
    """Bounds of one gateway.

    Attributes:
        names: Deployments to serve; none for all of the ledger, new ones too.
        workers: Processes that answer.
        max_body: Largest request body, bytes.
        max_bodies: Largest sum of the bodies that one worker holds at a time, bytes; beyond it a request is answered 503.
        body_seconds: A body that takes longer to arrive is answered 408.
        drain_seconds: How long a stopping worker finishes what is in flight.
        max_rows: Most rows of one request.
        max_batch: Most rows that a model is given at once.
        max_wait: Longest time that a batch waits for company under load, seconds; an idle gateway never waits.
        max_queue: Most rows that wait for a model; beyond it a request is answered 503.
        max_connections: Most connections of a worker.
        cache_entries: Predictions that are kept for rows that come again; 0 for none.
        rehearsal: Believe the time that a request says it was made at. For replaying recorded traffic, never for the public.
        roll_seconds: How often what was recorded is written where the judge reads it.
        discovery_seconds: How often the ledger is asked for new deployments.
        otlp_endpoint: Where traces go (OTLP over HTTP); empty for ``OTEL_EXPORTER_OTLP_ENDPOINT``, and without that nowhere.
        log_level: Of the log on standard error.
    """

    names: tuple[str, ...] = ()
    workers: int = 1
    max_body: int = 8 * MEBIBYTE
    max_bodies: int = 64 * MEBIBYTE
    body_seconds: float = 10.0
    drain_seconds: float = 10.0
    max_rows: int = 4096
    max_batch: int = 512
    max_wait: float = 0.002
    max_queue: int = 8192
    max_connections: int = 2048
    cache_entries: int = 0
    rehearsal: bool = False
    roll_seconds: float = 60.0
    discovery_seconds: float = 1.0
    otlp_endpoint: str = ""
    log_level: str = "info"

    def __post_init__(self) -> None:
        """Refuse what no gateway can run with.

        Raises:
            ParameterError: naming the option, its value and what it may be.
        """
        for name in POSITIVE:
            if getattr(self, name) <= 0:
                raise ParameterError(f"{name} is {getattr(self, name)}; give a number above 0")
        for name in ("drain_seconds", "max_wait", "cache_entries", "discovery_seconds"):
            if getattr(self, name) < 0:
                raise ParameterError(f"{name} is {getattr(self, name)}; give 0 or more")
        if self.log_level not in ("debug", "info", "warning", "error"):
            raise ParameterError(f"log_level is {self.log_level!r}; give debug, info, warning or error")

    def to_json(self) -> str:
        """Return it as JSON, as a worker is given it.

        >>> GatewayOptions.from_json(GatewayOptions(names=("fraud",)).to_json()).names
        ('fraud',)
        """
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "GatewayOptions":
        """Return what `to_json` gave.

        Raises:
            ParameterError: a name is not an option, or a value cannot be used.
        """
        try:
            values = json.loads(text)
            unknown = set(values) - {field.name for field in fields(cls)}
            if unknown:
                name = sorted(unknown)[0]
                raise ParameterError(f"unknown gateway option {name!r}; {nearest(name, (field.name for field in fields(cls)))}")
            return cls(**{**values, "names": tuple(values.get("names", ()))})
        except (ValueError, TypeError) as error:
            raise ParameterError(f"gateway options {text[:200]!r} cannot be read ({error}); pass what to_json gave") from error
