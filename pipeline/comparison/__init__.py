"""May these two numbers be compared? Verdicts from declared facts, estimates on one basis, tests.

``facts`` says what is declared of a wave, ``verdicts`` what the rules make of two of them, ``scope`` and
``options`` what the two share, on which ``material`` has estimates made again. ``between``, ``standard``,
``benchmarks`` and ``trends`` compare, ``significance`` tests, ``reconciliation`` holds estimates beside
published figures, ``published`` decides what leaves. The rules are data: ``schemas/comparability.toml``.
"""

from pipeline.comparison.benchmarks import against_rest, benchmarks
from pipeline.comparison.between import comparisons as comparisons_of
from pipeline.comparison.facts import WaveFacts
from pipeline.comparison.inputs import ComparisonInputs
from pipeline.comparison.published import Compared, published, reasons
from pipeline.comparison.reconciliation import errata, reconciliation
from pipeline.comparison.shared_scope import scope_text
from pipeline.comparison.standard import standardise
from pipeline.comparison.trends import trends
from pipeline.comparison.verdicts import Judgement, Pair

__all__ = [
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
    "scope_text",
    "standardise",
    "trends",
]
