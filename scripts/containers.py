"""Build every family's image on this machine, say what they weigh, and run the tests that need them: ``make containers``.

It takes the base that the Dockerfile names, or ``BASE``; as root where debootstrap is there, it makes one from Debian's packages, because
such a machine may reach no registry at all.
"""

import os
import shutil
import subprocess
import sys

from scripts.images import ROOT, build, references

AIM = {"tabular": 700}  # MB unpacked: what a node pulls before the first step of a day begins
SIZES = """
cd /opt/packages/lib/python3.*/site-packages
du --apparent-size --block-size=1000000 --summarize -- * | sort --numeric-sort --reverse | head -12
"""


def local_image(family: str) -> str:
    """Return what a family's image is called on this machine; it is never pushed under that name.

    >>> local_image("tabular")
    'ratchet-tabular:local'
    """
    return f"ratchet-{family}:local"


def base_image() -> str:
    """Return the base to build on; empty for the one that the Dockerfile names."""
    if named := os.environ.get("BASE", ""):
        return named
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        return ""
    done = subprocess.run([ROOT / "scripts/local_base_image"], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


def describe(family: str) -> str:
    """Return what a built image weighs, and its largest packages."""
    name = local_image(family)
    inspect = ["docker", "image", "inspect", "--format", "{{.Size}}", name]
    size = int(subprocess.run(inspect, capture_output=True, text=True, check=True).stdout) // 1_000_000
    run = ["docker", "run", "--rm", "--network", "none", name, "sh", "-c", SIZES]
    listed = subprocess.run(run, capture_output=True, text=True, check=True).stdout.split()
    packages = ", ".join(f"{package} {megabytes}" for megabytes, package in zip(listed[::2], listed[1::2], strict=True))
    aim = AIM.get(family, size)
    over = f", {size - aim} above the aim of {aim}" if size > aim else ""
    return f"{name}: {size} MB unpacked{over}. Largest: {packages}"


def main() -> None:
    """Build, describe, test; the exit status is pytest's."""
    base = base_image()
    families = list(references())
    for family in families:
        print(f"containers: {local_image(family)} on {base or 'the base of the Dockerfile'}", flush=True)
        build(family, local_image(family), base=base, host_network=base.startswith("ratchet-base:"))
    for family in families:
        print(f"containers: {describe(family)}", flush=True)
    sys.exit(subprocess.run([sys.executable, "-m", "pytest", "-m", "containers", "tests/containers", *sys.argv[1:]], cwd=ROOT).returncode)


if __name__ == "__main__":
    main()
