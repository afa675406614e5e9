"""``barometer ui``: Dagster's own screens for this barometer, with the runs of ``barometer run``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pipeline.catalogue import load_catalogue
from pipeline.defs.execution import dagster_home
from pipeline.extras import optional


def open_dagster(root: Path, port: int) -> None:
    """Becomes ``dagster dev`` until it is stopped.

    Raises ProblemError when the folder holds no barometer, or the extra ``ui`` is not installed.
    """
    load_catalogue(root)
    optional("dagster_webserver", "ui", file="", key="ui", value=str(port))
    environment = {
        "DAGSTER_HOME": str(dagster_home(root)),
        "BAROMETER_PROJECT": str(root),
        "PYTHONWARNINGS": "ignore",
    }
    command = [
        sys.executable,
        "-m",
        "dagster",
        "dev",
        "-m",
        "pipeline.definitions",
        "-h",
        "127.0.0.1",
        "-p",
        str(port),
    ]
    os.chdir(root)
    os.execve(sys.executable, command, os.environ | environment)
