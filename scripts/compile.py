"""Generate what users load and submit: ``compiled/`` and the README of each component.

    python -m scripts.compile            write what differs, remove what has no source any more
    python -m scripts.compile --check    write nothing; fail where something would have been written or removed

A component's face is the function named like its folder in ``components/<stage>/<name>/component.py``, a pipeline's the
one in ``pipelines/<name>/pipeline.py``. A pipeline makes two files: a portable one, for a laptop and Vertex AI, and one for
Kubeflow, in which ``pipelines/kubeflow.py`` has said what each pod is given. The compiled form is committed because it is what people
load by URL and what CI submits: neither has our sources. Everything is made in memory first, so that writing and checking cannot differ.
"""

import argparse
import importlib
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml
from kfp import compiler

from pipelines.kubeflow import for_kubeflow
from scripts.component_readme import component_readme

ROOT = Path(__file__).resolve().parents[1]


def generate() -> dict[Path, str]:
    """Return every generated file by its path, with the text that it must have.

    Raises:
        SystemExit: there is no component, no pipeline, or a face that is not in ``components/catalogue.yaml`` (or the reverse).
    """
    faces = {file.parent.name: file for file in sorted(ROOT.glob("components/*/*/component.py"))}
    pipelines = {file.parent.name: file for file in sorted(ROOT.glob("pipelines/*/pipeline.py"))}
    if not faces or not pipelines:
        sys.exit(f"compile: {len(faces)} components and {len(pipelines)} pipelines below {ROOT}; there must be some of each")
    catalogue = yaml.safe_load((ROOT / "components/catalogue.yaml").read_text(encoding="utf-8"))
    if unmatched := sorted(set(catalogue) ^ set(faces)):
        sys.exit(f"compile: {', '.join(unmatched)}: in components/catalogue.yaml or in components/<stage>/<name>/, but not in both")
    wanted: dict[Path, str] = {}
    for name, file in faces.items():
        face = _load(file)
        text = _compile(face)
        wanted[ROOT / "compiled/components" / f"{name}.yaml"] = text
        wanted[file.parent / "README.md"] = component_readme(face.python_func, yaml.safe_load(text), catalogue[name])
    for name, file in pipelines.items():
        pipeline = _load(file)
        wanted[ROOT / "compiled/pipelines" / f"{name}.yaml"] = _compile(pipeline)
        wanted[ROOT / "compiled/kubeflow" / f"{name}.yaml"] = _compile(for_kubeflow(pipeline))
    return wanted


def differences(wanted: dict[Path, str]) -> dict[Path, str]:
    """Return what is wrong on disk: path to "missing", "differs" or "has no source"."""
    found = {path: "missing" if not path.is_file() else "differs" for path, text in wanted.items() if _read(path) != text}
    left = [path for path in ROOT.glob("compiled/**/*") if path.is_file() and path not in wanted]
    return found | dict.fromkeys(sorted(left), "has no source")


def main() -> None:
    """Write or check, and say how many files there are."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail on any difference")
    check = parser.parse_args().check
    wanted = generate()
    wrong = differences(wanted)
    for path, problem in wrong.items():
        print(f"{path.relative_to(ROOT)}: {problem if check else 'written' if path in wanted else 'removed'}")
        if not check:
            _write(path, wanted.get(path))
    if check and wrong:
        sys.exit(f"compile: {len(wrong)} of {len(wanted)} generated files are not what the sources make; run: make compile")
    print(f"compile: {len(wanted)} generated files are up to date")


def _load(file: Path) -> Any:
    module = importlib.import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))
    name = file.parent.name
    if not hasattr(module, name):
        sys.exit(f"compile: {file.relative_to(ROOT)} has no function {name!r}; name the function like its folder")
    return getattr(module, name)


def _compile(target: Any) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "target.yaml"
        compiler.Compiler().compile(target, str(path))
        return path.read_text(encoding="utf-8")


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _write(path: Path, text: str | None) -> None:
    if text is None:
        path.unlink()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
