#!/usr/bin/env python3
"""Logistic regression on exactly the test rows of census.py: of seed s, the rows that [split] seed s leaves for testing.

Usage: papers/mmoe/census_logistic.py TRAIN_CSV TEST_CSV [--seeds 5] [--output FILE]

The features are those of tools/baselines/census_baselines.py, whose Python packages this needs: one-hot categories and
standardised numbers ("logistic"), and the same with every number also one-hot in quantile bins ("logistic_binned").
Writes {features: {model: [income AUC of every seed]}}.
"""

import argparse
import json
import pathlib
import sys

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools/baselines"))
import census_baselines as baselines  # noqa: E402


def mix64(x):
    """The finaliser of SplitMix64, as base/random.h has it."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def test_half(rows, seed):
    """Mask of the rows that the program's [split] leaves for testing when validation takes half."""
    mixed = mix64(np.arange(rows, dtype=np.uint64) ^ mix64(np.array([seed], np.uint64)))
    return (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53 >= 0.5


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train", type=pathlib.Path)
    parser.add_argument("test", type=pathlib.Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("census_logistic.json"))
    arguments = parser.parse_args()
    train, test = baselines.read_table(arguments.train), baselines.read_table(arguments.test)
    train_y, test_y = (baselines.labels_of(table)["income"] for table in (train, test))
    binned = baselines.with_bins(train, test)
    halves = {seed: test_half(len(test_y), seed) for seed in range(1, arguments.seeds + 1)}
    print("test rows of each seed:", [int(half.sum()) for half in halves.values()])
    found = {}
    for features, dropped in baselines.FEATURE_SETS.items():
        for model, tables in (("logistic", (train, test)), ("logistic_binned", binned)):
            train_x, test_x = baselines.logistic_inputs(*tables, baselines.category_columns(tables[0], dropped))
            classifier = LogisticRegression(C=1.0, solver="lbfgs", max_iter=2000).fit(train_x, train_y)
            score = classifier.decision_function(test_x)
            aucs = [float(roc_auc_score(test_y[half], score[half])) for half in halves.values()]
            found.setdefault(features, {})[model] = aucs
            print(f"{features} {model}: mean {np.mean(aucs):.5f} {[round(auc, 5) for auc in aucs]}", flush=True)
    arguments.output.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
