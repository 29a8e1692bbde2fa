"""The hot path: a request for a prediction, from its bytes to its answer.

One plain function of ASGI, without router, request objects or models of the body, because all of those together cost more than a
prediction. Whatever is wrong with a request is answered here with a status below 500 that names the column and the remedy.
"""

import logging
import time
from collections.abc import Callable
from typing import Any

from ratchet.errors import DataError, EngineError, NotReadyError, OverloadedError, RequestError, nearest
from ratchet.serving.deployments import Deployments
from ratchet.serving.documents import parse
from ratchet.serving.engine import Answer, Engine
from ratchet.serving.exchange import Bodies, Disconnected, Headers, Receive, Scope, Send, new_identifier, send_json
from ratchet.serving.metrics import GatewayMetrics
from ratchet.serving.options import GatewayOptions
from ratchet.serving.outputs import outputs_in
from ratchet.serving.protocol import Asked, ModelInterface
from ratchet.serving.rows import Rows, shown
from ratchet.serving.tracing import Span, Tracing

log = logging.getLogger(__name__)
RETRY = ((b"retry-after", b"1"),)
CLOSE = ((b"connection", b"close"),)


class Inference:
    """Answers v2 inference and named columns."""

    def __init__(
        self,
        deployments: Deployments,
        options: GatewayOptions,
        bodies: Bodies,
        metrics: GatewayMetrics,
        tracing: Tracing | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Answer with these deployments.

        Args:
            deployments: Whose engines answer.
            options: Bounds.
            bodies: Reads bodies.
            metrics: Counts.
            tracing: Makes spans; None for none.
            clock: Returns unix seconds.
        """
        self.deployments = deployments
        self.options = options
        self.bodies = bodies
        self.metrics = metrics
        self.tracing = tracing
        self.clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send, name: str, version: str, plain: bool) -> None:
        """Answer one request.

        Args:
            scope: Of ASGI, with ``receive`` and ``send``.
            receive: Likewise.
            send: Likewise.
            name: Name of the deployment, as the path gives it.
            version: The version that the path names; empty for none.
            plain: Named columns instead of v2.
        """
        headers = Headers(scope["headers"])
        query = scope["query_string"] if plain else b""
        if self.tracing is None:
            await self._answer(headers, receive, send, name, version, plain, query, None)
            return
        with self.tracing.span("predict" if plain else "infer", headers.traceparent, {"ratchet.deployment": name[:128]}) as span:
            await self._answer(headers, receive, send, name, version, plain, query, span)

    async def _answer(
        self, headers: Headers, receive: Receive, send: Send, name: str, version: str, plain: bool, query: bytes, span: Span | None
    ) -> None:
        begun = time.perf_counter()
        request_id = ""
        try:
            engine = find_engine(self.deployments, name)
            request_id = headers.identifier()
            served = engine.champion
            if served is None:
                raise NotReadyError(f"no champion of {name!r} is loaded yet; send the request again in a second")
            headers.check_json()
            face = self.deployments.face(engine, served)
            asked = read(await self.bodies.read(headers, receive), face, plain, query)
            request_id = asked.request_id or request_id or new_identifier()
            now = asked.time if asked.time is not None and self.options.rehearsal else self.clock()
            rows = Rows(request_id, now, asked.key, asked.inputs, version, asked.wants)
            answer = await engine.predict(rows, served)
            document = (face.plain_answer if plain else face.infer_answer)(request_id, answer, asked.outputs)
            await send_json(send, 200, document, request_id)
            self.metrics.answered(name, answer.version, answer.phase, 200, time.perf_counter() - begun, rows.n)
            if span is not None:
                _describe(span, request_id, answer, rows.n)
        except Disconnected:
            log.debug("the client has gone", extra={"deployment": name, "request_id": request_id})
        except Exception as error:  # each kind has its status; the unforeseen is logged whole and answered 500
            await self._fail(send, error, name, version, request_id or headers.request_id, span)

    async def _fail(self, send: Send, error: Exception, name: str, version: str, request_id: str, span: Span | None) -> None:
        known = self.deployments.engines.get(name)
        status, message, more = outcome(error, known, version)
        noted = request_id if request_id.isascii() and request_id.isprintable() and len(request_id) <= 128 else ""
        told = {"deployment": name[:128], "request_id": noted, "status": status}
        if status < 500:
            self.metrics.refused(name if known else "", status)
            log.info("refused: %s", message, extra=told)
        else:
            self.metrics.failed(name if known else "", type(error).__name__)
            unexpected = status == 500
            log.log(
                logging.ERROR if unexpected else logging.WARNING, "failed: %s", message, extra=told, exc_info=error if unexpected else None
            )
        if span is not None:
            span.set_attribute("http.response.status_code", status)
        await send_json(send, status, {"error": message, **({"request_id": noted} if noted else {})}, noted.replace(" ", ""), more)


def read(body: bytes | bytearray, face: ModelInterface, plain: bool, query: bytes = b"") -> Asked:
    """Return what a body asks of a model.

    Args:
        body: Of the request.
        face: The model.
        plain: Named columns instead of v2.
        query: Of the URL, which may name the outputs of a plain answer.

    Raises:
        RequestError: the body or the query is at fault.
    """
    document, doubt = parse(body)
    asked = face.read_plain(document, outputs_in(query)) if plain else face.read_infer(document)
    if doubt is not None:  # nobody named the number that is none
        raise doubt
    return asked


def find_engine(deployments: Deployments, name: str) -> Engine:
    """Return the engine of a deployment.

    Raises:
        RequestError: there is none of that name (404, with the nearest name).
        NotReadyError: there is none at all yet.
    """
    engine = deployments.engines.get(name)
    if engine is None:
        if not deployments.engines:
            raise NotReadyError("nothing is deployed yet; promote a model, and send the request again")
        raise RequestError(f"no model {shown(name)} here; {nearest(name[:200], deployments.engines)}", status=404)
    return engine


def outcome(error: Exception, engine: Engine | None, version: str) -> tuple[int, str, tuple[tuple[bytes, bytes], ...]]:
    """Return the status, message and headers that an error becomes.

    Args:
        error: What went wrong.
        engine: Of the deployment, where there is one.
        version: The version that the path names; empty for none.
    """
    if isinstance(error, RequestError):
        return error.status, str(error), CLOSE if error.status == 408 else ()
    if isinstance(error, DataError):
        return 422, str(error), ()
    if isinstance(error, NotReadyError) and version and engine is not None and engine.ready:
        return 404, str(error), ()
    if isinstance(error, NotReadyError | OverloadedError):
        return 503, str(error), RETRY
    if isinstance(error, EngineError):
        return 500, str(error), ()
    return 500, "the gateway met an error of its own, which is in its log; send the request again", ()


def _describe(span: Span, request_id: str, answer: Answer, rows: int) -> None:
    attributes: dict[str, Any] = {
        "http.response.status_code": 200,
        "ratchet.request_id": request_id,
        "ratchet.version": answer.version,
        "ratchet.phase": answer.phase,
        "ratchet.rows": rows,
    }
    for name, value in attributes.items():
        span.set_attribute(name, value)
