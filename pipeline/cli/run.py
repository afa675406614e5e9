"""``barometer run``: finds what is out of date, builds it wave by wave, and reports the outcome."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from pipeline.catalogue import Catalogue, load_catalogue
from pipeline.cli.output import print_json, print_problems
from pipeline.cli.progress import progress
from pipeline.problems import Problem, ProblemError, counted
from pipeline.staleness.findings import checks_due, findings
from pipeline.staleness.fingerprint import Sound, product_inputs
from pipeline.staleness.outputs import declared_waves, is_current, product_folder, read_damaged, wave_folder
from pipeline.staleness.run_problems import kept_problems
from pipeline.staleness.status import (
    damaged,
    product_outputs,
    products_current,
    site_current,
    site_output,
    sound_waves,
    status,
    wave_problems,
)
from pipeline.workers import in_parallel

if TYPE_CHECKING:
    from pipeline.defs.execution import Outcome

PUBLISH = "publish"
SHOWN = 10  # names in a line; --json has them all


@dataclass
class Report:
    """What a run did. Keys of ``problems`` and ``errors`` are waves, or ``publish``."""

    built: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    problems: dict[str, tuple[Problem, ...]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    findings: list[dict[str, str]] = field(default_factory=list)
    left_out: dict[str, tuple[Problem, ...]] = field(default_factory=dict)
    stale: list[str] = field(default_factory=list)  # other waves than those asked for: products wait for them
    published: str = "unchanged"  # built | unchanged | waiting | failed
    damaged: list[str] = field(default_factory=list)  # outputs that are not as an earlier run has left them
    unused: dict[str, list[str]] = field(default_factory=dict)  # by wave just built, columns nothing reads
    former: list[str] = field(
        default_factory=list
    )  # outputs of a run before, as this one could not make them

    @property
    def failed(self) -> list[str]:
        """The waves, or ``publish``, that could not be made."""
        return [*self.problems, *self.errors]

    @property
    def at_fault(self) -> dict[str, tuple[Problem, ...]]:
        """The waves that were not asked for and nobody waits for, with their problems."""
        return {
            wave: found for wave, found in self.left_out.items() if wave not in (*self.failed, *self.stale)
        }

    @property
    def every_problem(self) -> list[Problem]:
        """What stopped something in this run, then what keeps other waves out."""
        found = (*self.problems.values(), *self.at_fault.values())
        return [problem for problems in found for problem in problems]

    def note(self, what: str, outcome: Outcome) -> bool:
        """Records the outcome of one run; whether it succeeded."""
        if outcome.problems:
            self.problems[what] = outcome.problems
        elif outcome.error:
            self.errors[what] = outcome.error
        return outcome.done


def build(root: Path, only: list[str], as_json: bool) -> None:
    """Builds what is out of date, or of it only some waves.

    The products are made of all waves: as long as one that was not asked for is stale, they stay as they are.
    Raises ProblemError on a shared problem; exits with 1 when a wave failed.
    """
    started = time.monotonic()
    catalogue = load_catalogue(root)
    if catalogue.shared_problems:
        raise ProblemError(catalogue.problems)
    report, before = Report(), damaged(catalogue)
    stale: list[str] = []
    chosen = _chosen(root, only)
    for wave in declared_waves(root):
        state = status(wave, catalogue)
        if wave not in chosen:
            report.stale += [wave] if state == "stale" else []
        elif problems := wave_problems(wave, catalogue):
            report.problems[wave] = problems
        else:  # what only a run found is tried again: it may rest on more than declarations and files
            (stale if state != "current" or checks_due(wave, catalogue) else report.unchanged).append(wave)
    sound = sound_waves(catalogue)
    report.published = "waiting" if report.stale else "unchanged"
    if stale or not (report.stale or _published(catalogue, sound)):
        _execute(stale, catalogue, report)
        sound = sound_waves(catalogue)
        report.damaged = [*{*before} - {*damaged(catalogue)}]
        report.unused = _unused(report.built, catalogue)
    if report.published == "failed":
        report.former = _former(catalogue, sound)
    report.findings += findings(sorted(sound), catalogue)
    report.left_out = {
        wave: wave_problems(wave, catalogue) or kept_problems(wave, catalogue)
        for wave in declared_waves(root)
        if wave not in sound
    }
    _print(report, catalogue, time.monotonic() - started, as_json)
    if report.failed:
        raise typer.Exit(1)


def _published(catalogue: Catalogue, sound: Sound) -> bool:
    """Whether products and site are made from exactly these waves, and their checks are done."""
    return (
        products_current(catalogue, sound)
        and site_current(catalogue, sound)
        and (not sound or not checks_due("", catalogue))
    )


def _unused(built: list[str], catalogue: Catalogue) -> dict[str, list[str]]:
    """The columns of each wave's file that are neither mapped nor part of its design."""
    folders = {wave: wave_folder(catalogue.root, "harmonised_wave", wave) for wave in built}
    reports = {wave: read_damaged(folder / "report.json") for wave, folder in folders.items()}
    return {wave: found for wave, report in reports.items() if (found := report.get("unused_columns"))}


def _former(catalogue: Catalogue, sound: Sound) -> list[str]:
    """The outputs that stand as a run before has made them, of other waves, declarations or code."""
    places = {"data_package": "packages", "warehouse": "warehouse"}
    made = product_inputs(catalogue, sound)
    found = [
        name
        for step, name in places.items()
        if not is_current(
            product_folder(catalogue.root, step), made[step], product_outputs(step, catalogue, sound)
        )
        and product_folder(catalogue.root, step).is_dir()
    ]
    _, site = site_output(catalogue)
    return found + (["site"] if site.is_dir() and not site_current(catalogue, sound) else [])


