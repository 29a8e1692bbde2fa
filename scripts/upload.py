"""Upload a compiled pipeline to Kubeflow as the version that it is, and start nothing.

    python -m scripts.upload delivery --config pipelines/delivery/configs/staging.yaml

CI does this on its own before it submits, so that a version is there for people and schedules to start even where CI submits nothing. A
version that is there already is left alone: its name has the file's digest.
"""

import argparse
import sys
from pathlib import Path

from ratchet.catalog import pipeline_path
from ratchet.errors import RatchetError
from ratchet.submit.configuration import Configuration
from ratchet.submit.kubeflow.calls import Calls, Patience
from ratchet.submit.kubeflow.installation import Installation
from ratchet.submit.kubeflow.upload import prepare
from ratchet.submit.parameters import CompiledPipeline


def upload(name: str, config: Path) -> None:
    """Upload one pipeline of the catalogue.

    Args:
        name: Its name.
        config: A configuration file; its section ``kubeflow`` says where.

    Raises:
        ParameterError: there is no such pipeline, or the section cannot be used.
        SubmissionError: the server refused or cannot be reached.
    """
    pipeline = CompiledPipeline.read(pipeline_path(name, kubeflow=True))
    place = Installation.read(Configuration.read(config).kubeflow)
    prepare(place.client(), Calls(place.host, place.seconds[2], Patience()), pipeline, place, lambda line: print(line, flush=True))


def main() -> None:
    """Upload, and say what was there already."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pipeline", help="name of a pipeline in the catalogue")
    parser.add_argument("--config", type=Path, required=True, help="configuration file that says where Kubeflow is")
    given = parser.parse_args()
    try:
        upload(given.pipeline, given.config)
    except RatchetError as error:
        sys.exit(f"upload: {error}")


if __name__ == "__main__":
    main()
