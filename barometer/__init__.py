"""A barometer's published figures in Python.

``open(folder)`` gives a barometer that was built by ``barometer run``; ``read_package(path)`` a data
package from anywhere. Problems of the input raise ``ProblemError``, which says where, what and how to
fix it.
"""

from barometer.package import read_package
from barometer.project import Barometer, Comparison, Reason, open
from pipeline.problems import Problem, ProblemError

__all__ = ["Barometer", "Comparison", "Problem", "ProblemError", "Reason", "open", "read_package"]