def _chosen(root: Path, only: list[str]) -> list[str]:
    declared = declared_waves(root)
    for wave in only:
        if wave not in declared:
            known = ", ".join(declared) or "none"
            raise typer.BadParameter(
                f"{wave!r} is not a wave of this barometer; its waves: {known}", param_hint="--wave"
            )
    return [wave for wave in declared if not only or wave in only]


def _execute(stale: list[str], catalogue: Catalogue, report: Report) -> None:
    """One run a wave, so that a broken one stops no other; then one to publish, unless no wave is sound or
    one that was not asked for is stale."""
    with progress([*stale, *([] if report.stale else [PUBLISH])]) as report_step:
        with in_parallel(partial(_ingest, catalogue.root), stale) as outcomes:
            from pipeline.defs.execution import runner  # takes seconds to load: only when there is work

            for wave, outcome in zip(stale, outcomes, strict=True):
                report_step(report.note(wave, outcome), outcome.seconds)
        report.built = [wave for wave in stale if wave not in report.failed]
        if not report.stale and (sound_waves(catalogue) or not report.failed):
            outcome = runner(catalogue.root).publish()
            report_step(report.note(PUBLISH, outcome), outcome.seconds)
            report.published = "failed" if PUBLISH in report.failed else "built"


def _ingest(root: Path, wave: str) -> Outcome:
    """In whatever process."""
    from pipeline.defs.execution import runner

    return runner(root).ingest(wave)


def _print(report: Report, catalogue: Catalogue, seconds: float, as_json: bool) -> None:
    outputs = _outputs(catalogue)
    if as_json:
        print_json(_record(report, outputs) | {"unconfirmed": len(catalogue.unconfirmed)})
        return
    for line in _summary(report, outputs):
        typer.echo(line)
    if catalogue.unconfirmed:
        built = [catalogue.waves[wave] for wave in sound_waves(catalogue)]
        left = len(catalogue.unconfirmed) - (drafted := len(catalogue.unconfirmed_of(built)))
        if drafted:
            guesses = counted(drafted, "guess", "guesses")
            typer.echo(
                f"Draft: rests on {guesses}, to be confirmed before a release; `barometer check` lists them."
            )
        if left:
            guesses = counted(left, "guess", "guesses")
            typer.echo(f"Not built yet: what rests on {guesses} more; `barometer check` lists them.")
    typer.echo(f"{'Done' if not report.failed else 'Finished with problems'} in {seconds:.1f} s.")
    for what, error in report.errors.items():
        typer.echo(f"{what} failed unexpectedly: {error}", err=True)
    if report.every_problem:
        print_problems(report.every_problem)


def _summary(report: Report, outputs: list[str]) -> list[str]:
    lines = [
        f"{name} {counted(len(waves), 'wave')}: {', '.join(waves)}"
        for name, waves in (
            ("Built", report.built),
            ("Unchanged", report.unchanged),
            ("Failed", report.failed),
        )
        if waves
    ]
    if report.damaged:
        lines.append(
            f"Made again, as not what an earlier run had recorded: {', '.join(sorted(report.damaged))}"
        )
    lines += [
        f"{wave}: {counted(len(names), 'column')} of the file used by nothing: {', '.join(names[:SHOWN])}"
        + (" ..." if len(names) > SHOWN else "")
        for wave, names in report.unused.items()
    ]
    if report.at_fault:
        lines.append(f"Left out, as at fault: {', '.join(report.at_fault)}")
    if report.stale:
        waves = f"{counted(len(report.stale), 'wave')}: {', '.join(report.stale)}"
        lines.append(f"Out of date, and not asked for: {waves}")
        lines.append(
            "Warehouse, packages and site stay as they are; `barometer run` builds all that is out of date."
        )
    lines += [
        f"Warning, {' '.join(filter(None, (row['check'], row['wave'])))}: {row['message']}"
        for row in report.findings
    ]
    if outputs and report.published in ("built", "unchanged"):
        lines.append(f"{'Published' if report.published == 'built' else 'Unchanged'}: {', '.join(outputs)}")
    if report.former:
        names = ", ".join(report.former)
        lines.append(f"Not made anew, and out of date, as a run before has left them: {names}")
    return lines


def _record(report: Report, outputs: list[str]) -> dict[str, Any]:
    return {
        "ok": not report.failed,
        "built": report.built,
        "unchanged": report.unchanged,
        "failed": report.failed,
        "left_out": [*report.left_out],
        "stale": report.stale,
        "published": report.published,
        "outputs": outputs,
        "out_of_date": report.former,
        "damaged": sorted(report.damaged),
        "unused_columns": report.unused,
        "findings": report.findings,
        "problems": [problem.as_dict() for problem in report.every_problem],
        "errors": report.errors,
    }


def _outputs(catalogue: Catalogue) -> list[str]:
    """Where the outcome lies, relative to the barometer's folder."""
    folder = catalogue.path("warehouse")
    packages = (folder / "candidate" / package for package in sorted(catalogue.barometer.packages))
    built = (folder.glob("barometer.duckdb"), filter(Path.is_dir, packages), folder.glob("site/"))
    found = [path for paths in built for path in paths]
    return [path.relative_to(catalogue.root).as_posix() for path in found]
