"""The asset checks: each reads what an asset made and asks ``pipeline.steps.quality`` for its finding.

``contract`` blocks: a wave that breaks it goes no further. So do ``disclosure`` and ``package``: no site is
made of a candidate that fails them. The others inform.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd

from pipeline.catalogue import Catalogue, Wave
from pipeline.defs.resources import Project, plain_problems
from pipeline.release import check_untouched
from pipeline.release_store import SUMS
from pipeline.staleness.files import hash_of_file
from pipeline.staleness.findings import edition_before, keep_finding
from pipeline.staleness.outputs import product_folder, wave_folder
from pipeline.staleness.run_problems import keep_problems
from pipeline.steps import quality
from pipeline.steps.quality import Finding


def contract(context: dg.AssetCheckExecutionContext, project: Project) -> dg.AssetCheckResult:
    """Only declared columns and codes, and few rows in quarantine."""
    with plain_problems():
        wave, catalogue = _wave(context, project)
        folder = wave_folder(catalogue.root, "harmonised_wave", wave.key)
        stored = _stored(wave, catalogue)
        quarantine = pd.read_parquet(folder / "quarantine.parquet") if wave.is_microdata else None
        found = quality.contract(stored, quarantine, wave, catalogue)
        if not found.passed:
            keep_problems(wave.key, [quality.contract_problem(wave.key, found.message)], catalogue)
        return _result(found)


def coverage(context: dg.AssetCheckExecutionContext, project: Project) -> dg.AssetCheckResult:
    """Everything that the survey's edition before asked, of a comparable number of respondents."""
    with plain_problems():
        wave, catalogue = _wave(context, project)
        if not wave.is_microdata:
            return _result(Finding(True, "published figures do not tell which questions were asked"))
        before = edition_before(wave, catalogue)
        found = quality.coverage(
            quality.questions(wave, catalogue),
            len(_stored(wave, catalogue)),
            quality.questions(before, catalogue) if before else None,
            before.response.respondents if before else None,
        )
        return _keep("coverage", wave.key, found, catalogue)


def labels(context: dg.AssetCheckExecutionContext, project: Project) -> dg.AssetCheckResult:
    """The labels of a labelled file say what its codes and columns are mapped to."""
    return _answers_check("labels", lambda report, _: quality.labels(report), context, project)


def nothing_ticked(context: dg.AssetCheckExecutionContext, project: Project) -> dg.AssetCheckResult:
    """It is known what nothing ticked of a multiple question means."""
    return _answers_check("nothing_ticked", quality.nothing_ticked, context, project)


def weights(context: dg.AssetCheckExecutionContext, project: Project) -> dg.AssetCheckResult:
    """Weights in a sensible range, and every margin met."""
    with plain_problems():
        wave, catalogue = _wave(context, project)
        if not wave.is_microdata:
            return _result(Finding(True, "published figures have no weights"))
        report = wave_folder(catalogue.root, "weighted_wave", wave.key) / "report.json"
        found = quality.weights(json.loads(report.read_text(encoding="utf-8")))
        return _keep("weights", wave.key, found, catalogue)


def shares(project: Project) -> dg.AssetCheckResult:
    """The shares of a single-choice question sum to 100."""
    return _estimates_check("shares", quality.shares, project)


def jumps(project: Project) -> dg.AssetCheckResult:
    """No share moves further between two editions than is likely."""
    return _estimates_check("jumps", quality.jumps, project)


def agreement(project: Project) -> dg.AssetCheckResult:
    """Estimates from microdata agree with what is published of the same survey and edition."""
    return _estimates_check("agreement", quality.agreement, project)


def disclosure(project: Project) -> dg.AssetCheckResult:
    """Every candidate is unchanged since its disclosure audit, which found no hidden cell disclosed."""
    with plain_problems():
        root = project.declarations().root
        sums = {name: hash_of_file(path / SUMS) for name, path in _candidates(root).items()}
        return _result(quality.disclosure(_audit_records(root), sums))


