"""Medians of interleaved repeats, each method beside the others in one run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping


def interleaved(methods: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Median wall seconds of each method; the methods take turns, after one warm-up round."""
    seconds: dict[str, list[float]] = {name: [] for name in methods}
    for turn in range(repeats + 1):
        for name, method in methods.items():
            started = time.perf_counter()
            method()
            if turn:
                seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(taken) for name, taken in seconds.items()}
