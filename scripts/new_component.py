"""Scaffold a component: its face, the library function behind it with a failing doctest, both tests, its catalogue entry.

    make component NAME=row_count STAGE=data_processing

What it writes is red until it is filled in, and works as soon as the one library function does.
"""

import argparse
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
FLOORS = {
    "data_processing": "data",
    "training": "models",
    "evaluation": "evaluation",
    "deployment": "delivery",
    "monitoring": "drift",
}

FACE = '''from typing import NamedTuple

from kfp import dsl
from kfp.dsl import Dataset, Input, Markdown, Output

from components.images import image


@dsl.component(base_image=image("tabular"), install_kfp_package=False)
def {name}(
    data: Input[Dataset],
    summary: Output[Markdown],
    limit: float = 0.5,
) -> NamedTuple("Outputs", [("verdict", str)]):
    """Say in one line what this step decides.

    Args:
        data: What it looks at.
        summary: Why the verdict is what it is, in words.
        limit: What the decision depends on, with its unit and range.

    Returns:
        verdict: "yes" or "no".
    """
    from pathlib import Path

    from ratchet.{floor}.{name} import {name}

    result = {name}(data.path, limit=limit)
    Path(summary.path).write_text(result.reason, encoding="utf-8")
    return (result.verdict,)
'''

LIBRARY = '''"""Why this module exists, and why not the obvious alternative."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class {result}:
    """What ``{name}`` found.

    Attributes:
        verdict: "yes" or "no".
        reason: Why, in one sentence.
    """

    verdict: str
    reason: str


def {name}(data_path: str, *, limit: float) -> {result}:
    """Return what a pipeline needs to know.

    Args:
        data_path: A dataset: a folder of Parquet parts.
        limit: What the decision depends on, with its unit and range.

    >>> {name}("no/such/folder", limit=0.5).verdict
    'the exact answer'
    """
    raise NotImplementedError
'''

LIBRARY_TEST = """from ratchet.{floor}.{name} import {name}


def test_the_verdict_is_what_the_data_says(tmp_path):
    assert {name}(str(tmp_path), limit=0.5).verdict == "yes"
"""

FACE_TEST = """from kfp.dsl import Dataset, Markdown

from components.{stage}.{name}.component import {name}


def test_the_step_writes_its_verdict_and_says_why(tmp_path):
    outputs = {name}.python_func(Dataset(uri=str(tmp_path)), Markdown(uri=str(tmp_path / "summary.md")))

    assert outputs[0] in ("yes", "no")
    assert (tmp_path / "summary.md").read_text()
"""


def main() -> None:
    """Write the files and say what to do next."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", help="lower_case, a verb or noun from the field, e.g. row_count")
    parser.add_argument("stage", help=" | ".join(FLOORS))
    arguments = parser.parse_args()
    name, stage = arguments.name, arguments.stage
    _refuse_what_cannot_be(name, stage)
    files = _files(name, stage)
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    with (ROOT / "components/catalogue.yaml").open("a", encoding="utf-8") as catalogue:
        catalogue.write(f"{name}:\n  {{stage: {stage}, kind: pure, image: tabular, imports: [numpy, polars, pyarrow]}}\n")
    print("\n".join(str(path.relative_to(ROOT)) for path in files))
    print("fill them in, then: make compile test-fast lint")


def _refuse_what_cannot_be(name: str, stage: str) -> None:
    if stage not in FLOORS:
        sys.exit(f"new_component: stage {stage!r} is none of {', '.join(FLOORS)}")
    if not (name.isidentifier() and name.islower()):
        sys.exit(f"new_component: name {name!r} must be a lower_case Python name, e.g. row_count")
    known = yaml.safe_load((ROOT / "components/catalogue.yaml").read_text(encoding="utf-8")) or {}
    taken = [str(path.relative_to(ROOT)) for path in _files(name, stage) if path.exists()]
    if name in known or taken:
        sys.exit(f"new_component: {name!r} is taken ({', '.join(taken) or 'components/catalogue.yaml'}); choose another name")


def _files(name: str, stage: str) -> dict[Path, str]:
    words = {"name": name, "stage": stage, "floor": FLOORS[stage], "result": f"{name.title().replace('_', '')}Result"}
    return {
        ROOT / "components" / stage / name / "component.py": FACE.format(**words),
        ROOT / "ratchet" / FLOORS[stage] / f"{name}.py": LIBRARY.format(**words),
        ROOT / "tests/components" / stage / f"test_{name}.py": FACE_TEST.format(**words),
        ROOT / "tests/ratchet" / FLOORS[stage] / f"test_{name}.py": LIBRARY_TEST.format(**words),
    }


if __name__ == "__main__":
    main()
