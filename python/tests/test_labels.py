"""Labels and weights in every form that people have them in."""

import numpy
import pandas
import polars
import pyarrow
import pytest

import gatewise
from gatewise import Error, MultiTask, MultiTaskClassifier, MultiTaskRegressor

FAST = {"epochs": 2, "experts": 2, "batch_rows": 32, "optimiser": {"rate": 0.01}}
random = numpy.random.default_rng(5)
x = random.normal(size=(120, 3))
truths = x[:, 0] > 0
gone = numpy.arange(120) % 10 == 3


def some(values):
    """The values as a list, None where one is gone."""
    return [None if missing else value for value, missing in zip(values, gone)]


@pytest.mark.parametrize("kind", [MultiTaskClassifier, MultiTaskRegressor, MultiTask])
@pytest.mark.parametrize("names", [["a", "a"], [1, "1"]])
def test_two_tasks_of_one_name_are_refused(kind, names):
    with pytest.raises(ValueError, match="two columns are named"):
        kind(**FAST).fit(x, pandas.DataFrame(numpy.column_stack([x[:, 0], x[:, 1]]) > 0, columns=names).astype(int))


def test_moments_are_classes_that_are_saved(tmp_path):
    days = numpy.array(["2020-01-01", "2021-06-01"], dtype="datetime64[ns]")[truths.astype(int)]
    days[gone] = "NaT"
    for unit in ("ns", "D"):
        model = MultiTaskClassifier(**FAST).fit(x, days.astype(f"datetime64[{unit}]"))
        loaded = gatewise.load(model.save(tmp_path / unit) and tmp_path / unit)
        assert loaded.classes_.dtype == model.classes_.dtype and (loaded.classes_ == model.classes_).all()
        assert (loaded.predict(x) == model.predict(x)).all() and len(model.classes_) == 2


@pytest.mark.parametrize("values", [truths, truths.astype(numpy.int8), numpy.where(truths, "yes", "no")],
                         ids=["truth", "int8", "text"])
def test_classes_have_their_type_when_loaded(values, tmp_path):
    model = MultiTaskClassifier(**FAST).fit(x, values)
    loaded = MultiTaskClassifier.load(model.save(tmp_path / "model") and tmp_path / "model")
    assert loaded.predict(x).dtype == model.predict(x).dtype == values.dtype


@pytest.mark.parametrize("make", [
    lambda: pandas.Series(some(truths), dtype="boolean"), lambda: pandas.Series(some(truths), dtype=object),
    lambda: polars.Series(some(truths)), lambda: pyarrow.array(some(truths)), lambda: some(truths),
    lambda: pandas.DataFrame({"y": pandas.Series(some(truths), dtype="boolean")}),
    lambda: polars.DataFrame({"y": some(truths)}), lambda: pyarrow.table({"y": some(truths)}), lambda: {"y": some(truths)},
    lambda: pandas.Series([pandas.NA if missing else value for value, missing in zip(truths, gone)], dtype=object),
], ids=["boolean", "object", "polars", "arrow", "list", "frame", "polars frame", "arrow table", "dictionary", "NA"])
def test_truth_values_may_be_missing(make):
    expected = MultiTaskClassifier(**FAST).fit(x, numpy.where(gone, numpy.nan, truths))
    model = MultiTaskClassifier(**FAST).fit(x, make())
    assert model.classes_.dtype == bool and model.predict(x).dtype == bool
    assert numpy.array_equal(model.predict_proba(x), expected.predict_proba(x))
    assert model.score(x, make()) == expected.score(x, numpy.where(gone, numpy.nan, truths))


@pytest.mark.parametrize("dtype", ["string", "string[pyarrow]", object, "category"])
def test_texts_may_be_missing(dtype):
    words = numpy.where(truths, "yes", "no")
    expected = MultiTaskClassifier(**FAST).fit(x, {"y": some(words)})
    for labels in (pandas.Series(some(words), dtype=dtype), pandas.DataFrame({"y": pandas.Series(some(words), dtype=dtype)})):
        model = MultiTaskClassifier(**FAST).fit(x, labels)
        assert model.classes_.tolist() == ["no", "yes"]
        assert numpy.array_equal(model.predict_proba(x), expected.predict_proba(x))
        assert model.score(x, labels) == expected.score(x, {"y": some(words)})


def test_numbers_may_be_missing():
    counts = pandas.Series(some(truths.astype(int)), dtype="Int64")
    floats = numpy.where(gone, numpy.nan, truths)
    for kind in (MultiTaskClassifier, MultiTaskRegressor):
        expected = kind(**FAST).fit(x, floats)
        for labels in (counts, counts.astype(object), pandas.DataFrame({"y": counts}), some(truths.astype(int))):
            model = kind(**FAST).fit(x, labels)
            assert numpy.array_equal(model.predict_table(x), expected.predict_table(x))
            assert model.score(x, labels) == expected.score(x, floats)


