"""A real server under hostile clients: each is told what is wrong, none gets a 5xx, and the next good request is answered."""

import json
import math
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratchet.errors import ParameterError
from ratchet.serving.options import GatewayOptions
from tests.ratchet.serving.gateways import GOOD, KINDS, ROW, frame_of_json, json_rows, table, v2

MEBIBYTE = 1 << 20
BOUND = 700 * MEBIBYTE  # catboost, polars and pyarrow alone are 300
JSON = {"Content-Type": "application/json"}
PLAIN, INFER = "/predict/fraud", "/v2/models/fraud/infer"
ODD, ODD_INFER = "/predict/odd", "/v2/models/odd/infer"

pytestmark = pytest.mark.slow  # a real process


@dataclass(frozen=True)
class Hostile:
    """A request, the status that it must get, and what the message must name."""

    what: str
    status: int
    names: str
    body: bytes = b"{}"
    path: str = PLAIN
    method: str = "POST"
    headers: dict[str, str] = field(default_factory=lambda: JSON)


def row(**changed: Any) -> bytes:
    return json.dumps({**GOOD, **changed}).encode()


def raw(name: str, text: str) -> bytes:
    """A good row in which one value is written as it stands."""
    return json.dumps({**GOOD, name: "@"}).encode().replace(b'"@"', text.encode())


def tensors(name: str, /, **changed: Any) -> bytes:
    """A good v2 request in which one tensor is changed."""
    request = v2([GOOD])
    request["inputs"] = [{**one, **changed} if one["name"] == name else one for one in request["inputs"]]
    return json.dumps(request).encode()


def request(**changed: Any) -> bytes:
    return json.dumps({**v2([GOOD]), **changed}).encode()


def without(name: str) -> bytes:
    return json.dumps({key: value for key, value in GOOD.items() if key != name}).encode()


def hostile_values() -> Iterator[Hostile]:
    for name, text in (
        ("amount", '"12"'),
        ("amount", "true"),
        ("amount", "[1]"),
        ("amount", "{}"),
        ("amount", "NaN"),
        ("amount", "Infinity"),
        ("amount", "-Infinity"),
        ("amount", "1e999"),
        ("amount", "-1e999"),
        ("amount", "9" * 400),
        ("hour", "2.5"),
        ("hour", "true"),
        ("hour", '"7"'),
        ("hour", str(2**63)),
        ("hour", str(-(2**63) - 1)),
        ("hour", str(2**64)),
        ("hour", "1e30"),
        ("hour", "9" * 5000),
        ("hour", "NaN"),
        ("abroad", "1"),
        ("abroad", '"true"'),
        ("card", "7"),
        ("card", "false"),
        ("card", "[]"),
        ("card", json.dumps("x" * 70_000)),
        ("at", "1767323045"),
        ("at", '"yesterday"'),
        ("at", '"2026-13-01T00:00:00"'),
        ("at", '"0001-01-01T00:00:00+23:59"'),
        ("at", "true"),
    ):
        yield Hostile(f"{name} is {text[:30]}", 422, name, raw(name, text))
    for kind in KINDS:
        yield Hostile(f"no {kind}", 422, kind, without(kind))


def hostile_documents() -> Iterator[Hostile]:
    yield Hostile("an unknown column", 422, "amuont", row(amuont=1))
    yield Hostile("a misspelt column", 422, "'amount'", json.dumps({**json.loads(without("amount")), "amuont": 1}).encode())
    yield Hostile("a key twice", 400, "'amount'", row()[:-1] + b', "amount": 3}')
    yield Hostile("a key twice, once escaped", 400, "'amount'", row()[:-1] + b', "\\u0061mount": 3}')
    yield Hostile("a key twice, spaced", 400, "'amount'", row()[:-1] + b', "amount"  \n : 3}')
    yield Hostile(
        "a key twice, deep in a tensor", 400, "'name'", tensors("hour").replace(b'"name": "hour"', b'"name": "x", "name": "hour"'), INFER
    )
    yield Hostile("no rows", 422, "0 rows", b'{"rows": []}')
    yield Hostile("rows that are none", 400, "rows", b'{"rows": 3}')
    yield Hostile("a row that is none", 422, "row 0", b'{"rows": [3]}')
    yield Hostile("too many rows", 422, "4096", json.dumps({"rows": [GOOD] * 4097}).encode())
    yield Hostile("a list", 400, "[]", b"[]")
    yield Hostile("a text", 400, "'abc'", b'"abc"')
    yield Hostile("null", 400, "None", b"null")
    yield Hostile("no body", 400, "empty", b"")
    yield Hostile("blanks", 400, "empty", b" \n ")
    yield Hostile("half a document", 400, "JSON", row()[:-10])
    yield Hostile("two documents", 400, "JSON", row() + row())
    yield Hostile("nested 5,000 deep", 400, "deep", b"[" * 5000 + b"]" * 5000)
    yield Hostile("nested 5,000 deep in a column", 422, "amount", raw("amount", "[" * 500 + "]" * 500))
    yield Hostile("objects nested 5,000 deep", 400, "deep", b'{"a":' * 5000 + b"1" + b"}" * 5000)
    yield Hostile("bad UTF-8", 400, "UTF-8", b'{"card": "\xff\xfe"}')
    yield Hostile("half a surrogate pair", 400, "JSON", raw("card", '"\\ud800"'))
    yield Hostile("a byte order mark", 400, "JSON", b"\xef\xbb\xbf" + row())
    yield Hostile("UTF-16", 400, "JSON", row().decode().encode("utf-16"))
    yield Hostile("NUL bytes", 400, "JSON", b"\0" * 100)
    yield Hostile("a body of 9 MiB", 413, str(8 * MEBIBYTE), b" " * (9 * MEBIBYTE))


