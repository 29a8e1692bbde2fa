"""``ratchet diff``: what changed between two versions of a table, wherever they lie."""

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ratchet.data.difference import Difference

DIFFERENT = 5  # 1 is an error everywhere in this command, 2 a wrong use of it, and 3 and 4 are outcomes of a run

Key = Annotated[list[str] | None, typer.Option("--key", "-k", help="Column that says which row is which; may be repeated.")]


def diff(
    old: Annotated[str, typer.Argument(help="As it was: a Dataset, or any source that ingest reads.")],
    new: Annotated[str, typer.Argument(help="As it is, likewise.")],
    key: Key = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
    html: Annotated[Path | None, typer.Option("--html", help="Write the report to a file, too.")] = None,
) -> None:
    """Tell which rows were added, removed and changed, and in which columns.

    Without --key whole rows are compared, so a changed row counts as one removed and one added. Neither the order of rows and columns nor
    the format of a file is a difference.

    Exit status: 0 when they are the same, 5 when they differ, 1 when it cannot be said.
    """
    from ratchet.data.changes import compare_versions

    with tempfile.TemporaryDirectory(prefix="ratchet-diff-") as folder:
        (before, old_digest), (now, new_digest) = (_dataset(source, Path(folder) / name) for name, source in (("old", old), ("new", new)))
        found = compare_versions(before, now, key=tuple(key or ()), digests=(old_digest, new_digest), names=(old, new))
    if html is not None:
        _write(found, html)
    print(json.dumps(found.to_dict(), indent=1, ensure_ascii=False) if as_json else told(found))
    if found.verdict != "same":
        raise typer.Exit(DIFFERENT)


def told(found: "Difference") -> str:
    """Return a difference as lines for a terminal."""
    lines = [f"{found.verdict}: {found.reason}"]
    for table in found.tables():
        if table.rows:
            lines += ["", f"{table.title}:"]
            lines += ["  " + ", ".join(f"{name} {value}" for name, value in row.items() if value not in ("", None)) for row in table.rows]
    return "\n".join(lines)


def _write(found: "Difference", html: Path) -> None:
    from ratchet.errors import ParameterError

    try:
        found.page().write_html(html)
    except OSError as error:
        raise ParameterError(f"--html {str(html)!r} cannot be written: {error.strerror}; name a file in a folder that is there") from error


def _dataset(source: str, place: Path) -> tuple[Path, str]:
    """Return a Dataset as it lies, or what is read from a source into one, and its content digest."""
    from ratchet.data.digests import ContentDigest
    from ratchet.data.matching import StoredRows
    from ratchet.sources.ingestion import ingest

    folder = Path(source)
    if folder.is_dir() and all(entry.suffix == ".parquet" for entry in folder.iterdir()):
        rows, digest = StoredRows.of(folder), ContentDigest()
        for frame in rows.slices(list(rows.schema)):
            digest.update(frame)
        return folder, digest.text()
    return place, ingest(source, place).content_digest
