"""What is fetched is there whole or not at all, from memory, from a web server that misbehaves, and from a bucket."""

import gzip
import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import fsspec
import polars as pl
import pytest

from ratchet.data.digests import content_digest
from ratchet.errors import ParameterError, RatchetError, SourceError
from ratchet.sources.ingestion import ingest
from ratchet.sources.remote import fetched
from ratchet.sources.transfers import FetchLimits
from tests.http_files import Announced, Cut, Endless, HttpFiles, Status

AT_ONCE = FetchLimits(waits=(0.0, 0.0))
ROOT = Path(__file__).resolve().parents[3]
CSV = b"id,x\n" + b"1,2.5\n" * 1_000


def content(uri: str, limits: FetchLimits = AT_ONCE) -> dict[str, bytes]:
    """Name to bytes of what a URI gives; a single file under its own name."""
    with fetched(uri, limits) as path:
        files = [path] if path.is_file() else [part for part in path.rglob("*") if part.is_file()]
        return {part.name if part == path else str(part.relative_to(path)): part.read_bytes() for part in files}


def refusal(uri: str, limits: FetchLimits = AT_ONCE) -> str:
    with pytest.raises(RatchetError) as raised, fetched(uri, limits):
        pytest.fail("nothing may be handed on")
    return str(raised.value)


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where copies are made; in the end nothing may be left of them."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    yield tmp_path
    assert not list(tmp_path.iterdir())


@pytest.fixture
def memory() -> Iterator[fsspec.AbstractFileSystem]:
    filesystem = fsspec.filesystem("memory")
    filesystem.store.clear()
    yield filesystem
    filesystem.store.clear()


@pytest.fixture
def server() -> Iterator[HttpFiles]:
    with HttpFiles({"/day.csv": CSV, "/a b.csv": CSV, "/empty.csv": b""}) as running:
        yield running


def test_a_file_in_memory_keeps_its_name(memory, scratch):
    memory.pipe("/shop/day.csv.gz", CSV)
    assert content("memory://shop/day.csv.gz") == {"day.csv.gz": CSV}


def test_a_folder_keeps_the_names_below_it_and_loses_marks(memory, scratch):
    for name in ("year=2023/a.parquet", "year=2024/a.parquet", "_SUCCESS", "year=2024/.a.parquet.crc", "_logs/x"):
        memory.pipe(f"/shop/{name}", name.encode())
    assert (
        content("memory://shop/")
        == content("memory://shop")
        == {f"year={y}/a.parquet": f"year={y}/a.parquet".encode() for y in (2023, 2024)}
    )


@pytest.mark.parametrize("name", ["../../etc/cron.d/x", "a/../../x", "/x", "a//x", "a\\x", "a\0x", "a/./x", "n" * 300, "a\nx"])
def test_a_name_that_would_leave_the_folder_is_refused(memory, scratch, name):
    memory.pipe("/shop/good.csv", CSV)
    memory.store["/shop/" + name] = memory.store["/shop/good.csv"]
    assert "rename it there" in refusal("memory://shop/")


def test_a_name_of_a_file_and_of_a_folder_is_refused(memory, scratch):
    memory.pipe("/shop/day", CSV)
    memory.store["/shop/day/part.csv"] = memory.store["/shop/day"]
    assert "holds 'day' as a file and as a folder" in refusal("memory://shop/")


def test_what_is_not_there_or_empty_is_named(memory, scratch):
    assert "'memory://shop/day.csv' is not there" in refusal("memory://shop/day.csv")
    memory.mkdir("/shop")
    assert "holds no file" in refusal("memory://shop/")


@pytest.mark.slow
def test_size_and_number_of_files_are_bounded(memory, scratch):
    for number in range(4):
        memory.pipe(f"/shop/{number}.csv", CSV)
    assert f"larger than {3 * len(CSV):,} bytes (FetchLimits.size" in refusal("memory://shop/", FetchLimits(size=3 * len(CSV)))
    assert "more than 3 files" in refusal("memory://shop/", FetchLimits(files=3))
    assert len(content("memory://shop/", FetchLimits(size=4 * len(CSV), files=4))) == 4