def hostile_tensors() -> Iterator[Hostile]:
    for shape in ([2], [0], [-1], [1, 2], [2**62], [1, 1, 1], [], "1", [1.0], [True], None, [10**30]):
        yield Hostile(f"shape {shape}", 400, "'amount'", tensors("amount", shape=shape), INFER)
    yield Hostile("an unknown datatype", 422, "'amount'", tensors("amount", datatype="FP128"), INFER)
    yield Hostile("another kind of datatype", 422, "'card'", tensors("card", datatype="FP64"), INFER)
    yield Hostile("no datatype", 422, "'hour'", tensors("hour", datatype=None), INFER)
    yield Hostile("data that are no list", 400, "'amount'", tensors("amount", data=3), INFER)
    yield Hostile("data of objects", 422, "amount", tensors("amount", data=[{}]), INFER)
    yield Hostile("a text for a number", 422, "amount", tensors("amount", data=["a"]), INFER)
    yield Hostile("a tensor with another name", 422, "'amuont'", tensors("amount", name="amuont"), INFER)
    yield Hostile("a tensor without a name", 400, "input 0", tensors("amount", name=None), INFER)
    yield Hostile("unequal columns", 422, "'balance'", tensors("balance", data=[1, 2], shape=[2]), INFER)
    yield Hostile("no tensors", 422, "0 rows", request(inputs=[]), INFER)
    yield Hostile("empty tensors", 422, "0 rows", json.dumps(v2([])).encode(), INFER)
    yield Hostile("inputs that are none", 400, "inputs", request(inputs=7), INFER)
    yield Hostile("a tensor twice", 400, "'amount'", request(inputs=v2([GOOD])["inputs"] + v2([GOOD])["inputs"][:1]), INFER)
    yield Hostile("an unknown output", 422, "'probabilty'", request(outputs=[{"name": "probabilty"}]), INFER)
    yield Hostile("outputs that are none", 400, "outputs", request(outputs="all"), INFER)
    yield Hostile("an id with a line break", 400, "id", request(id="a\r\nX-Evil: 1"), INFER)
    yield Hostile("an id that is a number", 400, "id", request(id=7), INFER)
    yield Hostile("a very long id", 400, "id", request(id="x" * 1000), INFER)
    yield Hostile("a key that is a list", 400, "key", request(parameters={"key": []}), INFER)
    yield Hostile("a time that is none", 422, "time", request(parameters={"time": "soon"}), INFER)
    yield Hostile("parameters that are none", 400, "parameters", request(parameters=[]), INFER)
    yield Hostile("an unknown member", 400, "'input'", request(input=[]), INFER)


