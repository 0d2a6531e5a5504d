"""Arguments that cannot be what is expected are refused by name."""

import numpy
import pandas
import pytest

from gatewise import Error, MultiTaskClassifier


@pytest.mark.parametrize("options, words", [
    ({"seed": 2**63}, "training.seed: got 9223372036854775808, expected an integer of at most 9223372036854775807"),
    ({"seed": 2**64}, "training.seed: got 18446744073709551616, expected a whole number of 64 bits"),
    ({"epochs": -2**64}, "training.epochs: got -18446744073709551616, expected a whole number of 64 bits"),
    ({"stop": {"patience": 2**64}}, "training.stop.patience: got 18446744073709551616"),
])
def test_numbers_that_are_too_large_name_the_option(numbers, options, words):
    x, y = numbers
    with pytest.raises(Error, match=words):
        MultiTaskClassifier(**options).fit(x, y)


def test_what_no_configuration_holds_names_the_option(numbers):
    x, y = numbers
    with pytest.raises(TypeError, match="columns.x0.null: got a set, expected texts"):
        MultiTaskClassifier(columns={"x0": {"null": {"a"}}}).fit(x, y)


@pytest.mark.parametrize("arguments, kind, words", [
    ({"callbacks": 5}, TypeError, "callbacks: got 5, expected a function, or a list of functions"),
    ({"callbacks": [print, "x"]}, TypeError, "callbacks: got .*expected a function"),
    ({"start": "feed"}, TypeError, "start: got a str, expected a fitted estimator"),
    ({"sample_weight": ["a"]}, ValueError, "sample_weight: got values that are not numbers"),
    ({"validation": 5}, ValueError, "validation: got a int, expected \\(X, y\\) or \\(X, y, sample_weight\\)"),
    ({"validation": (1,)}, ValueError, "validation: got 1 values, expected"),
])
def test_arguments_of_fit(numbers, arguments, kind, words):
    x, y = numbers
    with pytest.raises(kind, match=words):
        MultiTaskClassifier(epochs=1).fit(x, y, **arguments)


def test_arguments_of_a_fitted_model(numbers):
    x, y = numbers
    model = MultiTaskClassifier(epochs=1).fit(x, y)
    with pytest.raises(ValueError, match="train: got a DataFrame, expected \\(X, y\\)"):
        model.diagnose(x, y, train=pandas.DataFrame(x))
    with pytest.raises(TypeError, match="set_parameters: got a NoneType, expected a dictionary"):
        model.set_parameters(None)
    path, values = next(iter(model.parameters().items()))
    for wrong in ("a", [["a"]], object()):
        with pytest.raises(Error, match=f"{path}: got values of type {type(wrong).__name__}, expected an array of numbers"):
            model.set_parameters({path: wrong})
    assert numpy.array_equal(model.parameters()[path], values)
