"""Each place that files are fetched from, by its own library: Amazon's on moto, Google's on the loopback, https with a certificate."""

import os
import ssl
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from ratchet.errors import ParameterError, SourceError
from ratchet.sources.filesystems import scheme_of
from ratchet.sources.remote import fetched
from ratchet.sources.transfers import FetchLimits
from tests.buckets import S3, GoogleStorage

AT_ONCE = FetchLimits(waits=(0.0,))
DAY = b"id,x\n" + b"1,2.5\n" * 100_000


@pytest.fixture(scope="module")
def started() -> Iterator[S3]:
    with S3() as s3:
        yield s3


@pytest.fixture
def s3(started: S3, monkeypatch: pytest.MonkeyPatch) -> S3:
    for name, value in started.environment.items():
        monkeypatch.setenv(name, value)
    return started


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[GoogleStorage]:
    with GoogleStorage({"day.csv": DAY, "m/k=1/a.csv": b"1", "m/k=2/a.csv": b"2", "m/": b""}) as storage:
        for name, value in storage.environment.items():
            monkeypatch.setenv(name, value)
        yield storage


@pytest.mark.slow
def test_an_object_of_a_bucket(s3):
    with fetched(s3.put("day.csv", DAY), AT_ONCE) as path:
        assert (path.name, path.read_bytes()) == ("day.csv", DAY)


@pytest.mark.slow
def test_a_folder_of_a_bucket_with_more_parts_than_are_copied_at_once(s3):
    parts = {f"k={number % 3}/{number}.csv": b"%d" % number for number in range(20)}
    for name, content in {**parts, "": b"", "_SUCCESS": b""}.items():
        s3.put("month/" + name, content)
    for uri in (f"s3://{s3.bucket}/month/", f"s3a://{s3.bucket}/month"):
        with fetched(uri, AT_ONCE) as path:
            assert {str(part.relative_to(path)): part.read_bytes() for part in path.rglob("*") if part.is_file()} == parts


@pytest.mark.slow
def test_what_a_bucket_refuses(s3, monkeypatch):
    for uri in (f"s3://{s3.bucket}/night.csv", f"s3://{s3.bucket}/night/", "s3://no-such-bucket/day.csv"):
        with pytest.raises(SourceError, match="is not there; check its name"), fetched(uri, AT_ONCE):
            pass
    s3.put("odd/..//x.csv", b"1")
    with pytest.raises(SourceError, match="rename it there"), fetched(f"s3://{s3.bucket}/odd/", AT_ONCE):
        pass
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with (
        pytest.raises(SourceError, match=r"may not be read: .*; give the step's environment credentials"),
        fetched(f"s3://{s3.bucket}/a.csv", AT_ONCE),
    ):
        pass


def test_an_object_and_a_folder_of_google_s_storage(google):
    for scheme in ("gs", "gcs"):
        with fetched(f"{scheme}://shop/day.csv", AT_ONCE) as path:
            assert (path.name, path.read_bytes()) == ("day.csv", DAY)
    with fetched("gs://shop/m/", AT_ONCE) as path:
        assert {str(part.relative_to(path)): part.read_bytes() for part in path.rglob("*.csv")} == {"k=1/a.csv": b"1", "k=2/a.csv": b"2"}


@pytest.mark.slow
def test_what_google_s_storage_refuses(google):
    with pytest.raises(SourceError, match="is not there"), fetched("gs://shop/night.csv", AT_ONCE):
        pass
    google.faults = [403]
    with pytest.raises(SourceError, match="may not be read"), fetched("gs://shop/day.csv", AT_ONCE):
        pass
    google.faults = [503]
    with fetched("gs://shop/day.csv", AT_ONCE) as path:
        assert path.read_bytes() == DAY


def test_google_s_storage_without_credentials(monkeypatch, tmp_path):
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    with pytest.raises(SourceError, match="may not be read"), fetched("gs://shop/day.csv", AT_ONCE):
        pass


@pytest.mark.parametrize(
    "uri", ["gs:/shop/a", "", "a.csv", "simplecache::s3://shop/a", "s3::http://h/a", "github://a:b@c/d", "s3://me@shop/a"]
)
def test_no_other_filesystem_of_fsspec_can_be_named(uri):
    with pytest.raises(ParameterError):
        scheme_of(uri)


class Leading(BaseHTTPRequestHandler):
    """Leads on to wherever the path says, or hands out a file."""

    def do_GET(self) -> None:
        here = self.path == "/day.csv"
        self.send_response(200 if here else 302)
        self.send_header("Content-Length", "4" if here else "0")
        if not here:
            self.send_header("Location", self.path.removeprefix("/to/"))
        self.end_headers()
        self.wfile.write(b"a\n1\n" if here else b"")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def certificate(folder: Path) -> Path:
    """Make a certificate for the loopback, which signs itself, and return the file with it and its key."""
    import datetime as dt
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, name, now = ec.generate_private_key(ec.SECP256R1()), x509.Name([]), dt.datetime.now(dt.UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now - dt.timedelta(days=1), now + dt.timedelta(days=1))
    made = builder.add_extension(names, False).add_extension(x509.BasicConstraints(True, None), True).sign(key, hashes.SHA256())
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / "certificate.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return file


FETCH = """
    import sys
    from ratchet.sources.remote import fetched
    from ratchet.sources.transfers import FetchLimits
    try:
        with fetched(sys.argv[1], FetchLimits(waits=())) as path:
            print(path.read_bytes())
    except Exception as error:
        print(type(error).__name__, error)
"""


@pytest.mark.slow
def test_https_is_checked_and_never_left_for_http(tmp_path):
    file = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server = HTTPServer(("127.0.0.1", 0), Leading)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    here = f"https://127.0.0.1:{server.server_address[1]}"

    def said(path: str, trusted: str) -> str:
        command = [sys.executable, "-c", textwrap.dedent(FETCH), here + path]
        return subprocess.run(command, env=os.environ | {"SSL_CERT_FILE": trusted}, capture_output=True, text=True, check=True).stdout

    try:
        assert said("/to//day.csv", str(file)) == "b'a\\n1\\n'\n"
        assert "https to https" in said("/to/http://127.0.0.1:9/day.csv", str(file))
        assert "https to https" in said("/to/file:///etc/passwd", str(file))
        assert "CERTIFICATE_VERIFY_FAILED" in said("/day.csv", os.devnull)
    finally:
        server.shutdown()
        server.server_close()
