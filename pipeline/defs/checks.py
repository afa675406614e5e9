"""The asset checks: each reads what an asset made and asks ``pipeline.steps.quality`` for its finding.

``contract`` blocks: a wave that breaks it goes no further. So do ``disclosure`` and ``package``: no warehouse
and no site is made of a candidate that fails them. The others inform.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd

from pipeline import comparison
from pipeline.catalogue import Catalogue, Wave
from pipeline.defs.resources import Project, plain_problems
from pipeline.release import check_untouched
from pipeline.release_store import SUMS
from pipeline.staleness.files import hash_of_file
from pipeline.staleness.findings import edition_before, keep_finding
from pipeline.staleness.outputs import product_folder, wave_folder, wave_report
from pipeline.staleness.run_problems import keep_problems
from pipeline.steps import declared_facts, quality
from pipeline.steps.comparisons import unit_ids
from pipeline.steps.data_package import AUDIT
from pipeline.steps.quality import Finding


def contract(context: dg.AssetCheckExecutionContext, project: Project) -> dg.AssetCheckResult:
    """Only declared columns and codes, and few rows in quarantine."""
    with plain_problems(project):
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
    with plain_problems(project):
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


def quarantine(context: dg.AssetCheckExecutionContext, project: Project) -> dg.AssetCheckResult:
    """Every row of the raw file that belongs to the wave could be used."""
    with plain_problems(project):
        wave, catalogue = _wave(context, project)
        if not wave.is_microdata:
            return _result(Finding(True, "published figures have no rows of respondents"))
        folder = wave_folder(catalogue.root, "harmonised_wave", wave.key)
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        found = quality.quarantine(report, pd.read_parquet(folder / "quarantine.parquet"))
        return _keep("quarantine", wave.key, found, catalogue)


def labels(context: dg.AssetCheckExecutionContext, project: Project) -> dg.AssetCheckResult:
    """The labels of a labelled file say what its codes and columns are mapped to."""
    return _report_check("labels", context, project)


def nothing_ticked(context: dg.AssetCheckExecutionContext, project: Project) -> dg.AssetCheckResult:
    """It is known what nothing ticked of a multiple question means."""
    return _report_check("nothing_ticked", context, project)


def weights(context: dg.AssetCheckExecutionContext, project: Project) -> dg.AssetCheckResult:
    """Weights in a sensible range, and every margin met."""
    return _report_check("weights", context, project)


def response(context: dg.AssetCheckExecutionContext, project: Project) -> dg.AssetCheckResult:
    """As many units answered as is declared."""
    return _report_check("response", context, project)


def item_nonresponse(context: dg.AssetCheckExecutionContext, project: Project) -> dg.AssetCheckResult:
    """Most of those asked gave an answer that counts."""
    return _report_check("item_nonresponse", context, project)


def routing(context: dg.AssetCheckExecutionContext, project: Project) -> dg.AssetCheckResult:
    """Questions answered by those to whom they were put."""
    return _report_check("routing", context, project)


def outliers(context: dg.AssetCheckExecutionContext, project: Project) -> dg.AssetCheckResult:
    """No number a thousand times the others."""
    return _report_check("outliers", context, project)


def thousands(context: dg.AssetCheckExecutionContext, project: Project) -> dg.AssetCheckResult:
    """No decimal mark that may be one between thousands."""
    return _report_check("thousands", context, project)


def replicates(context: dg.AssetCheckExecutionContext, project: Project) -> dg.AssetCheckResult:
    """Replicate weights that are as many as their method makes, no two alike."""
    return _report_check("replicates", context, project)


def lonely_psus(context: dg.AssetCheckExecutionContext, project: Project) -> dg.AssetCheckResult:
    """Few strata of one sampling unit that count as certain."""
    return _report_check("lonely_psus", context, project)


def shares(project: Project) -> dg.AssetCheckResult:
    """The shares of a single-choice question sum to 100."""
    return _estimates_check("shares", quality.shares, project)


def jumps(project: Project) -> dg.AssetCheckResult:
    """No share moves further between two editions than is likely."""
    return _estimates_check("jumps", quality.jumps, project)


def agreement(project: Project) -> dg.AssetCheckResult:
    """Estimates from microdata agree with what is published of the same survey and edition."""
    return _estimates_check("agreement", quality.agreement, project)


def scopes(project: Project) -> dg.AssetCheckResult:
    """Every wave holds what comparable waves hold, or declares its scope."""
    with plain_problems(project):
        catalogue = project.declarations()
        stored = pd.read_parquet(product_folder(catalogue.root, "estimates") / "estimates.parquet")
        held = {
            key: wave_report(catalogue.root, "harmonised_wave", key)["background"]
            for key in stored["wave"].unique()
            if catalogue.waves[key].is_microdata
        }
        return _keep("scopes", "", declared_facts.scopes(held, catalogue), catalogue)


def shared_units(project: Project) -> dg.AssetCheckResult:
    """Of every two waves of a survey it is known whether units answered in both."""
    with plain_problems(project):
        catalogue = project.declarations()
        unsettled = [
            (a.key, b.key)
            for a, b in _pairs(catalogue)
            if comparison.shared_units(a, b, lambda wave: unit_ids(wave, catalogue)) == comparison.UNKNOWN
        ]
        return _keep("shared_units", "", declared_facts.shared_units(unsettled), catalogue)


def copies(project: Project) -> dg.AssetCheckResult:
    """No wave is a copy of another one of its survey."""
    with plain_problems(project):
        catalogue = project.declarations()
        found = [
            (a.key, b.key)
            for a, b in _pairs(catalogue)
            if declared_facts.is_copy(_answers(a, catalogue), _answers(b, catalogue))
        ]
        return _keep("copies", "", declared_facts.copies(found), catalogue)


def disclosure(project: Project) -> dg.AssetCheckResult:
    """Every candidate is unchanged since its disclosure audit, which found no hidden cell disclosed."""
    with plain_problems(project):
        root = project.declarations().root
        sums = {name: hash_of_file(path / SUMS) for name, path in _candidates(root).items()}
        return _result(quality.disclosure(_audit_records(root), sums))


def package(project: Project) -> dg.AssetCheckResult:
    """Every candidate package is, to the byte, the one that was found sound when it was made."""
    with plain_problems(project):
        root = project.declarations().root
        records, candidates = _audit_records(root), _candidates(root)
        problems = {
            name: check_untouched(path, records[name]["sha256sums"]) for name, path in candidates.items()
        }
        return _result(quality.package(problems))


def _audit_records(root: Path) -> dict[str, Any]:
    """The audit record of each candidate, as written when it was made."""
    folder = product_folder(root, "data_package")
    return {name: json.loads((folder / f"{name}{AUDIT}").read_text("utf-8")) for name in _candidates(root)}


def _candidates(root: Path) -> dict[str, Path]:
    """The candidates that the last run made; what else lies beside them is nobody's."""
    records = sorted(product_folder(root, "data_package").glob(f"*{AUDIT}"))
    names = [record.name.removesuffix(AUDIT) for record in records]
    return {name: root / "warehouse" / "candidate" / name for name in names}


