"""A small barometer for tests, written to the public contract: two microdata waves and one of figures.

Its numbers come from simple arithmetic on the row number, so that a test can count them by hand.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from pipeline.catalogue import load_catalogue
from pipeline.problems import ProblemError

BAROMETER = """
id = "test-barometer"
title = "Test barometer"
description = "A barometer for tests."
languages = ["en", "da"]
licence = "CC-BY-4.0"
version = "1.0.0"
released = 2025-01-31
[[contributors]]
title = "Test office"
role = "publisher"
"""

CODEBOOK = """
[variables.sector]
label = "Sector"
codes.care = "Care"
codes.school = "School"

[variables.region]
label = "Region"
codes.north = "North"
codes.south = "South"

[questions.introduced]
type = "grid"
base = "all"
text = "Has your workplace introduced ..."
items.product = "New products"
items.service = "New services"
codes.yes = "Yes"
codes.no = "No"
codes.dont_know = "Don't know"
nonresponse = ["dont_know"]

[questions.novelty]
type = "single"
base = "innovative"
text = "The newest one was ..."
codes.first = "First"
codes.copied = "Copied"
codes.dont_know = "Don't know"
nonresponse = ["dont_know"]

[questions.value]
type = "multiple"
base = "innovative"
text = "What value did it bring?"
items.quality = "Quality"
items.savings = "Savings"
max_choices = 2
nothing_ticked = "not_selected"

[questions.staff]
type = "numeric"
text = "How many work here?"
"""

INDICATORS = """
[bases.all]
[bases.innovative]
any = ["introduced.*=yes"]

[indicators.any_innovation]
label = "Workplaces with at least one innovation"
base = "all"
any = ["introduced.*=yes"]

[indicators.introduced]
label = "Innovation by type"
question = "introduced"
codes = ["yes"]

[indicators.novelty]
label = "Novelty of the newest innovation"
question = "novelty"

[indicators.value]
label = "Value"
question = "value"

[indicators.staff_mean]
label = "Mean number of staff"
mean = "staff"

