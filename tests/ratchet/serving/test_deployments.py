"""Deployments: the named ones only, or all of the ledger."""

from ratchet.settings import Settings
from tests.ratchet.serving.gateways import GOOD, office, promote, until


def test_without_names_all_are_served_and_a_new_one_is_picked_up(taught, tmp_path):
    with office(tmp_path, taught("binary"), discovery_seconds=0.05) as made:
        promote(Settings(home=tmp_path), "second", taught("binary"), "4")
        until(lambda: made.post("/predict/second", json=GOOD).status_code == 200)
        assert made.post("/predict/second", json=GOOD).json()["version"] == "4"
        promote(Settings(home=tmp_path), "second", taught("regression"), "5")
        until(lambda: made.post("/predict/second", json=GOOD).json().get("version") == "5")
        assert "value" in made.post("/predict/second", json=GOOD).json()["predictions"][0]


def test_with_names_no_other_is_served(taught, tmp_path):
    promote(Settings(home=tmp_path), "second", taught("binary"), "4")
    with office(tmp_path, taught("binary"), names=("fraud",), discovery_seconds=0.05) as made:
        assert made.post("/predict/second", json=GOOD).status_code == 404
        assert made.post("/predict/fraud", json=GOOD).status_code == 200


def test_a_ledger_that_is_gone_is_not_made_anew_and_what_was_served_is_served_on(taught, tmp_path):
    with office(tmp_path, taught("binary"), discovery_seconds=0.05) as made:
        files = list(tmp_path.glob("ledger*"))
        assert files
        for file in files:
            file.unlink()
        looks = []
        made.app.deployments._names, look = lambda: looks.append(1) or look(), made.app.deployments._names
        until(lambda: len(looks) > 3)
        assert not [file.name for file in tmp_path.glob("ledger*") if file.suffix != ".lock"]
        assert made.post("/predict/fraud", json=GOOD).status_code == 200
