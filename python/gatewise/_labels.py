"""Labels as the estimators of scikit-learn's kind take them: arrays or tables, one column for each task."""

import numpy
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array

from . import _checks, _tables


def label_columns(y, names=None):
    """{task: values}. Tasks are called by the names of a table's columns, else as `names` says, else y or y0, y1, ...
    With `names`, exactly these tasks in this order, or ValueError. Labels of objects have None where one is missing.
    """
    return {name: _plain(values) for name, values in _columns(y, names).items()}


def _columns(y, names):
    if names and len(names) == 1 and is_series(y):
        y = numpy.asarray(y)  # its name is that of whatever it was computed from
    y = _tables.series_to_frame(y)
    if _tables.is_table(y):
        return _of_tasks(_table_columns(y), names)
    if y is None:
        raise ValueError("fit requires y to be passed, but the target y is None")
    array = check_array(_unmasked(y), ensure_2d=False, dtype=None, ensure_all_finite=False, input_name="y")
    if array.ndim > 2:
        raise ValueError(f"y: got {array.ndim} dimensions, expected [rows] or [rows, tasks]")
    width = 1 if array.ndim == 1 else array.shape[1]
    if names:
        check_width(width, names)
    if width == 1:
        return {names[0] if names else "y": column_or_1d(array, warn=array.ndim == 2)}
    names = names or [f"y{place}" for place in range(width)]
    return {name: array[:, place] for place, name in enumerate(names)}


def _plain(values):
    """Objects as numbers or truth values where that is what they are; what is missing among them is None or NaN."""
    if values.dtype.kind != "O":
        return values
    missing = is_missing(values)
    present = values[~missing]
    if not missing.any():
        return present.astype(bool) if _are(present, (bool, numpy.bool_)) else values
    values = values.copy()
    values[missing] = None
    is_number = _are(present, (int, float, numpy.number)) and not any(isinstance(one, bool) for one in present)
    return values.astype(numpy.float64) if is_number else values


def _are(values, kinds):
    return len(values) > 0 and all(isinstance(one, kinds) for one in values)


def _unmasked(values):
    if isinstance(values, numpy.ma.MaskedArray) and values.dtype.kind in "biu":
        values = values.astype(numpy.float64)  # which has a value for a missing one
    return _tables.unmasked(values)


def check_width(width, names):
    if width != len(names):
        raise ValueError(f"y: got {width} column{'' if width == 1 else 's'}, expected {len(names)}: {', '.join(names)}")


def check_names(names):
    """Refuses two columns of one name, of which one would be lost."""
    twice = [name for place, name in enumerate(names) if name in names[:place]]
    if twice:
        raise ValueError(f"y: two columns are named {twice[0]!r}; rename one")


def is_series(y):
    return hasattr(y, "to_frame") and not hasattr(y, "columns")


def _of_tasks(columns, names):
    if not names:
        return columns
    for name in columns:
        if name not in names:
            raise ValueError(f"y: there is no task {name!r}{_checks.nearest(name, names)}; tasks are {', '.join(names)}")
    for name in names:
        if name not in columns:
            raise ValueError(f"y: got no labels of the task {name!r}, expected those of {', '.join(names)}")
    return {name: columns[name] for name in names}


def _table_columns(y):
    check_names(_tables.column_names(y))
    if isinstance(y, dict):
        columns = {str(name): numpy.asarray(_unmasked(values)) for name, values in y.items()}
    elif isinstance(y, numpy.ndarray):
        columns = {name: _unmasked(y[name]) for name in y.dtype.names}
    elif hasattr(y, "columns") and hasattr(y, "iloc"):
        columns = {str(name): y.iloc[:, place].to_numpy() for place, name in enumerate(y.columns)}
    else:
        columns = {name: numpy.asarray(y[name]) for name in _tables.column_names(y)}
    for name, values in columns.items():
        if values.ndim != 1:
            raise ValueError(f"y: the labels of {name!r} have {values.ndim} dimensions, expected one")
    return columns


