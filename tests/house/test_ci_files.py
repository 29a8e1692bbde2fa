"""What CI does, by the three files that say it: each step's script is run with programs that only record that they were called.

So the order, the conditions and the variables are those that CI would meet; what can run on any machine is run for real further below.
"""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
FILES = {"cloudbuild": "cloudbuild.yaml", "github": ".github/workflows/release.yml", "gitlab": "examples/gitlab/.gitlab-ci.yml"}
OURS = (".ci/run", ".venv/bin/python", ".venv/bin/ratchet", ".venv/bin/uv")  # called by their path from the repository's root
PROGRAMS = ("make", "gcloud", "docker", "git", "apt-get")
ACTIONS = {
    "test": r"\.ci/run$",
    "build": r"scripts\.images build",
    "push": r"scripts\.images push",
    "lock": r"scripts\.images lock",
    "check": r"scripts\.images check --release$",
    "compile": r"^make compile$",
    "compile-check": r"^make compile-check$",
    "upload": r"scripts\.upload delivery|gcloud storage cp",
    "submit": r"ratchet submit",
    "wheel": r"hatchling build -t wheel",
    "publish": r"uv publish|^uses pypa/gh-action-pypi-publish",
    "candidate": r"^git push",
}
MADE = ("test", "build", "push", "lock", "check", "compile")
NEEDS: dict[str, tuple[str, ...]] = {
    "build": MADE[:1],
    "push": MADE[:2],
    "lock": MADE[:3],
    "compile": MADE[:5],
    "candidate": MADE,
    "upload": MADE,
    "submit": (*MADE, "upload"),
    "wheel": ("test", "check", "compile-check"),
    "publish": ("test", "check", "compile-check", "wheel"),
}
MAIN, TAG, TOPIC = ("main", ""), ("", "v1.2.3"), ("topic", "")


@dataclass(frozen=True)
class Step:
    """One script or one action, and the variables that it is given."""

    name: str
    script: str
    variables: Mapping[str, str] = field(default_factory=dict)
    uses: str = ""


def parsed(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / FILES[name]).read_text(encoding="utf-8"))
    return loaded


def cloudbuild(file: Mapping[str, Any], branch: str, tag: str) -> Iterator[list[Step]]:
    """The one way through: each step after the one before it; conditions are in the scripts."""
    built_in = {"PROJECT_ID": "p", "COMMIT_SHA": "c0ffee", "BRANCH_NAME": branch, "TAG_NAME": tag}
    given = built_in | {name: f"<{name}>" for name in file["substitutions"]} | {"_ENVIRONMENT": file["substitutions"]["_ENVIRONMENT"]}
    yield [Step(step["id"], step["script"], given) for step in file["steps"]]


def github(file: Mapping[str, Any], branch: str, tag: str) -> Iterator[list[Step]]:
    """A way for each job that nothing needs: what it needs, then the job. What it does not need may run later, so it does not count."""
    jobs = file["jobs"]
    conditions = {"": True, "github.ref == 'refs/heads/main'": branch == "main", "startsWith(github.ref, 'refs/tags/v')": bool(tag)}

    def way(job: str) -> list[str]:
        needed = jobs[job].get("needs", [])
        return [*(name for before in ([needed] if isinstance(needed, str) else needed) for name in way(before)), job]

    last = set(jobs) - {name for job in jobs for name in way(job)[:-1]}
    for job in sorted(last):
        names = way(job)
        if all(conditions[jobs[name].get("if", "")] for name in names):
            yield [step for name in names for step in _github_steps(file, jobs[name])]


def _github_steps(file: Mapping[str, Any], job: Mapping[str, Any]) -> list[Step]:
    given = {"GITHUB_SHA": "c0ffee", **file.get("env", {}), **job.get("env", {})}
    return [
        Step(step.get("name", ""), step.get("run", ""), {**given, **step.get("env", {})}, step.get("uses", "")) for step in job["steps"]
    ]


