"""A folder appears whole or not at all, and what the dead left behind is cleared by the living."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ratchet.data.staging import UNFINISHED, scratch, staged, writing
from ratchet.data.tables import scan_dataset
from ratchet.errors import SourceError


def fill(folder: Path, text: str) -> None:
    (folder / "part-00000.parquet").write_text(text)


def fail(target: Path) -> None:
    with staged(target) as staging:
        fill(staging, "new")
        raise KeyError


def test_nothing_is_seen_before_the_block_ends_and_all_of_it_after(tmp_path: Path) -> None:
    target = tmp_path / "new" / "data"
    with staged(target) as staging:
        fill(staging, "new")
        assert not target.exists()
        assert staging.name.startswith(".data."), "hidden beside its place, so that a rename is enough"
    assert (target / "part-00000.parquet").read_text() == "new"
    assert target.stat().st_mode & 0o755 == 0o755, "the next step may run as another user"
    assert [path.name for path in target.parent.iterdir()] == ["data"]


def test_a_block_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    with staged(tmp_path / "data") as staging:
        fill(staging, "old")
    with pytest.raises(KeyError):
        fail(tmp_path / "data")
    assert (tmp_path / "data" / "part-00000.parquet").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_an_older_folder_is_replaced_whole(tmp_path: Path) -> None:
    with staged(tmp_path / "data") as staging:
        fill(staging, "old")
        (staging / "part-00001.parquet").write_text("old too")
    with staged(tmp_path / "data") as staging:
        fill(staging, "new")
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["part-00000.parquet"]


def test_what_a_killed_writer_left_is_cleared_and_what_a_living_one_fills_is_not(tmp_path: Path) -> None:
    code = "import os, sys; from ratchet.data.staging import staged\nwith staged(__import__('pathlib').Path(sys.argv[1])):\n    os._exit(9)"
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "data")], check=False)
    left = [path.name for path in tmp_path.iterdir()]
    assert len(left) == 1
    with staged(tmp_path / "data[1]") as other, staged(tmp_path / "data") as staging:
        assert left[0] not in [path.name for path in tmp_path.iterdir()]
        with staged(tmp_path / "data") as second:
            assert staging.exists(), "its writer lives"
            fill(second, "second")
        assert other.exists()
        fill(staging, "first")
    assert (tmp_path / "data" / "part-00000.parquet").read_text() == "first", "who ends last stands"


@pytest.mark.parametrize("number", [errno.ENOTSUP, errno.EXDEV, errno.EMFILE])
def test_where_folders_cannot_be_renamed_they_are_filled_in_place_under_a_mark(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename, seen = Path.rename, []

    def as_a_bucket_does(path: Path, target: Path) -> Path:
        if path.is_dir():
            raise OSError(number, os.strerror(number))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", as_a_bucket_does)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "part-00007.parquet").write_text("old")
    with staged(tmp_path / "data") as staging:
        fill(staging, "new")
        seen = sorted(path.name for path in (tmp_path / "data").iterdir())
    assert seen == ["part-00007.parquet"]
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["part-00000.parquet"]


def test_a_folder_that_was_being_filled_in_place_is_no_dataset(tmp_path: Path) -> None:
    fill(tmp_path, "half")
    (tmp_path / UNFINISHED).touch()
    with pytest.raises(SourceError, match="was being written when its writer died; run the step"):
        scan_dataset(tmp_path)


def test_an_error_of_the_disk_names_the_place_and_the_remedy(tmp_path: Path) -> None:
    says = r"output '.*data' cannot be written: No space left on device; make room there, or choose another"
    with pytest.raises(SourceError, match=says), writing(tmp_path / "data"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with pytest.raises(SourceError, match="cannot be written: disk is full; make room"), writing(tmp_path / "data"):
        raise OSError("disk is full (os error 28)")
    with pytest.raises(SourceError, match="Permission denied; check the permissions there"), writing(tmp_path / "data"):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    (tmp_path / "file").touch()
    with pytest.raises(SourceError, match="file/data' cannot be written"), staged(tmp_path / "file" / "data"):
        pass


def test_scratch_is_gone_after_its_block_and_what_the_dead_left_after_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    code = "import os; from ratchet.data.staging import scratch\nwith scratch('rows') as folder:\n    os._exit(9)"
    subprocess.run([sys.executable, "-c", code], check=False)
    assert len(list(tmp_path.iterdir())) == 1
    with scratch("rows") as one, scratch("rows") as other:
        assert sorted(tmp_path.iterdir()) == sorted([one, other])
    assert not list(tmp_path.iterdir())
