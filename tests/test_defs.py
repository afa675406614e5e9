"""The Dagster shell: what it knows of a barometer, and how problems, staleness and checks look through it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from pipeline.catalogue import load_catalogue
from pipeline.defs import resources
from pipeline.defs.execution import QUIET, Outcome, Runner
from pipeline.defs.location import definitions
from pipeline.defs.resources import Project
from pipeline.staleness.findings import PRODUCT_CHECKS, WAVE_CHECKS, findings
from pipeline.staleness.run_problems import kept_problems
from pipeline.staleness.status import status
from pipeline.steps import quality, raw_wave, weighted_wave
from tests.barometers import edit, pin

WAVES = ["dk-2020", "dk-2022", "no-2020"]
GRAPH = {
    "wave_source": [],
    "raw_wave": ["wave_source"],
    "harmonised_wave": ["raw_wave"],
    "weighted_wave": ["harmonised_wave"],
    "wave_statistics": ["weighted_wave"],
    "estimates": ["wave_statistics"],
    "comparisons": ["estimates"],
    "data_package": ["comparisons", "estimates"],
    "warehouse": ["comparisons", "data_package", "estimates"],
    "site": ["data_package"],
}
CHECKS = {
    "harmonised_wave": {
        "contract",
        "coverage",
        "quarantine",
        "response",
        "item_nonresponse",
        "routing",
        "outliers",
        "thousands",
        "labels",
        "nothing_ticked",
    },
    "weighted_wave": {"weights", "replicates", "lonely_psus"},
    "estimates": {"shares", "jumps", "agreement", "scopes", "shared_units", "copies"},
    "data_package": {"disclosure", "package"},
}


@pytest.fixture
def instance() -> Any:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def run(barometer: Path, instance: dg.DagsterInstance) -> Runner:
    return Runner(barometer, instance)


def built(run: Runner) -> None:
    for wave in WAVES:
        assert run.ingest(wave) == Outcome(), wave
    assert run.publish().done


def execute(run: Runner, job: str, wave: str | None = None) -> dg.ExecuteInProcessResult:
    return run.defs.resolve_job_def(job).execute_in_process(
        run_config=QUIET, instance=run.instance, partition_key=wave, raise_on_error=False
    )


def materialised(run: Runner, asset: str) -> dg.AssetMaterialization:
    event = run.instance.get_latest_materialization_event(dg.AssetKey(asset))
    assert event is not None and event.asset_materialization is not None
    return event.asset_materialization


def test_the_graph_of_assets(barometer: Path) -> None:
    graph = definitions(barometer).resolve_asset_graph()
    keys = {key.to_user_string(): graph.get(key) for key in graph.get_all_asset_keys()}
    found = {
        name: sorted(parent.to_user_string() for parent in node.parent_keys) for name, node in keys.items()
    }
    assert found == GRAPH
    for name, node in keys.items():
        assert node.description, name
        assert node.group_name == ("barometer" if name in list(GRAPH)[5:] else "waves")
        if name != "wave_source":
            assert node.kinds and node.code_version, name


def test_the_partitions_are_the_wave_files(barometer: Path) -> None:
    graph = definitions(barometer).resolve_asset_graph()
    partitioned = {
        key.to_user_string(): graph.get(key).partitions_def.get_partition_keys()
        for key in graph.get_all_asset_keys()
        if graph.get(key).is_partitioned
    }
    assert partitioned == dict.fromkeys(list(GRAPH)[:5], WAVES)


def test_the_checks_and_which_of_them_block(barometer: Path) -> None:
    found: dict[str, set[str]] = {}
    blocking = set()
    for check in definitions(barometer).asset_checks or ():
        for spec in check.check_specs:
            found.setdefault(spec.asset_key.to_user_string(), set()).add(spec.name)
            blocking |= {spec.name} if spec.blocking else set()
    assert found == CHECKS
    assert blocking == {"contract", "disclosure", "package"}


def test_the_finding_of_every_check_that_does_not_block_is_kept(barometer: Path) -> None:
    specs = [spec for check in definitions(barometer).asset_checks or () for spec in check.check_specs]
    informing = {spec.name: spec.asset_key.to_user_string() for spec in specs if not spec.blocking}
    kept = WAVE_CHECKS | PRODUCT_CHECKS
    left_out = sorted(informing.keys() - kept.keys())
    assert not left_out, (
        f"neither in WAVE_CHECKS nor in PRODUCT_CHECKS of staleness/findings.py, and not blocking: {left_out}"
    )
    assert informing == kept, "a check of staleness/findings.py is not in defs/checks.py, or of another step"


def test_the_jobs_the_schedule_and_the_sensor(barometer: Path) -> None:
    defs = definitions(barometer)
    steps = {
        name: {key.to_user_string() for key in defs.resolve_job_def(name).asset_layer.executable_asset_keys}
        for name in ("ingest_waves", "publish")
    }
    assert steps == {"ingest_waves": set(list(GRAPH)[:5]), "publish": set(list(GRAPH)[5:])}
    assert defs.resolve_schedule_def("publish_barometer").job_name == "publish"
    assert defs.resolve_sensor_def("changed_waves").job_name == "ingest_waves"


def test_the_schedule_asks_for_one_publication_a_year(barometer: Path) -> None:
    yearly = definitions(barometer).resolve_schedule_def("publish_barometer")
    moment = datetime(2026, 2, 1, 6, tzinfo=UTC)
    context = dg.build_schedule_context(scheduled_execution_time=moment)
    assert len(yearly.evaluate_tick(context).run_requests or ()) == 1
    assert yearly.cron_schedule == "0 6 1 2 *"


def test_owners_schedule_and_time_zone_are_declared(barometer: Path) -> None:
    path = barometer / "schemas" / "barometer.toml"
    declared = (
        'owners = ["team:statistics"]\nschedule = { cron = "30 7 * * 1-5", timezone = "Europe/Oslo" }\n'
    )
    path.write_text(declared + path.read_text(encoding="utf-8"), encoding="utf-8")
    defs = definitions(barometer)
    schedule = defs.resolve_schedule_def("publish_barometer")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("30 7 * * 1-5", "Europe/Oslo")
    graph = defs.resolve_asset_graph()
    owners = {tuple(graph.get(key).owners) for key in graph.materializable_asset_keys}
    assert owners == {("team:statistics",)}


def test_a_faulty_schedule_does_not_keep_the_rest_from_the_screen(barometer: Path) -> None:
    path = barometer / "schemas" / "barometer.toml"
    path.write_text(
        'schedule = { cron = "99 6 1 2 *" }\n' + path.read_text(encoding="utf-8"), encoding="utf-8"
    )
    assert definitions(barometer).resolve_schedule_def("publish_barometer").cron_schedule == "0 6 1 2 *"


def test_both_ways_of_loading_name_the_same_definitions(repository: Path) -> None:
    workspace = yaml.safe_load((repository / "workspace.yaml").read_text())
    project = tomllib.loads((repository / "pyproject.toml").read_text())["tool"]["dg"]["project"]
    module = workspace["load_from"][0]["python_module"]["module_name"]
    assert module == project["code_location_target_module"] == "pipeline.definitions"


def test_the_workspace_loads(repository: Path) -> None:
    command = [sys.executable, "-m", "dagster", "definitions", "validate", "-w", "workspace.yaml"]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_everything_is_made_and_described(run: Runner) -> None:
    built(run)
    harmonised = materialised(run, "harmonised_wave").metadata
    assert harmonised["dagster/row_count"].value == 3
    assert "value" in [column.name for column in harmonised["dagster/column_schema"].value.columns]
    estimates = materialised(run, "estimates")
    assert estimates.metadata["waves"].value == 3
    assert estimates.tags is not None
    assert len(estimates.tags["dagster/data_version"]) == 64


def test_column_descriptions_come_from_the_codebook(run: Runner) -> None:
    run.ingest("dk-2020")
    schema = materialised(run, "weighted_wave").metadata["dagster/column_schema"].value
    described = {column.name: column for column in schema.columns}
    assert described["weight"].description.startswith("Weight used for every estimate")
    assert described["sector"].constraints.other == ["enum: care, school, no_answer"]


def test_a_broken_wave_stops_no_other(run: Runner, barometer: Path) -> None:
    edit(barometer / "warehouse/raw/dk-2020.csv", "0001;2;S;1", "0001;2;S;7")
    pin(barometer, "dk-2020")
    failed = run.ingest("dk-2020")
    assert [problem.wave for problem in failed.problems] == ["dk-2020"]
    assert "7" in str(failed.problems[0]) and "Q1_1" in str(failed.problems[0])
    assert run.ingest("dk-2022").done and run.ingest("no-2020").done
    assert run.publish().done
    assert materialised(run, "estimates").metadata["left out"].value == "dk-2020"


def test_a_broken_wave_file_still_loads_and_fails_its_own_run_only(barometer: Path, instance: Any) -> None:
    (barometer / "schemas/waves/dk-2020.toml").write_text("country = ")
    run = Runner(barometer, instance)
    assert "is not valid TOML" in str(run.ingest("dk-2020").problems[0])
    assert run.ingest("dk-2022").done


def test_a_shared_problem_fails_runs_in_plain_words(run: Runner, barometer: Path) -> None:
    edit(barometer / "schemas/indicators.toml", 'question = "novelty"', 'question = "novelti"')
    result = execute(run, "ingest_waves", "dk-2022")
    failure = next(event.step_failure_data for event in result.all_events if event.is_step_failure)
    assert failure.user_failure_data is not None
    assert "schemas/indicators.toml, indicators.novelty" in (failure.user_failure_data.description or "")
    assert not [event for event in result.all_events if event.is_step_up_for_retry]


def test_a_broken_contract_goes_no_further(
    run: Runner, barometer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    monkeypatch.setattr(
        quality, "contract", lambda *_: quality.Finding(False, "3 rules broken", severity="error")
    )
    outcome = run.ingest("dk-2020")
    assert "harmonised_wave breaks its contract: 3 rules broken" in str(outcome.problems[0])
    assert not (barometer / "warehouse/weighted/dk-2020").exists()
    catalogue = load_catalogue(barometer)
    assert status("dk-2020", catalogue) == "at fault" and status("dk-2022", catalogue) == "stale"
    assert kept_problems("dk-2020", catalogue) == outcome.problems
    monkeypatch.undo()
    assert run.ingest("dk-2020").done and status("dk-2020", catalogue) == "current"


@pytest.mark.parametrize("check", ["disclosure", "package"])
def test_a_candidate_that_fails_its_check_has_no_site(
    run: Runner, barometer: Path, monkeypatch: pytest.MonkeyPatch, check: str
) -> None:
    assert all(run.ingest(wave).done for wave in WAVES)
    monkeypatch.setattr(quality, check, lambda *_: quality.Finding(False, "1 of 2", severity="error"))
    outcome = run.publish()
    (problem,) = outcome.problems
    assert str(problem).startswith(
        f"warehouse/candidate: data_package fails its check {check}: 1 of 2. Delete"
    )
    assert problem.wave is None and not (barometer / "warehouse/site").exists()


def test_a_surprising_wave_goes_on_and_is_told_of(run: Runner, barometer: Path) -> None:
    edit(barometer / "schemas/waves/dk-2020.toml", "respondents = 80", "respondents = 161")
    outcome = run.ingest("dk-2022")
    assert outcome.done
    found = list(findings(["dk-2022"], load_catalogue(barometer)))
    assert [(row["check"], row["wave"]) for row in found] == [("coverage", "dk-2022")]


def test_a_troubled_disk_is_tried_again(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:

    monkeypatch.setattr(resources, "SECONDS_BETWEEN", 0.01)
    fetch, calls = raw_wave.fetch, []

    def troubled(*given: Any) -> Path:
        calls.append(1)
        if len(calls) == 1:
            raise OSError("the disk is away")
        return fetch(*given)

    monkeypatch.setattr(raw_wave, "fetch", troubled)
    assert run.ingest("dk-2020").done
    assert len(calls) == 2


def test_an_unforeseen_error_is_told_and_is_no_problem(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:

    monkeypatch.setattr(weighted_wave, "weigh", lambda *_: 1 / 0)
    outcome = run.ingest("dk-2020")
    assert not outcome.done and not outcome.problems
    assert "ZeroDivisionError" in outcome.error


def stale(run: Runner, asset: str, wave: str) -> bool:
    """Whether Dagster's screens would show a partition as unsynced."""
    from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
    from dagster._core.loader import LoadingContextForTest

    graph = run.defs.resolve_asset_graph()
    resolver = CachingStaleStatusResolver(run.instance, graph, LoadingContextForTest(run.instance))
    return resolver.get_status(dg.AssetKey(asset), wave) == StaleStatus.STALE


