"""A process in which kfp's DockerRunner runs a compiled pipeline: ``python -m tests.containers.runner REQUEST``.

A process of its own, because `kfp.local.init` is for all of a process, and because all output then goes to one log.
"""

import json
import os
import sys
import warnings
from pathlib import Path


def main(request: Path) -> None:
    """Run what the request names; each container can write to nothing but the folders that are mounted, and reach nobody."""
    from docker.types import Mount
    from kfp import components, local

    warnings.filterwarnings("ignore", message="You may be attemping to run a task", category=RuntimeWarning)
    asked = json.loads(request.read_text(encoding="utf-8"))
    os.umask(0)  # kfp makes folders in which the containers' user writes
    runner = local.DockerRunner(
        network_mode="none",
        read_only=True,
        tmpfs={"/tmp": "mode=1777"},
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        mounts=[Mount(path, path, type="bind", read_only=only_read) for path, only_read in asked["mounts"].items()],
    )
    local.init(runner=runner, pipeline_root=asked["root"], raise_on_error=True)
    components.load_component_from_file(asked["pipeline"])(**asked["arguments"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