def hostile_outputs() -> Iterator[Hostile]:
    def infer(outputs: Any, rows: int = 1) -> bytes:
        return json.dumps(v2([GOOD] * rows, outputs=outputs)).encode()

    def rows(outputs: Any, rows: int = 1) -> bytes:
        return json.dumps({"rows": [GOOD] * rows, "outputs": outputs}).encode()

    yield Hostile("an output of another task", 422, "'probability'", infer([{"name": "probability"}]), ODD_INFER)
    yield Hostile("an embedding of a classifier", 422, "'embedding'", infer([{"name": "embedding"}]), INFER)
    yield Hostile("a misspelt embedding", 422, "did you mean 'embedding'", infer([{"name": "embeding"}]), ODD_INFER)
    yield Hostile("an output twice", 400, "'embedding'", infer([{"name": "embedding"}, {"name": "embedding"}]), ODD_INFER)
    yield Hostile("an output twice of a classifier", 400, "'decision'", infer([{"name": "decision"}] * 2), INFER)
    yield Hostile("a hundred thousand outputs", 400, "'shares'", infer([{"name": "shares"}] * 100_000), ODD_INFER)
    yield Hostile("outputs that are an object", 400, "outputs", infer({"name": "embedding"}), ODD_INFER)
    yield Hostile("an output without a name", 422, "datatype", infer([{"datatype": "FP32"}]), ODD_INFER)
    yield Hostile("an output whose name is a list", 422, "embedding", infer([{"name": ["embedding"]}]), ODD_INFER)
    yield Hostile("an output whose name is very long", 422, "eee", infer([{"name": "e" * 1_000_000}]), ODD_INFER)
    yield Hostile("embeddings of no rows", 422, "0 rows", infer([{"name": "embedding"}], rows=0), ODD_INFER)
    yield Hostile("embeddings of no plain rows", 422, "0 rows", rows(["embedding"], rows=0), ODD)
    yield Hostile("embeddings of too many rows", 422, "4096", rows(["embedding"], rows=4097), ODD)
    yield Hostile("an unknown plain output", 422, "'embeding'", rows(["embeding"]), ODD)
    yield Hostile("a plain output twice", 400, "'error'", rows(["error", "error"]), ODD)
    yield Hostile("plain outputs that are a text", 400, "outputs", rows("embedding"), ODD)
    yield Hostile("plain outputs that are numbers", 422, "3", rows([3]), ODD)
    yield Hostile("outputs beside a single row", 422, "'outputs'", row(outputs=["embedding"]), ODD)
    yield Hostile("an unknown output in the URL", 422, "'embeding'", row(), f"{ODD}?outputs=embeding")
    yield Hostile("an output twice in the URL", 400, "'error'", row(), f"{ODD}?outputs=error,error")
    yield Hostile("outputs twice in the URL", 400, "'outputs'", row(), f"{ODD}?outputs=error&outputs=anomaly")
    yield Hostile("no output in the URL", 422, "''", row(), f"{ODD}?outputs=")
    yield Hostile("an unknown parameter in the URL", 400, "'outputs'", row(), f"{ODD}?output=error")
    yield Hostile("outputs in the URL and the body", 400, "one place", rows(["error"]), f"{ODD}?outputs=error")
    yield Hostile("bytes beyond UTF-8 in the URL", 422, "no output", row(), f"{ODD}?outputs=%ff%fe%00")
    yield Hostile("a thousand parameters in the URL", 400, "8 parameters", row(), f"{ODD}?{'outputs=error&' * 1000}")
    yield Hostile("NaN for an autoencoder", 422, "amount", raw("amount", "NaN"), ODD)
    yield Hostile("infinity for an autoencoder", 422, "balance", raw("balance", "1e999"), ODD)
    yield Hostile("a label that is no class", 422, "'2'", b'{"labels": [{"request_id": "a", "label": "2"}]}', "/v2/models/odd/feedback")


def hostile_http() -> Iterator[Hostile]:
    yield Hostile("no content type", 415, "application/json", row(), headers={})
    yield Hostile("a form", 415, "x-www-form", row(), headers={"Content-Type": "application/x-www-form-urlencoded"})
    yield Hostile("another encoding", 415, "latin", row(), headers={"Content-Type": "application/json; charset=latin-1"})
    yield Hostile("compressed", 415, "gzip", row(), headers={**JSON, "Content-Encoding": "gzip"})
    yield Hostile("binary tensors", 415, "binary", row(), headers={**JSON, "Inference-Header-Content-Length": "9"})
    yield Hostile("a bad request id", 400, "X-Request-Id", row(), headers={**JSON, "X-Request-Id": "a b"})
    yield Hostile("an unknown model", 404, "'fraud'", row(), "/predict/fruad")
    yield Hostile("an unknown version", 404, "'9'", request(), "/v2/models/fraud/versions/9/infer")
    yield Hostile("dots", 404, "%2e%2e", row(), "/predict/%252e%252e")
    yield Hostile("encoded dots", 404, "'..'", row(), "/predict/%2e%2e")
    yield Hostile("an encoded slash", 404, "openapi", row(), "/predict/a%2f..%2fb")
    yield Hostile("NUL in the name", 404, "x00", row(), "/predict/%00")
    yield Hostile("a line break in the name", 404, "fraud", row(), "/predict/fraud%0d%0a")
    yield Hostile("a very long name", 404, "xxx", row(), "/predict/" + "x" * 8000)
    yield Hostile("GET", 405, "POST", b"", method="GET")
    yield Hostile("DELETE", 405, "POST", b"", INFER, method="DELETE")
    yield Hostile("POST to a page", 405, "GET", row(), "/v2")
    yield Hostile("no such page", 404, "openapi", row(), "/v1/models/fraud:predict")
    yield Hostile("labels that are none", 400, "labels", b'{"labels": {}}', "/v2/models/fraud/feedback")
    yield Hostile("labels of nothing", 404, "'fraud'", b'{"labels": []}', "/v2/models/fruad/feedback")
    yield Hostile(
        "only wrong labels", 422, "'purple'", b'{"labels": [{"request_id": "a", "label": "purple"}]}', "/v2/models/fraud/feedback"
    )
    yield Hostile("a label that is NaN", 422, "NaN", b'{"labels": [{"request_id": "a", "label": NaN}]}', "/v2/models/fraud/feedback")


