#!/usr/bin/env python3
"""Logistic regression and boosted trees on exactly the rows of run.py: [split] of seed s halves the test file.

Usage: papers/census/baselines.py TRAIN_CSV TEST_CSV [--seeds 10] [--threads 1] [--output FILE] [--quick]

Features and models are those of tools/baselines/census_baselines.py, whose Python packages this needs: one-hot categories
and standardised numbers ("logistic"), the same with every number also one-hot in quantile bins ("logistic_binned"), and
XGBoost stopped early on the validation half ("trees"), a model per task. Writes {features: {model: {task: [AUC of every
seed]}}}; models that the file has for as many seeds are kept. --quick fits trees only, at two seeds on 5,000 rows.
"""

import argparse
import json
import pathlib
import sys

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools/baselines"))
import census_baselines as baselines  # noqa: E402


def mix64(x):
    """The finaliser of SplitMix64, as base/random.h has it."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def halves(rows, seed):
    """Row numbers that the program's [split] leaves for validation and for testing when each takes half."""
    mixed = mix64(np.arange(rows, dtype=np.uint64) ^ mix64(np.array([seed], np.uint64)))
    is_test = (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53 >= 0.5
    return np.flatnonzero(~is_test), np.flatnonzero(is_test)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train", type=pathlib.Path)
    parser.add_argument("test", type=pathlib.Path)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("census_baselines.json"))
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    train, test = baselines.read_table(arguments.train), baselines.read_table(arguments.test)
    names = baselines.MODELS
    if arguments.quick:
        arguments.seeds, names, train, test = 2, ["trees"], train[:5000], test[:5000]
    train_y, test_y = baselines.labels_of(train), baselines.labels_of(test)
    parts = {seed: halves(len(test), seed) for seed in range(1, arguments.seeds + 1)}
    print("test rows of each seed:", [len(part[1]) for part in parts.values()])
    found = json.loads(arguments.output.read_text()) if arguments.output.exists() and not arguments.quick else {}
    for features, dropped in baselines.FEATURE_SETS.items():
        for model in names:
            if len(found.get(features, {}).get(model, {}).get("income", [])) >= arguments.seeds:
                continue
            tables = baselines.with_bins(train, test) if model == "logistic_binned" else (train, test)
            make_inputs = baselines.tree_inputs if model == "trees" else baselines.logistic_inputs
            scores_of = baselines.tree_scores if model == "trees" else baselines.logistic_scores
            inputs = make_inputs(*tables, baselines.category_columns(tables[0], dropped))
            more = [arguments.threads] if model == "trees" else []
            aucs = {
                task: [float(auc) for auc in scores_of(inputs[0], train_y[task], inputs[1], test_y[task], parts, *more)]
                for task in baselines.LABELS
            }
            found.setdefault(features, {})[model] = aucs
            print(f"{features} {model}: {({task: round(float(np.mean(auc)), 5) for task, auc in aucs.items()})}", flush=True)
            if not arguments.quick:
                arguments.output.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