def checks(partitions: dg.PartitionsDefinition[str]) -> list[dg.AssetChecksDefinition]:
    """The checks of one barometer; ``partitions`` are its waves."""
    wave_checks = [
        dg.asset_check(asset=asset, blocking=check is contract, partitions_def=partitions)(check)
        for asset, check in (
            ("harmonised_wave", contract),
            ("harmonised_wave", coverage),
            ("harmonised_wave", quarantine),
            ("harmonised_wave", response),
            ("harmonised_wave", item_nonresponse),
            ("harmonised_wave", routing),
            ("harmonised_wave", outliers),
            ("harmonised_wave", thousands),
            ("harmonised_wave", labels),
            ("harmonised_wave", nothing_ticked),
            ("weighted_wave", weights),
            ("weighted_wave", replicates),
            ("weighted_wave", lonely_psus),
        )
    ]
    informing = [
        dg.asset_check(asset="estimates")(check)
        for check in (shares, jumps, agreement, scopes, shared_units, copies)
    ]
    protecting = [
        dg.asset_check(asset="data_package", blocking=True)(check) for check in (disclosure, package)
    ]
    return [*wave_checks, *informing, *protecting]


def _wave(context: dg.AssetCheckExecutionContext, project: Project) -> tuple[Wave, Catalogue]:
    return project.wave(context.partition_key), project.declarations()


def _stored(wave: Wave, catalogue: Catalogue) -> pd.DataFrame:
    name = "answers.parquet" if wave.is_microdata else "figures.parquet"
    return pd.read_parquet(wave_folder(catalogue.root, "harmonised_wave", wave.key) / name)


def _answers(wave: Wave, catalogue: Catalogue) -> pd.DataFrame:
    """The answers of a wave, by background variable and question."""
    names = ["unit", *sorted(catalogue.mapped_variables(wave))]
    return pd.read_parquet(
        wave_folder(catalogue.root, "harmonised_wave", wave.key) / "answers.parquet", columns=names
    )


def _pairs(catalogue: Catalogue) -> list[tuple[Wave, Wave]]:
    """Every two estimated waves of microdata of one survey."""
    stored = pd.read_parquet(product_folder(catalogue.root, "estimates") / "estimates.parquet")
    return declared_facts.survey_pairs([catalogue.waves[key] for key in stored["wave"].unique()])


def _report_check(
    check: str, context: dg.AssetCheckExecutionContext, project: Project
) -> dg.AssetCheckResult:
    with plain_problems(project):
        wave, catalogue = _wave(context, project)
        if not wave.is_microdata:
            return _result(Finding(True, "published figures have no units to count"))
        return _keep(check, wave.key, declared_facts.judged(check, wave, catalogue), catalogue)


def _estimates_check(
    check: str, judge: Callable[[pd.DataFrame, Catalogue], Finding], project: Project
) -> dg.AssetCheckResult:
    with plain_problems(project):
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