def mean_score(predicted, y, names, sample_weight, judge):
    """The mean over tasks of judge(task, labels, predictions, weights) of the rows that have labels.

    `predicted` [rows] or [rows, tasks]; `y` has the tasks `names`, in any order where they are named.
    """
    predicted = predicted[:, None] if predicted.ndim == 1 else predicted
    rows = len(predicted)
    weights = numpy.ones(rows) if sample_weight is None else _checks.weights_of(sample_weight, rows)
    if not (weights >= 0).all():
        raise ValueError(f"sample_weight: got {weights[~(weights >= 0)][0]}, expected weights of at least 0")
    found = []
    for place, (name, values) in enumerate(label_columns(y, names).items()):
        if len(values) != rows:
            raise ValueError(f"y: got {len(values)} labels of {name!r}, expected {rows}, as X has rows")
        present = ~is_missing(values)
        if not weights[present].any():
            raise ValueError(f"y: no row with a weight above 0 has a label of {name!r}, so there is nothing to score; "
                             "score rows that have labels of every task")
        found.append(judge(name, values[present], predicted[present, place], weights[present]))
    return float(numpy.mean(found))


def is_missing(values):
    """Which labels are missing: NaN, NaT, None, and what pandas puts for a missing value."""
    if values.dtype.kind == "f":
        return numpy.isnan(values)
    if values.dtype.kind in "mM":
        return numpy.isnat(values)
    if values.dtype.kind != "O":
        return numpy.zeros(len(values), dtype=bool)
    return numpy.array([_tables.is_missing(value) or value != value for value in values], dtype=bool)


def classes_of(name, values):
    """The sorted classes of a task's present labels."""
    present = values[~is_missing(values)]
    if present.dtype.kind == "f" and numpy.isinf(present).any():
        raise ValueError(f"{name}: the labels hold inf, which is no class")
    if present.dtype.kind == "O" and _are(present, (bool, numpy.bool_)):
        present = present.astype(bool)
    check_classification_targets(present)
    classes = numpy.unique(present)
    if len(classes) < 2:
        raise ValueError(f"{name}: got labels of {len(classes)} class{'' if len(classes) == 1 else 'es'}, expected at "
                         "least two; drop the task")
    if classes.dtype.kind in "OUS":
        classes = numpy.array([str(one) for one in classes], dtype=object if classes.dtype.kind == "O" else None)
    return classes


def as_core_labels(name, values, classes):
    """(options of the task, column for the core): numbers as they are where the core can, else texts."""
    missing = is_missing(values)
    if classes.dtype.kind in "biuf":
        numbers = values.astype(numpy.float64)
        whole = numpy.array_equal(classes, numpy.arange(len(classes)))
        if len(classes) == 2:
            return ({"kind": "binary"} if whole else {"kind": "binary", "equals": number(classes[1])}), numbers
        if whole:
            return {"kind": "multiclass", "classes": len(classes)}, numbers
    names = [text_of(one) for one in classes]
    if len({one.strip() for one in names} - {""}) < len(names):
        raise ValueError(f"{name}: got the classes {names}, expected texts that differ by more than blanks and are not "
                         "empty")
    texts = [None if gone else text_of(value) for value, gone in zip(values, missing)]
    if len(classes) == 2:
        return {"kind": "binary", "equals": names[1].strip()}, texts
    return {"kind": "multiclass", "classes": [one.strip() for one in names]}, texts


def probabilities(values):
    """Probabilities [rows, classes] of float64 out of the core's: of a binary task those of the positive class."""
    values = values.astype(numpy.float64)
    if values.shape[1] == 1:
        return numpy.column_stack([1 - values, values])
    return values / values.sum(axis=1, keepdims=True)


def number(value):
    return int(value) if float(value).is_integer() else float(value)


def text_of(value):
    """A class as the text that the command line reads in a file."""
    if isinstance(value, (int, float, numpy.number)) and not isinstance(value, (bool, numpy.bool_)):
        return str(number(value))
    return str(value)


def adder(name, values):
    """What adds a column of labels to a frame."""
    if isinstance(values, list):
        return lambda frame: frame.add_objects(name, values)
    return lambda frame: frame.add_array(name, values)
