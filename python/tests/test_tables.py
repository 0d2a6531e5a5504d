"""Tables of other packages, seen through the predictions of one model: the same values give the same bits."""

import datetime

import numpy
import pandas
import polars
import pyarrow
import pytest

from gatewise import Error, MultiTask, MultiTaskRegressor

LISTS = {"seen": pyarrow.list_(pyarrow.int64()), "tags": pyarrow.list_(pyarrow.string()),
         "place": pyarrow.list_(pyarrow.float64(), 2)}


def arrow_table(people, **types):
    return pyarrow.table({name: pyarrow.array(values, types.get(name, LISTS.get(name)))
                          for name, values in people.columns.items()})


@pytest.fixture(scope="module")
def model(people):
    return MultiTask(epochs=2, experts=2, batch_rows=64).fit(arrow_table(people), people.labels)


def roles(model):
    return {name: column["role"] for name, column in model.configuration_["columns"].items() if isinstance(column, dict)}


def predictions(model, table):
    return model.predict_table(table).to_numpy()


def test_roles_follow_from_types(model):
    assert roles(model) == {"age": "numeric", "visits": "numeric", "city": "categorical", "user_id": "categorical",
                            "member": "numeric", "seen": "bag", "tags": "bag", "place": "vector"}
    columns = model.configuration_["columns"]
    assert columns["user_id"]["type"] == "id" and columns["seen"]["type"] == "id" and columns["tags"]["type"] == "text"
    assert columns["age"]["missing_indicator"] and not columns["visits"]["missing_indicator"]
    assert columns["place"]["width"] == 2


@pytest.mark.parametrize("table", [
    lambda people: people.columns, lambda people: pandas.DataFrame(people.columns, index=numpy.arange(400)[::-1]),
    lambda people: polars.DataFrame(people.columns),
    lambda people: pandas.DataFrame(people.columns).astype({"city": "category"}),
], ids=["dictionary", "pandas with an index", "polars", "categories"])
def test_training_is_the_same_on_every_table(model, people, table):
    place = {"place": {"role": "vector"}}  # lists of one length, whatever type says so
    again = MultiTask(epochs=2, experts=2, batch_rows=64, columns=place).fit(table(people), people.labels)
    assert roles(again) == roles(model)
    expected = MultiTask(epochs=2, experts=2, batch_rows=64, columns=place).fit(arrow_table(people), people.labels)
    assert numpy.array_equal(predictions(again, people.columns), predictions(expected, people.columns))


@pytest.mark.parametrize("make", [
    pytest.param(lambda people: people.columns, id="dictionary"),
    pytest.param(lambda people: pandas.DataFrame(people.columns), id="pandas"),
    pytest.param(lambda people: pandas.DataFrame(people.columns, index=numpy.arange(400)[::-1]), id="pandas with an index"),
    pytest.param(lambda people: pandas.DataFrame(people.columns).astype({"city": "category"}), id="categories"),
    pytest.param(lambda people: polars.DataFrame(people.columns), id="polars"),
    pytest.param(lambda people: polars.DataFrame(people.columns).with_columns(
        polars.col("city").cast(polars.Categorical), polars.col("place").list.to_array(2)), id="polars' own types"),
    pytest.param(lambda people: arrow_table(
        people, city=pyarrow.large_string(), seen=pyarrow.large_list(pyarrow.int32()), visits=pyarrow.uint8(),
        user_id=pyarrow.int16()), id="large and narrow types"),
    pytest.param(lambda people: arrow_table(people, city=pyarrow.string_view()), id="string views"),
    pytest.param(lambda people: pyarrow.concat_tables([arrow_table(people)[:7], arrow_table(people)[7:]]), id="chunks"),
    pytest.param(lambda people: pyarrow.concat_tables([arrow_table(people)] * 2).combine_chunks()[400:], id="slices"),
])
def test_every_table_gives_the_same_bits(model, people, make):
    expected = predictions(model, arrow_table(people))
    assert numpy.array_equal(predictions(model, make(people)), expected)
    # Values do matter: the model is not blind to the columns that are compared.
    for name in people.columns:
        columns = dict(people.columns)
        columns[name] = columns[name][::-1]
        assert not numpy.array_equal(predictions(model, columns), expected), name


def test_columns_without_pyarrow(model, people, monkeypatch):
    expected = predictions(model, arrow_table(people))

    def refuse(self, requested_schema=None):
        raise ImportError("pyarrow is not there")

    monkeypatch.setattr(pandas.DataFrame, "__arrow_c_stream__", refuse)
    assert numpy.array_equal(predictions(model, pandas.DataFrame(people.columns)), expected)


