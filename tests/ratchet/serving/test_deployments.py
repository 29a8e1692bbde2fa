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
