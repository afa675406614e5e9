"""Libraries that only some barometers need: the extras of the distribution, imported when they are needed."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from pipeline.problems import Problem, ProblemError


def optional(
    module: str, extra: str, *, file: str, key: str, value: str, wave: str | None = None
) -> ModuleType:
    """The module of an extra. Raises ProblemError, at the key that needs it, when it is not installed."""
    try:
        return import_module(module)
    except ImportError:
        hint = f"Install it: pip install 'barometer[{extra}]'."
        raise ProblemError(
            Problem(file, key, f"needs the extra `{extra}`, which is not installed", hint, value, wave)
        ) from None
