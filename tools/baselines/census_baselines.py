"""Logistic regression and boosted trees on census-income: the bar any multi-task model has to pass.

Protocol. The official training rows train; the official test rows are halved at random into validation and test by
`numpy.random.default_rng(seed).permutation`. Labels: income = "50000+." and marital_stat = "Never married". Neither
label column is ever a feature; education is a feature only under `with_education`. The vocabularies, means and standard
deviations come from the training rows; a level unseen in training is all zeros (logistic) or missing (trees).
Prints one JSON line per model, feature set and task: the AUC on the test half of every seed, its mean and its sd.

logistic: one-hot categories and standardised numbers. logistic_binned: the same with every number also one-hot in up to
twenty quantile bins of the training rows. trees: XGBoost on categories as such, stopped early on the validation half.

    pip install xgboost==3.2.0 scikit-learn==1.9.1 pandas==3.1.1
    python census_baselines.py DATA_DIRECTORY [--seeds 5] [--threads 1] [--models logistic trees]
"""

import argparse
import json
import pathlib
import time
import warnings

import numpy as np
import pandas as pd
import xgboost
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import OneHotEncoder, StandardScaler

NUMERIC_COLUMNS = [
    "age",
    "wage_per_hour",
    "capital_gains",
    "capital_losses",
    "dividends_from_stocks",
    "num_persons_worked_for_employer",
    "weeks_worked_in_year",
]
LABEL_COLUMNS = ["income", "marital_stat"]
LABELS = {"income": ("income", "50000+."), "never_married": ("marital_stat", "Never married")}
MODELS = ["logistic", "logistic_binned", "trees"]
FEATURE_SETS = {"with_education": [], "without_education": ["education"]}


def read_table(path: pathlib.Path) -> pd.DataFrame:
    """The table with numbers as float64 and everything else as text, "?" kept as a level of its own."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    assert "instance_weight" not in table.columns
    for column in NUMERIC_COLUMNS:
        table[column] = table[column].astype(np.float64)
    return table


def labels_of(table: pd.DataFrame) -> dict[str, np.ndarray]:
    return {task: (table[column] == level).to_numpy(np.int64) for task, (column, level) in LABELS.items()}


def category_columns(table: pd.DataFrame, dropped: list[str]) -> list[str]:
    excluded = set(NUMERIC_COLUMNS) | set(LABEL_COLUMNS) | set(dropped)
    return [column for column in table.columns if column not in excluded]


def halves(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers of the validation half and of the test half."""
    order = np.random.default_rng(seed).permutation(rows)
    return order[: rows // 2], order[rows // 2 :]


def logistic_inputs(train: pd.DataFrame, test: pd.DataFrame, categories: list[str]):
    encoder = OneHotEncoder(handle_unknown="ignore").fit(train[categories])
    scaler = StandardScaler().fit(train[NUMERIC_COLUMNS])

    def encode(table: pd.DataFrame) -> sparse.csr_matrix:
        numbers = sparse.csr_matrix(scaler.transform(table[NUMERIC_COLUMNS]))
        return sparse.hstack([numbers, encoder.transform(table[categories])], format="csr")

    return encode(train), encode(test)


def with_bins(train: pd.DataFrame, test: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Adds a category column per number: its quantile bin; where zero is common it has a bin of its own."""
    train, test = train.copy(), test.copy()
    for column in NUMERIC_COLUMNS:
        values = train[column].to_numpy()
        spread = values[values > 0] if (values == 0).mean() > 0.2 else values
        edges = np.unique(np.append(np.quantile(spread, np.linspace(0, 1, 21)[1:-1]), 0.5))
        for table in (train, test):
            table[f"{column}_bin"] = np.digitize(table[column], edges).astype(str)
    return train, test


def tree_inputs(train: pd.DataFrame, test: pd.DataFrame, categories: list[str]):
    train_columns, test_columns = train[NUMERIC_COLUMNS].copy(), test[NUMERIC_COLUMNS].copy()
    for column in categories:
        levels = sorted(train[column].unique())
        train_columns[column] = pd.Categorical(train[column], categories=levels)
        test_levels = test[column].where(test[column].isin(levels))
        test_columns[column] = pd.Categorical(test_levels, categories=levels)
    return train_columns, test_columns


Halves = dict[int, tuple[np.ndarray, np.ndarray]]  # by seed


def logistic_scores(train_x, train_y, test_x, test_y, parts: Halves) -> list[float]:
    """One fit serves every seed: training rows and solver are fixed, only the scored half changes."""
    model = LogisticRegression(C=1.0, solver="lbfgs", max_iter=2000)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        model.fit(train_x, train_y)
    score = model.decision_function(test_x)
    return [roc_auc_score(test_y[half], score[half]) for _, half in parts.values()]


def tree_scores(train_x, train_y, test_x, test_y, parts: Halves, threads: int) -> list[float]:
    train_matrix = xgboost.QuantileDMatrix(train_x, train_y, enable_categorical=True, nthread=threads)
    scores = []
    for seed, (validation, test) in parts.items():
        validation_matrix = xgboost.QuantileDMatrix(
            test_x.iloc[validation], test_y[validation], ref=train_matrix, enable_categorical=True, nthread=threads
        )
        options = {
            "objective": "binary:logistic",
            "eval_metric": "auc",
            "tree_method": "hist",
            "eta": 0.1,
            "max_depth": 6,
            "subsample": 0.8,
            "colsample_bytree": 0.5,
            "seed": seed,
            "nthread": threads,
        }
        booster = xgboost.train(
            options,
            train_matrix,
            num_boost_round=1500,
            evals=[(validation_matrix, "validation")],
            early_stopping_rounds=40,
            verbose_eval=False,
        )
        test_matrix = xgboost.DMatrix(test_x.iloc[test], enable_categorical=True, nthread=threads)
        prediction = booster.predict(test_matrix, iteration_range=(0, booster.best_iteration + 1))
        scores.append(roc_auc_score(test_y[test], prediction))
    return scores


def report(model: str, features: str, task: str, scores: list[float], seconds: float) -> None:
    line = {
        "model": model,
        "features": features,
        "task": task,
        "auc_mean": round(float(np.mean(scores)), 5),
        "auc_sd": round(float(np.std(scores, ddof=1)), 5) if len(scores) > 1 else None,
        "auc": [round(float(score), 5) for score in scores],
        "seconds": round(seconds, 1),
    }
    print(json.dumps(line), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=pathlib.Path, help="directory of census_income_{train,test}.csv.xz")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--models", nargs="+", default=MODELS, choices=MODELS)
    options = parser.parse_args()
    train = read_table(options.data / "census_income_train.csv.xz")
    test = read_table(options.data / "census_income_test.csv.xz")
    train_labels, test_labels = labels_of(train), labels_of(test)
    parts = {seed: halves(len(test), seed) for seed in range(options.seeds)}
    for model in options.models:
        for features, dropped in FEATURE_SETS.items():
            tables = with_bins(train, test) if model == "logistic_binned" else (train, test)
            make_inputs = tree_inputs if model == "trees" else logistic_inputs
            train_x, test_x = make_inputs(*tables, category_columns(tables[0], dropped))
            for task in LABELS:
                start = time.perf_counter()
                data = (train_x, train_labels[task], test_x, test_labels[task], parts)
                scores = tree_scores(*data, options.threads) if model == "trees" else logistic_scores(*data)
                report(model, features, task, scores, time.perf_counter() - start)


if __name__ == "__main__":
    main()
