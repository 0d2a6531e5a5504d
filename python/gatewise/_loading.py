"""Models back from their directories."""

import os

from . import _core
from ._classifier import MultiTaskClassifier
from ._multi_task import MultiTask
from ._regressor import MultiTaskRegressor

ESTIMATORS = {one.__name__: one for one in (MultiTaskClassifier, MultiTaskRegressor, MultiTask)}


def load(directory):
    """A fitted estimator out of a model directory, of this package or of ``gatewise fit``.

    It is of the class that saved it; a model of the command line is a MultiTask.
    """
    model = _core.Model.load(os.fspath(directory))
    note = (model.history or {}).get("python", {})
    return ESTIMATORS.get(note.get("estimator"), MultiTask)._of(model)
