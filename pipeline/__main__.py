"""The command ``barometer``; ``python -m pipeline`` is the same."""

from __future__ import annotations

import signal

from pipeline.cli.app import app
from pipeline.cli.output import STOP, leave_at_once


def main() -> None:
    """Runs one verb and leaves with its exit code."""
    for number in STOP:
        signal.signal(number, leave_at_once)  # until a verb has loaded what it needs
    app(prog_name="barometer")


if __name__ == "__main__":
    main()
