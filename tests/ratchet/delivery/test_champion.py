"""What a run finds at its start: what is live, whole and verified, or the marks that nothing is."""

from pathlib import Path

import pytest
import yaml

from ratchet.data.absent import absent_reason, is_absent
from ratchet.data.tables import read_dataset
from ratchet.delivery.champion import find_champion
from ratchet.delivery.promotion import promote_version
from ratchet.delivery.verification import verify
from ratchet.errors import PackageError, RegistryError
from ratchet.models.package import ModelPackage

pytestmark = pytest.mark.slow


def find(world, name, folder: Path, run_id: str = "looker"):
    places = {f"{what}_path": folder / what for what in ("model", "reference", "schema")}
    return find_champion(name, run_id=run_id, ledger=world.ledger, **places)


def by_hand(world, name):
    """Promote a version that needs no settling."""
    model = world.register(name, 0)
    promote_version(name, model.version, who="anna", why="by hand", settings=world.settings)
    return model


def test_before_the_first_promotion_all_three_say_that_there_is_none(world, name, tmp_path):
    live = find(world, name, tmp_path)
    assert (live.found, live.version, live.generation) == ("no", "", 0)
    assert is_absent(tmp_path / "model")
    assert name in absent_reason(tmp_path / "reference")
    assert yaml.safe_load((tmp_path / "schema").read_text()) == {}


def test_the_champion_comes_with_its_reference_and_schema(world, name, tmp_path):
    model = by_hand(world, name)
    live = find(world, name, tmp_path)
    assert (live.found, live.version, live.generation, live.digest) == ("yes", "1", 1, model.digest)
    assert ModelPackage.load(tmp_path / "model").digest == model.digest
    assert read_dataset(tmp_path / "reference").equals(read_dataset(world.reference))
    assert (tmp_path / "schema").read_text() == world.schema.read_text()


def test_a_promotion_whose_run_died_is_verified_by_the_next_run(world, name, tmp_path):
    world.promote(name, 0, f"{name}-died")
    assert world.ledger.outcome(f"{name}-died").word == "error"
    assert find(world, name, tmp_path).version == "1"
    assert world.ledger.outcome(f"{name}-died").word == "promoted"


def test_a_damaged_promotion_whose_run_died_is_taken_back_by_the_next_run(world, name, tmp_path):
    first = by_hand(world, name)
    world.damage(world.promote(name, 1, f"{name}-died"))
    live = find(world, name, tmp_path / "after")
    assert (live.version, live.generation) == (first.version, 3)
    assert world.ledger.outcome(f"{name}-died").word == "rolled back"
    assert world.aliases(name) == {"champion": "1"}


def test_when_all_that_dead_runs_promoted_is_damaged_nothing_is_live(world, name, tmp_path):
    models = [world.promote(name, number, f"{name}-{number}") for number in range(2)]
    for model in models:
        world.damage(model)
    live = find(world, name, tmp_path)
    assert (live.found, live.generation) == ("no", 4)
    assert is_absent(tmp_path / "model")
    assert world.ledger.verify_chain(name).head == "confirmed"


def test_a_run_does_not_settle_its_own_promotion(world, name, tmp_path):
    world.promote(name, 0, f"{name}-1")
    find(world, name, tmp_path, run_id=f"{name}-1")
    assert "verify" not in world.ledger.verdicts(f"{name}-1")


def test_a_champion_that_was_damaged_long_after_is_an_error_that_names_it(world, name, tmp_path):
    model = by_hand(world, name)
    world.damage(model)
    with pytest.raises(PackageError, match=r"model\.cbm"):
        find(world, name, tmp_path)
    assert not (tmp_path / "model").exists()


def test_a_reference_that_was_damaged_is_an_error(world, name, tmp_path):
    model = by_hand(world, name)
    part = next((Path(model.uri).parent / "beside" / "reference").glob("*.parquet"))
    part.write_bytes(part.read_bytes()[:-1])
    with pytest.raises(RegistryError, match="reference or schema of version 1"):
        find(world, name, tmp_path)


def test_an_autoencoder_is_found_as_it_was_verified_with_a_reference_with_labels_or_without(anomalies, name, tmp_path):
    promoted = anomalies.promote(name, 0, f"{name}-1")
    assert verify(name, run_id=f"{name}-1", ledger=anomalies.ledger).verdict == "healthy"
    live = find(anomalies, name, tmp_path)
    assert (live.found, live.digest) == ("yes", promoted.digest)
    package, reference = ModelPackage.load(tmp_path / "model"), read_dataset(tmp_path / "reference")
    assert (package.digest, package.kind) == (promoted.digest, "autoencoder")
    assert reference.equals(read_dataset(anomalies.reference))
    assert ("defect" in reference.columns) == bool(package.spec.target)
    assert package.predict(reference).shape == (reference.height,)


def test_a_damaged_autoencoder_whose_run_died_is_taken_back_by_the_next_run(anomalies, name, tmp_path):
    first = by_hand(anomalies, name)
    anomalies.damage(anomalies.promote(name, 1, f"{name}-died"))
    assert find(anomalies, name, tmp_path / "after").version == first.version
    assert anomalies.ledger.outcome(f"{name}-died").word == "rolled back"
