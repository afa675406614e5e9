"""Whole packages for tests: a small one with everything awkward in it, and the bundled official one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from pipeline.catalogue import Catalogue, load_catalogue
from pipeline.contracts import table
from pipeline.disclosure import protect
from pipeline.estimation import KEY, figures_estimates
from pipeline.harmonise import harmonise_figures
from pipeline.release import published_tables, write_package
from pipeline.release.package import NOTHING
from pipeline.sources import read_raw
from tests.barometers import edit, write_barometer
from tests.cells import cell, estimates

HIDDEN = {"value": None, "se": None, "ci_low": None, "ci_high": None, "deff": None, "obs_status": "Q"}
AWKWARD = estimates(  # as published
    cell(note='Says "so",\nin two lines; æøå & <b>'),
    cell(domain="sector", domain_code="care", n=pd.NA, conf_status="C", **HIDDEN),
    cell(domain="sector", domain_code="school", n=pd.NA, conf_status="D", **HIDDEN),
    cell(domain="sector_region", domain_code="care*north", n=12, **HIDDEN),
    cell(domain="sector_region", domain_code="care*south", n=0, **(HIDDEN | {"obs_status": "M"})),
    cell(indicator="novelty", category="first", value=80.0, ci_low=70.0, ci_high=90.0, obs_status="U"),
    cell(indicator="novelty", category="copied", value=0.04, ci_low=0.0, ci_high=0.2, se=0.0),
    cell(indicator="staff_mean", category="mean", unit_measure="mean", value=-17.25, ci_low=-20.0),
    cell(indicator="innovative_workplaces", unit_measure="count", value=123456789.0, se=9000.0),
    cell(wave="dk-2022", edition="2022", time_period=2021, value=41.0, note="=SUM(A1:A9)"),
    cell(wave="dk-2022", edition="2022", time_period=2021, indicator="novelty", category="first", n=30),
    cell(
        wave="no-2020", country="NO", survey="no", time_period=2020, source_kind="figures", n=pd.NA, se=None
    ),
).sort_values(KEY)
USED = {"dk-2020": 80, "dk-2022": 80, "no-2020": 0}
DANISH = """key,text
barometer.title,Testbarometer
barometer.description,Et barometer til prøver.
variables.sector.label,Sektor
variables.sector.codes.care,Omsorg
indicators.any_innovation.label,Mindst én innovation
questions.novelty.codes.first,Først
"""


def awkward_barometer(root: Path) -> Catalogue:
    """The small barometer in three languages, Danish half translated, Norwegian not at all."""
    write_barometer(root)
    (root / "schemas" / "translations" / "da.csv").write_text(DANISH, encoding="utf-8")
    (root / "schemas" / "translations" / "nb.csv").write_text("key,text\n", encoding="utf-8")
    declarations = root / "schemas" / "barometer.toml"
    edit(declarations, '["en", "da"]', '["en", "da", "nb"]')
    portal = (
        'keywords = ["tests"]\nthemes = ["GOVE"]\naddress = "https://data.test/barometer"\n'
        '[contact]\nname = "Desk"\nemail = "desk@data.test"\n[[contributors]]'
    )
    edit(declarations, "[[contributors]]", portal)
    return load_catalogue(root)


def awkward_package(root: Path) -> Path:
    """A package with notes that need care, hidden and missing cells, and numbers of every size."""
    catalogue = awkward_barometer(root)
    return write(catalogue, AWKWARD, USED)


def official_package(repository: Path, root: Path) -> Path:
    """The bundled official package, made from the published figures of the bundled waves."""
    bundled = load_catalogue(repository)
    waves = {key: wave for key, wave in bundled.waves.items() if not wave.is_microdata}
    frames = []
    for wave in waves.values():
        raw = read_raw(bundled.raw_path(wave.source.file), wave.source).frame
        frames.append(
            figures_estimates(
                harmonise_figures(raw, wave, bundled), wave, bundled.indicators, bundled.barometer.estimation
            )
        )
    (root / "schemas").symlink_to(repository / "schemas")
    frame = pd.concat(frames).sort_values(KEY, kind="stable")
    catalogue = load_catalogue(root)
    return write(catalogue, protect(frame, catalogue), dict.fromkeys(waves, 0))


def write(
    catalogue: Catalogue, frame: pd.DataFrame, used: dict[str, int], extra: Mapping[str, bytes] = NOTHING
) -> Path:
    """The package of estimates as published, all of one status, below the catalogue's folder."""
    package = catalogue.package_of(catalogue.waves[next(iter(used))])
    columns = [field["name"] for field in table("estimates")["fields"]]
    tables = published_tables(catalogue, frame[columns], used, package)
    return write_package(catalogue.root, catalogue, package, tables, extra)
