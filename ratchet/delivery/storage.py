"""Model packages as they lie in storage, and how they come from there, verified.

A registered version is a folder ``model`` (the package) and beside it a folder ``beside`` with a sample of the training data
(``reference``), the schema (``schema.yaml``) and the digests of both. What lies in a local folder is copied without MLflow, whose import
costs seconds that every run would pay.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ratchet.delivery.deployment import ModelRef
from ratchet.errors import PackageError, RegistryError
from ratchet.settings import Settings

if TYPE_CHECKING:
    from ratchet.models.package import Description

SUMS = "SHA256SUMS"
REFERENCE = "reference"
SCHEMA = "schema.yaml"


@contextmanager
def package_of(model: ModelRef, settings: Settings) -> Iterator[Path]:
    """Give the folder of a stored package while the block runs, its manifest, digest and signature verified.

    Args:
        model: As the ledger or the registry names it.
        settings: Says which key signs packages, if any.

    Raises:
        PackageError: the package is damaged, or is not the one that was registered.
        RegistryError: it is not there.
    """
    with _local(model.uri) as folder:
        check_package(folder, model, settings)
        yield folder


def check_package(folder: Path, model: ModelRef, settings: Settings) -> None:
    """Verify that a folder holds the package that a version names. Its model is not loaded.

    Raises:
        PackageError: it is damaged, or another package.
    """
    _, found = describe_package(folder, settings)
    if found != model.digest:
        raise PackageError(
            f"package at {model.uri!r} has digest {found}, but {model} was registered: it was replaced. Register the model again"
        )


def describe_package(folder: Path, settings: Settings) -> "tuple[Description, str]":
    """Verify a package without loading its model; return its description and its digest.

    Raises:
        PackageError: it is damaged, or not signed with the configured key.
    """
    from ratchet.models.package import DESCRIPTION, Description, package_digest, verify_manifest

    verify_manifest(folder, key=settings.signing())
    description = Description.from_json((folder / DESCRIPTION).read_text(encoding="utf-8"), str(folder))
    return description, package_digest(folder, description.kind)


def fetch(model: ModelRef, *, settings: Settings, model_path: str | Path, reference_path: str | Path, schema_path: str | Path) -> None:
    """Copy a version's package, reference and schema to where a step wants them, all verified.

    Args:
        model: The version.
        settings: The installation.
        model_path: Folder to appear, with the package.
        reference_path: Folder to appear, a Dataset.
        schema_path: File to appear.

    Raises:
        PackageError: the package is damaged.
        RegistryError: it is not there, or what lies beside it is damaged.
    """
    with package_of(model, settings) as folder:
        _copy(folder, Path(model_path))
    check_package(Path(model_path), model, settings)  # what was copied, not what was there before
    with _local(model.uri.rstrip("/").rpartition("/")[0] + "/beside") as folder:
        _verify_sums(folder, model)
        _copy(folder / REFERENCE, Path(reference_path))
        Path(schema_path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / SCHEMA, schema_path)


@contextmanager
def reference_of(model: ModelRef, settings: Settings) -> Iterator[Path]:
    """Give the stored sample of a model's training data while the block runs, its digests verified.

    Raises:
        RegistryError: it is not there, or damaged.
    """
    with _local(model.uri.rstrip("/").rpartition("/")[0] + "/beside") as folder:
        _verify_sums(folder, model)
        yield folder / REFERENCE


def description_of(model: ModelRef, settings: Settings) -> "Description":
    """Return what a stored package says about itself; its manifest is verified, its model is not loaded.

    Raises:
        PackageError: the package is damaged.
        RegistryError: it is not there.
    """
    with package_of(model, settings) as folder:
        return describe_package(folder, settings)[0]


def write_beside(folder: Path, reference: Path, schema: Path) -> None:
    """Lay out what goes beside a package.

    Args:
        folder: An empty folder.
        reference: A Dataset; moved into it.
        schema: A file; copied into it.
    """
    shutil.move(reference, folder / REFERENCE)
    shutil.copyfile(schema, folder / SCHEMA)
    (folder / SUMS).write_text(_sums(folder), encoding="utf-8")


def _verify_sums(folder: Path, model: ModelRef) -> None:
    path = folder / SUMS
    if not path.is_file() or path.read_text(encoding="utf-8") != _sums(folder):
        raise RegistryError(f"reference or schema of {model} at {str(folder)!r} is damaged; register the model again, or roll back")


def _sums(folder: Path) -> str:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != SUMS)
    return "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder)}\n" for path in files)


@contextmanager
def _local(uri: str) -> Iterator[Path]:
    if uri.startswith(("/", "file:")):
        folder = Path(uri.removeprefix("file://"))
        if not folder.is_dir():
            raise RegistryError(f"nothing is stored at {uri!r}; restore it from a backup, or roll back")
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="ratchet-") as scratch:
        from ratchet.delivery.mlflow_store import download

        yield Path(download(uri, scratch))


def _copy(source: Path, target: Path) -> None:
    """Copy a folder so that it appears whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        shutil.copytree(source, staging, dirs_exist_ok=True)
        shutil.rmtree(target, ignore_errors=True)
        staging.rename(target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
