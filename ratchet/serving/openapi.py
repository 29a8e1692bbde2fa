"""What the gateway says of itself: an OpenAPI document with the columns of each model, and a page for a person with a browser."""

import html
from collections.abc import Mapping, Sequence
from typing import Any

import ratchet

_TYPES = {
    "INT64": {"type": "integer", "format": "int64"},
    "FP32": {"type": "number", "format": "float"},
    "FP64": {"type": "number", "format": "double"},
    "BOOL": {"type": "boolean"},
    "BYTES": {"type": "string"},
}
_EXAMPLES = {"INT64": 1, "FP64": 1.5, "BOOL": True, "BYTES": "text"}
_REFUSALS = {
    "400": "The body is no JSON, or no such request",
    "404": "No such model or version",
    "408": "The body came too slowly",
    "413": "The body is too large",
    "415": "The body is not said to be JSON",
    "422": "A column is missing, unknown or of another kind; the message names it",
    "503": "Nothing to answer with yet, or too much to do; come again after Retry-After",
}
_PLACE = {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
_VERSION = {"name": "version", "in": "path", "required": True, "schema": {"type": "string"}}


def openapi_document(models: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document.

    Args:
        models: v2 metadata of each model that is served.

    >>> openapi_document([])["openapi"]
    '3.1.0'
    """
    paths: dict[str, Any] = {
        "/v2": _get("Name and version of the server"),
        "/v2/health/live": _get("Whether the process lives"),
        "/v2/health/ready": _get("Whether every deployment has a model; 503 when not"),
        "/v2/models": _get("The deployments"),
        "/metrics": {"get": {"summary": "Prometheus metrics", "responses": {"200": {"description": "text format 0.0.4"}}}},
    }
    for prefix, parameters in (("/v2/models/{name}", [_PLACE]), ("/v2/models/{name}/versions/{version}", [_PLACE, _VERSION])):
        paths[prefix] = _get("Inputs and outputs of a model", parameters)
        paths[f"{prefix}/ready"] = _get("Whether a model is loaded", parameters)
        paths[f"{prefix}/infer"] = _post("Open Inference Protocol v2", {"$ref": "#/components/schemas/Infer"}, parameters)
    paths["/v2/models/{name}/feedback"] = _post("Labels by request id", {"$ref": "#/components/schemas/Feedback"}, [_PLACE])
    schemas: dict[str, Any] = {"Infer": _infer(), "Feedback": _feedback()}
    for model in models:
        name = str(model["name"])
        row_name, answer_name = (f"{what}_of_{name.replace(' ', '_')}" for what in ("Row", "Answer"))
        schemas[row_name], schemas[answer_name] = _row(model["inputs"]), _answer(model["outputs"])
        chosen = {"type": "array", "uniqueItems": True, "items": {"enum": [output["name"] for output in model["outputs"]]}}
        query = {
            "name": "outputs",
            "in": "query",
            "style": "form",
            "explode": False,
            "schema": chosen,
            "description": "Instead of the usual",
        }
        told = _told({"$ref": f"#/components/schemas/{answer_name}"})
        paths[f"/predict/{name}"] = _post(f"Named columns of {name}", _rows(schemas[row_name], chosen), [query], told)
    about = {"title": "Ratchet gateway", "version": ratchet.__version__}
    return {"openapi": "3.1.0", "info": about, "paths": paths, "components": {"schemas": schemas}}


def document_page(models: Sequence[Mapping[str, Any]], base: str) -> str:
    """Return the page that a person sees at ``/``.

    Args:
        models: v2 metadata of each model that is served.
        base: URL by which the person came here, with a slash at its end.
    """
    parts = []
    for model in models:
        name = html.escape(str(model["name"]))
        columns = ", ".join(f'"{column["name"]}": {_shown(column["datatype"])}' for column in model["inputs"])
        command = html.escape(f"curl -H 'Content-Type: application/json' -d '{{{columns}}}' {base}predict/{model['name']}")
        link = f'<a href="/v2/models/{name}">its columns</a>'
        outputs = html.escape(", ".join(output["name"] for output in model["outputs"]))
        about = f"Version {html.escape(', '.join(model['versions']))}; {link}; outputs: {outputs}."
        parts.append(f"<h2>{name}</h2><p>{about}</p><pre>{command}</pre>")
    shown = "".join(parts) or "<p>Nothing is deployed yet.</p>"
    links = '<a href="/openapi.json">openapi.json</a>, <a href="/metrics">metrics</a>, <a href="/v2/health/ready">health</a>'
    style = "body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}"
    style += "pre{white-space:pre-wrap;word-break:break-all}"
    head = f'<meta charset="utf-8"><title>Ratchet gateway</title><style>{style}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body><h1>Ratchet gateway</h1><p>{links}</p>{shown}</body></html>'


def _shown(datatype: str) -> str:
    example = _EXAMPLES[datatype]
    return "true" if example is True else f'"{example}"' if isinstance(example, str) else str(example)


def _told(schema: Mapping[str, Any], says: str = "The answer") -> dict[str, Any]:
    return {"description": says, "content": {"application/json": {"schema": schema}}}


def _get(summary: str, parameters: Sequence[Any] = ()) -> dict[str, Any]:
    return {"get": {"summary": summary, "parameters": list(parameters), "responses": {"200": _told({"type": "object"}, summary)}}}


def _post(summary: str, schema: Mapping[str, Any], parameters: Sequence[Any], told: Mapping[str, Any] | None = None) -> dict[str, Any]:
    responses: dict[str, Any] = {status: {"description": says} for status, says in _REFUSALS.items()}
    responses["200"] = told or _told({"type": "object"})
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    return {"post": {"summary": summary, "parameters": list(parameters), "requestBody": body, "responses": responses}}


def _rows(row: Mapping[str, Any], outputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of a request: one row, or several and what else may be said of them."""
    properties = {
        "rows": {"type": "array", "items": row},
        "id": {"type": "string"},
        "key": {"type": ["string", "integer"]},
        "time": {"type": ["string", "number"]},
        "outputs": outputs,
    }
    return {"oneOf": [row, {"type": "object", "required": ["rows"], "properties": properties, "additionalProperties": False}]}


def _row(inputs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    properties = {}
    for column in inputs:
        kind = _TYPES[column["datatype"]]
        properties[column["name"]] = {**kind, "type": [kind["type"], "null"]}
    return {"type": "object", "required": list(properties), "properties": properties, "additionalProperties": False}


def _answer(outputs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the schema of an answer to named columns; which outputs are in it is the request's choice."""
    one: dict[str, Any] = {}
    for output in outputs:
        name, kind = output["name"], _TYPES[output["datatype"]]
        if len(output["shape"]) > 1:
            named = {"type": "object", "additionalProperties": kind}  # by class, or by column
            one[name] = {"type": "array", "items": kind} if name == "embedding" else named
        else:
            one[name] = kind
    if "anomaly" in one:
        says = "Of an alarm, and where no outputs are named: the columns of which most of its error is, with their shares of it"
        one["columns"] = {"type": "object", "additionalProperties": _TYPES["FP64"], "description": says}
    rows = {"type": "array", "items": {"type": "object", "properties": one}}
    about: dict[str, Any] = {name: {"type": "string"} for name in ("request_id", "model", "version")}
    return {"type": "object", "required": [*about, "predictions"], "properties": {**about, "predictions": rows}}


def _infer() -> dict[str, Any]:
    tensor = {
        "type": "object",
        "required": ["name", "shape", "datatype", "data"],
        "properties": {
            "name": {"type": "string"},
            "shape": {"type": "array", "items": {"type": "integer"}},
            "datatype": {"type": "string"},
            "data": {"type": "array"},
        },
    }
    parameters = {"type": "object", "properties": {"key": {"type": ["string", "integer"]}, "time": {"type": ["string", "number"]}}}
    properties = {
        "id": {"type": "string"},
        "parameters": parameters,
        "inputs": {"type": "array", "items": tensor},
        "outputs": {"type": "array", "items": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}},
    }
    return {"type": "object", "required": ["inputs"], "properties": properties}


def _feedback() -> dict[str, Any]:
    label = {
        "type": "object",
        "required": ["request_id", "label"],
        "properties": {"request_id": {"type": "string"}, "label": {}, "time": {"type": ["string", "number"]}},
    }
    return {"type": "object", "required": ["labels"], "properties": {"labels": {"type": "array", "items": label}}}
