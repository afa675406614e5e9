"""A thousand damaged files and mutated declarations, and what must never come of one.

Each input is a small sound barometer with something wrong in one file of it, drawn from the input's number:
``python -m benchmarks.fuzz NUMBER`` shows one again. A process whose death, silence and memory are watched
examines them by ``check`` and the steps of every wave, a raw file by ``new-wave`` and ``init --from``, and
some whole barometers by ``run`` in a process, which leaves Dagster's storage to be searched.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import resource
import select
import shutil
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random

import openpyxl
import pandas as pd
import pyarrow.parquet as pq
from typer.testing import CliRunner

from benchmarks import damage, report
from benchmarks.damage import MARKER
from benchmarks.task import folder
from pipeline.catalogue import Catalogue, load_catalogue
from pipeline.catalogue.load import PRODUCT, RULES
from pipeline.cli.app import app
from pipeline.problems import DEFECT, ProblemError
from pipeline.staleness.outputs import declared_waves, wave_folder
from pipeline.steps import waves as steps
from tests.barometers import edit, microdata, pin, write_barometer

SEED, INPUTS = 7319, 1000
MOST_SECONDS, MOST_BYTES = 1200, 8 << 30  # for one input; of address space, for the process that examines
RUN = 97  # every so many inputs are seen by `run` as well
STRANDS = 5  # processes at a time; each sees inputs of every kind
WAVE, FORMATS = "dk-2020", ("csv", "tsv", "xlsx", "sav", "zsav", "dta", "xpt", "sas7bdat", "parquet")
FILES = {  # what is mutated beside raw files of every format
    "barometer": "schemas/barometer.toml",
    "codebook": "schemas/codebook.toml",
    "indicators": "schemas/indicators.toml",
    "domains": "schemas/domains.toml",
    "rules": f"schemas/{RULES}",
    "wave": f"schemas/waves/{WAVE}.toml",
    "instrument": "schemas/instruments/dk.toml",
    "crosswalk": "schemas/instruments/dk.csv",
    "translations": "schemas/translations/da.csv",
    "figures": "warehouse/raw/no-2020.csv",
    "margins": "warehouse/raw/dk-margins.csv",
    "strata": "warehouse/raw/dk-strata.csv",
}
KINDS = [kind for pair in zip((*FORMATS, *FORMATS[:3]), FILES, strict=True) for kind in pair]
NEVER = ("tracebacks", "deaths", "rows lost", "files outside", "texts shown", "other output")
PROBLEM = re.compile(r"\S.*: \S.*[.?]")


@dataclass
class Seen:
    """What was seen of one input: whether its wave was built, and what may never be."""

    number: int
    kind: str
    how: list[str]
    passed: bool = True
    faults: list[tuple[str, str]] = field(default_factory=list)  # one of NEVER, and what it was
    peak: int = 0  # KiB of memory, of the process that saw it

    def tell(self, line: str) -> None:
        """A line that has to be a problem."""
        if "Traceback" in line or DEFECT in line or "failed unexpectedly" in line:
            self.faults.append(("tracebacks", line))
        elif not (PROBLEM.fullmatch(line) and line.isprintable() and len(line) < 4000):
            self.faults.append(("other output", repr(line)[:500]))
        if MARKER in line:
            self.faults.append(("texts shown", line))

    def said(self, code: int, out: str, err: str) -> None:
        """What a verb printed: problems and their number where it fails, else nothing on stderr."""
        lines = [line for line in err.splitlines() if not re.search(r": (done|FAILED) in", line)]
        if code < 0:
            self.faults.append(("deaths", f"signal {-code}"))
        elif code and not (lines and re.fullmatch(f"{len(lines) - 1} problems?", lines.pop())):
            self.faults.append(("other output", f"exit {code}: {err[-500:]}"))
        for line in lines:
            self.tell(line)
        if MARKER in out or not out.replace("\n", "").isprintable():
            self.faults.append(("texts shown" if MARKER in out else "other output", repr(out)[:500]))

    def attempt(self, work: Callable[[], object]) -> bool:
        """Whether the work is done; what it raises is a problem, or should have been."""
        try:
            work()
        except ProblemError as error:
            for problem in error.problems:
                self.tell(str(problem))
                if MARKER in json.dumps(asdict(problem)):
                    self.faults.append(("texts shown", f"as JSON: {problem}"))
        except Exception as error:
            last = error.__traceback__
            while last and last.tb_next:
                last = last.tb_next
            where = f"{last.tb_frame.f_code.co_filename}:{last.tb_lineno}" if last else ""
            self.faults.append(("tracebacks", f"{type(error).__name__} at {where}: {str(error)[:300]}"))
        else:
            return True
        return False


# ── the sound barometer, and the damage ──────────────────────────────────────


def sound(root: Path) -> Path:
    """The small barometer of the tests, with rules of its own, a wave that shares its file, and patience."""
    write_barometer(root)
    shutil.copy(PRODUCT / RULES, root / FILES["rules"])
    known = "released = 2025-01-31"
    edit(root / FILES["barometer"], known, f"{known}\nvalidation.max_quarantined = 0.5")
    wave = root / FILES["wave"]
    edit(wave, 'decimal = ","', 'rows = { WAVE = ["2020"] }')
    left_out = '[[exclusion]]\ncolumn = "TEST"\nvalues = ["1"]\nreason = "test"\n'
    wave.write_text(wave.read_text(encoding="utf-8") + left_out, encoding="utf-8")
    damage.write(answers(), root / f"warehouse/raw/{WAVE}.csv")
    pin(root, WAVE)
    return root


def answers() -> pd.DataFrame:
    """Its answers as delivered: with rows of another wave, tests to exclude, and what respondents wrote."""
    text = io.StringIO(microdata(rows=100).replace(",", "."))
    frame = pd.read_csv(text, sep=";", dtype="str", keep_default_na=False).astype(object)
    frame["WAVE"], frame["TEST"] = ["2020"] * 90 + ["2018"] * 10, ["1"] * 3 + ["0"] * 97
    frame["COMMENT"] = [f"{MARKER} {row}" if row % 3 == 0 else "" for row in range(100)]
    return frame


def deliver(root: Path, kind: str, frame: pd.DataFrame, whole: bool) -> Path:
    """The raw file in a format, sound where that does not take the table; its rows are all of one wave or not."""
    wave, path = root / FILES["wave"], root / f"warehouse/raw/{WAVE}.{kind}"
    (root / f"warehouse/raw/{WAVE}.csv").unlink()
    try:
        damage.write(frame, path)
    except Exception:
        damage.write(answers(), path)
    edit(wave, f'"{WAVE}.csv"', f'"{path.name}"')
    if kind != "csv":
        edit(wave, 'delimiter = ";"\n', "")
    if whole:
        edit(wave, 'rows = { WAVE = ["2020"] }\n', "")
    return path


def damaged(root: Path, kind: str, drawn: Random) -> tuple[Path, list[str]]:
    """Damage a file of a sound barometer: which it was, and how."""
    how: list[str] = []

    def one_of(mutators: damage.Mutators) -> Callable[..., object]:
        how.append(drawn.choice(list(mutators)))
        return mutators[how[-1]]

    if kind in FORMATS:
        frame = answers()
        for _ in range(drawn.choice([0, 1, 2])):
            frame = one_of(damage.TABLE)(frame, drawn)
        path = deliver(root, kind, frame, whole=drawn.random() < 0.5)
        groups = damage.GROUPS[kind]
    else:
        path = root / FILES[kind]
        groups = damage.COUNTS if path.suffix == ".csv" else damage.GROUPS["toml"]
    content = path.read_bytes()
    for _ in range(drawn.choice([0, 0, 1, 2] if how else [1, 1, 2])):
        content = one_of(drawn.choice(groups))(content, drawn)
    path.write_bytes(content)
    if path.parent.name == "raw":  # or its hash would say that it is another file
        for wave in (WAVE, "no-2020"):
            pin(root, wave)
    if drawn.random() < 0.06:
        one_of(damage.PLACE)(path, drawn)
    return path, how


# ── what is done with it ─────────────────────────────────────────────────────


def examine(number: int, place: Path) -> Seen:
    """Damage what the number says, in the barometer of a folder, and look at it as a user does."""
    drawn, kind, root = Random(f"{SEED}-{number}"), KINDS[number % len(KINDS)], place / "barometer"
    if not (place / "sound").is_dir():
        sound(place / "sound")
        (place / "outside").mkdir()
        (place / "outside" / "x").write_text(
            MARKER, encoding="utf-8"
        )  # for whoever reads what lies beside it
    for name in ("schemas", "warehouse", "drafted"):  # Dagster's record of former inputs stays
        shutil.rmtree(root / name, ignore_errors=True)
    shutil.copytree(place / "sound", root, dirs_exist_ok=True)
    path, how = damaged(root, kind, drawn)
    seen, started, before = Seen(number, kind, how), time.time(), outside(place, root)
    verbs = [["check"]]
    if kind in FORMATS:
        verbs += [["new-wave", "dk-2024", str(path)], ["init", "drafted", "--from", str(path)], ["check"]]
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        seen.passed = seen.attempt(lambda: ingest(seen, root)) and seen.passed
        for words in verbs:
            seen.attempt(lambda words=words: verb(seen, root, *words))
    if number % RUN == 0:
        command = [sys.executable, "-m", "pipeline", "--project", str(root), "run"]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace")
        seen.said(done.returncode, done.stdout, done.stderr)
    shown = [each for each in warned if not issubclass(each.category, DeprecationWarning | ResourceWarning)]
    seen.faults += [("other output", f"{each.category.__name__}: {each.message}") for each in shown]
    seen.faults += [("files outside", name) for name in sorted(outside(place, root) ^ before)]
    seen.faults += [("texts shown", each.as_posix()) for each in kept(root, started)]
    return seen


def verb(seen: Seen, root: Path, *words: str) -> None:
    """A verb in this process; what it raises beside the end of the program is raised."""
    done = CliRunner().invoke(app, ["--project", str(root), *words])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    seen.said(done.exit_code, done.stdout, done.stderr)


def ingest(seen: Seen, root: Path) -> None:
    """The steps of every wave, and the balance of their rows."""
    catalogue = load_catalogue(root)
    if catalogue.shared_problems:
        raise ProblemError(catalogue.shared_problems)
    for wave in declared_waves(root):
        for step in (steps.raw_wave, steps.harmonised_wave, steps.weighted_wave, steps.wave_statistics):
            if not seen.attempt(lambda step=step, wave=wave: step(wave, catalogue)):
                seen.passed = False
                break
            if step is steps.harmonised_wave and catalogue.waves[wave].is_microdata:
                balance(seen, wave, catalogue)


def balance(seen: Seen, wave: str, catalogue: Catalogue) -> None:
    """Every row of the file is in the wave, another one's, excluded or in quarantine."""
    made, file = wave_folder(catalogue.root, "harmonised_wave", wave), catalogue.waves[wave].source.file
    counted = json.loads((made / "report.json").read_text(encoding="utf-8"))
    there = len(pd.read_parquet(made / "answers.parquet")) + counted["zero_weights"]
    there += pd.read_parquet(made / "quarantine.parquet")["row"].nunique() + counted["rows_of_other_waves"]
    there += sum(each["rows"] for each in counted["excluded"])
    rows = rows_of(catalogue.raw_path(file)) if seen.kind in FORMATS else counted["rows_in_file"]
    if not there == counted["rows_in_file"] == (there if rows is None else rows):
        found = f"{there} rows of {counted['rows_in_file']} read, {rows} in the file"
        seen.faults.append(("rows lost", f"{wave}: {found}"))


