"""What the checks that inform have found, kept beside the output that each has judged.

A finding stands as long as that output, and every run shows it until what it tells of has been fixed: with
the output its finding goes, and a check whose finding is gone, or was made of other declarations or by other
code, is made again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.atomic import remove
from pipeline.catalogue import Catalogue, Wave, fingerprint
from pipeline.catalogue.wordings import says_none
from pipeline.staleness.code import code
from pipeline.staleness.outputs import product_folder, read_damaged, wave_folder, write_json

CHECKS = ("quality", "declared_facts")  # the modules of the checks, among the steps
WAVE_CHECKS = {
    "coverage": "harmonised_wave",
    "quarantine": "harmonised_wave",
    "response": "harmonised_wave",
    "item_nonresponse": "harmonised_wave",
    "routing": "harmonised_wave",
    "outliers": "harmonised_wave",
    "thousands": "harmonised_wave",
    "labels": "harmonised_wave",
    "nothing_ticked": "harmonised_wave",
    "weights": "weighted_wave",
    "replicates": "weighted_wave",
    "lonely_psus": "weighted_wave",
}  # with the step whose output they judge
PRODUCT_CHECKS = dict.fromkeys(
    ("shares", "jumps", "agreement", "scopes", "shared_units", "copies"), "estimates"
)


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
    made_from = _made_from(wave, catalogue)
    file = _file(check, wave, catalogue)
    remove(file)
    write_json(file, {"passed": passed, "message": message, "made_from": made_from})


def checks_due(wave: str, catalogue: Catalogue) -> bool:
    """Whether a check of a built wave, or of the estimates (``wave`` is ""), has yet to be made."""
    made_from = _made_from(wave, catalogue)
    return any(
        _kept(check, wave, catalogue).get("made_from") != made_from for check in _checks(wave, catalogue)
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


def _kept(check: str, wave: str, catalogue: Catalogue) -> dict[str, Any]:
    return read_damaged(_file(check, wave, catalogue))


def _made_from(wave: str, catalogue: Catalogue) -> str:
    """What a finding rests on besides the output beside it: the checks, limits and declarations.

    Of a wave, its response, what is left open of multiple questions and what the edition before asked; of
    all, which of them are a panel, and the n of the least cell.
    """
    checks = [code(module) for module in CHECKS]
    if not wave:
        panels = [(key, declared.panel) for key, declared in catalogue.waves.items()]
        return fingerprint(checks, panels, catalogue.barometer.disclosure.min_n)
    limits = (catalogue.barometer.validation, catalogue.barometer.estimation.lonely_psu)
    used = sorted({key for each in catalogue.indicators.values() for key in catalogue.questions_of(each)})
    said = [(key, says_none(question)) for key, question in catalogue.questions.items()]
    own = (catalogue.waves[wave].response, limits, used, said)
    before = edition_before(catalogue.waves[wave], catalogue)
    if before is None:
        return fingerprint(checks, own)
    mapped = sorted(catalogue.mapped_variables(before)) if before.is_microdata else []
    return fingerprint(checks, own, before.key, mapped, before.response.respondents)
