"""The small barometer with composites over answers that its two editions did not both offer."""

from __future__ import annotations

from pathlib import Path

from tests.barometers import edit, pin, write_barometer

CODEBOOK = """
[questions.partner]
type = "multiple"
base = "all"
text = "With whom did you work?"
items.citizens = "Citizens"
items.companies = "Companies"
items.unions = "Unions"
items.other = "Others"
nothing_ticked = "not_selected"

[questions.evaluation]
type = "single"
base = "all"
text = "Did you evaluate it?"
codes.self = "Ourselves"
codes.external = "With help"
codes.no = "No"
"""

LISTED = ", ".join(f'"partner.{item}=selected"' for item in ("citizens", "companies", "unions", "other"))
PAIRS = "[" + ", ".join(
    f'{{ all = ["partner.{one}=selected", "partner.{other}=selected"] }}'
    for one, other in (("citizens", "companies"), ("citizens", "unions"), ("companies", "unions"))
) + "]"  # fmt: skip
COMPOSITES = {
    "any_partner": 'base = "all"\nany = ["partner.*=selected"]',
    "no_partner": f'base = "all"\nnone = [{LISTED}]',
    "all_partners": 'base = "all"\nall = ["partner.citizens=selected", "partner.companies=selected", "partner.unions=selected"]',
    "two_partners": f'base = "all"\nany = {PAIRS}',
    "evaluated": 'base = "all"\nany = ["evaluation=self|external"]',
    "any_role": 'base = "all"\nany = ["partner.citizens=selected", "evaluation=self|external"]',
    "partnered": 'total = "any_partner"',
}
# The same over the answers that both editions offered: citizens and companies, self.
SHARED = {
    "any_partner": 'base = "all"\nany = ["partner.citizens=selected", "partner.companies=selected"]',
    "no_partner": 'base = "all"\nnone = ["partner.citizens=selected", "partner.companies=selected"]',
    "all_partners": 'base = "all"\nall = ["partner.citizens=selected", "partner.companies=selected"]',
    "two_partners": 'base = "all"\nany = [{ all = ["partner.citizens=selected", "partner.companies=selected"] }]',
    "evaluated": 'base = "all"\nany = ["evaluation=self"]',
    "any_role": 'base = "all"\nany = ["partner.citizens=selected", "evaluation=self"]',
    "partnered": 'total = "any_partner"',
}
COLUMNS = ("P1", "P2", "P3", "P4", "EVA")
ITEMS = ("citizens", "companies", "unions", "other")
OFFERED = {"dk-2020": {"citizens", "companies", "unions", "other", "external"},
           "dk-2022": {"citizens", "companies", "other"}}  # fmt: skip


def write_optional(root: Path, composites: dict[str, str] | None = None) -> Path:
    """Edition 2022 offered neither unions nor an evaluation with help; its other holds who chose unions."""
    write_barometer(root)
    schemas, raw = root / "schemas", root / "warehouse" / "raw"
    with (schemas / "codebook.toml").open("a", encoding="utf-8") as file:
        file.write(CODEBOOK)
    with (schemas / "indicators.toml").open("a", encoding="utf-8") as file:
        for key, text in (composites or COMPOSITES).items():
            file.write(f'\n[indicators.{key}]\nlabel = "{key}"\n{text}\n')
    crosswalk = (schemas / "instruments/dk.csv").read_text(encoding="utf-8")
    for wave, offered in OFFERED.items():
        year = wave.removeprefix("dk-")
        rows = [
            f"P{number},1,partner.{item},selected,\nP{number},,partner.{item},not_selected,\n"
            for number, item in enumerate(ITEMS, 1)
            if item in offered
        ]
        rows += ["EVA,1,evaluation,self,\nEVA,3,evaluation,no,\n"]
        rows += ["EVA,2,evaluation,external,\n"] if "external" in offered else []
        (schemas / f"instruments/{wave}.csv").write_text(crosswalk + "".join(rows), encoding="utf-8")
        text = (schemas / "instruments/dk.toml").read_text(encoding="utf-8")
        (schemas / f"instruments/{wave}.toml").write_text(text, encoding="utf-8")
        edit(schemas / f"waves/{wave}.toml", 'instrument = "dk"', f'instrument = "{wave}"')
        lines = (raw / f"dk-{year}.csv").read_text(encoding="utf-8").splitlines()
        wide = [f"{lines[0]};{';'.join(COLUMNS)}"]
        wide += [f"{line};{_answered(row, offered)}" for row, line in enumerate(lines[1:], 1)]
        (raw / f"dk-{year}.csv").write_text("\n".join(wide) + "\n", encoding="utf-8")
        pin(root, wave)
    return root


def _answered(row: int, offered: set[str]) -> str:
    chosen = {
        "citizens": row % 3 == 0,
        "companies": row % 4 == 0,
        "unions": row % 5 == 0,
        "other": row % 7 == 0,
    }
    if "unions" not in offered:
        chosen |= {"unions": False, "other": row % 7 == 0 or row % 5 == 0}
    evaluation = "1" if row % 6 == 0 else "2" if row % 6 == 1 and "external" in offered else "3"
    return ";".join([*("1" if chosen[item] else "" for item in ITEMS), evaluation])
