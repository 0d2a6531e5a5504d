"""MultiTaskRegressor."""

import numpy
from sklearn.base import RegressorMixin

from . import _labels, _options
from ._estimator import Estimator


class MultiTaskRegressor(RegressorMixin, Estimator):
    """One or several regression tasks, trained together.

    Labels are standardised for training, as ``gatewise describe`` proposes it; ``tasks={{"y": {{"transform": "log1p"}}}}``
    says otherwise. Predictions are in the labels' own units. Every option is the core's: names, defaults, limits and
    messages are those of a configuration file, and ``gatewise.describe(name)`` explains a part or a table. Options
    inside of tables are reached as ``gate__k``.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    task_names_ : list of str
        the columns of a table y; otherwise y, or y0, y1, ...
    history_, metrics_, configuration_ : dict
        what training reported, what was measured after it, and every option written out

    Examples
    --------
    >>> import numpy
    >>> from gatewise import MultiTaskRegressor
    >>> x = numpy.random.default_rng(1).normal(size=(500, 4))
    >>> model = MultiTaskRegressor(epochs=40, batch_rows=32, optimiser={{"rate": 0.01}}, threads=1)
    >>> bool(model.fit(x, 10 * x[:, 0] + 3).score(x, 10 * x[:, 0] + 3) > 0.9)
    True
    """

    __doc__ = __doc__.format(parameters=_options.parameters_text().replace("\n", "\n    "))

    def _learn_labels(self, X, y):
        columns = _labels.label_columns(y)
        self._name_tasks(columns)
        tasks = {name: self._task_options(name, {"kind": "regression", "transform": "standardise"}) for name in columns}
        return tasks, [_labels.adder(name, _numbers(name, values)) for name, values in columns.items()]

    def _labels(self, y):
        columns = _labels.label_columns(y, self.task_names_)
        return [_labels.adder(name, _numbers(name, values)) for name, values in columns.items()]

    def predict(self, X):
        """The values of each row, in the units of the labels.

        Parameters
        ----------
        X : array [rows, features] or table

        Returns
        -------
        array [rows] of float64, or with several tasks [rows, tasks]
            the core's values of float32, taken back to the units of the labels in float64
        """
        found = [values[:, 0].astype(numpy.float64) for values in self._raw(X).values()]
        return found[0] if len(found) == 1 else numpy.column_stack(found)

    def _remember(self, note):
        for output in self.model_.outputs:
            if output["kind"] != "regression":
                raise ValueError(f"{output['name']} is a {output['kind']} task; load the model by gatewise.load() or "
                                 "MultiTask.load()")

    def score(self, X, y, sample_weight=None):
        """The coefficient of determination; of several tasks the mean of theirs, over the rows that have labels."""
        predicted = self.predict(X)
        return _labels.mean_score(predicted, y, self.task_names_, sample_weight, _determination)


def _determination(name, labels, predictions, weights):
    return r2(_numbers(name, labels), predictions, weights)


def r2(labels, predictions, weights):
    mean = numpy.average(labels, weights=weights)
    spread = numpy.sum(weights * (labels - mean) ** 2)
    return 1 - numpy.sum(weights * (labels - predictions) ** 2) / spread if spread > 0 else 0.0


def _numbers(name, values):
    try:
        return values.astype(numpy.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}: the labels are not numbers ({error})") from None
