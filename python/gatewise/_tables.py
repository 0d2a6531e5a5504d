"""Tables and arrays into frames of the core, and results into tables."""

import datetime

import numpy

from . import _core


def is_table(data):
    """Whether columns have names and types of their own, as those of a plain array do not."""
    if type(data).__name__ == "LazyFrame":
        raise TypeError("got a polars LazyFrame, expected rows that are in memory; collect() it first")
    if hasattr(data, "toarray"):
        return False  # sparse matrices, of which one kind is a dictionary
    if is_arrow_column(data):
        return False
    return (hasattr(data, "__arrow_c_stream__") or isinstance(data, dict) or hasattr(data, "columns")
            or (isinstance(data, numpy.ndarray) and data.dtype.names is not None))


def is_arrow_column(data):
    """Whether it is one column of Arrow's, whole or in chunks, which has no name."""
    is_arrow = hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__")
    return is_arrow and hasattr(data, "to_numpy") and not any(
        hasattr(data, name) for name in ("columns", "column_names", "to_frame"))


def is_missing(value):
    """Whether a Python object stands for nothing, as None and what pandas puts for a missing value or time."""
    return value is None or type(value).__name__ in ("NaTType", "NAType")


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
    except (AttributeError, ImportError, OverflowError, TypeError, ValueError):
        for place, name in enumerate(data.columns):
            add_column(frame, str(name), data.iloc[:, place])
        return
    frame.add_stream(capsule)


def add_column(frame, name, values):
    """One column: an array or series of one dimension, or of two (a vector a row), or a list of values or of lists."""
    values = unmasked(values)
    if isinstance(values, (list, tuple)):
        add_list(frame, name, list(values))
        return
    values = numpy.asarray(values)
    if values.ndim == 2:
        frame.add_objects(name, list(values.astype(numpy.float64) if values.dtype.kind in "biu" else values))
    elif values.ndim == 1 and values.dtype.kind == "O":
        add_list(frame, name, values.tolist())
    else:
        frame.add_array(name, values)


def add_list(frame, name, values):
    """A column of Python objects."""
    # Numbers alone go through NumPy, unless it would round: whole numbers that no type of 64 bits holds together.
    if values and all(type(value) in (int, float, bool) for value in values):
        array = numpy.asarray(values)
        if array.dtype.kind in "biu" or any(type(value) is float for value in values):
            frame.add_array(name, array)
            return
    times = times_of(values)
    if times is not None:
        frame.add_array(name, times)
    else:
        frame.add_objects(name, values)


def times_of(values):
    """Dates and times as an array, in UTC where they have a time zone; None where there are other values."""
    times = []
    for value in values:
        if is_missing(value) or (isinstance(value, float) and value != value):
            times.append(numpy.datetime64("NaT"))
        elif isinstance(value, (datetime.date, numpy.datetime64)):
            if getattr(value, "tzinfo", None) is not None:
                value = value.astimezone(datetime.timezone.utc).replace(tzinfo=None)
            times.append(numpy.datetime64(value, "us"))
        else:
            return None
    times = numpy.array(times, dtype="datetime64[us]")
    return None if numpy.isnat(times).all() else times


def unmasked(values):
    """A masked array of NumPy's as an array whose masked values are missing; anything else as it is."""
    if not isinstance(values, numpy.ma.MaskedArray):
        return values
    mask = numpy.ma.getmaskarray(values)
    if not mask.any():
        return values.data
    if values.dtype.kind == "f":
        return values.filled(numpy.nan)
    if values.dtype.kind == "M":
        return values.filled(numpy.datetime64("NaT"))
    if values.ndim == 2 and values.dtype.kind in "biu":
        return values.astype(numpy.float64).filled(numpy.nan)
    objects = values.data.astype(object)  # filled(None) would fill with a text
    objects[mask] = None
    return objects


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