def test_time_is_bounded(memory, scratch):
    memory.pipe("/day.csv", CSV)
    assert "was not there after 0 s" in refusal("memory://day.csv", FetchLimits(seconds=0))


def test_a_file_that_changes_while_it_is_copied_is_copied_again_and_then_refused(memory, scratch):
    """The file of this filesystem is written anew each time that somebody has read it."""

    class Changing(type(memory.open("/x", "wb"))):
        def read(self, *arguments):
            left.append(1)
            if len(left) <= changes:
                memory.store["/day.csv"] = Changing(memory, "/day.csv", CSV * (len(left) + 1))
            return super().read(*arguments)

    changes, left = 1, list[int]()
    memory.store["/day.csv"] = Changing(memory, "/day.csv", CSV)
    assert content("memory://day.csv")["day.csv"] == CSV * 2
    changes, left = 100, []
    memory.store["/day.csv"] = Changing(memory, "/day.csv", CSV)
    assert "it changed while it was copied" in refusal("memory://day.csv")


def test_a_copy_that_is_shorter_or_longer_than_was_said_is_refused(memory, scratch):
    for said in (len(CSV) - 1, len(CSV) + 1):

        class Lying(type(memory.open("/x", "wb"))):
            size = said

        memory.store["/day.csv"] = Lying(memory, "/day.csv", CSV)
        assert f"{len(CSV):,} bytes came, and {said:,} were announced" in refusal("memory://day.csv")


def test_a_web_server_s_file(server, scratch):
    assert content(f"{server.url}/day.csv?month=3") == {"day.csv": CSV}
    assert server.asked == ["/day.csv?month=3"]
    assert server.headers["Accept-Encoding"] == "identity"


def test_a_name_is_kept_as_far_as_it_can_be(server, scratch):
    server.files["/a%20b.csv"] = CSV
    assert content(f"{server.url}/a%20b.csv") == content(f"{server.url}/a b.csv") == {"a_b.csv": CSV}
    server.files["/"] = CSV
    assert content(f"{server.url}/") == {"source": CSV}


def test_a_signed_url_is_asked_for_as_it_is_and_never_shown(server, scratch):
    query = "?X-Amz-Signature=abc%2Fdef%3D&page=1"
    assert content(f"{server.url}/day.csv{query}") == {"day.csv": CSV}
    assert server.asked == ["/day.csv" + query]
    for fault in (Status(403), Status(404), Cut(at=3)):
        server.faults["/day.csv"] = [fault] * 3
        said = refusal(f"{server.url}/day.csv{query}")
        assert "def" not in said
        assert "X-Amz-Signature=***&page=1" in said


def test_what_passes_is_tried_again(server, scratch):
    server.faults["/day.csv"] = [Status(500), Status(429)]
    assert content(f"{server.url}/day.csv") == {"day.csv": CSV}
    server.faults["/day.csv"] = [Cut(at=100), Cut(at=100, chunked=True)]
    assert content(f"{server.url}/day.csv") == {"day.csv": CSV}
    assert len(server.asked) == 6


def test_what_stays_bad_is_an_error(server, scratch):
    server.faults["/day.csv"] = [Status(503)] * 3
    assert "503" in refusal(f"{server.url}/day.csv")
    server.faults["/day.csv"] = [Cut(at=100)] * 3
    assert "cannot be fetched" in refusal(f"{server.url}/day.csv")
    server.faults["/day.csv"] = [Cut(at=100, chunked=True)] * 3
    assert "cannot be fetched" in refusal(f"{server.url}/day.csv")
    assert len(server.asked) == 9


def test_what_is_refused_is_not_asked_for_twice(server, scratch):
    assert "is not there; check its name" in refusal(f"{server.url}/night.csv")
    server.faults["/day.csv"] = [Status(403)]
    assert "may not be read" in refusal(f"{server.url}/day.csv")
    server.faults["/day.csv"] = [Status(400)]
    assert "cannot be fetched" in refusal(f"{server.url}/day.csv")
    assert len(server.asked) == 3


