"""Small sites for tests: every step of a barometer with labels that would break a careless page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pipeline.catalogue import Catalogue, Package, load_catalogue
from pipeline.site import build_site
from pipeline.steps.site import site
from tests.barometers import edit, write_barometer
from tests.packages import AWKWARD, USED, awkward_barometer, write
from tests.releases import build

HOSTILE = '</script><b>New</b> & "products" <img src=x onerror=alert(1)> {{ 7 * 7 }}'
DANISH = """key,text
barometer.title,Testbarometer
variables.sector.label,Sektor
variables.sector.codes.care,Omsorg
indicators.any_innovation.label,Mindst én innovation
questions.novelty.codes.first,Først
"""


def built_site(root: Path) -> Path:
    """The small barometer, its site built by its own step; Danish is half translated."""
    write_barometer(root)
    (root / "schemas" / "translations" / "da.csv").write_text(DANISH, encoding="utf-8")
    codebook = root / "schemas" / "codebook.toml"
    edit(codebook, 'items.product = "New products"', f"items.product = '''{HOSTILE}'''")
    edit(codebook, 'text = "What value did it bring?"', f"text = '''What value? {HOSTILE}'''")
    build(root)
    site(load_catalogue(root))
    return root / "warehouse" / "site"


def awkward_site(root: Path, *, synthetic: bool = False) -> Path:
    """A site of awkward cells in English, Danish and Norwegian; its waves made up, if so asked."""
    catalogue = awkward_barometer(root)
    if synthetic:
        catalogue = made_up(catalogue)
    folder = write(catalogue, AWKWARD, USED)
    target = root / "warehouse" / "site"
    target.mkdir()
    build_site(catalogue, [folder], target)
    return target


def made_up(catalogue: Catalogue) -> Catalogue:
    """The same barometer, its waves generated."""
    waves = {key: replace(wave, status="synthetic") for key, wave in catalogue.waves.items()}
    packages = {"made-up": Package("made-up", "synthetic")}
    return replace(catalogue, waves=waves, barometer=replace(catalogue.barometer, packages=packages))
