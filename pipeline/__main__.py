"""The command ``barometer``; ``python -m pipeline`` is the same."""

from __future__ import annotations

from pipeline.cli.app import app


def main() -> None:
    """Runs one verb and leaves with its exit code."""
    app(prog_name="barometer")


if __name__ == "__main__":
    main()
