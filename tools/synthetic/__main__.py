"""``python -m tools.synthetic WAVE ...`` draws synthetic waves again and prints their sha256 and size."""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

from pipeline.catalogue import load_catalogue
from pipeline.problems import ProblemError
from tools.synthetic import synthesise


def main() -> int:
    """Runs the command line; 1 when the input is at fault."""
    parser = argparse.ArgumentParser(prog="python -m tools.synthetic", description=__doc__)
    parser.add_argument("--project", type=Path, default=Path())
    parser.add_argument("waves", nargs="+", metavar="WAVE")
    given = parser.parse_args()
    try:
        catalogue = load_catalogue(given.project)
        for wave in given.waves:
            path, *_ = synthesise(given.project, catalogue, wave)
            content = path.read_bytes()
            print(f'{path.name}\nsha256 = "{hashlib.sha256(content).hexdigest()}"\nbytes = {len(content)}')
    except ProblemError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