[indicators.innovative_workplaces]
label = "Number of innovative workplaces"
total = "any_innovation"
"""

DOMAINS = """
[domains.total]
by = []
[domains.sector]
by = ["sector"]
[domains.sector_region]
by = ["sector", "region"]
"""

INSTRUMENT = """
language = "da"
unit_verb = "introduced"
[wording.introduced]
text = "Har jeres arbejdsplads indført ..."
"""

CROSSWALK = """source_variable,source_code,variable,code,note
SEKTOR,1,sector,care,
SEKTOR,2,sector,school,
REG,N,region,north,
REG,S,region,south,
Q1_1,1,introduced.product,yes,
Q1_1,2,introduced.product,no,
Q1_1,9,introduced.product,dont_know,
Q1_2,1,introduced.service,yes,
Q1_2,2,introduced.service,no,
Q1_2,9,introduced.service,dont_know,
Q2,1,novelty,first,
Q2,2,novelty,copied,
Q2,9,novelty,dont_know,
Q3_1,1,value.quality,selected,
Q3_1,,value.quality,not_selected,
Q3_2,1,value.savings,selected,
Q3_2,,value.savings,not_selected,
ANSATTE,*,staff,=,
ANSATTE,999,staff,no_answer,do not know
"""

WAVE = """
country = "DK"
survey = "dk"
edition = "{edition}"
instrument = "dk"
unit = "workplace"
panel = false
status = "official"
reference_period = {{ start = {before}-01-01, end = {year}-12-31 }}
fieldwork = {{ start = {after}-02-01, end = {after}-03-31 }}
[origin]
producer = "Test office"
title = "Survey {edition}"
licence = "CC-BY-4.0"
accessed = 2025-01-02
[source]
kind = "microdata"
file = "dk-{edition}.csv"
sha256 = "{sha256}"
bytes = {bytes}
delimiter = ";"
decimal = ","
[response]
population = 400
sample = 160
respondents = 80
[design]
id = "ID"
strata = ["SEKTOR"]
population = "dk-strata.csv"
[weighting]
method = "rake"
margins = [["sector"], ["region"]]
totals = "dk-margins.csv"
"""

FIGURES_WAVE = """
country = "NO"
survey = "no"
edition = "2020"
instrument = "dk"
unit = "workplace"
status = "official"
reference_period = { start = 2019-01-01, end = 2020-12-31 }
[origin]
producer = "Another office"
title = "Published figures 2020"
licence = "CC-BY-4.0"
accessed = 2025-01-02
[source]
kind = "figures"
file = "no-2020.csv"
sha256 = "SHA256"
"""

FIGURES = """indicator,category,domain,domain_code,value,n,note
any_innovation,yes,total,,74,1786,
any_innovation,yes,sector,care,71,,From a chart.
novelty,first,total,,10,,
"""


def write_barometer(root: Path) -> Path:
    """Writes the small barometer below ``root``; its editions 2020 and 2022 have 80 respondents each."""
    for folder in ("schemas/waves", "schemas/instruments", "schemas/translations", "warehouse/raw"):
        (root / folder).mkdir(parents=True)
    schemas, raw = root / "schemas", root / "warehouse" / "raw"
    (schemas / "barometer.toml").write_text(BAROMETER, encoding="utf-8")
    (schemas / "codebook.toml").write_text(CODEBOOK, encoding="utf-8")
    (schemas / "indicators.toml").write_text(INDICATORS, encoding="utf-8")
    (schemas / "domains.toml").write_text(DOMAINS, encoding="utf-8")
    (schemas / "instruments" / "dk.toml").write_text(INSTRUMENT, encoding="utf-8")
    (schemas / "instruments" / "dk.csv").write_text(CROSSWALK, encoding="utf-8")
    (schemas / "translations" / "da.csv").write_text(
        "key,text\nvariables.sector.label,Sektor\n", encoding="utf-8"
    )
    (raw / "dk-strata.csv").write_text("SEKTOR,population\n1,220\n2,180\n", encoding="utf-8")
    margins = "margin,code,total\nsector,care,220\nsector,school,180\nregion,north,150\nregion,south,250\n"
    (raw / "dk-margins.csv").write_text(margins, encoding="utf-8")
    for year, shift in ((2020, 0), (2022, 1)):
        (raw / f"dk-{year}.csv").write_text(microdata(shift), encoding="utf-8")
        (schemas / "waves" / f"dk-{year}.toml").write_text(
            WAVE.format(edition=year, before=year - 2, year=year - 1, after=year, sha256="", bytes=0),
            encoding="utf-8",
        )
        pin(root, f"dk-{year}")
    (raw / "no-2020.csv").write_text(FIGURES, encoding="utf-8")
    (schemas / "waves" / "no-2020.toml").write_text(FIGURES_WAVE, encoding="utf-8")
    pin(root, "no-2020")
    return root


def microdata(shift: int = 0, rows: int = 80) -> str:
    """A raw file of ``rows`` workplaces: about four in five innovate; every eleventh does not know."""
    lines = ["ID;SEKTOR;REG;Q1_1;Q1_2;Q2;Q3_1;Q3_2;ANSATTE"]
    for row in range(1, rows + 1):
        product = 9 if row % 11 == 0 else 1 if (row + shift) % 3 else 2
        service = 1 if (row + shift) % 5 == 0 else 2
        innovative = 1 in (product, service)
        novelty = "" if not innovative else 9 if row % 13 == 0 else 1 + row % 2
        quality = "1" if innovative and row % 4 else ""
        savings = "1" if innovative and row % 7 == 0 else ""
        staff = 999 if row % 17 == 0 else f"{5 + row % 30},5"
        region = "N" if row % 3 == 0 else "S"
        lines.append(
            f"{row:04};{1 + row % 2};{region};{product};{service};{novelty};{quality};{savings};{staff}"
        )
    return "\n".join(lines) + "\n"


def pin(root: Path, wave: str) -> None:
    """Writes the sha256 and the size of a wave's raw file into its wave file."""
    path = root / "schemas" / "waves" / f"{wave}.toml"
    lines = path.read_text(encoding="utf-8").splitlines()
    file = next(line.split('"')[1] for line in lines if line.startswith("file = "))
    raw = (root / "warehouse" / "raw" / file).read_bytes()
    pinned = {"sha256": f'"{hashlib.sha256(raw).hexdigest()}"', "bytes": str(len(raw))}
    mended = [
        f"{name} = {pinned[name]}"
        if (name := line.partition(" = ")[0]) in pinned and line.startswith(name)
        else line
        for line in lines
    ]
    path.write_text("\n".join(mended) + "\n", encoding="utf-8")


def edit(path: Path, old: str, new: str) -> None:
    """Replaces a text that must be there."""
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{old!r} is not in {path.name}"
    path.write_text(text.replace(old, new), encoding="utf-8")


def problems(root: Path) -> list[str]:
    """The problems of a barometer's declarations, as they are shown."""
    try:
        return [str(problem) for problem in load_catalogue(root).problems]
    except ProblemError as error:  # of barometer.toml, without which there is no barometer
        return str(error).splitlines()


def shows(root: Path, said: str) -> None:
    """One of the problems of its declarations matches the pattern."""
    found = problems(root)
    assert any(re.search(said, problem) for problem in found), found
