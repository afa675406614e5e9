"""``python -m benchmarks [cube | small | clusters | calibration | peers | simulation | site | differences
| fuzz | all | report]``.

``all`` leaves out ``fuzz``, which measures no speed. ``report`` puts the kept results into
``docs/performance.md``.
"""

from __future__ import annotations

import sys
from importlib import import_module

from benchmarks import report

ROOMS = {
    "small": "benchmarks.small",
    "calibration": "benchmarks.calibration",
    "clusters": "benchmarks.clusters",
    "cube": "benchmarks.cube",
    "peers": "benchmarks.peers.run",
    "simulation": "benchmarks.simulation",
    "site": "benchmarks.site",
    "differences": "benchmarks.differences",
    "fuzz": "benchmarks.fuzz",
}
ALONE = ("fuzz",)  # no speed: run by its name only


def main() -> None:
    """Runs what the command line names; everything when it names nothing."""
    named = sys.argv[1:] or ["all"]
    unknown = [name for name in named if name not in (*ROOMS, "all", "report")]
    if unknown:
        sys.exit(f"There is no benchmark {unknown[0]}. There are: {', '.join([*ROOMS, 'all', 'report'])}.")
    for name in ROOMS:
        if name in named or ("all" in named and name not in ALONE):
            import_module(ROOMS[name]).run()
    if "all" in named or "report" in named:
        report.fill()


if __name__ == "__main__":
    main()