TABLE = [*hostile_values(), *hostile_documents(), *hostile_tensors(), *hostile_outputs(), *hostile_http()]


def still_answers(gateway: Any) -> None:
    for name, number in (("fraud", "probability"), ("odd", "error")):
        answer = gateway.predict(name=name)
        assert answer.status_code == 200, answer.text
        assert math.isfinite(answer.json()["predictions"][0][number])


@settings(max_examples=60, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=8))
def test_a_prediction_of_the_server_is_the_package_s_own(gateway, taught, rows):
    expected = taught("binary").predict(frame_of_json(rows))
    plain = gateway.client.post(PLAIN, json={"rows": rows})
    assert plain.status_code == 200, plain.text
    assert np.allclose([one["probability"] for one in plain.json()["predictions"]], expected, rtol=0, atol=1e-9)
    infer = gateway.client.post(INFER, json=v2(rows))
    assert np.allclose(infer.json()["outputs"][0]["data"], expected, rtol=0, atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=8))
def test_an_error_of_the_server_is_the_package_s_own(gateway, taught, rows):
    expected = taught("anomaly").encode(frame_of_json(rows))
    plain = gateway.client.post(ODD, json={"rows": rows})
    assert plain.status_code == 200, plain.text
    assert [one["error"] for one in plain.json()["predictions"]] == expected.errors.tolist()
    infer = gateway.client.post(ODD_INFER, json=v2(rows, outputs=[{"name": "embedding"}, {"name": "error"}])).json()["outputs"]
    assert np.float32(infer[0]["data"]).tolist() == expected.embedding.ravel().tolist()
    assert infer[1]["data"] == expected.errors.tolist()


def test_an_error_does_not_depend_on_the_requests_beside_it(gateway, taught):
    """Many clients at a time, whose rows meet in micro-batches of whatever size."""
    rows = json_rows(table(400, seed=7))
    expected = taught("anomaly").predict(frame_of_json(rows)).tolist()
    with ThreadPoolExecutor(16) as clients:
        answers = clients.map(lambda one: gateway.client.post(ODD, json=one).json()["predictions"][0]["error"], rows)
        assert list(answers) == expected


def test_the_table_is_long():
    assert len(TABLE) >= 130


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case.what)
def test_a_hostile_request_is_told_what_is_wrong_and_the_next_good_one_is_answered(gateway, case):
    answer = gateway.client.request(case.method, case.path, content=case.body, headers=case.headers)
    assert answer.status_code == case.status, answer.text
    assert case.names in answer.text
    assert len(answer.content) < 2000, "a message is for a person"
    still_answers(gateway)


