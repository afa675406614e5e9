"""Which cell of a barometer over Californian schools a reference row of R is, and whether they agree."""

from __future__ import annotations

import re

import pandas as pd

from tests.golden import Estimated, close

NAMES = {"awd01": "awards", "elig01": "awards"}  # 1 where awards is Yes
DOMAINS = {"stype": "stype", "awards": "awards", "comp.imp": "improved"}
FITTED = (
    "svyciprop_logit",
    "svyciprop_likelihood",
)  # R fits a model by iteration: its last digits are its own
Cell = tuple[pd.Series, float]


def cell_of(row: dict[str, str], found: Estimated) -> Cell | None:
    """Our cell and the factor of its unit; None where the product has no such estimand."""
    variable, level, kind = NAMES.get(row["variable"], row["variable"]), row["level"], row["estimator"]
    by, _, code = row["domain"].partition("=")
    if by and by not in DOMAINS:
        return None
    where = (DOMAINS[by], code) if by else ("total", "")
    numeric = variable in ("api00", "enroll")
    if numeric and kind in ("mean", "mean_deff_srswr", "domain_mean"):
        return found.cell(variable, "mean", *where), 1
    if numeric or variable not in ("awards", "stype", "schw"):
        return None
    if kind in ("mean", "mean_deff_srswr", "proportion", "domain_proportion") or kind.startswith("svyciprop"):
        return found.cell(variable, level or "Yes", *where), 100
    if kind in ("total", "total_category"):
        return found.cell(f"{variable}_total", level or "Yes", *where), 1
    return None


def check(row: dict[str, str], matched: Cell, interval: str = "logit", error: bool = True) -> None:
    """Value, standard error, df, interval, deff and n as far as the row has them in our conventions."""
    cell, unit = matched
    kind = row["estimator"]
    assert close(cell["value"], float(row["estimate"]) * unit, 1e-8 if kind in FITTED else 1e-9), row
    if not error:
        return
    assert close(cell["se"], float(row["se"]) * unit, 1e-9, 1e-8), row
    if kind == "mean_deff_srswr":
        assert close(cell["deff"], row["deff"]), row
        return
    if "NA" in row["design"] + row["note"]:
        return  # R's n is then of everyone, ours of those who answered
    of_domain = re.search(r"domain df = (\d+)", row["note"])
    if row["df"]:
        assert cell["df"] == float(of_domain[1] if of_domain else row["df"]), row
    if row["n_unweighted"] and kind in ("mean", "total", "domain_mean", "domain_proportion"):
        assert cell["n"] == int(row["n_unweighted"]), row
    if unit == 1 and not of_domain and kind in ("mean", "total", "total_category"):
        assert close(cell["ci_low"], row["ci_t_lo"], 1e-9, 1e-8), row
        assert close(cell["ci_high"], row["ci_t_hi"], 1e-9, 1e-8), row
    _check_share(row, cell, unit, interval)


def _check_share(row: dict[str, str], cell: pd.Series, unit: float, interval: str) -> None:
    exact = {"logit": "svyciprop_xlogit", "beta": "svyciprop_beta", "wald": "svyciprop_mean"}[interval]
    fitted = interval == "logit" and row["estimator"] in ("svyciprop_logit", "domain_proportion")
    if not (row["estimator"] == exact or fitted) or cell["se"] == 0:
        return
    loose = 1e-6 if fitted else 1e-9
    assert close(cell["ci_low"], float(row["ci_special_lo"]) * unit, loose), row
    assert close(cell["ci_high"], float(row["ci_special_hi"]) * unit, loose), row
