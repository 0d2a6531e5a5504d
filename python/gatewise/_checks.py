"""What callers hand over, refused by name where it cannot be what is expected."""

import difflib

import numpy

from . import _core


def check_task_options(given, tasks):
    """Holds the parameter `tasks` against the tasks that have labels."""
    if given is not None and not isinstance(given, dict):
        raise TypeError(f"tasks: got a {type(given).__name__}, expected a dictionary of options by task")
    for name, options in (given or {}).items():
        if name not in tasks:
            raise _core.Error(f"tasks: there is no task {name!r}{nearest(name, tasks)}; got labels of {', '.join(tasks)}")
        if not isinstance(options, dict):
            raise TypeError(f"tasks.{name}: got a {type(options).__name__}, expected a dictionary of options")


def nearest(name, known):
    near = difflib.get_close_matches(str(name), [str(one) for one in known], n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def check_callbacks(callbacks):
    """The callbacks as a list."""
    try:
        calls = [callbacks] if callable(callbacks) else list(callbacks)
    except TypeError:
        calls = [None]
    if not all(callable(one) for one in calls):
        raise TypeError(f"callbacks: got {callbacks!r}, expected a function, or a list of functions")
    return calls


def check_progress(progress):
    if not isinstance(progress, (bool, numpy.bool_)) and progress is not None and not callable(progress):
        raise TypeError(f"progress: got {progress!r}, expected True, False or a function")


def check_start(start, kind):
    if start is not None and not isinstance(start, kind):
        raise TypeError(f"start: got a {type(start).__name__}, expected a fitted estimator; gatewise.load(directory) reads "
                        "one")


def check_pair(name, given):
    """(X, y) or (X, y, sample_weight) as three values."""
    if not isinstance(given, (tuple, list)) or len(given) not in (2, 3):
        what = f"{len(given)} values" if isinstance(given, (tuple, list)) else f"a {type(given).__name__}"
        raise ValueError(f"{name}: got {what}, expected (X, y) or (X, y, sample_weight)")
    return (*given, None)[:3]


def check_parameter_values(values):
    if not isinstance(values, dict):
        raise TypeError(f"set_parameters: got a {type(values).__name__}, expected a dictionary {{path: array}}")
    return values


def weights_of(values, rows, name="sample_weight"):
    """Weights [rows] of float64, out of one for all or of one for each row."""
    try:
        weights = numpy.asarray(values, dtype=numpy.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: got values that are not numbers, expected one weight a row, at least 0") from None
    if weights.ndim == 0:
        weights = numpy.full(rows, float(weights))
    if weights.ndim != 1 or len(weights) != rows:
        raise ValueError(f"{name}: got the shape {weights.shape}, expected ({rows},): one weight a row")
    return weights
