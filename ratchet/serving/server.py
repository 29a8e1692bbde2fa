"""One worker: an event loop on a listening socket that it inherited, until it is told to stop.

``python -m ratchet.serving.server --socket FD --alive FD --options JSON``, started by the supervisor. It loads its models before it
accepts, so that connections wait in the socket's backlog and not for an error; it ends when the supervisor does, even if that was killed.
"""

import argparse
import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from typing import Any

from ratchet.errors import RatchetError
from ratchet.serving.app import Gateway
from ratchet.serving.logs import configure_logs
from ratchet.serving.options import GatewayOptions
from ratchet.settings import Settings, load_settings

GIVE_UP = 3  # exit status of a worker that no restart would help
SWITCH_SECONDS = 0.0005  # a model's thread waits at most this long for the event loop to let go of the interpreter
log = logging.getLogger(__name__)


def build_gateway(settings: Settings, options: GatewayOptions) -> Gateway:
    """Return the application of a worker, with its recorder and engines.

    Raises:
        SettingsError: a setting is missing or cannot be used.
    """
    from ratchet.serving.engine import Engine, EngineOptions
    from ratchet.serving.metrics import GatewayMetrics
    from ratchet.traffic.recorder import Recorder

    recorder = Recorder.from_settings(settings, roll_seconds=options.roll_seconds)
    tuned = EngineOptions(
        max_rows=options.max_batch, max_wait=options.max_wait, max_queue=options.max_queue, cache_entries=options.cache_entries
    )
    metrics = GatewayMetrics()

    def make(name: str) -> Engine:
        return Engine(name, settings, recorder, options=tuned, meter=metrics)

    return Gateway(settings, options, recorder, make, metrics=metrics)


def serve_socket(listening: socket.socket, options: GatewayOptions, settings: Settings, *, alive: int = -1) -> None:
    """Serve on a socket until SIGTERM, then finish what is in flight.

    Args:
        listening: Bound and listening.
        options: Of the gateway.
        settings: The installation.
        alive: Descriptor of a pipe whose other end the supervisor holds; its end is the supervisor's. Negative for none.
    """
    import uvicorn

    from ratchet.serving.connections import BoundedProtocol

    class Server(uvicorn.Server):
        """Stops by the event loop's own signal handling, and returns instead of raising the signal again."""

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, self.stop)
            if alive >= 0:
                loop.add_reader(alive, self.orphaned)
            yield

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            gc.collect()
            gc.freeze()  # libraries and models stay for good: to look through them again and again would take the requests' time

        def stop(self) -> None:
            self.should_exit = True

        def orphaned(self) -> None:
            asyncio.get_running_loop().remove_reader(alive)
            log.warning("the supervisor has gone; stopping")
            self.stop()

    config: Any = uvicorn.Config(
        build_gateway(settings, options),
        loop="uvloop",
        http=BoundedProtocol.bounded(options.body_seconds),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        limit_concurrency=options.max_connections,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=max(1, round(options.drain_seconds)),
    )
    Server(config).run(sockets=[listening])


def main(arguments: list[str] | None = None) -> None:
    """Run a worker; exit status 3 when no restart would help."""
    parser = argparse.ArgumentParser(prog="ratchet.serving.server")
    parser.add_argument("--socket", type=int, required=True)
    parser.add_argument("--alive", type=int, default=-1)
    parser.add_argument("--options", required=True)
    given = parser.parse_args(arguments)
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        options = GatewayOptions.from_json(given.options)
        configure_logs(options.log_level)
        listening = socket.socket(fileno=os.dup(given.socket))
        serve_socket(listening, options, load_settings(), alive=given.alive)
    except RatchetError as error:
        log.error("this worker cannot start: %s", error)
        sys.exit(GIVE_UP)


if __name__ == "__main__":
    main()