def exchange(port: int, sent: bytes, seconds: float = 20.0) -> bytes:
    """Send bytes and return what comes back until the server closes or the first answer is whole."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        connection.sendall(sent)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
            head, found, body = received.partition(b"\r\n\r\n")
            if found and b"content-length:" in head and len(body) >= int(head.lower().split(b"content-length:")[1].split()[0]):
                break
        return received


HEAD = b"POST /predict/fraud HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    ("what", "sent", "status"),
    [
        ("100 MB announced", HEAD + b"Content-Length: 100000000\r\n\r\n", b" 413 "),
        ("a length beyond 64 bits", HEAD + b"Content-Length: 99999999999999999999999\r\n\r\n", b" 400 "),
        ("a negative length", HEAD + b"Content-Length: -1\r\n\r\n", b" 400 "),
        ("two lengths", HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}", b" 400 "),
        ("a chunk that is none", HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", b" 400 "),
        ("no HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b" 400 "),
        ("bytes beyond ASCII in the path", b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n", b" 4"),
        ("a header of 1 MB", b"GET / HTTP/1.1\r\nX: " + b"a" * 1_000_000 + b"\r\n\r\n", b" "),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_hardly_http_is_refused(gateway, what, sent, status):
    try:
        answer = exchange(gateway.port, sent)
        assert status in answer[:20] or answer == b"", answer[:200]
        assert b" 50" not in answer[:14]
    except ConnectionError:
        pass  # closed while it was still being sent to, which is an answer as well
    still_answers(gateway)


def test_a_chunked_body_that_does_not_end_is_cut_off_at_the_limit(gateway):
    chunk = b"%x\r\n%b\r\n" % (MEBIBYTE, b" " * MEBIBYTE)
    answer = exchange(gateway.port, HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 10)
    assert b" 413 " in answer[:20]
    still_answers(gateway)


def test_a_client_that_goes_away_in_the_middle_harms_nobody(gateway):
    for cut in (10, len(HEAD) + 20, len(HEAD) + 40):
        with socket.create_connection(("127.0.0.1", gateway.port)) as connection:
            connection.sendall((HEAD + b"Content-Length: 500\r\n\r\n" + row())[:cut])
    still_answers(gateway)


@settings(max_examples=150)
@given(body=st.one_of(st.binary(max_size=300), st.binary(max_size=50).map(lambda noise: row() + noise)))
def test_random_bytes_are_refused(gateway, body):
    answer = gateway.client.post(PLAIN, content=body, headers=JSON)
    assert answer.status_code in (200, 400, 422)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*KINDS, "rows", "inputs", "x"]), inner, max_size=4),
    max_leaves=20,
)


def leaves(document):
    inner = document.values() if isinstance(document, dict) else document if isinstance(document, list) else None
    return [document] if inner is None else [leaf for part in inner for leaf in leaves(part)]


def is_told(value):
    return value is not None and (not isinstance(value, float) or math.isfinite(value))


@settings(max_examples=150)
@given(document=VALUES, name=st.sampled_from(list(KINDS)), value=VALUES, path=st.sampled_from([PLAIN, INFER, ODD, ODD_INFER]))
def test_random_json_is_answered_or_refused_and_never_an_error_of_the_server(gateway, document, name, value, path):
    good = json.dumps({**GOOD, name: value}) if path in (PLAIN, ODD) else tensors(name, data=[value]).decode()
    for text in (json.dumps(document), good):
        answer = gateway.client.post(path, content=text.encode("utf-8", "replace"), headers=JSON)
        assert answer.status_code in (200, 400, 422), (text, answer.text)
        if answer.status_code == 200:
            assert all(is_told(value) for value in leaves(answer.json()))
    still_answers(gateway)


def test_many_large_bodies_at_a_time_leave_memory_bounded(gateway):
    body = json.dumps({"rows": [0] * 1_000_000}).encode()
    for _ in range(20):
        assert gateway.client.post(PLAIN, content=body, headers=JSON).status_code == 422
    still_answers(gateway)
    workers = gateway.told["workers"]
    assert max(psutil.Process(worker).memory_info().rss for worker in workers) < BOUND


@pytest.mark.slow
def test_a_slow_body_is_told_so_and_slow_headers_are_cut_off(gateway):
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=30) as slow:
        slow.sendall(b"POST /predict")
        answer = exchange(gateway.port, HEAD + b"Content-Length: 500\r\n\r\n{", 30)
        assert b" 408 " in answer[:20]
        assert slow.recv(100) == b""
    still_answers(gateway)


def test_options_that_no_gateway_can_run_with_are_refused():
    with pytest.raises(ParameterError, match="max_body is 0"):
        GatewayOptions(max_body=0)


def test_the_metrics_of_the_server_count_errors_and_alarms_of_its_rows(gateway, taught):
    def counted() -> dict[str, float]:
        lines = [line.rsplit(" ", 1) for line in gateway.client.get("/metrics").text.splitlines() if 'deployment="odd"' in line]
        return {name: float(value) for name, value in lines}

    by = '{deployment="odd",role="champion",version="1"}'
    gateway.predict(name="odd")
    before, rows = counted(), json_rows(table(500, seed=11))
    answers = gateway.client.post(ODD, json={"rows": rows}).json()["predictions"]
    after = counted()
    assert after[f"ratchet_reconstruction_error_count{by}"] - before[f"ratchet_reconstruction_error_count{by}"] == 500
    assert after[f"ratchet_alarms_total{by}"] - before[f"ratchet_alarms_total{by}"] == sum(one["anomaly"] for one in answers) > 0
    assert after[f"ratchet_model_seconds_count{by}"] - before[f"ratchet_model_seconds_count{by}"] == 1
