"""The process in which kfp.local runs a compiled pipeline: ``python -m ratchet.submit.runner REQUEST``.

It is a process of its own so that its whole output goes to one log file, so that it can be stopped as one group, and so that the
command itself need not import kfp.
"""

import json
import sys
import warnings
from pathlib import Path

from ratchet.errors import ParameterError


def run(request: Path) -> None:
    """Run the pipeline that a request file names.

    Args:
        request: JSON with ``pipeline`` (path of the compiled YAML), ``arguments`` and ``root`` (folder for artifacts).

    Raises:
        RuntimeError: a step failed; its message names the step.
    """
    from kfp import components, local

    # kfp suspects any image whose name lacks "python"; ours are Python images, and here their steps run in this environment.
    warnings.filterwarnings("ignore", message="You may be attemping to run a task", category=RuntimeWarning)
    asked = json.loads(request.read_text(encoding="utf-8"))
    local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root=asked["root"], raise_on_error=True)
    components.load_component_from_file(asked["pipeline"])(**asked["arguments"])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise ParameterError("usage: python -m ratchet.submit.runner REQUEST.json")
    run(Path(sys.argv[1]))