def rows_of(path: Path) -> int | None:
    """The rows of a file as another reader counts them; None where there is none, or it cannot read it."""
    with suppress(Exception):
        match path.suffix:
            case ".csv" | ".tsv":
                text = io.StringIO(path.read_text(encoding="utf-8-sig", newline=""), newline="")
                return sum(map(bool, csv.reader(text, delimiter=";" if path.suffix == ".csv" else "\t"))) - 1
            case ".xlsx":
                rows = openpyxl.load_workbook(path).worksheets[0].iter_rows(values_only=True)
                return max(number for number, row in enumerate(rows) if any(row))
            case ".parquet":
                return int(pq.read_metadata(path).num_rows)
            case ".dta":
                return len(pd.read_stata(path, convert_categoricals=False))
    return None


def outside(place: Path, root: Path) -> set[str]:
    """Everything beside the barometer, each with what changes when it is written to."""
    paths = (path for path in place.rglob("*") if root not in (path, *path.parents))
    return {f"{path.relative_to(place)} {path.lstat().st_size} {path.lstat().st_mtime_ns}" for path in paths}


def kept(root: Path, since: float) -> Iterator[Path]:
    """Where a respondent's text is kept since then, beside the tables of answers themselves."""
    for path in (*(root / "warehouse").rglob("*"), *(root / ".dagster").rglob("*")):
        answers = path.suffix in (".parquet", ".arrow", ".duckdb") or path.is_relative_to(
            root / "warehouse/raw"
        )
        if (
            not answers
            and path.is_file()
            and path.stat().st_mtime > since - 1
            and MARKER.encode() in path.read_bytes()
        ):
            yield path  # fmt: skip


