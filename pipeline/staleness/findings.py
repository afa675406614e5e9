"""What the checks that inform have found, kept beside the output that each has judged.

A finding stands as long as that output, and every run shows it until what it tells of has been fixed: with
the output its finding goes, and a check whose finding is gone, or was made of other declarations, is made
again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pipeline.catalogue import Catalogue, Wave, fingerprint
from pipeline.staleness.outputs import product_folder, read_json, wave_folder, write_json

WAVE_CHECKS = {
    "coverage": "harmonised_wave",
    "labels": "harmonised_wave",
    "nothing_ticked": "harmonised_wave",
    "weights": "weighted_wave",
}  # with the step whose output they judge
PRODUCT_CHECKS = {"shares": "estimates", "jumps": "estimates", "agreement": "estimates"}


def edition_before(wave: Wave, catalogue: Catalogue) -> Wave | None:
    """The edition before a wave, in its own survey."""
    series = [other for other in catalogue.waves.values() if _survey(other) == _survey(wave)]
    series.sort(key=lambda other: (other.reference_period.end, other.edition, other.key))
    at = series.index(wave)
    return series[at - 1] if at else None


def _survey(wave: Wave) -> tuple[str, str, str, str]:
    return wave.country, wave.survey, wave.status, wave.source.kind


def keep_finding(check: str, wave: str, passed: bool, message: str, catalogue: Catalogue) -> None:
    """Keeps what a check has found of a wave, or of the estimates of all of them (``wave`` is "")."""
    made_from = _declared(wave, catalogue)
    write_json(_file(check, wave, catalogue), {"passed": passed, "message": message, "made_from": made_from})


def checks_due(wave: str, catalogue: Catalogue) -> bool:
    """Whether a check of a built wave, or of the estimates (``wave`` is ""), has yet to be made."""
    declared = _declared(wave, catalogue)
    return any(
        _kept(check, wave, catalogue).get("made_from") != declared for check in _checks(wave, catalogue)
    )


def findings(waves: Sequence[str], catalogue: Catalogue) -> Iterator[dict[str, str]]:
    """What is worth a look: of each of these waves, then of the estimates; check, wave and message."""
    for wave in (*waves, ""):
        for check in _checks(wave, catalogue):
            kept = _kept(check, wave, catalogue)
            if kept.get("passed") is False:
                yield {"check": check, "wave": wave, "message": str(kept["message"])}


def _checks(wave: str, catalogue: Catalogue) -> Mapping[str, str]:
    if not wave:
        return PRODUCT_CHECKS
    return WAVE_CHECKS if catalogue.waves[wave].is_microdata else {}


def _file(check: str, wave: str, catalogue: Catalogue) -> Path:
    step = _checks(wave, catalogue)[check]
    folder = wave_folder(catalogue.root, step, wave) if wave else product_folder(catalogue.root, step)
    return folder / f"{check}.finding.json"


def _kept(check: str, wave: str, catalogue: Catalogue) -> dict[str, int | float | str]:
    try:
        return read_json(_file(check, wave, catalogue))
    except (OSError, ValueError):  # not made yet, or not written to the end
        return {}


def _declared(wave: str, catalogue: Catalogue) -> str:
    """What a finding rests on besides the output beside it: what is declared of the edition before."""
    before = edition_before(catalogue.waves[wave], catalogue) if wave else None
    if before is None:
        return ""
    mapped = sorted(catalogue.mapped_variables(before)) if before.is_microdata else []
    return fingerprint(before.key, mapped, before.response.respondents)