def package(project: Project) -> dg.AssetCheckResult:
    """Every candidate package is, to the byte, the one that was found sound when it was made."""
    with plain_problems():
        root = project.declarations().root
        records, candidates = _audit_records(root), _candidates(root)
        problems = {
            name: check_untouched(path, records[name]["sha256sums"]) for name, path in candidates.items()
        }
        return _result(quality.package(problems))


def _audit_records(root: Path) -> dict[str, Any]:
    """The audit record of each candidate, as written when it was made."""
    folder = product_folder(root, "data_package")
    return {
        name: json.loads((folder / f"{name}.audit.json").read_text("utf-8")) for name in _candidates(root)
    }


def _candidates(root: Path) -> dict[str, Path]:
    return {path.name: path for path in sorted((root / "warehouse" / "candidate").glob("[!.]*/"))}


def checks(partitions: dg.PartitionsDefinition[str]) -> list[dg.AssetChecksDefinition]:
    """The checks of one barometer; ``partitions`` are its waves."""
    wave_checks = [
        dg.asset_check(asset=asset, blocking=check is contract, partitions_def=partitions)(check)
        for asset, check in (
            ("harmonised_wave", contract),
            ("harmonised_wave", coverage),
            ("harmonised_wave", labels),
            ("harmonised_wave", nothing_ticked),
            ("weighted_wave", weights),
        )
    ]
    informing = [dg.asset_check(asset="estimates")(check) for check in (shares, jumps, agreement)]
    protecting = [
        dg.asset_check(asset="data_package", blocking=True)(check) for check in (disclosure, package)
    ]
    return [*wave_checks, *informing, *protecting]


def _wave(context: dg.AssetCheckExecutionContext, project: Project) -> tuple[Wave, Catalogue]:
    return project.wave(context.partition_key), project.declarations()


def _stored(wave: Wave, catalogue: Catalogue) -> pd.DataFrame:
    name = "answers.parquet" if wave.is_microdata else "figures.parquet"
    return pd.read_parquet(wave_folder(catalogue.root, "harmonised_wave", wave.key) / name)


def _answers_check(
    check: str,
    judge: Callable[[Mapping[str, Any], Catalogue], Finding],
    context: dg.AssetCheckExecutionContext,
    project: Project,
) -> dg.AssetCheckResult:
    with plain_problems():
        wave, catalogue = _wave(context, project)
        if not wave.is_microdata:
            return _result(Finding(True, "published figures have no answers"))
        report = wave_folder(catalogue.root, "harmonised_wave", wave.key) / "report.json"
        found = judge(json.loads(report.read_text(encoding="utf-8")), catalogue)
        return _keep(check, wave.key, found, catalogue)


def _estimates_check(
    check: str, judge: Callable[[pd.DataFrame, Catalogue], Finding], project: Project
) -> dg.AssetCheckResult:
    with plain_problems():
        catalogue = project.declarations()
        stored = pd.read_parquet(product_folder(catalogue.root, "estimates") / "estimates.parquet")
        return _keep(check, "", judge(stored, catalogue), catalogue)


def _keep(check: str, wave: str, finding: Finding, catalogue: Catalogue) -> dg.AssetCheckResult:
    """The result of a check that informs; its finding is kept, for runs that find nothing to do."""
    keep_finding(check, wave, finding.passed, finding.message, catalogue)
    return _result(finding)


def _result(finding: Finding) -> dg.AssetCheckResult:
    metadata: dict[str, Any] = dict(finding.numbers)
    if finding.rows:
        records = [dg.TableRecord({key: _plain(value) for key, value in row.items()}) for row in finding.rows]
        metadata["worst"] = dg.MetadataValue.table(records)
    severity = dg.AssetCheckSeverity.ERROR if finding.severity == "error" else dg.AssetCheckSeverity.WARN
    return dg.AssetCheckResult(
        passed=finding.passed, severity=severity, description=finding.message, metadata=metadata
    )


def _plain(value: Any) -> str | int | float | bool | None:
    return value if isinstance(value, (str, int, float, bool)) or value is None else str(value)