# ── a thousand of them ───────────────────────────────────────────────────────


def run() -> None:
    """All inputs, and a table of what was seen by kind; a fault is printed as it is found."""
    started = time.monotonic()
    with ThreadPoolExecutor(STRANDS) as strands:
        every = [seen for strand in strands.map(strand_of, range(STRANDS)) for seen in strand]
    rows = []
    for kind in dict.fromkeys(KINDS):
        own = [seen for seen in every if seen.kind == kind]
        counts = {what: sum(what in dict(seen.faults) for seen in own) for what in NEVER}
        rows.append(
            {"damaged": kind, "inputs": len(own), "built": sum(seen.passed for seen in own), **counts}
        )
    facts = {
        "minutes": (time.monotonic() - started) / 60,
        "peak_gib": max(seen.peak for seen in every) / 2**20,
    }
    title = f"{len(every):,} damaged files and mutated declarations"
    report.keep("fuzz", title, rows, seed=SEED, **{name: report.digits(fact) for name, fact in facts.items()})


def strand_of(first: int) -> list[Seen]:
    """What is seen of every so many-th input; a process that ends is followed by another."""
    numbers, seen = range(first, INPUTS, STRANDS), list[Seen]()
    while len(seen) < len(numbers):
        with folder() as place:
            for each in watched(place, numbers[len(seen) :]):
                seen.append(each)
                for what, said in each.faults:
                    print(f"{each.number} {each.kind} ({', '.join(each.how)}): {what}: {said}", flush=True)
    return seen


