"""What is wrong with the input, said so that its owner can mend it.

Here belong the one shape of a fault and the one exception that carries faults to a user.
Finding faults belongs to the rooms that read the input.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Fault:
    """One thing wrong with the input: where it stands, what it says and how to mend it.

    ``file`` is relative to the barometer's folder; ``key`` is the TOML path, the column or the line
    that holds ``value``. Neither ``value`` nor ``message`` may ever hold a respondent's answer next
    to anything that identifies the respondent.
    """

    file: str
    key: str
    message: str
    mend: str
    value: str | None = None
    wave: str | None = None  # set when only this wave is at fault: the others go on

    def __str__(self) -> str:
        place = self.file + (f", {self.key}" if self.key else "")
        given = "" if self.value is None else f" ({self.value!r})"
        return f"{place}: {self.message}{given}. {self.mend}"

    def as_dict(self) -> dict[str, str | None]:
        """The fault as plain values, for machines."""
        return asdict(self)


def wave_fault(wave: str, key: str, message: str, mend: str, value: str | None = None) -> Fault:
    """A fault of a wave's file, at a TOML path: it stops this wave alone."""
    return Fault(f"schemas/waves/{wave}.toml", key, message, mend, value, wave)


class FaultError(Exception):
    """Raised when the input is at fault. It carries every fault found, never only the first."""

    def __init__(self, faults: Fault | Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = (faults,) if isinstance(faults, Fault) else tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))