def test_what_is_stale_shows(run: Runner, barometer: Path) -> None:
    built(run)
    assert not stale(run, "raw_wave", "dk-2020")
    edit(barometer / "schemas/instruments/dk.csv", "Q2,9,novelty,dont_know", "Q2,9,novelty,no_answer")
    observe = dg.define_asset_job("observe", selection=["wave_source"])
    job = dg.Definitions.merge(run.defs, dg.Definitions(jobs=[observe])).resolve_job_def("observe")
    assert job.execute_in_process(instance=run.instance, run_config=QUIET).success
    assert stale(run, "raw_wave", "dk-2020")
    assert not stale(run, "raw_wave", "no-2020"), "figures have no crosswalk"


def test_an_unchanged_wave_keeps_its_version(run: Runner) -> None:
    run.ingest("dk-2020")
    first = materialised(run, "wave_statistics")
    run.ingest("dk-2020")
    second = materialised(run, "wave_statistics")
    assert first.metadata["redone"].value is True and second.metadata["redone"].value is False
    assert first.tags is not None and second.tags is not None
    assert first.tags["dagster/data_version"] == second.tags["dagster/data_version"]


def tick(run: Runner, barometer: Path, cursor: str | None) -> tuple[list[str], str | None]:
    """One look of the sensor: the waves it asks for, and its new cursor."""
    context = dg.build_sensor_context(
        cursor=cursor, definitions=run.defs, resources={"project": Project(root=str(barometer))}
    )
    seen = run.defs.resolve_sensor_def("changed_waves").evaluate_tick(context)
    return [str(request.partition_key) for request in seen.run_requests or ()], seen.cursor


