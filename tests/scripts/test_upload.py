import json
from pathlib import Path

import pytest

from ratchet import catalog
from ratchet.errors import ParameterError
from scripts.upload import upload
from tests.kubeflow import Kubeflow

pytestmark = pytest.mark.slow  # a real client and a server


def config(path: Path, **kubeflow: str) -> Path:
    path.write_text(json.dumps({"kubeflow": kubeflow}), encoding="utf-8")
    return path


def test_a_version_is_uploaded_once_and_nothing_is_started(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Kubeflow() as server:
        place = config(tmp_path / "staging.yaml", host=server.url)
        upload("delivery", place)
        upload("delivery", place)
        (stored,) = server.uploads.values()
        assert stored == catalog.pipeline_path("delivery", kubeflow=True).read_bytes()
        assert not server.runs
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("(uploaded)")
    assert second.endswith("(there already)")


def test_a_place_that_is_not_said_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KF_PIPELINES_ENDPOINT", raising=False)
    with pytest.raises(ParameterError, match=r"kubeflow\.host is missing"):
        upload("delivery", config(tmp_path / "staging.yaml", experiment="nightly"))
