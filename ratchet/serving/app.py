"""The gateway as an ASGI application: predictions go straight to `Inference`, everything else through Starlette's router.

Paths are those of the Open Inference Protocol v2, and beside them feedback, metrics, named columns, and two pages for people.
"""

import logging
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

import ratchet
from ratchet.errors import NotReadyError, RatchetError, RequestError
from ratchet.serving.deployments import Deployments
from ratchet.serving.documents import parse
from ratchet.serving.engine import Engine
from ratchet.serving.exchange import Bodies, Disconnected, Headers, Receive, Scope, Send
from ratchet.serving.feedback import read_feedback
from ratchet.serving.inference import Inference, find_engine, outcome
from ratchet.serving.metrics import CONTENT_TYPE, GatewayMetrics
from ratchet.serving.openapi import document_page, openapi_document
from ratchet.serving.options import GatewayOptions
from ratchet.serving.tracing import open_tracing
from ratchet.settings import Settings

log = logging.getLogger(__name__)
INFER = re.compile(r"/v2/models/([^/]+)(?:/versions/([^/]+))?/infer\Z")
PREDICT = re.compile(r"/predict/([^/]+)\Z")


class Records(Protocol):
    """What predictions and labels are written to: `ratchet.traffic.recorder.Recorder`."""

    def record(self, predictions: Any) -> None:
        """Take predictions."""
        ...

    def record_labels(self, labels: Any) -> None:
        """Take labels."""
        ...

    def health(self) -> dict[str, Any]:
        """Say how it goes."""
        ...

    def close(self) -> None:
        """Write what is left."""
        ...


