"""MultiTask: tasks of any kinds."""

import numpy

from . import _core, _labels, _options, _tables
from ._estimator import Estimator


class MultiTask(Estimator):
    """Tasks of any kinds side by side: binary, multi-class and regression.

    The kind of each task is inferred from its labels as ``gatewise describe`` does it: two values are binary (the
    rarer text, or the greater number, is positive), few texts or the integers from 0 on are classes, other numbers are
    a regression on standardised labels. ``tasks={{"stars": {{"kind": "regression"}}}}`` says otherwise; a column that is
    of the features can be named as a task's ``weight_column``, and a column of role "task" with ``tasks={{"*": {{}}}}``
    gives each row one task. Every option is the core's: ``gatewise.describe(name)`` explains a part or a table.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    task_names_ : list of str
    history_, metrics_, configuration_ : dict
        what training reported, what was measured after it, and every option written out

    Examples
    --------
    >>> import numpy
    >>> from gatewise import MultiTask
    >>> x = numpy.random.default_rng(1).normal(size=(300, 4))
    >>> y = {{"buy": x[:, 0] > 0.5, "amount": 3 * x[:, 1] + x[:, 0]}}
    >>> model = MultiTask(epochs=2, threads=1).fit(x, y)
    >>> [task["kind"] for task in model.configuration_["tasks"].values()]
    ['binary', 'regression']
    >>> model.predict_table(x).shape
    (300, 2)
    """

    __doc__ = __doc__.format(parameters=_options.parameters_text().replace("\n", "\n    "))

    def _learn_labels(self, X, y):
        names, add = _label_table(y)
        self.label_names_ = names
        given = dict(self.tasks or {})
        unknown = [name for name in names if "kind" not in given.get(name, {})]
        proposed = {}
        if unknown and "*" not in given:
            frame = _core.Frame("labels")
            add(frame)
            proposed = _core.propose_tasks(frame, unknown)
        tasks = {name: {**proposed.get(name, {}), **given.get(name, {})} for name in names if "*" not in given}
        return {**tasks, **{name: dict(options) for name, options in given.items() if name not in tasks}}, [add]

    def _labels(self, y):
        return [_label_table(y, self.label_names_)[1]]

    def _note(self):
        return {"labels": self.label_names_}

    def _remember(self, note):
        tasks = self.configuration_["tasks"]
        self.label_names_ = note.get("labels") or list(dict.fromkeys(
            task.get("column") or name for name, task in tasks.items()))

    def predict(self, X):
        """Predictions of each row by task.

        Returns
        -------
        table [rows, tasks]
            binary: whether it is the positive value; multi-class: the name of the most probable class; regression: the
            value in its own units
        """
        raw = self._raw(X)
        return _tables.as_table({output["name"]: _decided(output, raw[output["name"]]) for output in self.model_.outputs})

    def predict_proba(self, X):
        """Probabilities by task: {{task: array [rows, classes]}}, for binary tasks of [negative, positive]."""
        found = {}
        raw = self._raw(X)
        for output in self.model_.outputs:
            if output["kind"] != "regression":
                found[output["name"]] = _labels.probabilities(raw[output["name"]])
        return found

    predict_proba.__doc__ = predict_proba.__doc__.format()

    def score(self, X, y, sample_weight=None):
        """The mean over tasks of AUC (binary), accuracy (multi-class) and R² (regression)."""
        model = self._fitted()
        frame, weights = self._labelled(X, y, sample_weight)
        options = {"resamples": 0, "calibration_bins": 0, "metrics": ["auc", "accuracy", "r2"]}
        result = model.evaluate(frame, options, self.threads or 0, weights)
        values = [found[metric]["value"] for found in result["tasks"].values()
                  for metric in (("auc",) if "auc" in found else ("r2",) if "r2" in found else ("accuracy",))]
        values = [value for value in values if value is not None]
        return float(numpy.mean(values)) if values else float("nan")


def _label_table(y, known=None):
    """Names of the columns of labels, and what adds them to a frame. Columns without names are called as `known` says, in
    its order; so is a single series, whose name is that of whatever it was computed from.
    """
    if y is None:
        raise ValueError("fit requires y to be passed, but the target y is None")
    if known and len(known) == 1 and _labels.is_series(y):
        series = y
        return known, lambda frame: _tables.add_column(frame, known[0], series)
    y = _tables.series_to_frame(y)
    if _tables.is_table(y):
        _labels.check_names(_tables.column_names(y))
        return _tables.column_names(y), lambda frame: _tables.add_table(frame, y)
    array = numpy.asarray(_tables.unmasked(y))
    if array.ndim not in (1, 2):
        raise ValueError(f"y: got {array.ndim} dimensions, expected [rows] or [rows, tasks]")
    array = array[:, None] if array.ndim == 1 else array
    width = array.shape[1]
    names = known or (["y"] if numpy.ndim(y) == 1 else [f"y{place}" for place in range(width)])
    _labels.check_width(width, names)
    return names, lambda frame: _tables.add_array(frame, array, names)


def _decided(output, values):
    if output["kind"] == "binary":
        return values[:, 0] > 0.5
    if output["kind"] == "multiclass":
        return numpy.array(output["classes"], dtype=object)[values.argmax(axis=1)]
    return values[:, 0].astype(numpy.float64)