def gitlab(file: Mapping[str, Any], branch: str, tag: str) -> Iterator[list[Step]]:
    """The one way through: stage after stage."""
    predefined = ("CI_COMMIT_SHA", "CI_REGISTRY", "CI_REGISTRY_IMAGE", "CI_JOB_TOKEN", "CI_API_V4_URL", "CI_PROJECT_ID")
    given = dict.fromkeys(predefined, "<predefined>") | file["variables"]
    conditions = {"$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH": branch == "main", "$CI_COMMIT_TAG =~ /^v/": bool(tag)}
    jobs = {name: _extended(file, name) for name in file if isinstance(file[name], dict) and "stage" in file[name]}
    run = {name: job for name, job in jobs.items() if any(conditions[rule["if"]] for rule in job.get("rules", [])) or "rules" not in job}
    yield [
        Step(name, "\n".join([*job.get("before_script", []), *job["script"]]), given)
        for stage in file["stages"]
        for name, job in run.items()
        if job["stage"] == stage
    ]


def _extended(file: Mapping[str, Any], name: str) -> dict[str, Any]:
    job = file[name]
    return {**(_extended(file, job["extends"]) if "extends" in job else {}), **job}


WAYS = {"cloudbuild": cloudbuild, "github": github, "gitlab": gitlab}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder like the checkout's root, whose programs record their arguments and do nothing."""
    calls = tmp_path / "calls"
    for name in (*OURS, *(f"bin/{program}" for program in PROGRAMS)):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            f'#!/bin/sh\necho "{name.removeprefix("bin/")} $*" | sed "s/ *$//" >> {shlex.quote(str(calls))}\n', encoding="utf-8"
        )
        path.chmod(0o755)
    return tmp_path