def test_null_and_nan_are_missing(model, people):
    expected = predictions(model, {**people.columns, "age": [None] * 400})
    assert numpy.array_equal(predictions(model, {**people.columns, "age": numpy.full(400, numpy.nan)}), expected)
    nan = pandas.DataFrame({**people.columns, "age": [float("nan")] * 400})
    assert numpy.array_equal(predictions(model, nan), expected)
    nulls = arrow_table(people).set_column(0, "age", pyarrow.nulls(400))
    assert numpy.array_equal(predictions(model, nulls), expected)


def test_arrays_of_any_kind(numbers):
    x, y = numbers
    x = x.astype(numpy.float32)
    model = MultiTaskRegressor(epochs=1).fit(x, y)
    expected = model.predict(x)
    records = numpy.rec.fromarrays(x.T, names=["x0", "x1", "x2", "x3"])
    for same in (x.astype(float), numpy.asfortranarray(x), x.tolist(), x.astype(">f4"), x[::1]):
        assert numpy.array_equal(model.predict(same), expected)
    assert numpy.array_equal(model.predict(records), expected)
    assert not numpy.array_equal(model.predict(x[::-1]), expected)


def test_times_become_a_column_of_time():
    days = [datetime.datetime(2020, 1, 1) + datetime.timedelta(hours=hour) for hour in range(60)]
    x = {"when": numpy.array(days, dtype="datetime64[ns]"), "a": numpy.arange(60.0)}
    y = {"y": numpy.arange(60) % 2}
    split = {"kind": "time", "fractions": {"train": 0.5, "validation": 0.5}}
    for table in (x, pandas.DataFrame(x), polars.DataFrame(x)):
        model = MultiTask(epochs=1, split=split).fit(table, y)
        assert roles(model)["when"] == "time"
        assert model.metrics_["validation"]["rows"] == 30
    x["when"][3] = numpy.datetime64("NaT")
    with pytest.raises(Error, match='row 4: column "when": the time is missing'):
        MultiTask(epochs=1, split=split).fit(x, y)


@pytest.mark.parametrize("values, words", [
    ([{"a": 1}, {"a": 2}] * 10, ["column \"odd\"", "got a Python dict"]),
    (pyarrow.array([{"a": 1}] * 20), ["column \"odd\"", "is stored as struct"]),
    (numpy.zeros(20, dtype=complex), ["column \"odd\"", "complex128"]),
    (pyarrow.array([datetime.timedelta(1)] * 20), ["column \"odd\"", "is stored as duration"]),
    (["a", 1.5, [2]] + [None] * 17, ["row 3", "column \"odd\"", "got a Python list"]),
])
def test_what_cannot_be_read_names_the_column(values, words):
    x = {"odd": values, "a": numpy.arange(20.0)}
    if isinstance(values, pyarrow.Array):
        x = pyarrow.table(x)
    with pytest.raises(Error) as error:
        MultiTask(epochs=1).fit(x, {"y": numpy.arange(20) % 2})
    for word in words:
        assert word in str(error.value)


def test_columns_must_fit_together(model, people):
    with pytest.raises(Error, match="there is no column \"visits\""):
        model.predict({name: values for name, values in people.columns.items() if name != "visits"})
    with pytest.raises(Error, match="has 3 rows; expected 400"):
        model.predict({**people.columns, "visits": [1, 2, 3]})
    with pytest.raises(Error, match="two columns are named \"city\""):
        MultiTask(epochs=1).fit(people.columns, {"city": people.buy})


def test_what_pandas_calls_missing_is_missing():
    x = {"a": numpy.arange(60.0), "b": [1.0, None] * 30, "c": [True, None] * 30, "d": ["x", None] * 30}
    types = {"b": "Float64", "c": "boolean", "d": "string"}
    table = pandas.DataFrame({name: pandas.array(values, dtype=types.get(name)) for name, values in x.items()})
    y = {"y": numpy.arange(60) % 2}
    model = MultiTask(epochs=1).fit(table, y)
    assert roles(model) == {"a": "numeric", "b": "numeric", "c": "numeric", "d": "categorical"}
    assert model.configuration_["columns"]["b"]["missing_indicator"]
    assert numpy.array_equal(predictions(model, table), predictions(model, x))
    assert numpy.array_equal(predictions(model, table), predictions(model, table.astype(object)))


def test_lists_that_are_all_empty_are_lists():
    model = MultiTask(epochs=1).fit({"a": [[], None] * 20, "b": numpy.arange(40.0)}, {"y": numpy.arange(40) % 2})
    assert roles(model)["a"] == "bag"


def test_ids_keep_all_64_bits():
    ids = [2**63 + 1, 2**63 + 2] * 20
    y = {"y": [0, 1] * 20}
    for values in (ids, numpy.array(ids, dtype=numpy.uint64), pyarrow.array(ids, pyarrow.uint64())):
        x = pyarrow.table({"user_id": values}) if isinstance(values, pyarrow.Array) else {"user_id": values}
        model = MultiTask(epochs=30, batch_rows=40, optimiser={"rate": 0.05}).fit(x, y)
        assert model.score(x, y) == 1
