"""What counts as a whole copy, what is worth another attempt, and what is said of the rest."""

import errno
import os
from pathlib import Path

import aiohttp
import fsspec
import pytest
from botocore import exceptions as amazon
from gcsfs.retry import HttpError

from ratchet.errors import SourceError
from ratchet.sources.transfers import Budget, CutShort, FetchLimits, copy_file, passing, source_error


def answered(status: int) -> aiohttp.ClientResponseError:
    return aiohttp.ClientResponseError(None, (), status=status)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "error",
    [
        *(answered(429), answered(500), answered(503), HttpError({"code": 503}), HttpError({"code": "429"})),
        *(aiohttp.ClientPayloadError(), aiohttp.ServerDisconnectedError(), ConnectionResetError(), TimeoutError(), CutShort()),
        *(OSError(errno.EBUSY, "slow down"), amazon.ReadTimeoutError(endpoint_url="s3"), amazon.EndpointConnectionError(endpoint_url="s3")),
    ],
    ids=repr,
)
def test_what_may_be_gone_at_the_next_attempt(error):
    assert passing(error)


@pytest.mark.parametrize(
    "error",
    [
        *(answered(400), answered(401), answered(403), answered(404), answered(416), HttpError({"code": 403})),
        *(FileNotFoundError(), PermissionError(), OSError(errno.ENOSPC, "full"), amazon.NoCredentialsError(), ValueError(), KeyError()),
    ],
    ids=repr,
)
def test_what_will_be_the_same_next_time(error):
    assert not passing(error)


def test_errors_name_the_source_and_the_remedy_and_nothing_secret():
    where = "https://h/a.csv?sig=***"
    for error, said in (
        (FileNotFoundError("https://h/a.csv?sig=hunter2"), "is not there; check its name"),
        (HttpError({"code": 403, "message": "no: hunter2"}), "may not be read: no: ***, 403; give the step's environment credentials"),
        (ValueError("odd hunter2"), "cannot be fetched: odd ***; try again later"),
        (TimeoutError(), "cannot be fetched: TimeoutError"),
    ):
        message = str(source_error(error, "https://h/a.csv?sig=hunter2", where))
        assert message.startswith(f"source '{where}' {said}")
        assert "hunter2" not in message
    assert "source 's3://shop/m/ (shop/m/a.csv)' is not there" in str(source_error(FileNotFoundError(), "shop/m/a.csv", "s3://shop/m/"))


def test_a_budget_is_of_all_files_together_and_an_attempt_gives_back_what_it_took(tmp_path: Path):
    budget = Budget(FetchLimits(size=100), tmp_path, "source")
    budget.note("a", 60, None)
    budget.note("a", 0, None)
    budget.note("b", 60, 60)
    budget.note("a", 40, 40)
    with pytest.raises(SourceError, match="larger than 100 bytes"):
        budget.note("a", 41, None)


def test_what_is_announced_counts_before_it_comes(tmp_path: Path):
    with pytest.raises(SourceError, match="larger than 100 bytes"):
        Budget(FetchLimits(size=100), tmp_path, "source").note("a", 0, 101)
    with pytest.raises(SourceError, match=r"bytes are to come.*TMPDIR"):
        Budget(FetchLimits(size=2**62), tmp_path, "source").note("a", 0, 2**60)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full on this system")
def test_a_full_disk_names_the_scratch_folder(tmp_path: Path):
    memory = fsspec.filesystem("memory")
    memory.pipe("/day.csv", b"x" * 100_000)
    (tmp_path / "day.csv").symlink_to("/dev/full")
    with pytest.raises(SourceError, match=f"does not fit into the scratch folder '{tmp_path}'.*TMPDIR"):
        copy_file(memory, "/day.csv", tmp_path / "day.csv", Budget(FetchLimits(), tmp_path, "memory://day.csv"), memory.info("/day.csv"))
    memory.store.clear()
