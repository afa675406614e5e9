"""A barometer's published figures in Python.

``open(folder)`` gives a barometer that was built by ``barometer run``; ``read_package(path)`` a data
package from anywhere. What is wrong with the input is a ``FaultError``, which says where, what and how to
mend it.
"""

from barometer.package import read_package
from barometer.project import Barometer, Comparison, Reason, open
from pipeline.faults import Fault, FaultError

__all__ = ["Barometer", "Comparison", "Fault", "FaultError", "Reason", "open", "read_package"]
