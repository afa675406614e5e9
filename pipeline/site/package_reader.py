"""One data package as a reader opens it: its published tables, ready to be looked up.

Here belongs reading and indexing a package folder. What its numbers look like on a page belongs to
``pages`` and ``charts``, the texts beside them to ``language``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.catalogue import Catalogue
from pipeline.release_store import DESCRIPTOR

Row = dict[str, Any]


class Estimate(NamedTuple):
    """One published estimate, as it stands in the package."""

    wave: str
    indicator: str
    category: str
    domain: str
    domain_code: str
    unit_measure: str
    source_kind: str
    n: int | None
    value: float | None
    se: float | None
    ci_low: float | None
    ci_high: float | None
    obs_status: str
    conf_status: str
    note: str

    @property
    def flag(self) -> str:
        """The flag as readers see it: the status, and for a hidden value the reason; blank for none."""
        hidden = f"Q{self.conf_status}" if self.obs_status == "Q" else self.obs_status
        return "" if hidden == "A" else hidden


@dataclass(frozen=True)
class PackageData:
    """A package folder, read. ``estimates`` keep the order of the published table."""

    catalogue: Catalogue
    folder: Path
    described: Mapping[str, Any]
    tables: Mapping[str, pa.Table]

    @property
    def key(self) -> str:
        """The key of the package."""
        return self.folder.name

    @property
    def version(self) -> str:
        """The version that it was, or would be, released as."""
        return str(self.described["version"])

    @cached_property
    def estimates(self) -> list[Estimate]:
        """Every published estimate."""
        columns = self.tables["estimates"].select(list(Estimate._fields)).to_pydict()
        return [Estimate(*row) for row in zip(*columns.values(), strict=True)]

    @cached_property
    def waves(self) -> dict[str, Row]:
        """The row of each wave, by country, survey and time."""
        rows = self.rows("waves")
        order = sorted(
            rows, key=lambda row: (row["country"], row["survey"], row["reference_end"], row["wave"])
        )
        return {row["wave"]: row for row in order}

    @cached_property
    def surveys(self) -> dict[str, list[str]]:
        """The waves of each survey, in order of time."""
        found: dict[str, list[str]] = {}
        for key, row in self.waves.items():
            found.setdefault(row["survey"], []).append(key)
        return found

    @property
    def synthetic(self) -> bool:
        """Whether its waves are synthetic."""
        return any(row["status"] == "synthetic" for row in self.waves.values())

    @property
    def unconfirmed(self) -> int:
        """How many guesses of its declarations nobody has confirmed; it is a draft where there is one."""
        return int(self.described.get("unconfirmed", 0))

    @cached_property
    def indicators(self) -> dict[str, Row]:
        """The row of each indicator, in declared order."""
        return {row["indicator"]: row for row in self.rows("indicators")}

    @cached_property
    def categories(self) -> dict[str, list[str]]:
        """The categories of each indicator, in order."""
        found: dict[str, list[str]] = {}
        for row in self.rows("categories"):
            found.setdefault(row["indicator"], []).append(row["category"])
        return found

    @cached_property
    def domains(self) -> dict[str, Row]:
        """Each breakdown with the cells it has, in order, as ``codes``."""
        found: dict[str, Row] = {}
        for row in self.rows("domains"):
            domain = found.setdefault(
                row["domain"], {"by": tuple(filter(None, row["variables"].split("*"))), "codes": []}
            )
            domain["codes"].append(row["domain_code"])
        return found

    @cached_property
    def one_way(self) -> list[str]:
        """The breakdowns by one variable."""
        return [key for key, domain in self.domains.items() if len(domain["by"]) == 1]

    @cached_property
    def total_domain(self) -> str:
        """The key of the total, the breakdown by no variable; blank where the package has no cell of it."""
        return next((key for key, domain in self.domains.items() if not domain["by"]), "")

    @cached_property
    def cells(self) -> dict[tuple[str, str], dict[tuple[str, str, str], Estimate]]:
        """By indicator and wave: the estimates by breakdown, its cell and category."""
        found: dict[tuple[str, str], dict[tuple[str, str, str], Estimate]] = {}
        for cell in self.estimates:
            key = (cell.domain, cell.domain_code, cell.category)
            found.setdefault((cell.indicator, cell.wave), {})[key] = cell
        return found

    def total(self, indicator: str, wave: str, category: str) -> Estimate | None:
        """The estimate of the total; None where there is none."""
        return self.cells.get((indicator, wave), {}).get((self.total_domain, "", category))

    def totals(self, indicator: str, wave: str) -> Iterator[Estimate]:
        """The estimates of the total, one for each category, in order."""
        found = (self.total(indicator, wave, category) for category in self.categories[indicator])
        return (cell for cell in found if cell)

    def waves_of(self, indicator: str, survey: str) -> list[str]:
        """The waves of a survey that have an estimate of the total for this indicator."""
        return [wave for wave in self.surveys[survey] if next(self.totals(indicator, wave), None)]

    @cached_property
    def crosswalk(self) -> dict[tuple[str, str], list[Row]]:
        """The rules of each questionnaire by the question, or background variable, that they fill."""
        found: dict[tuple[str, str], list[Row]] = {}
        for row in self.rows("crosswalk"):
            found.setdefault((row["instrument"], row["variable"].partition(".")[0]), []).append(row)
        return found

    @cached_property
    def headline(self) -> str:
        """The indicator that front pages show: the first one declared."""
        return next(iter(self.indicators))

    def rows(self, table: str) -> list[Row]:
        """The rows of a published table; none where the package does not have it."""
        if table not in self._rows:
            self._rows[table] = self.tables[table].to_pylist() if table in self.tables else []
        return self._rows[table]

    @cached_property
    def _rows(self) -> dict[str, list[Row]]:
        return {}

    @cached_property
    def trends(self) -> dict[tuple[str, str, str], Row]:
        """The published yearly change by survey, indicator and category."""
        return {(row["survey"], row["indicator"], row["category"]): row for row in self.rows("trends")}

    @cached_property
    def benchmarks(self) -> dict[tuple[str, str, str], dict[tuple[str, str], Row]]:
        """The published tests of groups against the total, by wave, indicator and category, and by group."""
        found: dict[tuple[str, str, str], dict[tuple[str, str], Row]] = {}
        for row in self.rows("benchmarks"):
            key = (row["wave"], row["indicator"], row["category"])
            found.setdefault(key, {})[row["domain"], row["domain_code"]] = row
        return found


def read_package(folder: Path, catalogue: Catalogue) -> PackageData:
    """Reads a package folder."""
    described = json.loads((folder / DESCRIPTOR).read_text(encoding="utf-8"))
    tables = {path.stem: pq.ParquetFile(path).read() for path in sorted((folder / "data").glob("*.parquet"))}
    return PackageData(catalogue, folder, described, tables)
