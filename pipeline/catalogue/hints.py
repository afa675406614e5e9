"""Did you mean ...? The nearest allowed value to one that is not allowed."""

from __future__ import annotations

import difflib
from collections.abc import Sequence


def did_you_mean(value: str, options: Sequence[str], cutoff: float = 0.6) -> str:
    """`` Did you mean x?`` when one of the options is close (``cutoff``: how close, to 1), otherwise ""."""
    close = difflib.get_close_matches(value, list(options), n=1, cutoff=cutoff)
    return f" Did you mean {close[0]!r}?" if close else ""
