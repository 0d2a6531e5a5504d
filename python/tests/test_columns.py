"""Columns as Python and NumPy hold them."""

import datetime
import warnings

import numpy
import pandas
import polars
import pytest

import gatewise
from gatewise import Error, MultiTask, MultiTaskClassifier

rows = 120
random = numpy.random.default_rng(2)
place = random.normal(size=(rows, 3)).round(2)
labels = {"y": (place[:, 0] > 0).astype(int)}
days = [datetime.date(2020, 1, 1) + datetime.timedelta(day) for day in range(rows)]


def fitted(values, **options):
    return MultiTask(epochs=2, experts=2, **options).fit({"a": values, "b": numpy.arange(rows) % 7}, labels)


def column(values):
    return fitted(values).configuration_["columns"]["a"]


@pytest.mark.parametrize("values", [
    place, place.astype(numpy.float32), place[:, :1], (place * 9).astype(int), numpy.asfortranarray(place),
    list(place), tuple(place), pandas.Series(list(place)), numpy.array([*place, None], dtype=object)[:-1],
    numpy.ma.masked_array(place),
], ids=["array", "float32", "one column", "integers", "Fortran", "list of arrays", "tuple", "series", "objects", "masked"])
def test_arrays_in_rows_are_vectors(values):
    found = column(values)
    assert found["role"] == "vector" and found["width"] == (3 if numpy.shape(values[0]) == (3,) else 1)
    with_lists = fitted([list(map(float, row)) for row in values]).predict_table({"a": place[:5, :found["width"]], "b": [1] * 5})
    with_arrays = fitted(values).predict_table({"a": list(place[:5, :found["width"]]), "b": [1] * 5})
    assert numpy.array_equal(with_lists, with_arrays)


def test_vectors_alone_train_a_classifier():
    model = MultiTaskClassifier(epochs=40, experts=2, optimiser={"rate": 0.02}).fit({"a": place}, labels)
    assert model.score({"a": place}, labels) > 0.9


def test_more_dimensions_are_refused():
    with pytest.raises(Error, match='column "a" has 3 dimensions; expected one, or two for a vector in each row'):
        fitted(place[:, :, None])


