"""The images of the families, and the one file that says which of them is meant, ``images.lock.yaml``.

    python -m scripts.images build [FAMILY…] [--tag TAG] [--base IMAGE]    build, the family's tests with it
    python -m scripts.images push [FAMILY…] [--tag TAG]                    push what was built
    python -m scripts.images lock [FAMILY…] [--tag TAG]                    write the digests that pushing gave
    python -m scripts.images check [--release]                             fail on what cannot be compiled or released

Repositories are those of the lock; ``--registry ghcr.io/somebody`` takes others. The digest is the registry's own, as the engine kept it
when it pushed: nothing here computes one. Compilation reads the lock and nothing else, so `make compile` comes after `lock`.
"""

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

import ratchet

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "images.lock.yaml"
REFERENCE = re.compile(
    r"^(?P<repository>[a-z0-9.-]+(?::\d+)?(?:/[a-z0-9._-]+)+)"  # with its registry, which may have a port
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?$"
)
DONE = {"build": "built", "push": "pushed", "lock": "locked"}


def references(lock: Path = LOCK) -> dict[str, str]:
    """Return each family's reference, as the lock has it."""
    return dict(yaml.safe_load(lock.read_text(encoding="utf-8"))["images"])


def repository(family: str, registry: str = "", lock: Path = LOCK) -> str:
    """Return a family's repository: the lock's own, or the one of that name in another registry.

    Raises:
        SystemExit: the lock has no such family, or its reference is none.
    """
    known = references(lock)
    if family not in known:
        sys.exit(f"images: no family {family!r} in {lock.name}; known: {', '.join(sorted(known))}")
    match = REFERENCE.match(known[family])
    if match is None:
        sys.exit(f"images: {family} is {known[family]!r} in {lock.name}; write repository:tag or repository@sha256:…")
    found = match["repository"]
    return f"{registry.rstrip('/')}/{found.rpartition('/')[2]}" if registry else found


def build(family: str, name: str, *, base: str = "", host_network: bool = False) -> None:
    """Build a family's image, the tests inside it included.

    Args:
        family: Its name, as in ``requirements/<family>.txt``.
        name: What to call it, ``repository:tag``.
        base: Another base image than the Dockerfile's.
        host_network: Let the build use the machine's network, for an engine without a bridge.

    Raises:
        subprocess.CalledProcessError: the build failed, or a test did.
    """
    revision = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    values = {"FAMILY": family, "VERSION": ratchet.__version__, "REVISION": revision or "unknown", **({"BASE": base} if base else {})}
    command = ["docker", "build", "--tag", name, *(["--network", "host"] if host_network else [])]
    for key, value in values.items():
        command += ["--build-arg", f"{key}={value}"]
    subprocess.run([*command, str(ROOT)], check=True)


def pushed_digest(name: str) -> str:
    """Return ``repository@sha256:…`` of an image that was pushed under a name.

    Raises:
        SystemExit: the engine does not have it, or it was never pushed there.
    """
    asked = subprocess.run(["docker", "image", "inspect", "--format", "{{json .RepoDigests}}", name], capture_output=True, text=True)
    if asked.returncode != 0:
        sys.exit(f"images: {name}: {asked.stderr.strip() or 'the engine does not know it'}; build and push it first")
    at = name.rpartition(":")[0] + "@"
    found = [digest for digest in json.loads(asked.stdout) or [] if digest.startswith(at)]
    if len(found) != 1:
        sys.exit(f"images: {name} has {len(found)} digests in its repository; push it first, afresh where it has more than one")
    return str(found[0])


def write_lock(digests: dict[str, str], lock: Path = LOCK) -> None:
    """Put references into the lock; its comments and the other families stay as they are."""
    text = lock.read_text(encoding="utf-8")
    for family, reference in digests.items():
        text, count = re.subn(rf"(?m)^(\s+{re.escape(family)}:\s*).*$", lambda line, to=reference: line[1] + to, text)
        if count != 1:
            sys.exit(f"images: {lock.name} has {count} lines for {family}; there must be one, like `  {family}: repository:tag`")
    lock.write_text(text, encoding="utf-8")


def problems(known: dict[str, str], *, release: bool) -> list[str]:
    """Return what is wrong with the references, naming family and reference.

    >>> problems({"tabular": "ghcr.io/somebody/tabular:1.0"}, release=True)
    ['tabular: ghcr.io/somebody/tabular:1.0 is a tag, which can be moved; a release needs repository@sha256:…']
    >>> problems({"tabular": "ghcr.io/somebody/tabular:1.0"}, release=False)
    []
    """
    found = []
    for family, reference in known.items():
        match = REFERENCE.match(reference)
        if match is None or not (match["tag"] or match["digest"]):
            found.append(f"{family}: {reference!r} is neither repository:tag nor repository@sha256:…")
        elif release and not match["digest"]:
            found.append(f"{family}: {reference} is a tag, which can be moved; a release needs repository@sha256:…")
        if not (ROOT / "requirements" / f"{family}.txt").is_file():
            found.append(f"{family}: no requirements/{family}.txt; `make lock` makes it from pyproject.toml's extra")
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what was asked for each family, and say so."""
    parser = argparse.ArgumentParser(prog="images", description=__doc__.splitlines()[0])
    parser.add_argument("verb", choices=("build", "push", "lock", "check"))
    parser.add_argument("families", nargs="*", help="none for all")
    parser.add_argument("--tag", default=ratchet.__version__, help="default: the version, %(default)s")
    parser.add_argument("--registry", default="", help="another registry and folder than the lock's, e.g. ghcr.io/somebody")
    parser.add_argument("--base", default="", help="another base image than the Dockerfile's; for a release one by digest")
    parser.add_argument("--lock-file", type=Path, default=LOCK, help=argparse.SUPPRESS)
    parser.add_argument("--release", action="store_true", help="with check: refuse a tag")
    asked = parser.parse_args(arguments)
    known = references(asked.lock_file)
    names = {family: f"{repository(family, asked.registry, asked.lock_file)}:{asked.tag}" for family in asked.families or known}
    if asked.verb == "check":
        if wrong := problems({family: known[family] for family in names}, release=asked.release):
            sys.exit("\n".join(f"images: {line}" for line in wrong))
        print(f"images: {len(names)} families are {'locked by digest' if asked.release else 'in order'}")
        return
    digests = {}
    for family, name in names.items():
        if asked.verb == "build":
            build(family, name, base=asked.base)
        elif asked.verb == "push":
            subprocess.run(["docker", "push", name], check=True)
        else:
            digests[family] = pushed_digest(name)
        print(f"images: {family}: {digests.get(family, name)} {DONE[asked.verb]}")
    write_lock(digests, asked.lock_file)  # all or none


if __name__ == "__main__":
    main()