def watched(place: Path, numbers: range) -> Iterator[Seen]:
    """What a process sees of these inputs, until it ends, is silent for too long, or has seen them all."""
    words = [*map(str, (numbers.start, numbers.stop, numbers.step)), str(place / "inputs")]
    command = [sys.executable, "-m", "benchmarks.fuzz", *words]
    with (place / "stderr").open("w+b") as errors, subprocess.Popen(command, bufsize=0, stdout=subprocess.PIPE, stderr=errors) as child:  # fmt: skip
        assert child.stdout
        for number in numbers:
            line = select.select([child.stdout], [], [], MOST_SECONDS)[0] and child.stdout.readline()
            errors.seek(0)
            printed = errors.read().decode(errors="replace")
            errors.truncate(0)
            if not line:
                child.kill()
                how = f"{child.wait()}: {printed[-500:]}"
                yield Seen(number, KINDS[number % len(KINDS)], [], False, [("deaths", how)])
                return
            seen = Seen(**json.loads(line))
            seen.faults += [("other output", printed[-500:])] if printed else []
            yield seen


def watch(numbers: range, place: Path) -> None:
    """In the process that is watched: a line of JSON for each input."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    told = os.dup(1)
    os.dup2(2, 1)  # what a library prints is output that nobody expects
    place.mkdir()
    os.chdir(place)
    for number in numbers:
        seen = examine(number, place)
        seen.peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        os.write(told, json.dumps(asdict(seen)).encode() + b"\n")


if __name__ == "__main__":
    if len(sys.argv) > 2:
        watch(range(*map(int, sys.argv[1:4])), Path(sys.argv[4]))
    else:
        with folder() as here:
            print(examine(int(sys.argv[1]), here))
