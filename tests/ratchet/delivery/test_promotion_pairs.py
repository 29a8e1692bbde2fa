"""A stacked model's way through registry and ledger: both packages are looked at, both deployments move, both aliases follow."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ratchet.cli.main import app
from ratchet.data.tables import read_dataset
from ratchet.delivery.advance import Sight, advance
from ratchet.delivery.aliases import reconcile
from ratchet.delivery.beginning import begin_rollout
from ratchet.delivery.champion import find_champion
from ratchet.delivery.conclusion import conclude
from ratchet.delivery.decision import Seen
from ratchet.delivery.mlflow_store import open_client
from ratchet.delivery.policy import Policy
from ratchet.delivery.promotion import promote_in_run, promote_version, rollback_in_run, rollback_now
from ratchet.delivery.registry import Lineage, register_model
from ratchet.delivery.verification import settle, verify
from ratchet.errors import NeededError, PackageError, RegistryError, UnknownDeploymentError
from ratchet.features.spec import FeatureSpec
from ratchet.models.boosting import CatBoostNative, pool
from ratchet.models.description import Description
from ratchet.models.package import ModelPackage, write_package
from ratchet.models.stacking import copy_encoder, name_encoder, stacked_matrix
from tests.autoencoders import linear_package

pytestmark = pytest.mark.slow

BY = {"who": "anna", "why": "by hand"}
SPEC = FeatureSpec("binary", "fraud", {"amount": "number", "hour": "integer"}, ("amount", "hour"), classes=("0", "1"))


class Pair:
    """The deployments of a stacked model and its encoder, whose packages are made as they are asked for."""

    def __init__(self, world, name: str, folder: Path) -> None:
        self.world, self.name, self.encoder, self.folder = world, name, f"{name}-encoder", folder
        self.table = read_dataset(world.reference)

    @property
    def ledger(self):
        return self.world.ledger

    @property
    def standing(self) -> tuple[str, str]:
        champions = [self.ledger.deployment(name).champion for name in (self.name, self.encoder)]
        return tuple(champion.version if champion else "" for champion in champions)

    def register_encoder(self, seed: int):
        path = self.folder / f"encoder-{seed}"
        if not path.exists():
            linear_package(path, SPEC.as_anomaly(), self.table, latent=1, threshold=1.0 + seed, seed=seed)
        return path, self.register(self.encoder, path)

    def register(self, name: str, path: Path):
        lineage = Lineage(name, 0, "a run", {}, {})
        return register_model(path, self.world.reference, self.world.schema, lineage=lineage, settings=self.world.settings)

    def stacked(self, seed: int):
        """Train, pack and register a stacked model on the encoder of the same number; return its version."""
        path, encoder = self.register_encoder(seed)
        return self.register(self.name, self.pack(path, self.encoder, encoder.version, seed))

    def pack(self, encoder_path: Path, name: str, version: str, seed: int = 1) -> Path:
        """Train a small stacked model on an encoder and pack it; the package says that the encoder has this name and version."""
        encoder = ModelPackage.load(encoder_path)
        native = trained(self.table, encoder, seed)
        description = Description("catboost", SPEC, 0.5, {}, seed, "none", (), name_encoder(encoder, name, version))

        def write(folder: Path) -> None:
            native.write(folder)
            copy_encoder(encoder, folder)

        target = self.folder / f"stacked-{seed}-{version}"
        return target if target.exists() else write_package(target, description, write, self.table).path

    def promote(self, seed: int, run_id: str):
        version = self.stacked(seed).version
        generation = self.ledger.deployment(self.name).generation
        change = promote_in_run(self.name, version, generation=generation, run_id=run_id, why="better", ledger=self.ledger)
        assert change.word == "promoted"
        return change

    def find(self, name: str, place: str):
        places = {f"{what}_path": self.folder / place / what for what in ("model", "reference", "schema")}
        return find_champion(name, run_id="looker", ledger=self.ledger, **places)


def trained(table, encoder: ModelPackage, seed: int) -> CatBoostNative:
    from catboost import CatBoost

    labels = (table["amount"] + 3 * seed > table["hour"]).to_numpy().astype(int)
    options = {"loss_function": "Logloss", "iterations": 8, "depth": 3, "thread_count": 1, "allow_writing_files": False, "verbose": False}
    return CatBoostNative(CatBoost(options).fit(pool(stacked_matrix(SPEC, encoder, table), labels)), "binary")


@pytest.fixture
def pair(world, name, tmp_path):
    return Pair(world, name, tmp_path)


def test_a_run_promotes_both_and_the_aliases_of_both_follow(pair):
    pair.promote(1, "run-1")
    change = pair.promote(2, "run-2")
    assert pair.standing == ("2", "2")
    assert change.encoder == f"{pair.encoder} version 2, promoted"
    assert f"| encoder | {pair.encoder} version 2, promoted |" in change.page("Promote").markdown()
    assert pair.world.aliases(pair.name) == pair.world.aliases(pair.encoder) == {"champion": "2", "previous": "1"}


def test_the_registry_says_of_a_stacked_model_which_encoder_it_needs(pair):
    with open_client(pair.world.settings) as client:
        version = client.get_model_version(pair.name, pair.stacked(1).version)
        assert client.get_run(version.run_id).data.tags["ratchet.encoder"] == f"{pair.encoder} version 1"


def test_a_run_that_failed_verification_takes_both_back(pair):
    pair.promote(1, f"{pair.name}-1")
    pair.promote(2, f"{pair.name}-2")
    change = rollback_in_run(pair.name, run_id=f"{pair.name}-2", why="it does not load", ledger=pair.ledger)
    assert (change.word, change.encoder) == ("rolled back", f"{pair.encoder} version 1, rolled back")
    assert pair.standing == ("1", "1")
    assert pair.world.aliases(pair.name) == pair.world.aliases(pair.encoder) == {"champion": "1"}


def test_by_hand_both_go_forward_and_back_and_the_encoder_alone_does_not(pair):
    pair.promote(1, f"{pair.name}-1")
    second = pair.stacked(2)
    assert promote_version(pair.name, second.version, settings=pair.world.settings, **BY).effect == "applied"
    assert pair.standing == ("2", "2")
    with pytest.raises(NeededError, match=f"ratchet rollback {pair.name}$"):
        rollback_now(pair.encoder, settings=pair.world.settings, **BY)
    assert pair.standing == ("2", "2")
    rollback_now(pair.name, settings=pair.world.settings, **BY)
    assert pair.standing == ("1", "1")


def test_a_person_sees_the_pair_in_every_answer(pair, monkeypatch):
    monkeypatch.setenv("RATCHET_HOME", str(pair.world.settings.home))
    monkeypatch.setenv("COLUMNS", "200")
    pair.promote(1, f"{pair.name}-1")
    version = pair.stacked(2).version

    def said(*arguments: str) -> str:
        done = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
        assert done.exit_code == 0
        return done.stdout

    assert f"its encoder: {pair.encoder} version 2, promoted" in said("promote", pair.name, version)
    assert f"version 2 with {pair.encoder} 2" in said("status", pair.name)
    assert f"version 2 with {pair.name}" in said("status", pair.encoder)
    with pytest.raises(NeededError):
        said("rollback", pair.encoder)
    assert f"its encoder: {pair.encoder} version 1, rolled back" in said("rollback", pair.name)
    history = said("history", pair.name)
    assert history.index(f"encoder: {pair.encoder} version 2, promoted") < history.index(f"encoder: {pair.encoder} version 1, rolled back")
    assert f"with {pair.name} (version 2 " in said("history", pair.encoder)


@pytest.mark.parametrize("file", ["model.cbm", "encoder/model.onnx"])
def test_a_damaged_stacked_model_never_becomes_champion(pair, file):
    model = pair.stacked(1)
    path = Path(model.uri) / file
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(PackageError, match=f"{Path(file).name}' is damaged"):
        promote_version(pair.name, model.version, settings=pair.world.settings, **BY)
    assert pair.standing == ("", "")


def test_a_registered_encoder_that_is_damaged_gone_or_another_holds_back_its_model(pair):
    model = pair.stacked(1)
    _, encoder = pair.register_encoder(1)
    _, other = pair.register_encoder(2)
    stored = Path(encoder.uri)
    kept = shutil.copytree(stored, pair.folder / "kept")

    def promote() -> None:
        promote_version(pair.name, model.version, settings=pair.world.settings, **BY)

    (stored / "model.onnx").write_bytes(b"")
    with pytest.raises(PackageError, match=r"model\.onnx"):
        promote()
    shutil.rmtree(stored)
    with pytest.raises(RegistryError, match="nothing is stored"):
        promote()
    shutil.copytree(Path(other.uri), stored)
    with pytest.raises(PackageError, match="it was replaced"):
        promote()
    assert pair.standing == ("", "")
    shutil.rmtree(stored)
    shutil.copytree(kept, stored)
    promote()
    assert pair.standing == ("1", "1")


def test_a_model_that_names_a_version_the_registry_does_not_have_is_not_promoted(pair):
    path, _ = pair.register_encoder(1)
    model = pair.register(pair.name, pair.pack(path, pair.encoder, "9"))
    with pytest.raises(UnknownDeploymentError, match="has no version '9'"):
        promote_version(pair.name, model.version, settings=pair.world.settings, **BY)


def test_a_model_that_was_trained_on_another_encoder_than_it_names_is_not_promoted(pair):
    """The registry was wiped and filled again: the version is there, and is not what the model was trained on."""
    path, _ = pair.register_encoder(1)
    _, other = pair.register_encoder(2)
    model = pair.register(pair.name, pair.pack(path, pair.encoder, other.version))
    with pytest.raises(PackageError, match=r"the registry's is sha256:.*: train the model again"):
        promote_version(pair.name, model.version, settings=pair.world.settings, **BY)


def test_a_model_whose_encoder_is_not_the_registered_one_is_unfit_before_its_trial(pair):
    path, _ = pair.register_encoder(1)
    _, other = pair.register_encoder(2)
    model = pair.register(pair.name, pair.pack(path, pair.encoder, other.version))
    how = {"generation": 0, "run_id": f"{pair.name}-1", "why": "better", "policy": Policy()}
    begun = begin_rollout(pair.name, model.version, ledger=pair.ledger, **how)
    assert begun.verdict == "unfit"
    assert "train the model again" in begun.reason


def test_the_next_run_settles_the_pair_that_a_dead_run_promoted(pair):
    pair.promote(1, f"{pair.name}-died")
    assert pair.find(pair.name, "found").version == "1"
    assert pair.ledger.outcome(f"{pair.name}-died").word == "promoted"


@pytest.mark.parametrize("first", ["model", "encoder"])
def test_a_damaged_pair_of_a_dead_run_is_taken_back_whichever_is_looked_at_first(pair, first):
    pair.promote(1, f"{pair.name}-1")
    assert verify(pair.name, run_id=f"{pair.name}-1", ledger=pair.ledger).verdict == "healthy"
    pair.world.damage(pair.promote(2, f"{pair.name}-died").deployment.champion)
    name = pair.name if first == "model" else pair.encoder
    assert pair.find(name, "found").version == "1"
    assert pair.standing == ("1", "1")
    assert pair.ledger.outcome(f"{pair.name}-died").word == "rolled back"
    assert pair.world.aliases(pair.name) == pair.world.aliases(pair.encoder) == {"champion": "1"}


def test_an_encoder_whose_stacked_model_is_not_live_any_more_is_settled_in_peace(pair, name):
    pair.promote(1, f"{pair.name}-died")
    other = pair.world.register(pair.name, 0)
    promote_version(pair.name, other.version, settings=pair.world.settings, **BY)
    assert settle(pair.encoder, run_id="looker", ledger=pair.ledger) == []
    assert pair.standing == (other.version, "1")


def test_the_exit_task_takes_both_back_where_a_run_ended_unverified(pair):
    pair.promote(1, f"{pair.name}-1")
    pair.promote(2, f"{pair.name}-2")
    done = conclude(pair.name, run_id=f"{pair.name}-2", open_ledger=lambda uri: pair.ledger)
    assert done.outcome.word == "rolled back"
    assert done.aborted.endswith(f"its encoder: {pair.encoder} version 1, rolled back")
    assert pair.standing == ("1", "1")


def test_a_watch_that_does_not_hold_takes_both_back(pair):
    pair.promote(1, f"{pair.name}-1")
    second, ledger = pair.stacked(2), pair.ledger
    policy = Policy(watch=3600.0)
    ledger.begin(pair.name, second, policy, generation=1, who="run 2", why="better")
    promote_in_run(pair.name, second.version, generation=2, run_id=f"{pair.name}-2", why="better", ledger=ledger)
    assert ledger.deployment(pair.name).phase == "watch"

    def worse(rollout, as_of):
        return Sight("abort", "worse on later labels", Seen(500, 500, 500, 1.0, 500))

    done = advance(pair.name, run_id=f"{pair.name}-3", ledger=ledger, observe=worse)
    assert done.verdict == "rollback"
    assert pair.standing == ("1", "1")
    pair.find(pair.name, "found")
    assert pair.world.aliases(pair.encoder) == {"champion": "1"}


def test_an_encoder_s_own_run_cannot_take_it_from_a_live_champion(pair):
    _, encoder = pair.register_encoder(1)
    run = f"{pair.name}-e"
    promote_in_run(pair.encoder, encoder.version, generation=0, run_id=run, why="better", ledger=pair.ledger)
    pair.promote(1, f"{pair.name}-1")
    damaged = Path(encoder.uri) / "model.onnx"
    damaged.write_bytes(damaged.read_bytes()[:-1])
    change = rollback_in_run(pair.encoder, run_id=run, why="it does not load", ledger=pair.ledger)
    assert (change.word, change.effect) == ("held", "none")
    assert f"ratchet rollback {pair.name}" in change.reason
    assert pair.standing == ("1", "1")
    said = settle(pair.encoder, run_id="looker", ledger=pair.ledger)
    assert "cannot be rolled back by itself" in said[-1]


def test_a_challenger_that_is_aborted_leaves_the_encoder_alone(pair):
    pair.promote(1, f"{pair.name}-1")
    second = pair.stacked(2)
    pair.ledger.begin(pair.name, second, Policy(), generation=1, who="run 2", why="better")
    rollback_now(pair.name, settings=pair.world.settings, **BY)
    assert pair.standing == ("1", "1")
    assert pair.ledger.deployment(pair.encoder).generation == 1


def test_a_stacked_model_whose_encoder_is_not_registered_moves_alone(pair):
    path, _ = pair.register_encoder(1)
    model = pair.register(pair.name, pair.pack(path, "", ""))
    promote_version(pair.name, model.version, settings=pair.world.settings, **BY)
    assert pair.standing == (model.version, "")


def test_aliases_and_heads_that_a_crash_left_behind_are_brought_up_by_the_next_run(pair):
    pair.promote(1, f"{pair.name}-1")
    verify(pair.name, run_id=f"{pair.name}-1", ledger=pair.ledger)
    second, ledger = pair.stacked(2), pair.ledger

    def die(phase: str) -> None:
        if phase == "after the commit":
            raise KeyboardInterrupt

    ledger.checkpoint = die
    with pytest.raises(KeyboardInterrupt):
        promote_version(pair.name, second.version, settings=pair.world.settings, ledger=ledger, **BY)
    assert pair.world.aliases(pair.encoder)["champion"] == "1"
    assert pair.ledger.verify_chain(pair.encoder).head == "behind"
    assert pair.find(pair.name, "found").version == "2"
    assert not reconcile(pair.ledger, pair.encoder)
    assert pair.world.aliases(pair.encoder) == {"champion": "2", "previous": "1"}
    assert pair.ledger.verify_chain(pair.encoder).head == "confirmed"
