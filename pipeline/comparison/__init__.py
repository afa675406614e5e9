"""May these two numbers be compared? Verdicts from declared facts, estimates on one basis, tests.

``facts`` says what is declared of a wave, ``verdicts`` what the rules make of two waves, ``shared_scope`` and
``options`` what the two have in common; ``inputs`` gives the estimates, narrowed to that where needed.
``between``, ``standard``, ``benchmarks`` and ``trends`` compare, ``significance`` tests, ``reconciliation``
sets estimates beside published figures, ``readable`` and ``published`` decide what may be published. The
rules are data: ``schemas/comparability.toml``.
"""

from pipeline.comparison.benchmarks import against_rest, benchmarks
from pipeline.comparison.between import comparisons as comparisons_of
from pipeline.comparison.facts import WaveFacts
from pipeline.comparison.inputs import ComparisonInputs
from pipeline.comparison.published import Compared, published, reasons
from pipeline.comparison.reconciliation import errata, reconciliation
from pipeline.comparison.shared_units import UNKNOWN, shared_units
from pipeline.comparison.standard import standardise
from pipeline.comparison.trends import trends
from pipeline.comparison.verdicts import Judgement, Pair

__all__ = [
    "UNKNOWN",
    "Compared",
    "ComparisonInputs",
    "Judgement",
    "Pair",
    "WaveFacts",
    "against_rest",
    "benchmarks",
    "comparisons_of",
    "errata",
    "published",
    "reasons",
    "reconciliation",
    "shared_units",
    "standardise",
    "trends",
]
