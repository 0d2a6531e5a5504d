"""Labels are matched with tasks by name where they have names."""

import numpy
import pandas
import polars
import pytest

from gatewise import Error, MultiTaskClassifier, MultiTaskRegressor

FAST = {"epochs": 5, "experts": 2, "batch_rows": 64, "optimiser": {"rate": 0.01}}


@pytest.fixture(scope="module", params=[MultiTaskClassifier, MultiTaskRegressor])
def fitted(request, numbers):
    x, y = numbers
    labels = y if request.param is MultiTaskClassifier else numpy.column_stack([x[:, 0], 5 - x[:, 1]])
    labels = pandas.DataFrame(labels, columns=["click", "buy"])
    return request.param(**FAST).fit(x, labels), x, labels


def test_the_order_of_named_labels_does_not_matter(fitted):
    model, x, labels = fitted
    expected = model.score(x, labels)
    turned = labels[["buy", "click"]]
    assert model.score(x, labels.to_numpy()) == expected != model.score(x, turned.to_numpy())
    for same in (turned, polars.DataFrame(turned), {name: turned[name].tolist() for name in turned}):
        assert model.score(x, same) == expected


@pytest.mark.parametrize("change, words", [
    (lambda y: y.rename(columns={"click": "clicks"}), "no task 'clicks' \\(did you mean 'click'\\?\\); tasks are click, buy"),
    (lambda y: y.assign(more=1), "there is no task 'more'"),
    (lambda y: y[["buy"]], "no labels of the task 'click', expected those of click, buy"),
    (lambda y: y["buy"], "no labels of the task 'click'"),
    (lambda y: y["buy"].to_numpy(), "got 1 column, expected 2: click, buy"),
    (lambda y: y.to_numpy()[:, [0, 1, 1]], "got 3 columns, expected 2"),
    (lambda y: y[:5], "got 5 labels of 'click', expected 300"),
    (lambda y: {"click": y["click"], "buy": [[1]] * 300}, "the labels of 'buy' have 2 dimensions"),
])
def test_labels_of_other_tasks_are_refused(fitted, change, words):
    model, x, labels = fitted
    with pytest.raises(ValueError, match=words):
        model.score(x, change(labels))
    if "300" not in words:
        with pytest.raises(ValueError, match=words):
            model.evaluate(x, change(labels))


def test_weights_of_another_length_are_refused(fitted):
    model, x, labels = fitted
    with pytest.raises(ValueError, match="sample_weight: got the shape \\(2,\\), expected \\(300,\\)"):
        model.score(x, labels, [1, 2])


def test_the_labels_of_a_single_task_need_no_name(numbers):
    x, y = numbers
    model = MultiTaskClassifier(**FAST).fit(x, y[:, 0])
    for same in (y[:, :1].ravel(), pandas.Series(y[:, 0], name="click"), polars.Series("click", y[:, 0])):
        assert model.score(x, same) == model.score(x, y[:, 0])
    with pytest.raises(ValueError, match="got 2 columns, expected 1: y"):
        model.score(x, y)


@pytest.mark.parametrize("labels, weights, task", [([numpy.nan, numpy.nan], None, "v"), ([0, 1], [0, 0], "u")])
def test_without_labels_that_count_there_is_nothing_to_score(numbers, labels, weights, task):
    x, y = numbers
    for estimator in (MultiTaskClassifier, MultiTaskRegressor):
        model = estimator(**FAST).fit(x, {"u": y[:, 0], "v": y[:, 1]})
        with pytest.raises(ValueError, match=f"no row with a weight above 0 has a label of '{task}'"):
            model.score(x[:2], {"u": [0, 1], "v": labels}, weights)


def test_validation_labels_are_of_the_fit_at_hand(numbers):
    x, y = numbers
    words = numpy.where(y[:, 1] == 1, "b", "a")
    model = MultiTaskClassifier(**FAST).fit(x, y[:, 0])
    model.fit(x, {"u": y[:, 0], "w": words}, validation=(x, {"w": words, "u": y[:, 0]}))
    assert model.metrics_["validation"]["rows"] == 300


@pytest.mark.parametrize("kind", [MultiTaskClassifier, MultiTaskRegressor])
def test_options_of_an_unknown_task_are_refused(numbers, kind):
    x, y = numbers
    labels = {"click": y[:, 0], "buy": y[:, 1]}
    with pytest.raises(Error, match="tasks: there is no task 'clicks' \\(did you mean 'click'\\?\\); got labels of click, buy"):
        kind(tasks={"clicks": {"weight": 2}}, **FAST).fit(x, labels)
    with pytest.raises(TypeError, match="tasks.buy: got a int, expected a dictionary of options"):
        kind(tasks={"buy": 2}, **FAST).fit(x, labels)
