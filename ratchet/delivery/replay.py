"""Load a stored package in a fresh process, as a server would, and predict its recorded rows again.

Run as ``python -m ratchet.delivery.replay`` with a request as JSON on standard input (a secret's reference must not stand in the list of
processes); the answer is one line of JSON on standard output. Within the process that trained or promoted the model, state that a
server will not have could hide that the package alone is not enough.
"""

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ratchet.delivery.deployment import ModelRef
from ratchet.settings import Settings

if TYPE_CHECKING:
    import numpy as np

TOLERANCE = 1e-9
# A network sums in float32, and another kind of processor sums in another order: for an error e of about 1 that is some 1e-6, of which
# a damaged model, whose manifest does not hold either, is far away.
RELATIVE = {"autoencoder": 1e-5}
ABSOLUTE = {"autoencoder": 1e-6}
SPARED = 100  # a stacked model: one row in so many; its trees may turn at that last place of an embedding, and then jump
TIMEOUT = 600.0


@dataclass(frozen=True, slots=True)
class Replay:
    """What replaying the recorded rows showed.

    Attributes:
        healthy: Every prediction equals the recorded one to 1e-9; an autoencoder's error to 1e-6 and a hundred-thousandth of itself.
        reason: Why, or why not.
        rows: Number of rows replayed.
        largest: Largest difference; None when nothing could be predicted.
    """

    healthy: bool
    reason: str
    rows: int = 0
    largest: float | None = None


def replay(model: ModelRef, settings: Settings, *, timeout: float = TIMEOUT) -> Replay:
    """Replay a stored model's recorded rows in a fresh process.

    Never raises for what the package does to that process: damage, a crash and a hang are all answers.

    Args:
        model: The version, as stored.
        settings: The installation.
        timeout: Seconds after which a load that hangs has failed.
    """
    request = json.dumps({"model": asdict(model), "settings": settings.model_dump(mode="json")})
    root = str(Path(__file__).resolve().parents[2])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH", "")])]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "ratchet.delivery.replay"],
            input=request,
            capture_output=True,
            text=True,
            timeout=timeout,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Replay(False, f"{model} did not load and predict within {timeout:g} s")
    if done.returncode != 0 or not done.stdout.strip():
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return Replay(False, f"loading {model} ended the process with status {done.returncode}: {last}")
    return Replay(**json.loads(done.stdout.strip().splitlines()[-1]))


def replay_here(model: ModelRef, settings: Settings) -> Replay:
    """Replay in this process; what the fresh one does.

    Args:
        model: The version, as stored.
        settings: The installation.
    """
    from ratchet.delivery.storage import package_of
    from ratchet.errors import RatchetError

    try:
        from ratchet.models.package import ModelPackage

        with package_of(model, settings) as folder:
            package = ModelPackage.load(folder, key=settings.signing())
            frame, recorded = package.examples()
            limits = {"absolute": ABSOLUTE.get(package.kind, TOLERANCE), "relative": RELATIVE.get(package.kind, 0.0)}
            spare = len(recorded) // SPARED if package.nested else 0
            return judge(str(model), recorded, package.predict(frame), spare=spare, **limits)
    except RatchetError as error:
        return Replay(False, str(error))
    except Exception as error:  # a native loader may raise anything; a server would not come up either
        return Replay(False, f"{model} does not load and predict: {type(error).__name__}: {error}")


def judge(
    name: str,
    recorded: "np.ndarray[Any, Any]",
    predicted: "np.ndarray[Any, Any]",
    *,
    absolute: float = TOLERANCE,
    relative: float = 0.0,
    spare: int = 0,
) -> Replay:
    """Compare predictions with the recorded ones.

    Args:
        name: What was loaded, for the message.
        recorded: Predictions at training time, shape (n,) or (n, k).
        predicted: The same rows now.
        absolute: By how much a prediction may differ,
        relative: and by which share of the recorded one besides.
        spare: Rows that may differ by more, if only by a finite number.

    >>> import numpy as np
    >>> judge("version 1", np.array([0.5, 0.25]), np.array([0.5, 0.75])).reason
    'version 1: prediction 1 of 2 differs by 0.5 from the recorded one (at most 1e-09 is allowed)'
    """
    import numpy as np

    if len(recorded) == 0:
        return Replay(False, f"{name} holds no recorded rows, so it cannot be verified")
    if recorded.shape != predicted.shape:
        return Replay(False, f"{name}: {predicted.shape} predictions for {recorded.shape} recorded ones", len(recorded))
    apart = np.abs(predicted - recorded)
    difference = apart.reshape(len(recorded), -1).max(axis=1)
    beyond = (apart - relative * np.abs(recorded)).reshape(len(recorded), -1).max(axis=1)
    beyond = np.where(np.isnan(beyond), np.inf, beyond)
    worst = int(np.argsort(-beyond, kind="stable")[spare if np.isfinite(beyond).all() else 0])
    largest = float(difference[worst])
    if not beyond[worst] <= absolute:  # NaN is not small
        what = f"prediction {worst} of {len(recorded)} differs by {largest:.3g} from the recorded one"
        allowed = f"{absolute:g}{f' and {relative:g} of it' if relative else ''}"
        return Replay(False, f"{name}: {what} (at most {allowed} is allowed)", len(recorded), None if largest != largest else largest)
    others = int((beyond > absolute).sum())
    return Replay(
        True,
        f"{name} loads in a fresh process and predicts {len(recorded)} recorded rows as recorded{f', but {others}' if others else ''}",
        len(recorded),
        float(difference.max()),
    )


def main() -> None:
    """Answer one request from standard input."""
    request = json.loads(sys.stdin.read())
    answer = replay_here(ModelRef(**request["model"]), Settings(**request["settings"]))
    print(json.dumps(asdict(answer)))


if __name__ == "__main__":
    main()
