"""A Dataset in the making is seen by nobody, and a part that is taken over is the same part."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from ratchet.data.digests import content_digest
from ratchet.data.parts import DatasetWriter
from ratchet.data.tables import read_dataset, write_dataset
from ratchet.errors import SchemaError

FRAME = pl.DataFrame({"id": [1, 2, 3]})


def test_nothing_is_there_until_all_is(tmp_path: Path) -> None:
    with DatasetWriter(tmp_path / "data", source="test") as writer:
        writer.add(FRAME)
        writer.add(FRAME.clear())
        writer.add(FRAME)
        assert not (tmp_path / "data").exists()
    assert writer.info.rows == 6
    assert sorted(part.name for part in (tmp_path / "data").iterdir()) == ["part-00000.parquet", "part-00001.parquet"]
    assert os.listdir(tmp_path) == ["data"]


def test_an_empty_table_is_a_dataset_too(tmp_path: Path) -> None:
    with DatasetWriter(tmp_path / "data", source="test") as writer:
        writer.add(FRAME.clear())
    assert read_dataset(tmp_path / "data").schema == FRAME.schema


def test_a_part_that_is_taken_over_is_counted_and_not_written_again(tmp_path: Path) -> None:
    write_dataset(FRAME, tmp_path / "one", source="test")
    part = tmp_path / "one" / "part-00000.parquet"
    with DatasetWriter(tmp_path / "two", source="test") as writer:
        writer.keep(part, FRAME)
        writer.add(FRAME)
    assert writer.info.content_digest == content_digest([FRAME, FRAME])
    assert read_dataset(tmp_path / "two").height == 6
    assert (tmp_path / "two" / "part-00000.parquet").samefile(part)


def test_where_the_disk_does_not_link_a_part_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(source: Path, target: Path) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    write_dataset(FRAME, tmp_path / "one", source="test")
    with DatasetWriter(tmp_path / "two", source="test") as writer:
        writer.keep(tmp_path / "one" / "part-00000.parquet", FRAME)
    assert read_dataset(tmp_path / "two").equals(FRAME)
    assert not (tmp_path / "two" / "part-00000.parquet").samefile(tmp_path / "one" / "part-00000.parquet")


def test_replacing_a_dataset_leaves_those_that_share_its_parts_alone(tmp_path: Path) -> None:
    write_dataset(FRAME, tmp_path / "one", source="test")
    with DatasetWriter(tmp_path / "two", source="test") as writer:
        writer.keep(tmp_path / "one" / "part-00000.parquet", FRAME)
    write_dataset(FRAME[:1], tmp_path / "one", source="test")
    assert read_dataset(tmp_path / "two").equals(FRAME)


def test_a_fault_in_the_last_part_is_met_before_anything_appears(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="a part has columns"):
        write_dataset([FRAME, FRAME.rename({"id": "key"})], tmp_path / "data", source="test")
    assert os.listdir(tmp_path) == []


WRITER = """
import sys, time
import polars as pl
from ratchet.data.parts import DatasetWriter
frame = pl.DataFrame({"id": range(100_000)})
with DatasetWriter(sys.argv[1], source="test") as writer:
    for place in range(10_000):
        writer.add(frame)
        if place == 3:
            print("writing", flush=True)
"""


def test_a_writer_that_is_killed_leaves_what_was_there(tmp_path: Path) -> None:
    write_dataset(FRAME, tmp_path / "data", source="test")
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path / "data")], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"writing\n"
    time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    process.stdout.close()
    assert read_dataset(tmp_path / "data").equals(FRAME)
    write_dataset(FRAME[:2], tmp_path / "data", source="test")
    assert read_dataset(tmp_path / "data").height == 2, "the next try is not in its way"


FULL = """
import resource, signal, sys
import numpy as np, polars as pl
from ratchet.data.tables import write_dataset
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
small, large = (pl.DataFrame({"a": np.random.default_rng(0).random(rows)}) for rows in (1_000, 1_000_000))
write_dataset([small, large], sys.argv[1], source="test")
"""


def test_a_disk_that_takes_no_more_is_named_and_nothing_appears(tmp_path: Path) -> None:
    write_dataset(FRAME, tmp_path / "data", source="test")
    done = subprocess.run([sys.executable, "-c", FULL, str(tmp_path / "data")], capture_output=True, text=True)
    assert "SourceError: output" in done.stderr
    assert "cannot be written" in done.stderr
    assert "make room there, or choose another place" in done.stderr
    assert os.listdir(tmp_path) == ["data"]
    assert read_dataset(tmp_path / "data").equals(FRAME)
