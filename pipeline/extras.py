"""Libraries that only some barometers need: the extras of the distribution, imported when they are needed."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from pipeline.faults import Fault, FaultError


def optional(
    module: str, extra: str, *, file: str, key: str, value: str, wave: str | None = None
) -> ModuleType:
    """The module of an extra. Raises FaultError, about what asked for it, where it is not installed."""
    try:
        return import_module(module)
    except ImportError:
        mend = f"Install it: pip install 'barometer[{extra}]'."
        raise FaultError(Fault(file, key, f"needs the extra `{extra}`", mend, value, wave)) from None