def play(checkout: Path, steps: Sequence[Step]) -> list[str]:
    """Run the scripts as CI does, stopping at the first failure, and return the calls; a variable that nobody declared is a failure."""
    calls = checkout / "calls"
    calls.write_text("", encoding="utf-8")
    for step in steps:
        if step.uses:
            with calls.open("a", encoding="utf-8") as sink:
                sink.write(f"uses {step.uses}\n")
            continue
        environment = {"PATH": f"{checkout / 'bin'}:/usr/bin:/bin", **step.variables}
        done = subprocess.run(["bash", "-euc", step.script], cwd=checkout, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{step.name}: {done.stderr}"
    return calls.read_text(encoding="utf-8").splitlines()


def actions(calls: Sequence[str]) -> list[str]:
    """What the calls come to; calls that only prepare are left out."""
    return [action for call in calls for action, pattern in ACTIONS.items() if re.search(pattern, call)]


def wrong(done: Sequence[str]) -> list[str]:
    """What was done before what it needs."""
    return [f"{action} before {need}" for at, action in enumerate(done) for need in NEEDS.get(action, ()) if need not in done[:at]]


@pytest.mark.parametrize("name", FILES)
def test_main_publishes_and_submits_only_what_is_tested_pushed_locked_and_compiled(name: str, checkout: Path) -> None:
    ways = [actions(play(checkout, steps)) for steps in WAYS[name](parsed(name), *MAIN)]
    assert [wrong(done) for done in ways] == [[] for _ in ways]
    assert [*MADE, "upload", "submit"] in ways
    assert all(done[: len(MADE)] == [*MADE] for done in ways)


@pytest.mark.parametrize("name", FILES)
def test_a_tag_builds_no_image_and_makes_the_wheel_of_a_commit_that_holds_digests(name: str, checkout: Path) -> None:
    (done,) = (actions(play(checkout, steps)) for steps in WAYS[name](parsed(name), *TAG))
    assert done == ["test", "check", "compile-check", "wheel", "publish"]


def test_another_branch_publishes_nothing(checkout: Path) -> None:
    (done,) = (actions(play(checkout, steps)) for steps in cloudbuild(parsed("cloudbuild"), *TOPIC))
    assert done == ["test", "build"]
    assert [actions(play(checkout, steps)) for steps in gitlab(parsed("gitlab"), *TOPIC)] == [["test"]]


@pytest.mark.parametrize("at", range(6))
def test_two_steps_that_changed_places_are_found(at: int, checkout: Path) -> None:
    file = parsed("cloudbuild")
    steps = file["steps"]
    steps[at], steps[at + 1] = steps[at + 1], steps[at]
    (done,) = (actions(play(checkout, way)) for way in cloudbuild(file, *MAIN))
    assert wrong(done), done


@pytest.mark.parametrize("job", ["images", "submit", "candidate", "wheel"])
def test_a_job_that_forgets_what_it_needs_is_found(job: str, checkout: Path) -> None:
    file = parsed("github")
    del file["jobs"][job]["needs"]
    assert any(wrong(actions(play(checkout, way))) for way in github(file, *(TAG if job == "wheel" else MAIN)))


@pytest.mark.parametrize("name", FILES)
def test_an_environment_is_a_configuration_of_the_repository(name: str) -> None:
    text = (ROOT / FILES[name]).read_text(encoding="utf-8")
    (environment,) = set(re.findall(r"^ *_?ENVIRONMENT: (\S+)", text, re.MULTILINE))
    assert (ROOT / f"pipelines/delivery/configs/{environment}.yaml").is_file()


def test_a_substitution_of_cloud_build_is_declared_and_used() -> None:
    text = (ROOT / FILES["cloudbuild"]).read_text(encoding="utf-8")
    used = set(re.findall(r"\$\{?(_[A-Z]+)", text))
    assert used == set(parsed("cloudbuild")["substitutions"])


def test_each_program_of_ours_that_ci_calls_is_there(checkout: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for name in FILES:
        for way in (way for event in (MAIN, TAG) for way in WAYS[name](parsed(name), *event)):
            for call in play(checkout, way):
                words = call.split()
                if words[0] == "make":
                    assert words[1] in targets, call
                if words[0] == ".ci/run":
                    assert (ROOT / words[0]).is_file()
                if words[1:2] == ["-m"] and words[2].startswith("scripts."):
                    assert (ROOT / words[2].replace(".", "/")).with_suffix(".py").is_file(), call


def test_github_gives_each_job_its_least_and_pins_what_it_runs() -> None:
    file = parsed("github")
    assert file["permissions"] == {}
    assert {name: job["permissions"] for name, job in file["jobs"].items()} == {
        "test": {"contents": "read"},
        "images": {"contents": "read", "id-token": "write"},
        "candidate": {"contents": "write"},
        "submit": {"contents": "read"},
        "wheel": {"contents": "read", "id-token": "write"},
    }
    used = [step["uses"] for job in file["jobs"].values() for step in job["steps"] if "uses" in step]
    assert not [action for action in used if not re.search(r"@v\d+\.\d+\.\d+$", action)]


@pytest.mark.slow
@pytest.mark.parametrize("environment", ["staging", "production"])
@pytest.mark.parametrize("name", FILES)
def test_what_ci_submits_is_a_request_that_can_be_made(name: str, environment: str, checkout: Path) -> None:
    ways = [play(checkout, steps) for steps in WAYS[name](parsed(name), *MAIN)]
    (call,) = {call for way in ways for call in way if "ratchet submit" in call}
    command = call.replace("staging", environment).removeprefix(".venv/bin/ratchet ").split()
    ratchet = [sys.executable, "-c", "from ratchet.cli.main import main; main()"]
    done = subprocess.run([*ratchet, *command, "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "card-fraud" in json.dumps(json.loads(done.stdout))


@pytest.mark.slow
def test_the_wheel_that_ci_builds_is_built(checkout: Path, tmp_path: Path) -> None:
    (way,) = cloudbuild(parsed("cloudbuild"), *TAG)
    (call,) = (call for call in play(checkout, way) if "hatchling" in call)
    command = call.removeprefix(".venv/bin/python ").removesuffix("dist").split()
    done = subprocess.run([sys.executable, *command, str(tmp_path / "made")], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [path.suffix for path in (tmp_path / "made").iterdir()] == [".whl"]
