"""The manifest of a model package: a SHA-256 of every file, checked before anything of the package is opened.

A native model file is parsed by C++ that trusts its input, so a damaged one must never reach it. With a key the manifest itself is
signed (HMAC-SHA256): then not even somebody who can write to the store can put another model in.
"""

import hashlib
import hmac
from pathlib import Path

from ratchet.errors import PackageError

MANIFEST = "MANIFEST.sha256"
SIGNATURE = "MANIFEST.hmac"
ADDED_BY_MLFLOW = "registered_model_meta"  # MLflow's download puts this one file in
CHUNK = 1 << 20


def write_manifest(folder: Path, key: bytes | None = None) -> None:
    """Write the manifest over every file of a folder, and its signature when there is a key.

    Args:
        folder: The package, complete but for the manifest.
        key: The key that signs; None for none.
    """
    lines = [f"{file_digest(path)}  {path.relative_to(folder).as_posix()}" for path in _files(folder)]
    text = "\n".join(lines) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    if key:
        (folder / SIGNATURE).write_bytes(_signature(text.encode(), key))


def verify_manifest(folder: str | Path, *, key: bytes | None = None) -> None:
    """Check that a package holds exactly what its manifest says.

    Args:
        folder: The package.
        key: The key that signed it; None leaves a signature unchecked.

    Raises:
        PackageError: naming the file that is missing, damaged, one too many or a link, or that the signature does not fit.
    """
    root = Path(folder)
    content = _read(root / MANIFEST)
    if key:
        _verify_signature(root, content, key)
    listed = _parse(content, root)
    there = {path.relative_to(root).as_posix(): path for path in _files(root)}
    for name in sorted(set(there) - set(listed) - {ADDED_BY_MLFLOW, SIGNATURE}):
        raise PackageError(f"package {str(root)!r} has a file that its manifest does not list: {name!r}; fetch the package again")
    for name, digest in listed.items():
        if name not in there:
            raise PackageError(f"package {str(root)!r} lacks {name!r}, which its manifest lists; fetch the package again")
        if file_digest(there[name]) != digest:
            raise PackageError(f"package {str(root)!r}: {name!r} is damaged (its SHA-256 is not the manifest's); fetch the package again")


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _files(root: Path) -> list[Path]:
    found = []
    for path in sorted(root.rglob("*")):
        if path.is_dir() and not path.is_symlink() and any(path.iterdir()):
            continue  # a package within it; what it holds is listed
        if path.is_symlink() or not path.is_file():
            raise PackageError(f"package {str(root)!r}: {path.name!r} is no plain file; a package holds nothing else: fetch it again")
        if path != root / MANIFEST:
            found.append(path)
    return found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PackageError(f"package {str(path.parent)!r} has no readable {path.name} ({error.strerror}); pass a model package") from error


def _parse(content: bytes, root: Path) -> dict[str, str]:
    """Return digest by name. The one form that `write_manifest` writes is accepted, so no byte of it can change unnoticed."""
    listed: dict[str, str] = {}
    try:
        lines = content.decode("utf-8").removesuffix("\n").split("\n")
        for line in lines:
            digest, name = line[:64], line[66:]
            if line[64:66] != "  " or len(bytes.fromhex(digest)) != 32 or digest != digest.lower() or not name or name in listed:
                raise ValueError(line)
            listed[name] = digest
    except ValueError as error:
        raise PackageError(f"package {str(root)!r}: its manifest is damaged ({error}); fetch the package again") from error
    if not content.endswith(b"\n") or content.endswith(b"\n\n") or list(listed) != sorted(listed, key=lambda name: name.split("/")):
        raise PackageError(f"package {str(root)!r}: its manifest is damaged (cut or reordered); fetch the package again")
    return listed


def _verify_signature(root: Path, content: bytes, key: bytes) -> None:
    if not (root / SIGNATURE).is_file():
        raise PackageError(f"package {str(root)!r} is not signed, and a signing key is set; sign it by training with the key")
    if not hmac.compare_digest(_read(root / SIGNATURE), _signature(content, key)):
        raise PackageError(f"package {str(root)!r}: its signature does not fit the configured key; fetch the package again, or set its key")


def _signature(content: bytes, key: bytes) -> bytes:
    return hmac.new(key, content, hashlib.sha256).hexdigest().encode() + b"\n"
