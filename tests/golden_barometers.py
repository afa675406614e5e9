"""Barometers over samples of Californian schools, for comparison with results of R's ``survey`` package."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from tests.barometers import pin

IDENTITY = """
id = "golden"
title = "Golden"
description = "Real open data, estimated elsewhere too."
languages = ["en"]
licence = "CC-BY-4.0"
version = "1.0.0"
released = 2026-11-30
[[contributors]]
title = "Test office"
role = "publisher"
[estimation]
proportion_ci = "{interval}"
lonely_psu = "{lonely}"
"""


def write_identity(root: Path, interval: str = "logit", lonely: str = "certainty") -> Path:
    """The folders of a barometer and its ``barometer.toml``; returns its schemas."""
    for folder in ("schemas/waves", "schemas/instruments", "warehouse/raw"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    text = IDENTITY.format(interval=interval, lonely=lonely)
    (root / "schemas" / "barometer.toml").write_text(text, encoding="utf-8")
    return root / "schemas"


API_CODEBOOK = """
[variables.stype]
label = "School type"
codes.E = "Elementary"
codes.M = "Middle"
codes.H = "High"
[variables.schwide]
label = "School-wide target met"
codes.Yes = "Yes"
codes.No = "No"
[variables.awarded]
label = "Awards, as a breakdown"
codes.Yes = "Yes"
codes.No = "No"
[variables.improved]
label = "Comparable improvement target met"
codes.Yes = "Yes"
codes.No = "No"
[questions.awards]
type = "single"
base = "all"
text = "Eligible for awards?"
codes.Yes = "Yes"
codes.No = "No"
[questions.school]
type = "single"
base = "all"
text = "School type, as a question"
codes.E = "Elementary"
codes.M = "Middle"
codes.H = "High"
[questions.met]
type = "single"
base = "all"
text = "School-wide target met?"
codes.Yes = "Yes"
codes.No = "No"
[questions.api00]
type = "numeric"
text = "Index 2000"
[questions.enroll]
type = "numeric"
text = "Enrolment"
"""

API_INDICATORS = """
[indicators.awards]
label = "Awards"
question = "awards"
[indicators.stype]
label = "School type"
question = "school"
[indicators.schw]
label = "Target met"
question = "met"
[indicators.api00]
label = "Mean index"
mean = "api00"
[indicators.enroll]
label = "Mean enrolment"
mean = "enroll"
[indicators.awards_total]
label = "Schools with awards"
total = "awards"
[indicators.stype_total]
label = "Schools by type"
total = "stype"
[indicators.schw_total]
label = "Schools by target met"
total = "schw"
"""

API_DOMAINS = """
[domains.total]
by = []
[domains.stype]
by = ["stype"]
[domains.awards]
by = ["awarded"]
[domains.improved]
by = ["improved"]
"""

API_CROSSWALK = "source_variable,source_code,variable,code,note\n" + "".join(
    f"{source},{code},{variable},{code},\n"
    for source, variable, codes in (
        ("stype", "stype", "EMH"),
        ("stype", "school", "EMH"),
        ("sch.wide", "schwide", ("Yes", "No")),
        ("sch.wide", "met", ("Yes", "No")),
        ("awards", "awards", ("Yes", "No")),
        ("awards", "awarded", ("Yes", "No")),
        ("comp.imp", "improved", ("Yes", "No")),
    )
    for code in codes
) + "api00,*,api00,=,\nenroll,*,enroll,=,\n"  # fmt: skip

API_WAVE = """
country = "US"
survey = "api"
edition = "2000"
instrument = "api"
unit = "school"
status = "official"
reference_period = {{ start = 1999-01-01, end = 2000-12-31 }}
[origin]
producer = "California Department of Education"
title = "Academic Performance Index, sample of R's survey package"
licence = "GPL"
[source]
kind = "microdata"
file = "api.csv"
sha256 = ""
bytes = 0
[design]
{design}
[weighting]
{weighting}
"""

API_MARGINS = {
    ("stype",): {"E": 4421, "M": 1018, "H": 755},
    ("schwide",): {"Yes": 5122, "No": 1072},
    ("awarded",): {"Yes": 4167, "No": 2027},
    ("stype", "schwide"): {"E*No": 472, "H*No": 334, "M*No": 266, "E*Yes": 3949, "H*Yes": 421, "M*Yes": 752},
}


def write_api(
    root: Path,
    raw: Path,
    design: str,
    weighting: str = 'method = "given"',
    strata: str = "",
    margins: Sequence[tuple[str, ...]] = (),
    interval: str = "logit",
    lonely: str = "certainty",
) -> Path:
    """A barometer of one wave over a sample of Californian schools (``apistrat``, ``apisrs``, ``apiclus1``).

    ``strata`` is the text of the file of population counts; ``margins`` are written from the known
    totals of the 6,194 schools.
    """
    schemas = write_identity(root, interval, lonely)
    (schemas / "codebook.toml").write_text(API_CODEBOOK, encoding="utf-8")
    (schemas / "indicators.toml").write_text(API_INDICATORS, encoding="utf-8")
    (schemas / "domains.toml").write_text(API_DOMAINS, encoding="utf-8")
    (schemas / "instruments" / "api.toml").write_text('language = "en"\n', encoding="utf-8")
    (schemas / "instruments" / "api.csv").write_text(API_CROSSWALK, encoding="utf-8")
    shutil.copyfile(raw, root / "warehouse" / "raw" / "api.csv")
    if strata:
        (root / "warehouse" / "raw" / "strata.csv").write_text(strata, encoding="utf-8")
        design += '\npopulation = "strata.csv"'
    if margins:
        listed = ", ".join("[" + ", ".join(f'"{name}"' for name in margin) + "]" for margin in margins)
        weighting += f'\nmargins = [{listed}]\ntotals = "margins.csv"'
        rows = [
            f"{'*'.join(margin)},{code},{total}\n"
            for margin in margins
            for code, total in API_MARGINS[margin].items()
        ]
        (root / "warehouse" / "raw" / "margins.csv").write_text(
            "margin,code,total\n" + "".join(rows), encoding="utf-8"
        )
    wave = API_WAVE.format(design=design, weighting=weighting)
    (schemas / "waves" / "us-api-2000.toml").write_text(wave, encoding="utf-8")
    pin(root, "us-api-2000")
    return root
