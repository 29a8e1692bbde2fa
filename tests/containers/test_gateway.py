"""The gateway's image in production's shape: a ledger in PostgreSQL, two replicas behind one port, customers who never stop asking."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ratchet.delivery.ledger import Ledger, ModelRef
from ratchet.settings import Settings
from tests.containers.replicas import CONTAINED, Clients, Replica, proxy
from tests.postgres import PostgreSQL
from tests.ratchet.serving.conftest import small_package
from tests.ratchet.serving.gateways import until

pytestmark = pytest.mark.containers
ROW = {"amount": 12.5, "hour": 7}
SOON = 10.0  # seconds; a change takes effect within one, and this machine has other things to do


@pytest.fixture(scope="module")
def nginx() -> str:
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        pytest.skip("no nginx here to put two replicas behind one port; on Debian: apt-get install nginx-light")
    return found


@dataclass
class Installation:
    """Two replicas behind one URL, and the ledger that they follow."""

    url: str
    replicas: tuple[Replica, ...]
    ledger: Ledger
    models: tuple[ModelRef, ...]

    def promote(self, number: int) -> str:
        """Make a model the champion; return its version."""
        generation = self.ledger.deployment("shop").generation
        self.ledger.promote("shop", self.models[number], generation=generation, who="the test", why="better")
        return self.models[number].version

    def served(self) -> list[str]:
        """Return the version that each replica answers with."""
        return [replica.client.post("/predict/shop", json=ROW).json()["version"] for replica in self.replicas]


@pytest.fixture
def installation(built: Callable[[str], str], nginx: str, postgresql: PostgreSQL, tmp_path: Path) -> Iterator[Installation]:
    image, url = built("gateway"), postgresql.new_database()
    ledger = Ledger.open(Settings(home=tmp_path / "home", ledger_url=url))
    store, traffic = tmp_path / "store", tmp_path / "traffic"
    models = []
    for number in range(2):
        path, digest = small_package(store / str(number) / "model", seed=number)
        models.append(ModelRef(str(number), digest, str(path)))
    traffic.mkdir()
    for folder in (store, *(path for path in store.rglob("*") if path.is_dir())):
        folder.chmod(0o755)
    traffic.chmod(0o777)  # the image has a user of its own, and here its volume is a folder of ours
    postgresql.folder.chmod(0o711)
    ledger.promote("shop", models[0], generation=0, who="the test", why="the first")
    mounts = {store: "ro", traffic: "rw", postgresql.folder: "ro"}
    variables = {"RATCHET_LEDGER_URL": url, "RATCHET_HOME": "/tmp/home", "RATCHET_TRAFFIC": str(traffic)}  # its /tmp, in its own memory
    replicas = tuple(Replica(image, mounts, variables) for _ in range(2))
    try:
        for replica in replicas:
            try:
                until(replica.ready)
            except AssertionError as error:
                raise AssertionError(f"{error}; the replica's log ends: {replica.log()[-3000:]}") from None
        with proxy(nginx, [replica.port for replica in replicas], tmp_path) as front:
            yield Installation(front, replicas, ledger, tuple(models))
    finally:
        for replica in replicas:
            replica.remove()


def test_a_promotion_reaches_both_one_is_killed_and_no_customer_notices(installation: Installation) -> None:
    with Clients(installation.url, "/predict/shop", ROW) as clients:
        until(lambda: clients.answers["0"] > 100)
        promoted = installation.promote(1)
        until(lambda: installation.served() == [promoted, promoted], SOON)
        until(lambda: clients.answers[promoted] > 100)
        installation.replicas[0].kill()
        alone = clients.answers[promoted]
        until(lambda: clients.answers[promoted] > alone + 500)
    assert clients.failures == []
    assert set(clients.answers) == {"0", promoted}


def test_an_image_has_no_pip_no_compiler_no_root_and_says_what_it_is(built: Callable[[str], str]) -> None:
    looked = "id -u; for tool in pip pip3 uv gcc cc apk; do command -v $tool; done; python3 -m pip --version; touch /opt/x"
    for family in ("tabular", "gateway"):
        done = subprocess.run(["docker", "run", "--rm", *CONTAINED, built(family), "sh", "-c", looked], capture_output=True, text=True)
        assert done.stdout.split() == ["10001"]
        assert "No module named pip" in done.stderr
        assert "Read-only file system" in done.stderr
        labels = ["docker", "image", "inspect", "--format", '{{index .Config.Labels "org.opencontainers.image.title"}}', built(family)]
        assert subprocess.run(labels, capture_output=True, text=True, check=True).stdout.strip() == f"ratchet-{family}"
