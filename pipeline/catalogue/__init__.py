"""Reads ``schemas/`` into frozen records and checks every declaration against the others.

Nothing here reads survey data. Only the standard library and pydantic, which reads the declarations by the
records' types, are imported: ``barometer check`` must answer in under a second.
"""

from pipeline.catalogue.comparability import VERDICTS, Comparability, Composition, Rule, Verdict
from pipeline.catalogue.digest import fingerprint
from pipeline.catalogue.fieldwork import (
    Correction,
    Design,
    Erratum,
    Origin,
    Period,
    ReplicateWeights,
    Response,
    Source,
    Wave,
    Weighting,
)
from pipeline.catalogue.load import load_barometer, load_catalogue
from pipeline.catalogue.logic import Condition, Logic
from pipeline.catalogue.model import Barometer, Catalogue, Contributor, Package
from pipeline.catalogue.questionnaire import (
    ABSENT,
    IGNORE,
    NO_ANSWER,
    NOT_ASKED,
    NOT_SELECTED,
    SELECTED,
    Base,
    CrosswalkRow,
    Domain,
    Indicator,
    Instrument,
    Question,
    Variable,
)
from pipeline.catalogue.texts import text_in, texts

__all__ = [
    "ABSENT",
    "IGNORE",
    "NOT_ASKED",
    "NOT_SELECTED",
    "NO_ANSWER",
    "SELECTED",
    "VERDICTS",
    "Barometer",
    "Base",
    "Catalogue",
    "Comparability",
    "Composition",
    "Condition",
    "Contributor",
    "Correction",
    "CrosswalkRow",
    "Design",
    "Domain",
    "Erratum",
    "Indicator",
    "Instrument",
    "Logic",
    "Origin",
    "Package",
    "Period",
    "Question",
    "ReplicateWeights",
    "Response",
    "Rule",
    "Source",
    "Variable",
    "Verdict",
    "Wave",
    "Weighting",
    "fingerprint",
    "load_barometer",
    "load_catalogue",
    "text_in",
    "texts",
]
