"""The assets: every step of the pipeline with what it depends on, and the metadata that Dagster shows.

``wave_source`` stands for the declarations and the raw file of a wave, as people edit them; the four
steps of a wave are partitioned by wave; estimates, warehouse and data package take all sound waves.
"""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import dagster as dg

from pipeline import contracts
from pipeline.catalogue import Catalogue
from pipeline.defs.columns import columns_of, wave_columns
from pipeline.defs.resources import Project, plain_problems
from pipeline.staleness.code import code
from pipeline.staleness.outputs import StepResult, declared_waves
from pipeline.staleness.status import source_version
from pipeline.steps import comparisons as comparison_step
from pipeline.steps import products, waves
from pipeline.steps import site as site_step

WAVES, BAROMETER = "waves", "barometer"


def wave_source(context: dg.OpExecutionContext, project: Project) -> dg.DataVersionsByPartition:
    """A wave as delivered and declared: its raw file, wave file, instrument and the codebook's structure."""
    with plain_problems(project):
        catalogue = project.declarations()
    keys = [context.partition_key] if context.has_partition_key else declared_waves(catalogue.root)
    versions = {key: source_version(key, catalogue) for key in keys}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        return dg.DataVersionsByPartition(versions)


def raw_wave(context: dg.AssetExecutionContext, project: Project) -> dg.MaterializeResult[None]:
    """The raw file, pinned to its declared sha256, every cell kept as text."""
    return _wave_step(waves.raw_wave, context, project)


def harmonised_wave(context: dg.AssetExecutionContext, project: Project) -> dg.MaterializeResult[None]:
    """The answers in the codebook's variables and codes; rows that break the contract are in quarantine."""
    return _wave_step(waves.harmonised_wave, context, project)


def weighted_wave(context: dg.AssetExecutionContext, project: Project) -> dg.MaterializeResult[None]:
    """The harmonised answers with each unit's weight, calibrated to the population's margins."""
    return _wave_step(waves.weighted_wave, context, project)


def wave_statistics(context: dg.AssetExecutionContext, project: Project) -> dg.MaterializeResult[None]:
    """Weighted sums by stratum, PSU, domain and indicator: all that estimates and their variances need."""
    return _wave_step(waves.wave_statistics, context, project)


def estimates(project: Project) -> dg.MaterializeResult[None]:
    """Every sound wave's estimates with standard error, interval and n; unrounded and unsuppressed."""
    return _product(products.estimates, project)


def comparisons(project: Project) -> dg.MaterializeResult[None]:
    """Differences between waves, and of cells from their whole, with verdicts, reasons and tests."""
    return _product(comparison_step.comparisons, project)


def warehouse(project: Project) -> dg.MaterializeResult[None]:
    """barometer.duckdb: microdata, statistics and the published tables, replaced as a whole."""
    return _product(products.warehouse, project)


def data_package(project: Project) -> dg.MaterializeResult[None]:
    """The candidate data packages: what the next release would publish, validated as Data Package 2.0."""
    return _product(products.data_package, project)


def site(project: Project) -> dg.MaterializeResult[None]:
    """The catalogue of the candidate packages as a static site, in every language of the barometer."""
    return _product(site_step.site, project)


def assets(
    partitions: dg.PartitionsDefinition[str], owners: Sequence[str]
) -> list[dg.AssetsDefinition | dg.SourceAsset]:
    """The asset graph of one barometer; ``partitions`` are its waves, ``owners`` those of every step."""
    source = dg.observable_source_asset(
        partitions_def=partitions, group_name=WAVES, description=wave_source.__doc__
    )(wave_source)

    def wave_asset(step: Callable[..., Any], *kinds: str, after: Any) -> dg.AssetsDefinition:
        return _asset(step, kinds, WAVES, [after], owners, partitions_def=partitions)

    raw = wave_asset(raw_wave, "python", "parquet", after=source)
    harmonised = wave_asset(harmonised_wave, "pandas", "pandera", "parquet", after=raw)
    weighted = wave_asset(weighted_wave, "numpy", "parquet", after=harmonised)
    statistics = wave_asset(wave_statistics, "duckdb", "parquet", after=weighted)
    every_wave = dg.AssetDep(statistics, partition_mapping=dg.AllPartitionMapping())
    columns = columns_of(contracts.table("estimates"))
    estimated = _asset(estimates, ("pandas", "parquet"), BAROMETER, [every_wave], owners, metadata=columns)
    compared = _asset(
        comparisons,
        ("pandas", "parquet"),
        BAROMETER,
        [estimated],
        owners,
        metadata=columns_of(contracts.table("comparisons")),
    )
    package = _asset(
        data_package, ("csv", "parquet"), BAROMETER, [estimated, compared], owners, metadata=columns
    )
    built = _asset(warehouse, ("duckdb",), BAROMETER, [estimated, compared, package], owners)
    pages = _asset(site, ("html", "svg"), BAROMETER, [package], owners)
    return [source, raw, harmonised, weighted, statistics, estimated, compared, package, built, pages]


def _asset(
    step: Callable[..., Any],
    kinds: tuple[str, ...],
    group: str,
    deps: list[Any],
    owners: Sequence[str],
    **options: Any,
) -> dg.AssetsDefinition:
    made = dg.asset(
        deps=deps,
        group_name=group,
        kinds=set(kinds),
        owners=list(owners),
        code_version=code(step.__name__)[:12],
        **options,
    )(step)
    assert isinstance(made, dg.AssetsDefinition)
    return made


def _wave_step(
    step: Callable[[str, Catalogue], StepResult], context: dg.AssetExecutionContext, project: Project
) -> dg.MaterializeResult[None]:
    with plain_problems(project):
        catalogue = project.declarations()
        made = step(context.partition_key, catalogue)
        return _materialised(
            made, wave_columns(step.__name__, project.wave(context.partition_key), catalogue)
        )


def _product(step: Callable[[Catalogue], StepResult], project: Project) -> dg.MaterializeResult[None]:
    with plain_problems(project):
        return _materialised(step(project.declarations()), {})


def _materialised(made: StepResult, columns: dict[str, dg.TableSchema]) -> dg.MaterializeResult[None]:
    metadata: dict[str, Any] = {**made.metadata, **columns, "redone": made.redone}
    if "rows" in metadata:
        metadata["dagster/row_count"] = metadata.pop("rows")
    return dg.MaterializeResult(data_version=dg.DataVersion(made.fingerprint), metadata=metadata)
