"""On a full disk a step says so in plain words and leaves nothing half-written to be seen."""

import gzip
import os
import subprocess
from pathlib import Path

import polars as pl
import pytest

from tests.ratchet.sources.hostile.trial import Trial, faults_of_message

KIB = 1024
TABLE = pl.DataFrame(
    {"id": range(40_000), "x": [n * 0.1 - 1 for n in range(40_000)], "s": [f"name {n * 7919 % 40_009}" for n in range(40_000)]}
)
RULES = {"schema_text": "columns: {id: {type: integer}, x: {type: number, minimum: 0}, s: {type: string}}"}  # so that rows are set aside
MOUNT = 'mkfs.ext4 -q -m 0 -O ^has_journal "$0" && mount -o loop "$0" "$1" && shift && exec "$@"'

pytestmark = pytest.mark.slow


def small_disk(folder: Path, size: int) -> list[str]:
    """Return words before a command by which it finds a disk of some bytes at `folder / "disk"`, and nobody else sees it."""
    (folder / "disk").mkdir()
    with (folder / "image").open("wb") as image:
        image.truncate(size)
    return ["unshare", "--mount", "sh", "-c", MOUNT, str(folder / "image"), str(folder / "disk")]


@pytest.fixture
def may_mount(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk; run as root to see a full one")
    (tmp_path / "probe").mkdir()
    tried = subprocess.run([*small_disk(tmp_path / "probe", 1 << 20), "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"no small disk can be mounted here: {tried.stderr.strip()[:200]}")


def sources(folder: Path) -> list[Path]:
    TABLE.write_csv(folder / "data.csv")
    (folder / "quoted.csv.gz").write_bytes(gzip.compress(TABLE.write_csv(quote_style="always").encode()))  # unpacked to scratch
    TABLE.write_parquet(folder / "data.parquet")
    return sorted(folder.iterdir())


@pytest.mark.usefixtures("may_mount")
def test_a_full_disk_is_named_and_nothing_is_half_visible(tmp_path: Path) -> None:
    outcomes: list[str] = []
    (tmp_path / "in").mkdir()
    for source in sources(tmp_path / "in"):
        for size in (160, 512, 768, 1_024, 1_536, 16_384):
            place = tmp_path / f"{source.name} {size}"
            place.mkdir()
            with Trial(small_disk(place, size * KIB)) as trial:
                report = trial.ask(source, place / "disk", once=True, look=True, judge=RULES)
            outcomes.append(f"{report['outcome']} in {report.get('stage', 'ingest')}")
            print(f"{source.name} | {size:,} KiB | {outcomes[-1]} | {report['seen']} | {report['message'][:300]}")
            assert report["outcome"] in ("rows", "refused"), report["message"]
            assert not any("half-visible" in digest for digest in report["seen"].values()), report["seen"]
            assert not report["scratch"], "what fills a disk is cleared from it"
            assert not [name for name in report["out"] if name.startswith(".")], report["out"]
            if report["outcome"] == "refused":
                assert not faults_of_message(report["message"]), report["message"]
                assert "no space" in report["message"].lower()
                assert str(place) in report["message"], "which disk?"
    assert {"refused in ingest", "refused in validate", "rows in done"} <= set(outcomes), "disks of all sizes were tried"
