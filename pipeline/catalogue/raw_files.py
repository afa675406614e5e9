"""Whether a file that a wave names lies in ``warehouse/raw`` and can be read."""

from __future__ import annotations

from pathlib import Path

from pipeline.atomic import inside


def raw_fault(root: Path, name: str) -> tuple[str, str] | None:
    """Message and hint for a file that is not there, leads elsewhere or cannot be opened; None for any other.

    ``warehouse/raw`` itself may be a link, to a disk of raw files; a file in it may not, since it would let a
    declaration read any file of the machine.
    """
    folder = root / "warehouse" / "raw"
    try:
        path = inside(folder, name)
        if not path.is_file():
            return "is not in warehouse/raw", "Put the file there."
        with path.open("rb"):
            return None
    except (ValueError, RuntimeError):  # RuntimeError: a link to itself
        return "leads out of warehouse/raw", "Put the file itself there, not a link to another place."
    except OSError as error:
        return f"cannot be read: {error.strerror}", "Name a file in warehouse/raw that you may read."