@pytest.mark.parametrize("kind", [MultiTaskClassifier, MultiTaskRegressor, MultiTask])
def test_a_column_of_a_table_of_arrow_is_an_array(kind):
    table = pyarrow.table({"a": x[:, 0], "b": x[:, 1], "y": truths.astype(int)})
    features = table.drop_columns(["y"])
    expected = kind(**FAST).fit(features, truths.astype(int))
    for labels in (table["y"], table["y"].combine_chunks()):
        model = kind(**FAST).fit(features, labels, validation=(features, labels))
        assert model.score(features, labels) == model.score(features, truths.astype(int))
        model = kind(**FAST).fit(features, labels)
        assert numpy.array_equal(model.predict_table(features), expected.predict_table(features))


def test_arrays_are_labels_in_the_order_of_the_tasks(tmp_path):
    labels = {"b": truths.astype(int), "a": x[:, 1]}
    array = numpy.column_stack(list(labels.values()))
    model = MultiTask(**FAST).fit(x, labels)
    assert model.score(x, array) == model.score(x, labels)
    assert gatewise.load(model.save(tmp_path / "model") and tmp_path / "model").score(x, array) == model.score(x, labels)
    assert model.evaluate(x, array, resamples=0).equals(model.evaluate(x, labels, resamples=0))
    judged = [MultiTask(**FAST).fit(x, labels, validation=(x, held)).predict_table(x) for held in (array, labels)]
    assert judged[0].equals(judged[1])
    for wrong in (array[:, :1], array[:, 0], numpy.column_stack([array, array])):
        with pytest.raises(ValueError, match="got . columns?, expected 2: b, a"):
            model.score(x, wrong)
    alone = MultiTask(**FAST).fit(x, {"b": labels["b"]})
    for series in (pandas.Series(labels["b"], name="other"), polars.Series("other", labels["b"]), labels["b"]):
        assert alone.score(x, series) == alone.score(x, {"b": labels["b"]})


def test_labels_are_required():
    for kind in (MultiTask, MultiTaskClassifier, MultiTaskRegressor):
        with pytest.raises(ValueError, match="requires y to be passed"):
            kind().fit(x, None)


def test_a_feature_does_not_become_the_weights():
    features = {"sample_weight": numpy.arange(120.0), "z": x[:, 0]}
    model = MultiTask(**FAST).fit(features, {"y": x[:, 1]})
    assert model.predict_table(features).shape == (120, 1)
    for call in (model.evaluate, model.score, MultiTask(**FAST).fit, MultiTaskRegressor(**FAST).fit):
        with pytest.raises(ValueError, match="sample_weight: X or y has a column 'sample_weight'.*rename it"):
            call(features, {"y": x[:, 1]}, numpy.linspace(1, 2, 120))
    with pytest.raises(ValueError, match="has a column 'sample_weight/y'"):
        MultiTask(**FAST).fit({"sample_weight/y": x[:, 0], "z": x[:, 2]}, {"y": x[:, 1]}, {"y": numpy.ones(120)})
    heavy = MultiTask(tasks={"y": {"weight_column": "sample_weight"}}, **FAST).fit(features, {"y": x[:, 1]})
    assert heavy.score(features, {"y": x[:, 1]}) < 1


@pytest.mark.parametrize("kind", [MultiTaskClassifier, MultiTaskRegressor])
def test_weights_below_0_are_refused(kind):
    model = kind(**FAST).fit(x, truths.astype(int))
    for weights in ([1, -1] * 60, [numpy.nan] * 120):
        with pytest.raises(ValueError, match="sample_weight: got (-1.0|nan), expected weights of at least 0"):
            model.score(x, truths.astype(int), weights)


def test_probabilities_sum_to_one():
    classes = (x[:, 0] > -0.4).astype(int) + (x[:, 0] > 0.4) + 2 * (x[:, 1] > 0)
    for model in (MultiTaskClassifier(**FAST).fit(x, classes), MultiTask(**FAST).fit(x, {"y": classes})):
        found = model.predict_proba(x)
        found = found["y"] if isinstance(found, dict) else found
        assert numpy.abs(found.sum(axis=1) - 1).max() < 1e-12
        assert numpy.allclose(found, model.predict_table(x), atol=1e-6)


def test_a_regressor_is_no_classifier(tmp_path):
    classes = (x[:, 0] > -0.4).astype(int) + (x[:, 0] > 0.4)
    MultiTaskClassifier(**FAST).fit(x, classes).save(tmp_path / "classes")
    with pytest.raises(ValueError, match="y is a multiclass task; load the model by gatewise.load"):
        MultiTaskRegressor.load(tmp_path / "classes")
    model = MultiTaskRegressor(**FAST).fit(x, x[:, 0]).save(tmp_path / "values")
    assert numpy.array_equal(MultiTaskRegressor.load(tmp_path / "values").predict(x), model.predict(x))


def test_what_cannot_be_progress_is_refused():
    with pytest.raises(TypeError, match="progress: got 'yes', expected True, False or a function"):
        MultiTask(**FAST).fit(x, x[:, :1], progress="yes")


def test_going_on_with_other_classes_is_told_in_words_of_python():
    start = MultiTaskClassifier(**FAST).fit(x, truths.astype(int))
    with pytest.raises(Error, match="train a new model"):
        MultiTaskClassifier(**FAST).fit(x, truths.astype(int) * 5, start=start)