def test_a_length_that_is_not_true(server, scratch):
    server.faults["/day.csv"] = [Announced(len(CSV) + 1)] * 3
    assert "cannot be fetched" in refusal(f"{server.url}/day.csv")
    server.faults["/day.csv"] = [Announced(None)]
    assert "does not say how long" in refusal(f"{server.url}/day.csv")


@pytest.mark.parametrize("length", [None, 2**50])
def test_a_body_without_end_is_bounded(server, scratch, length):
    server.faults["/day.csv"] = [Endless(length)]
    assert "is larger than 1,000,000 bytes" in refusal(f"{server.url}/day.csv", FetchLimits(size=1_000_000))
    server.faults["/day.csv"] = [Endless(2**50)]
    assert "TMPDIR" in refusal(f"{server.url}/day.csv", FetchLimits(size=2**60)), "the disk has less than a petabyte"


def test_a_redirect_is_followed_within_the_web_only(server, scratch):
    server.faults["/moved.csv"] = [Status(302, {"Location": "/day.csv"})]
    server.files["/moved.csv"] = b""
    assert content(f"{server.url}/moved.csv") == {"moved.csv": CSV}
    for location in ("file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/x", "data:,x", "FILE:///etc/passwd"):
        server.faults["/moved.csv"] = [Status(302, {"Location": location})]
        assert "leads on to" in refusal(f"{server.url}/moved.csv")


def test_a_circle_of_redirects_ends(server, scratch):
    server.faults["/day.csv"] = [Status(302, {"Location": "/day.csv"})] * 100
    assert "cannot be fetched" in refusal(f"{server.url}/day.csv")


def test_nobody_there(scratch):
    assert "cannot be fetched" in refusal("http://127.0.0.1:9/day.csv")


@pytest.mark.parametrize(
    "uri", ["ftp://host/a.csv", "file:///etc/passwd", "memory://", "https://me:secret@host/a.csv", "https://me@host/a.csv"]
)
def test_a_uri_that_is_not_read_is_refused(uri, scratch):
    with pytest.raises(ParameterError) as raised, fetched(uri):
        pass
    assert "secret" not in str(raised.value)


def test_an_empty_file_is_a_file(server, scratch):
    assert content(f"{server.url}/empty.csv") == {"empty.csv": b""}


def test_a_step_that_fails_leaves_no_copy(memory, scratch):
    memory.pipe("/day.csv", CSV)
    with pytest.raises(ZeroDivisionError), fetched("memory://day.csv") as path:
        path.write_text(str(1 / 0))


def test_the_copy_is_gone_afterwards(memory, scratch):
    memory.pipe("/day.csv", CSV)
    with fetched("memory://day.csv") as path:
        assert path.is_file()
    assert not path.exists()
    with pytest.raises(SourceError), fetched("memory://night.csv"):
        pass


LIBRARIES = ("aiohttp", "botocore", "deltalake", "fsspec", "gcsfs", "google.auth", "google.cloud.bigquery", "s3fs", "sqlalchemy", "sqlglot")


def test_a_local_file_pays_for_none_of_the_libraries(tmp_path):
    (tmp_path / "day.csv").write_bytes(CSV)
    code = f"import sys; from ratchet.sources.ingestion import ingest; ingest({str(tmp_path / 'day.csv')!r}, {str(tmp_path / 'out')!r}); "
    code += f"print([name for name in {LIBRARIES!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


@pytest.mark.parametrize("name", ["day.csv", "day.csv.gz", "parts/"])
def test_what_is_fetched_is_read_as_a_local_file_is(memory, scratch, tmp_path_factory, name):
    out = tmp_path_factory.mktemp("out") / "data"
    frame = pl.DataFrame({"id": range(3), "x": [1.5, 2.5, None]})
    if name == "parts/":
        for part in range(3):
            memory.pipe(f"/shop/parts/{part}.parquet", parquet(frame[part : part + 1]))
    else:
        content = frame.write_csv().encode()
        memory.pipe(f"/shop/{name}", gzip.compress(content) if name.endswith("gz") else content)
    info = ingest(f"memory://shop/{name}", out)
    assert (info.source, info.content_digest) == (f"memory://shop/{name}", content_digest(frame))


def parquet(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()
