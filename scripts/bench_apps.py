"""Two bounds of ``make bench``: what the model costs behind almost nothing, and what HTTP costs behind nothing at all.

``bare``: Starlette, orjson and `ModelPackage.predict` for each request by itself; nothing is checked, batched, routed or recorded.
``echo``: a body in, the same body out. Run by ``uvicorn scripts.bench_apps:bare``, with the package's folder in ``BENCH_PACKAGE``.
"""

import os

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ratchet.models.package import ModelPackage
from scripts.bench_model import table_of

PATH = "/v2/models/bench/infer"


def bare() -> Starlette:
    """Return the application that predicts."""
    package = ModelPackage.load(os.environ["BENCH_PACKAGE"])

    async def infer(request: Request) -> Response:
        document = orjson.loads(await request.body())
        predictions = package.predict(table_of({tensor["name"]: tensor["data"] for tensor in document["inputs"]}))
        output = {"name": "probability", "datatype": "FP64", "shape": list(predictions.shape), "data": predictions.tolist()}
        return Response(orjson.dumps({"model_name": "bench", "outputs": [output]}), media_type="application/json")

    return Starlette(routes=[Route(PATH, infer, methods=["POST"])])


def echo() -> Starlette:
    """Return the application that says what it was told."""

    async def infer(request: Request) -> Response:
        return Response(await request.body(), media_type="application/json")

    return Starlette(routes=[Route(PATH, infer, methods=["POST"])])