class Gateway:
    """The application of one worker."""

    def __init__(
        self,
        settings: Settings,
        options: GatewayOptions,
        recorder: Records,
        make_engine: Callable[[str], Engine],
        *,
        clock: Callable[[], float] = time.time,
        metrics: GatewayMetrics | None = None,
    ) -> None:
        """Put the application together; the ASGI lifespan starts and closes it.

        Args:
            settings: The installation.
            options: Bounds.
            recorder: Takes predictions and labels; closed at the end.
            make_engine: Returns a new engine for a deployment's name.
            clock: Returns unix seconds.
            metrics: Those that the engines count in; new ones when not given.
        """
        self.options = options
        self.recorder = recorder
        self.clock = clock
        self.metrics = metrics or GatewayMetrics()
        self.deployments = Deployments(settings, options, make_engine)
        self.bodies = Bodies(options)
        self.tracing = open_tracing(options.otlp_endpoint)
        self.inference = Inference(self.deployments, options, self.bodies, self.metrics, self.tracing, clock)
        self.router = self._router()
        self._targets: dict[str, tuple[str, str, bool]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection event of ASGI."""
        if scope["type"] == "http" and scope["method"] == "POST":
            target = self._target(scope["path"])
            if target is not None:
                await self.inference(scope, receive, send, *target)
                return
        await self.router(scope, receive, send)

    def _target(self, path: str) -> tuple[str, str, bool] | None:
        """Return deployment, version and whether the columns are plain; None where the path is another."""
        target = self._targets.get(path)
        if target is None:
            match = INFER.match(path) or PREDICT.match(path)
            if match is None:
                return None
            plain = match.re is PREDICT
            target = (match[1], "" if plain else match[2] or "", plain)
            if target[0] in self.deployments.engines and len(self._targets) < 1024:
                self._targets[path] = target
        return target

    def _router(self) -> Starlette:
        model = "/v2/models/{name}"
        routes = [Route("/", self._page), Route("/openapi.json", self._openapi), Route("/metrics", self._metrics)]
        routes += [Route("/v2", self._server), Route("/v2/health/live", self._live), Route("/v2/health/ready", self._ready)]
        routes.append(Route("/v2/models", self._models))
        for path in (model, model + "/versions/{version}"):
            routes += [Route(path, self._model), Route(path + "/ready", self._model_ready)]
            routes.append(Route(path + "/infer", self._hot, methods=["POST"]))
            routes.append(Route(path + "/feedback", self._feedback, methods=["POST"]))
        routes.append(Route("/predict/{name}", self._hot, methods=["POST"]))
        # Starlette raises again what a handler of Exception has answered, and the server then closes the connection.
        handlers: dict[Any, Any] = {HTTPException: _http_error, RatchetError: _error, Disconnected: _gone, Exception: _error}
        return Starlette(routes=routes, lifespan=self._lifespan, exception_handlers=handlers)

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        await self.deployments.start()
        try:
            yield
        finally:
            await self.deployments.close()
            self.recorder.close()
            if self.tracing is not None:
                self.tracing.close()

    async def _hot(self, request: Request) -> Response:
        raise HTTPException(404)  # `__call__` answers these; the routes are here for the 405 of other methods

    async def _server(self, _: Request) -> Response:
        return JSONResponse({"name": "ratchet", "version": ratchet.__version__, "extensions": ["feedback", "predict", "metrics"]})

    async def _live(self, _: Request) -> Response:
        return JSONResponse({"live": True})

    async def _ready(self, _: Request) -> Response:
        ready = self.deployments.ready
        states = {name: engine.health() for name, engine in self.deployments.engines.items()}
        told = {"ready": ready, "deployments": states, "recorder": self.recorder.health()}
        return JSONResponse(told, 200 if ready else 503)

    async def _models(self, _: Request) -> Response:
        return JSONResponse({"models": [{"name": name, "ready": engine.ready} for name, engine in self.deployments.engines.items()]})

    def _engine(self, request: Request) -> Engine:
        engine = find_engine(self.deployments, request.path_params["name"])
        wanted = request.path_params.get("version")
        if wanted and engine.ready and wanted not in _versions(engine):
            raise RequestError(
                f"version {wanted[:100]!r} of {engine.name!r} does not run here; known: {', '.join(_versions(engine))}", status=404
            )
        return engine

    async def _model(self, request: Request) -> Response:
        engine = self._engine(request)
        served = engine.champion
        if served is None:
            raise NotReadyError(f"no champion of {engine.name!r} is loaded yet; ask again in a second")
        return JSONResponse(self.deployments.face(engine, served).metadata(_versions(engine)))

    async def _model_ready(self, request: Request) -> Response:
        engine = self._engine(request)
        return JSONResponse({"name": engine.name, "ready": engine.ready}, 200 if engine.ready else 503)

    async def _feedback(self, request: Request) -> Response:
        engine = self._engine(request)
        headers = Headers(request.scope["headers"])
        headers.check_json()
        lineup = engine.roster.lineup
        if lineup is None:
            raise NotReadyError(f"no champion of {engine.name!r} is loaded yet; send the labels again in a second")
        document, doubt = parse(await self.bodies.read(headers, request.receive))
        read = read_feedback(document, lineup.labelled, engine.name, self.clock(), rehearsal=self.options.rehearsal)
        if doubt is not None and not read.refused_count:
            raise doubt
        if read.labels:
            self.recorder.record_labels(read.labels)
        self.metrics.labelled(engine.name, len(read.labels), read.refused_count)
        status = 200 if read.labels or not read.refused_count else 422
        return JSONResponse({"taken": len(read.labels), "refused": read.refused_count, "errors": list(read.refused)}, status)

    async def _metrics(self, _: Request) -> Response:
        for name, engine in self.deployments.engines.items():
            batcher = engine.batcher
            if batcher is not None:
                self.metrics.batched(name, [batcher.sizes.popleft() for _ in range(len(batcher.sizes))])
            self.metrics.stands(name, engine.health(), batcher.depth if batcher is not None else 0)
            self.metrics.remembered(name, *engine.cache.drain())
        self.metrics.dropped(int(self.recorder.health().get("dropped", 0)))
        return Response(self.metrics.page(), headers={"content-type": CONTENT_TYPE})

    async def _openapi(self, _: Request) -> Response:
        return JSONResponse(openapi_document(self._metadata()))

    async def _page(self, request: Request) -> Response:
        return HTMLResponse(document_page(self._metadata(), str(request.base_url)[:300]))

    def _metadata(self) -> list[dict[str, Any]]:
        found = [(engine, engine.champion) for engine in self.deployments.engines.values()]
        return [self.deployments.face(engine, served).metadata(_versions(engine)) for engine, served in found if served is not None]


def _versions(engine: Engine) -> list[str]:
    companion = engine.health().get("companion") or {}
    ready = companion.get("version") if companion.get("state") == "ready" else None
    return [version for version in (engine.champion.ref.version if engine.champion else None, ready) if version]


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        message = f"no page {request.scope['path'][:100]!r}; see /openapi.json"
    elif error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "another method")
        message = f"{request.method} is not taken by {request.scope['path'][:100]!r}; send {allowed}"
    else:
        message = error.detail
    return JSONResponse({"error": message}, error.status_code, dict(error.headers or {}))


async def _error(request: Request, error: Exception) -> Response:
    status, message, more = outcome(error, None, "")
    if status == 500:
        log.error("failed: %s", message, exc_info=error)
    return JSONResponse({"error": message}, status, {name.decode(): value.decode() for name, value in more})


async def _gone(_: Request, __: Exception) -> Response:
    return Response(status_code=400)  # nobody is there to read it
