"""MultiTaskClassifier."""

import numpy
from sklearn.base import ClassifierMixin

from . import _labels, _options
from ._estimator import Estimator


class MultiTaskClassifier(ClassifierMixin, Estimator):
    """One or several classification tasks, trained together.

    Every option is the core's: names, defaults, limits and messages are those of a configuration file, and
    ``gatewise.describe(name)`` explains a part or a table. Options inside of tables are reached as ``gate__k``.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    classes_ : array, or with several tasks a list of arrays
        the sorted labels of each task
    task_names_ : list of str
        the columns of a table y; otherwise y, or y0, y1, ...
    history_, metrics_, configuration_ : dict
        what training reported, what was measured after it, and every option written out

    Examples
    --------
    >>> import numpy
    >>> from gatewise import MultiTaskClassifier
    >>> x = numpy.random.default_rng(1).normal(size=(500, 4))
    >>> y = numpy.where(x[:, 0] > 0, "yes", "no")
    >>> model = MultiTaskClassifier(gate={{"type": "top_k", "k": 2}}, epochs=30, batch_rows=64, threads=1)
    >>> bool(model.fit(x, y).score(x, y) > 0.9)
    True
    >>> model.set_params(gate__k=3).get_params()["gate__k"]
    3
    """

    __doc__ = __doc__.format(parameters=_options.parameters_text().replace("\n", "\n    "))

    def _learn_labels(self, X, y):
        columns = _labels.label_columns(y)
        self._name_tasks(columns)
        classes, tasks, adders = [], {}, []
        for name, values in columns.items():
            classes.append(_labels.classes_of(name, values))
            options, labels = _labels.as_core_labels(name, values, classes[-1])
            tasks[name] = self._task_options(name, options)
            adders.append(_labels.adder(name, labels))
        self.classes_ = classes[0] if len(classes) == 1 else classes
        return tasks, adders

    def _labels(self, y):
        columns = _labels.label_columns(y, self.task_names_)
        adders = []
        for name, classes in zip(columns, self._class_list()):
            adders.append(_labels.adder(name, _labels.as_core_labels(name, columns[name], classes)[1]))
        return adders

    def _class_list(self):
        return [self.classes_] if isinstance(self.classes_, numpy.ndarray) else self.classes_

    def predict_proba(self, X):
        """Probabilities of the classes.

        Parameters
        ----------
        X : array [rows, features] or table

        Returns
        -------
        array [rows, classes] of float64, or with several tasks a list of such
            in the order of ``classes_``; the core's values, which are of float32, divided by their sum, which float32
            rounds
        """
        found = [_labels.probabilities(values) for values in self._raw(X).values()]
        return found[0] if len(found) == 1 else found

    def predict(self, X):
        """The most probable class of each row.

        Returns
        -------
        array [rows], or with several tasks [rows, tasks]
        """
        probabilities = self.predict_proba(X)
        if not isinstance(probabilities, list):
            return self._class_list()[0][probabilities.argmax(axis=1)]
        return numpy.column_stack([classes[values.argmax(axis=1)]
                                   for classes, values in zip(self._class_list(), probabilities)])

    def score(self, X, y, sample_weight=None):
        """The mean accuracy; of several tasks the mean of theirs, over the rows that have labels."""
        predicted = self.predict(X)
        return _labels.mean_score(predicted, y, self.task_names_, sample_weight, _accuracy)

    def _note(self):
        return {"classes": [_written(classes) for classes in self._class_list()],
                "types": [classes.dtype.str for classes in self._class_list()]}

    def _remember(self, note):
        classes = note.get("classes") or [_classes_of_output(output, self.configuration_["tasks"])
                                          for output in self.model_.outputs]
        types = note.get("types") or [None] * len(classes)
        classes = [numpy.array(one, dtype=kind) for one, kind in zip(classes, types)]
        self.classes_ = classes[0] if len(classes) == 1 else classes


def _written(classes):
    """Classes as JSON has them: moments as texts."""
    return [str(one) for one in classes] if classes.dtype.kind in "mM" else classes.tolist()


def _accuracy(_, labels, predictions, weights):
    return numpy.average(predictions == labels, weights=weights)


def _classes_of_output(output, tasks):
    """The classes of a task that this package has not trained: numbers where their names are numbers."""
    if output["kind"] == "regression":
        raise ValueError(f"{output['name']} is a regression task; load the model by gatewise.load() or MultiTask.load()")
    if output["kind"] == "multiclass":
        try:
            return [int(name) for name in output["classes"]]
        except ValueError:
            return output["classes"]
    positive = tasks.get(output["name"], {}).get("equals")
    return [0, 1] if not isinstance(positive, str) else ["not " + positive, positive]