def test_masked_values_are_missing():
    numbers = place[:, 0]
    hidden = numbers > 0.5
    gone = numpy.where(hidden, numpy.nan, numbers)
    model = fitted(numpy.ma.masked_array(numbers, hidden))
    assert model.configuration_["columns"]["a"]["missing_indicator"]
    b = numpy.arange(rows) % 7
    expected = model.predict_table({"a": gone, "b": b})
    assert numpy.array_equal(model.predict_table({"a": numpy.ma.masked_array(numbers, hidden), "b": b}), expected)
    whole = numpy.ma.masked_array(numpy.arange(rows) % 5, hidden)
    assert column(whole)["missing_indicator"]
    assert column(numpy.ma.masked_array(numpy.array(["x", "y"] * (rows // 2)), hidden))["role"] == "categorical"
    time = numpy.ma.masked_array(numpy.array(days, dtype="datetime64[D]"), hidden)
    split = {"kind": "time", "fractions": {"train": 0.5, "validation": 0.5}}
    with pytest.raises(Error, match='column "a": the time is missing'):
        fitted(time, split=split)


def test_masked_arrays_and_labels():
    model = MultiTaskClassifier(epochs=2).fit(place, labels["y"])
    hidden = place > 0.5
    assert numpy.array_equal(model.predict_proba(numpy.ma.masked_array(place, hidden)),
                             model.predict_proba(numpy.where(hidden, numpy.nan, place)))
    y = numpy.ma.masked_array(labels["y"], hidden[:, 1])
    gone = numpy.where(hidden[:, 1], numpy.nan, labels["y"])
    for kind in (MultiTaskClassifier, MultiTask):
        for named in (lambda one: one, lambda one: {"y": one}):
            trained = [kind(epochs=2).fit({"a": place}, named(one)).predict_table({"a": place}) for one in (y, gone)]
            assert numpy.array_equal(*trained)


@pytest.mark.parametrize("values", [
    days, [*days[:-1], None], [pandas.NaT, *days[1:]], numpy.array(days, dtype=object),
    [datetime.datetime(2020, 1, 1, 5) + datetime.timedelta(hours=hour) for hour in range(rows)],
    [numpy.datetime64("2020-01-01") + day for day in range(rows)],
    [pandas.Timestamp(day, tz="Europe/Zurich") for day in days],
], ids=["dates", "None", "NaT", "object array", "datetimes", "datetime64", "time zones"])
def test_dates_and_times_in_lists_are_time(values):
    assert column(values)["role"] == "time"


def test_times_with_a_zone_are_those_of_utc():
    zone = datetime.timezone(datetime.timedelta(hours=2))
    moment = datetime.datetime(2020, 1, 1, 1, 30, tzinfo=zone)
    assert gatewise._tables.times_of([moment]).tolist() == [datetime.datetime(2019, 12, 31, 23, 30)]


def test_dates_among_texts_name_the_column():
    with pytest.raises(Error, match='row 2: column "a": got a Python date'):
        fitted(["x", *days[1:]])


@pytest.mark.parametrize("last", [[None, None], [], [-1, -1]], ids=["missing", "whole", "negative"])
def test_large_ids_among_others_keep_every_bit(last):
    ids = [2**64 - 1, 2**64 - 2] * 20 + last
    y = {"y": [0, 1] * (len(ids) // 2)}
    tables = [{"user_id": ids}, pandas.DataFrame({"user_id": pandas.Series(ids, dtype=object)})]
    for x in tables:
        model = MultiTask(epochs=40, batch_rows=len(ids), optimiser={"rate": 0.05}).fit(x, y)
        assert model.configuration_["columns"]["user_id"]["type"] == "id"
        both = model.predict_table({"user_id": ids[:2]})["y"]
        assert both[0] < 0.3 and both[1] > 0.7


def test_ids_beyond_64_bits_are_texts():
    ids = [2**64, 2**64 + 1] * 20
    model = MultiTask(epochs=40, batch_rows=40, optimiser={"rate": 0.05}).fit({"user_id": ids}, {"y": [0, 1] * 20})
    assert model.configuration_["columns"]["user_id"]["type"] == "text"
    both = model.predict_table({"user_id": ids[:2]})["y"]
    assert both[0] < 0.3 and both[1] > 0.7


def test_numbers_that_nothing_holds_name_the_column():
    y = {"y": [0, 1] * 20}
    typed = MultiTask(epochs=1, columns={"user_id": {"role": "categorical", "type": "id"}})
    with pytest.raises(Error, match='row 2: column "user_id": got -9223372036854775809, expected an id from 0'):
        typed.fit({"user_id": [1, -2**63 - 1] * 20}, y)
    model = MultiTask(epochs=1).fit({"a": [10**20, 1, None, 5] * 10}, y)
    with pytest.raises(Error, match='row 1: column "a": got 1000.*, expected a number below'):
        model.predict({"a": [10**400]})


def test_names_of_features_are_known_however_they_came(tmp_path):
    model = fitted(place[:, 0])
    frame = pandas.DataFrame({"a": place[:, 0], "b": numpy.arange(rows) % 7})
    expected = model.predict_table(frame)
    model.save(tmp_path / "dictionary")
    MultiTask(epochs=1).fit(frame, labels).save(tmp_path / "frame")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert model.predict(frame).shape == (rows, 1)
        for name in ("dictionary", "frame"):
            loaded = gatewise.load(tmp_path / name)
            assert loaded.feature_names_in_.tolist() == ["a", "b"] and loaded.n_features_in_ == 2
            loaded.predict(frame)
            loaded.predict(polars.DataFrame(frame))
        assert numpy.array_equal(gatewise.load(tmp_path / "dictionary").predict_table(frame[["b", "a"]]), expected)
        array = MultiTask(epochs=1).fit(place, labels).save(tmp_path / "array")
        loaded = gatewise.load(tmp_path / "array")
        assert not hasattr(loaded, "feature_names_in_")
        assert numpy.array_equal(loaded.predict_table(place), array.predict_table(place))


def test_lazy_frames_are_to_be_collected():
    lazy = polars.DataFrame({"a": place[:, 0]}).lazy()
    for use in (lambda: MultiTask().fit(lazy, labels), lambda: MultiTaskClassifier().fit(place, lazy),
                lambda: MultiTaskClassifier(epochs=1).fit(place, labels["y"]).predict(lazy)):
        with pytest.raises(TypeError, match="polars LazyFrame, expected rows that are in memory; collect\\(\\) it first"):
            use()
