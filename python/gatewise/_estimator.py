"""What the estimators share: parameters, fitting, scoring, saving."""

import os
import warnings

import numpy
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from . import _calls, _checks, _core, _options, _pickling, _tables
from ._results import Diagnosis, Report

WEIGHT = "sample_weight"  # the column that weights become; those of one task: "sample_weight/<task>"


class InterruptedWarning(UserWarning):
    """Training was ended by Ctrl-C; the model has the weights of its best epoch."""


class Estimator(BaseEstimator):
    """The base of the estimators; see them."""

    def __init__(self, **parameters):
        _options.check_names(parameters, type(self).__name__)
        for name, default in _options.DEFAULTS.items():
            setattr(self, name, parameters.get(name, default))

    __init__.__signature__ = _options.signature()

    # Parameters.

    def get_params(self, deep=True):
        """The parameters by name.

        Parameters
        ----------
        deep : bool
            with the options inside of those that are tables, as ``gate__k``, at the core's defaults where they are
            not given
        """
        shallow = {name: getattr(self, name, default) for name, default in _options.DEFAULTS.items()}
        return {**shallow, **_options.nested(shallow)} if deep else shallow

    def set_params(self, **parameters):
        """Sets parameters, and options inside of tables as ``gate__k``; returns the estimator."""
        for name, value in parameters.items():
            first, _, rest = name.partition("__")
            if first not in _options.DEFAULTS:
                raise ValueError(f"Invalid parameter {first!r} for estimator {type(self).__name__}; "
                                 f"valid ones are {', '.join(_options.DEFAULTS)}")
            setattr(self, first, _options.with_nested(first, getattr(self, first), rest, value) if rest else value)
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        tags.non_deterministic = False
        return tags

    # Fitting.

    def fit(self, X, y, sample_weight=None, *, validation=None, start=None, callbacks=(), progress=False,
            on_interrupt="keep"):
        """Trains a model.

        Parameters
        ----------
        X : array [rows, features] or table
            An array has numbers alone, NaN where one is missing; its columns are called x0, x1, ... A table
            (pandas, polars, pyarrow, a structured array, a dictionary of columns) has a column for each feature:
            numbers and truth values become numbers, texts and categories categories (so do whole numbers whose column
            is named like an id), lists of whole numbers or texts bags of ids, lists of numbers of one length vectors.
            Null and NaN are missing. ``columns`` says otherwise.
        y : array [rows] or [rows, tasks], or table with a column for each task
            NaN and null are missing labels: the row does not train that task.
        sample_weight : array [rows], or dict of such by task, optional
            At least 0; a row of weight 2 counts like two rows in the loss of a step.
        validation : tuple (X, y) or (X, y, sample_weight), optional
            Rows to judge every epoch on: training stops early and keeps the best epoch. Without them, and without
            ``split``, all epochs are trained and the last one is kept.
        start : estimator, optional
            A fitted one to go on from: its vocabularies take in new values, and tasks that it lacks join it.
        callbacks : functions, or one
            Called after every epoch with its record (a dict: epoch, loss, losses, validation, rate, is_best, ...);
            one that returns True ends training.
        progress : bool or function
            True: a line on standard error. A function is called about ten times a second with a dict: epoch, epochs,
            step, steps, loss, rows_per_second, seconds_left (in seconds), text.
        on_interrupt : {"keep", "raise"}
            What Ctrl-C does. Either way training ends after the step and the estimator is fitted with the weights of
            its best epoch (before the end of the first one, those it has). "keep" then warns and returns; "raise"
            raises KeyboardInterrupt.

        Returns
        -------
        the estimator
        """
        if on_interrupt not in ("keep", "raise"):
            raise ValueError(f"on_interrupt: got {on_interrupt!r}, expected \"keep\" or \"raise\"")
        _checks.check_start(start, Estimator)
        calls = _checks.check_callbacks(callbacks)
        _checks.check_progress(progress)
        tasks, labels = self._learn_labels(X, y)
        train = self._frame("training rows", X, labels, sample_weight, tasks, is_fit=True)
        held_out = None if validation is None else self._validation_frame(validation, tasks)
        told = []
        configuration = _options.configuration(self.get_params(deep=False), tasks, train.rows)
        try:
            model = _core.Model.fit(
                configuration, train, held_out, None if start is None else start._fitted(),
                _calls.epoch_call(calls, progress), _calls.progress_call(progress), told.append)
        finally:
            for line in told:
                warnings.warn(line, UserWarning, stacklevel=2)
        self._take(model)
        if model.interruption is not None:
            self._end_early(model.interruption, on_interrupt)
        return self

    def _end_early(self, interruption, on_interrupt):
        if not isinstance(interruption, KeyboardInterrupt) or on_interrupt == "raise":
            raise interruption
        epochs = len(self.history_["epochs"])
        warnings.warn(f"training was interrupted after {epochs} whole epochs; the model has the weights of the best of "
                      "them" if epochs else "training was interrupted in its first epoch; the model has the weights it "
                      "had reached", InterruptedWarning, stacklevel=3)

    def _take(self, model):
        self.model_ = model
        self.history_ = model.history
        self.metrics_ = model.metrics
        self.configuration_ = model.configuration
        self.task_names_ = [output["name"] for output in model.outputs]

    def _fitted(self):
        check_is_fitted(self, "model_")
        return self.model_

    # Frames.

    def _validation_frame(self, validation, tasks):
        rows, labels, weight = _checks.check_pair("validation", validation)
        return self._frame("validation rows", rows, self._labels(labels), weight, tasks)

    def _frame(self, name, X, labels=None, sample_weight=None, tasks=(), is_fit=False):
        """Features, labels and weights as one frame; with weights, `tasks` are told their column."""
        frame = _core.Frame(name)
        self._add_features(frame, X, is_fit)
        if labels is not None:
            for add in labels:
                add(frame)
            self._add_weights(frame, sample_weight, tasks)
        return frame

    def _add_features(self, frame, X, is_fit):
        if _tables.is_table(X):
            self._check_table(X, is_fit)
            _tables.add_table(frame, X)
            return
        X = validate_data(self, _tables.unmasked(X), reset=is_fit, dtype="numeric", ensure_all_finite="allow-nan",
                          ensure_min_samples=2 if is_fit else 1)
        if is_fit:
            self.feature_columns_ = array_names(X.shape[1])
            self.has_column_order_ = True
        _tables.add_array(frame, X, self.feature_columns_)

    def _check_table(self, X, is_fit):
        """Keeps number and names of columns. Where a table with an order of columns was trained on, scikit-learn wants
        another one in the same order; otherwise columns are found by name.
        """
        has_order = hasattr(X, "columns") and not isinstance(X, dict)
        if is_fit:
            self._keep_columns(_tables.column_names(X))
            self.has_column_order_ = has_order
        if has_order and self.has_column_order_:
            validate_data(self, X, reset=is_fit, skip_check_array=True)

    def _keep_columns(self, names, are_named=True):
        self.feature_columns_ = names
        self.n_features_in_ = len(names)
        vars(self).pop("feature_names_in_", None)
        if are_named:
            self.feature_names_in_ = numpy.array(names, dtype=object)

    def _add_weights(self, frame, sample_weight, tasks):
        columns = {}
        for name, task in tasks.items():
            column = task.get("weight_column", "")
            if is_weight(column) and column not in frame.names:  # that the model was trained with
                columns.setdefault(column, numpy.ones(frame.rows))
            if isinstance(sample_weight, dict) and name in sample_weight:
                columns[f"{WEIGHT}/{name}"] = sample_weight[name]
                task["weight_column"] = f"{WEIGHT}/{name}"
            elif sample_weight is not None and not isinstance(sample_weight, dict):
                columns[WEIGHT] = sample_weight
                task["weight_column"] = WEIGHT
        if isinstance(sample_weight, dict) and set(sample_weight) - set(tasks):
            unknown = sorted(set(sample_weight) - set(tasks))
            raise ValueError(f"sample_weight: got weights of {unknown}, expected those of tasks; tasks are {list(tasks)}")
        for column, values in columns.items():
            weights = _checks.weights_of(values, frame.rows)
            if not weights.any():
                raise ValueError("sample_weight: every weight is zero, so nothing is trained or judged; expected some above 0")
            if column in frame.names:
                raise ValueError(f"sample_weight: X or y has a column {column!r}, which is what weights are called; rename it")
            frame.add_array(column, weights)

    def _name_tasks(self, names):
        self.task_names_ = list(names)
        _checks.check_task_options(self.tasks, self.task_names_)

    def _task_options(self, name, options):
        """The options of a task with those that the parameter `tasks` gives."""
        given = (self.tasks or {}).get(name, {})
        return {**options, **given}

    # Scoring.

    def _raw(self, X):
        """{task: predictions [rows, width]} of the core, in float32, or float64 for values of labels that were transformed."""
        model = self._fitted()
        values = model.predict(self._frame("rows to score", X), self.threads or 0)
        return {output["name"]: values[:, output["offset"]:output["offset"] + output["width"]].astype(output["type"], copy=False)
                for output in model.outputs}

    def predict_table(self, X):
        """Predictions as ``gatewise predict`` writes them, to the same bits.

        Returns
        -------
        table [rows]
            a column for each task: the probability of a binary task, the value of a regression in its own units, or
            for each class a column "task:class" with its probability; in float32, but values of labels that were
            transformed in float64
        """
        raw = self._raw(X)
        columns = {}
        for output in self.model_.outputs:
            values = raw[output["name"]]
            if output["kind"] == "multiclass":
                columns.update({f"{output['name']}:{label}": values[:, place]
                                for place, label in enumerate(output["classes"])})
            else:
                columns[output["name"]] = values[:, 0]
        return _tables.as_table(columns)

    def evaluate(self, X, y, sample_weight=None, **options):
        """Metrics of labelled rows, with 95 % intervals of a bootstrap.

        Parameters
        ----------
        options
            of the table [evaluation]: metrics, resamples, seed, calibration_bins

        Returns
        -------
        table
            a row for each task and metric: task, metric, value, low, high
        """
        model = self._fitted()
        frame, weights = self._labelled(X, y, sample_weight)
        result = model.evaluate(frame, options, self.threads or 0, weights)
        return _tables.rows_as_table([
            {"task": task, "metric": metric, "value": found["value"], "low": found.get("low"), "high": found.get("high")}
            for task, metrics in result["tasks"].items() for metric, found in metrics.items()])

    def _labelled(self, X, y, sample_weight=None):
        """A frame of labelled rows, and {task: its column of weights}."""
        tasks = {name: dict(task) for name, task in self.configuration_["tasks"].items()}
        frame = self._frame("labelled rows", X, self._labels(y), sample_weight, tasks)
        weights = {name: task["weight_column"] for name, task in tasks.items()
                   if sample_weight is not None and is_weight(task.get("weight_column", ""))}
        return frame, weights

    # Looking inside.

    def diagnose(self, X, y, sample_weight=None, *, by="", train=None, **options):
        """What experts and gates do on labelled rows, what they are worth, and what is wrong with them.

        Parameters
        ----------
        X, y
            best rows that the model has not seen; at least 20
        by : str
            a column of X: gate weights are also shown by its values
        train : tuple (X, y), optional
            the rows the model was fitted on, to train models for each task alone on (and the model again, by other seeds),
            which says whether sharing helps
        options
            thresholds and sizes, as ``gatewise diagnose --help`` lists them

        Returns
        -------
        Diagnosis
        """
        model = self._fitted()
        singles = None if train is None else self._labelled(*_checks.check_pair("train", train))[0]
        frame, weights = self._labelled(X, y, sample_weight)
        result = model.diagnose(frame, options, self.threads or 0, weights, by, singles)
        result["model"] = type(self).__name__
        return Diagnosis(result)

    def report(self):
        """The report of the training run: shown inline in a notebook, saved as one HTML file by ``.save(path)``."""
        return Report(_core.fit_page(self._fitted().result(type(self).__name__)))

    # Parameters of the model.

    def parameters(self):
        """The model's parameters by path.

        Returns
        -------
        dict
            {"experts/0/layer_0/weight": float32 array [in, out], ...}: copies, with the running moments of batch norms
        """
        return self._fitted().parameters()

    def set_parameters(self, values):
        """Sets the parameters of these paths, as from a state dict of another framework; returns the estimator.

        Parameters
        ----------
        values : dict
            {path: array}; shapes must be those of ``parameters()``: weights are [in, out]. All are set, or none where
            one does not fit. No other thread may be predicting.
        """
        self._fitted().set_parameters(_checks.check_parameter_values(values))
        return self

    # Keeping.

    def save(self, directory):
        """Writes the model directory, which the command line, the server and the C library read; whole or not at all."""
        model = self._fitted()
        model.note({"estimator": type(self).__name__, "has_names": hasattr(self, "feature_names_in_"), **self._note()})
        model.save(os.fspath(directory))
        return self

    @classmethod
    def load(cls, directory):
        """A fitted estimator out of a model directory, whoever wrote it.

        It has the options of the model and of its training; what columns and tasks are is found out anew when it is fitted
        again.
        """
        return cls._of(_core.Model.load(os.fspath(directory)))

    @classmethod
    def _of(cls, model):
        written = model.configuration
        table = written.get("model", {})
        estimator = cls(architecture=table.get("type", "mmoe"))
        estimator.set_params(
            **{name: value for name, value in table.items() if name in _options.MODEL_OPTIONS},
            **{name: value for name, value in written.get("training", {}).items() if name in _options.TRAINING_OPTIONS})
        estimator._take(model)
        note = (model.history or {}).get("python", {})
        estimator._keep_columns(model.features, note.get("has_names", model.features != array_names(len(model.features))))
        estimator.has_column_order_ = False
        estimator._remember(note)
        return estimator

    def _note(self):
        return {}

    def _remember(self, note):
        """Takes what _note() gave, which is empty for a model of the command line."""

    def __getstate__(self):
        state = dict(super().__getstate__())
        if "model_" in state:
            state["model_"] = _pickling.files_of(state["model_"])
        return state

    def __setstate__(self, state):
        state = dict(state)
        if "model_" in state:
            state["model_"] = _pickling.model_of(state["model_"])
        super().__setstate__(state)


def is_weight(column):
    return column == WEIGHT or column.startswith(WEIGHT + "/")


def array_names(columns):
    """What the columns of a plain array are called."""
    return [f"x{place}" for place in range(columns)]
