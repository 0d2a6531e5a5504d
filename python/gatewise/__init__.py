"""Gatewise: trains, examines and serves multi-task mixture-of-experts models.

Estimators in the manner of scikit-learn:

- ``MultiTaskClassifier``: one or several classification tasks,
- ``MultiTaskRegressor``: one or several regression tasks,
- ``MultiTask``: tasks of any kinds side by side.

They take NumPy arrays, tables of pandas, polars and pyarrow, and dictionaries of columns. Their options are those of
a Gatewise configuration file, with the same names, defaults and messages; ``describe()`` explains each. Models are
saved as the directories that the command line, the server and the C library read.

Gates and architectures of your own are functions over ``gatewise.graph``: see ``gatewise.gate`` and
``gatewise.architecture``.

    >>> import gatewise, numpy
    >>> x = numpy.random.default_rng(1).normal(size=(200, 3))
    >>> y = numpy.column_stack([x[:, 0] > 0, x[:, 0] + x[:, 1] > 0])
    >>> model = gatewise.MultiTaskClassifier(experts=2, epochs=2).fit(x, y)
    >>> model.predict(x).shape
    (200, 2)
"""

from ._core import Error, __version__
from . import graph
from ._classifier import MultiTaskClassifier
from ._define import ReplacedWarning, above, architecture, choices, gate, limits, load_plugin, search
from ._loading import load
from ._multi_task import MultiTask
from ._options import describe
from ._regressor import MultiTaskRegressor
from ._results import Diagnosis, Report

Error.__module__ = __name__  # where it is found

__all__ = ["Diagnosis", "Error", "MultiTask", "MultiTaskClassifier", "MultiTaskRegressor", "ReplacedWarning", "Report",
           "above", "architecture", "choices", "describe", "gate", "graph", "limits", "load", "load_plugin", "search",
           "__version__"]