def test_the_sensor_asks_for_what_changed_and_for_nothing_else(run: Runner, barometer: Path) -> None:
    run.ingest("dk-2022")
    asked, cursor = tick(run, barometer, None)
    assert asked == ["dk-2020", "no-2020"], "dk-2022 is built already"
    asked, cursor = tick(run, barometer, cursor)
    assert asked == []
    edit(barometer / "warehouse/raw/no-2020.csv", "71", "72")
    asked, cursor = tick(run, barometer, cursor)
    assert asked == ["no-2020"], "a changed raw file, to fail in plain words until it is pinned"
    pin(barometer, "no-2020")
    asked, cursor = tick(run, barometer, cursor)
    assert asked == ["no-2020"]
    assert set(json.loads(cursor or "{}")) == set(WAVES)


def test_the_sensor_waits_while_shared_declarations_are_at_fault(run: Runner, barometer: Path) -> None:
    edit(barometer / "schemas/domains.toml", 'by = ["sector"]', 'by = ["sectr"]')
    context = dg.build_sensor_context(
        definitions=run.defs, resources={"project": Project(root=str(barometer))}
    )
    seen = run.defs.resolve_sensor_def("changed_waves").evaluate_tick(context)
    assert not seen.run_requests
    assert "sectr" in (seen.skip_message or "")


def test_an_interrupted_run_stops_everything_and_leaves_nothing_half_written(
    run: Runner, barometer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any) -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(weighted_wave, "weigh", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run.ingest("dk-2020")
    assert list((barometer / "warehouse/weighted").iterdir()) == []
