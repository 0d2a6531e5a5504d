"""Tables and arrays into frames of the core, and results into tables."""

import numpy

from . import _core


def is_table(data):
    """Whether columns have names and types of their own, as those of a plain array do not."""
    if hasattr(data, "toarray"):
        return False  # sparse matrices, of which one kind is a dictionary
    return (hasattr(data, "__arrow_c_stream__") or isinstance(data, dict) or hasattr(data, "columns")
            or (isinstance(data, numpy.ndarray) and data.dtype.names is not None))


def is_pandas(data):
    return type(data).__module__.partition(".")[0] == "pandas"


def series_to_frame(data):
    """A named series as a table of one column."""
    if not hasattr(data, "to_frame") or hasattr(data, "columns"):
        return data
    return data.to_frame() if getattr(data, "name", None) not in (None, "") else data.to_frame("y")


def column_names(data):
    """Names of a table's columns."""
    if isinstance(data, dict):
        return [str(name) for name in data]
    if isinstance(data, numpy.ndarray):
        return list(data.dtype.names)
    if hasattr(data, "column_names"):
        return list(data.column_names)
    if hasattr(data, "columns"):
        return [str(name) for name in data.columns]
    frame = _core.Frame("table")
    frame.add_stream(data.__arrow_c_stream__())
    return frame.names


def add_table(frame, data):
    """Adds every column of a table: by the Arrow C stream interface where it has one, else column by column."""
    if isinstance(data, dict):
        for name, values in data.items():
            add_column(frame, str(name), values)
    elif isinstance(data, numpy.ndarray):
        for name in data.dtype.names:
            add_column(frame, name, data[name])
    elif is_pandas(data):
        add_pandas(frame, data)
    elif hasattr(data, "__arrow_c_stream__"):
        frame.add_stream(data.__arrow_c_stream__())
    else:
        for name in data.columns:
            add_column(frame, str(name), data[name])


def add_pandas(frame, data):
    # Its index is no column; and what Arrow has no type for (or where pyarrow, which pandas needs for it, is not
    # there) goes column by column.
    try:
        capsule = data.reset_index(drop=True).__arrow_c_stream__()
    except (AttributeError, ImportError, TypeError, ValueError):
        for place, name in enumerate(data.columns):
            add_column(frame, str(name), data.iloc[:, place])
        return
    frame.add_stream(capsule)


def add_column(frame, name, values):
    """One column: an array or series of one dimension, or a list of values or of lists."""
    if isinstance(values, numpy.ndarray) and values.ndim == 2:
        frame.add_objects(name, list(values))
    elif isinstance(values, (list, tuple)):
        if values and all(type(value) in (int, float, bool) for value in values):
            frame.add_array(name, numpy.asarray(values))
        else:
            frame.add_objects(name, list(values))
    else:
        values = numpy.asarray(values)
        frame.add_array(name, values)


def add_array(frame, values, names):
    """The columns of an array [rows, columns]."""
    for place, name in enumerate(names):
        frame.add_array(name, values[:, place])


def as_table(columns):
    """{name: values} as a pandas DataFrame if pandas is there, else as it is."""
    try:
        import pandas
    except ImportError:
        return columns
    return pandas.DataFrame(columns)


def rows_as_table(rows):
    """A list of dictionaries as a table; keys that one of them lacks are None there."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    return as_table({name: [row.get(name) for row in rows] for name in names})
