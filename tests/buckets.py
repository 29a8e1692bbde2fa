"""Buckets on the loopback: Amazon's by moto, and as much of Google's as reading needs. Both are found as in a pod, by variables.

with S3() as s3:
    s3.put("day.csv", b"...")
    ... with s3.environment set: f"s3://{s3.bucket}/day.csv" ...
"""

import json
import logging
import uuid
from urllib.parse import parse_qs, unquote, urlsplit

from tests.loopback import LoopbackHandler, LoopbackServer


class S3:
    """moto's server with one bucket that is new each time."""

    def __init__(self) -> None:
        """Start it on a free port."""
        from moto.server import ThreadedMotoServer

        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.bucket = f"shop-{uuid.uuid4().hex[:8]}"
        self.environment = {
            "AWS_ACCESS_KEY_ID": "reader",
            "AWS_SECRET_ACCESS_KEY": "between-us",
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ALLOW_HTTP": "true",  # for the Rust libraries, which otherwise insist on https
        }
        self.client().create_bucket(Bucket=self.bucket)

    def client(self):
        """Amazon's own client of the server."""
        import boto3

        names = {
            "AWS_ACCESS_KEY_ID": "aws_access_key_id",
            "AWS_SECRET_ACCESS_KEY": "aws_secret_access_key",
            "AWS_ENDPOINT_URL": "endpoint_url",
        }
        return boto3.client("s3", region_name="us-east-1", **{argument: self.environment[name] for name, argument in names.items()})

    def put(self, key: str, content: bytes) -> str:
        """Write an object and return its URI."""
        self.client().put_object(Bucket=self.bucket, Key=key, Body=content)
        return f"s3://{self.bucket}/{key}"

    def __enter__(self) -> "S3":
        return self

    def __exit__(self, *error: object) -> None:
        self._server.stop()


class GoogleStorage(LoopbackServer):
    """The JSON API of Google Cloud Storage, as far as it lists and hands out the objects of one bucket ``shop``.

    Attributes:
        objects: Name to content.
        faults: Statuses of the next downloads.
    """

    def __init__(self, objects: dict[str, bytes]) -> None:
        """Listen on a free port."""
        self.objects, self.faults = objects, list[int]()
        super().__init__(_Google)
        self.environment = {"STORAGE_EMULATOR_HOST": self.url}

    def details(self, name: str) -> dict[str, str]:
        """An object as the API describes it."""
        size, generation = str(len(self.objects[name])), str(1 + hash(self.objects[name]) % 10**9)
        return {"kind": "storage#object", "bucket": "shop", "name": name, "size": size, "generation": generation, "etag": f"e{generation}"}


class _Google(LoopbackHandler):
    server_of: GoogleStorage

    def do_GET(self) -> None:
        storage, url = self.server_of, urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path.endswith("/b/shop/o"):
            names = [name for name in sorted(storage.objects) if name.startswith(query.get("prefix", ""))]
            return self._answer(200, json.dumps({"kind": "storage#objects", "items": [storage.details(name) for name in names]}).encode())
        name = unquote(url.path.partition("/b/shop/o/")[2])
        if name not in storage.objects:
            return self._answer(404, b'{"error": {"code": 404, "message": "No such object"}}')
        if query.get("alt") != "media":
            return self._answer(200, json.dumps(storage.details(name)).encode())
        if storage.faults:
            status = storage.faults.pop(0)
            return self._answer(status, json.dumps({"error": {"code": status, "message": "as the test asked"}}).encode())
        return self._answer(200, storage.objects[name])

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
