"""scikit-learn's own checks of estimators, and its tools at work on ours."""

import numpy
import pandas
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from gatewise import MultiTaskClassifier, MultiTaskRegressor

# Small enough for quick checks, trained enough for those that ask for quality.
SMALL = {"experts": 2, "batch_rows": 32, "epochs": 25, "optimiser": {"rate": 0.01}, "threads": 1,
         "probes": {"rows": 0}, "evaluation": {"resamples": 0}}

WEIGHTS = ("rows are drawn into batches: a row of weight 2 is one row of one batch, two equal rows may be in two; and "
           "the scaling of columns counts rows, not weights")
EXCEPTIONS = {
    "check_sample_weight_equivalence_on_dense_data": WEIGHTS,
}


@parametrize_with_checks([MultiTaskClassifier(**SMALL), MultiTaskRegressor(**SMALL)],
                         expected_failed_checks=lambda estimator: EXCEPTIONS)
def test_checks(estimator, check):
    check(estimator)


def test_cross_validation_and_pipelines(numbers):
    x, y = numbers
    model = make_pipeline(StandardScaler(), MultiTaskClassifier(**SMALL))
    assert cross_val_score(model, x, y, cv=2).min() > 0.8
    columns = make_column_transformer((StandardScaler(), ["a"]), remainder="passthrough",
                                      verbose_feature_names_out=False).set_output(transform="pandas")
    table = pandas.DataFrame({"a": x[:, 0], "kind": numpy.where(x[:, 2] > 0, "up", "down")})
    fitted = make_pipeline(columns, MultiTaskClassifier(**SMALL)).fit(table, y[:, 1])
    assert fitted.score(table, y[:, 1]) > 0.8


def test_search_over_options_inside_of_parts(numbers):
    x, y = numbers
    search = GridSearchCV(MultiTaskClassifier(gate={"type": "top_k", "k": 1}, **{**SMALL, "epochs": 2}),
                          {"gate__k": [1, 2], "optimiser__rate": [0.001, 0.02]}, cv=2, error_score="raise").fit(x, y)
    assert search.best_params_["optimiser__rate"] == 0.02
    assert search.best_estimator_.configuration_["model"]["gate"]["k"] == search.best_params_["gate__k"]


def test_clones_are_unfitted_and_equal(numbers):
    x, y = numbers
    model = MultiTaskClassifier(gate={"type": "top_k", "k": 1}, **{**SMALL, "epochs": 1}).fit(x, y)
    copy = clone(model)
    assert not hasattr(copy, "model_")
    assert copy.get_params() == model.get_params()
