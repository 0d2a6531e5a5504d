#!/usr/bin/env python3
"""Every architecture on Census-Income (income and never married), at equal parameters, with and without education.

Usage: papers/census/run.py TRAIN_CSV TEST_CSV [--seeds 10] [--baselines FILE] [--speed FILE] [--features NAME ..]
           [--models NAME ..] [--processes 1] [--program PATH] [--output FILE] [--cache FOLDER] [--quick]

Every run takes the settings of examples/census_income.toml or examples/census_income_with_education.toml and replaces
only the model, at the width at which it has as many parameters as MMoE. Seed s splits the test file and starts the model, so
models of one seed are judged on the same rows and differences are paired. --baselines and --speed take the files that
baselines.py and speed.py write. The bounds of LIMITS are checked: exit code 1 if one is missed, and 2 if a run fails.
--quick trains two seeds of MMoE and Shared-Bottom for one epoch and checks only that everything runs.
"""

import json
import pathlib
import statistics
import sys

import models
from models import EXAMPLES, MODELS, REFERENCE, TASKS

import experiment  # found by models.py

LIMITS = {
    "without_education": {"income": 0.9465, "never_married": 0.9940},
    "with_education": {"income": 0.9505, "never_married": 0.9940},
}
MARGIN_OVER_LOGISTIC = 0.001


def compare(arguments, features):
    options = [*models.EQUAL, "--data.train", arguments.train.resolve(), "--data.test", arguments.test.resolve()]
    if arguments.quick:
        options += ["--training.epochs", 1]
    configurations = models.configurations(features, arguments.models)
    return experiment.compare(arguments, configurations, f"census_{features}", arguments.seeds, 1, options)


def aucs_of(runs):
    """{task: [AUC per seed]}."""
    return {task: [run["metrics"]["test"]["tasks"][task]["auc"]["value"] for run in runs] for task in TASKS}


def row_of(aucs, reference):
    """{task: {"mean", "half" of the 95 % interval, "difference": [mean, standard error], "is_noise"}}."""
    row = {}
    for task, values in aucs.items():
        mean, half = experiment.mean_interval(values)
        row[task] = {"mean": mean, "half": half, "auc": values}
        if values is not reference[task]:
            row[task]["difference"] = experiment.paired(values, reference[task])
            row[task]["is_noise"] = experiment.is_noise(row[task]["difference"], len(values))
    return row


def summary(widths, runs, baselines, seeds):
    """{model: {"width", "parameters", "epoch", "tasks": row_of}} of one set of features."""
    reference = aucs_of(runs[REFERENCE])
    found = {}
    for model, of_model in runs.items():
        aucs = reference if model == REFERENCE else aucs_of(of_model)
        found[model] = {
            "width": widths[model][0],
            "parameters": widths[model][1],
            "epoch": statistics.mean(run["best_epoch"] for run in of_model),
            "tasks": row_of(aucs, reference),
        }
    for model, tasks in baselines.items():
        found[model] = {"tasks": row_of({task: aucs[:seeds] for task, aucs in tasks.items()}, reference)}
    return found


def task_cells(row):
    cells = [f"{row['mean']:.5f}", f"{row['mean'] - row['half']:.4f} to {row['mean'] + row['half']:.4f}"]
    if "difference" not in row:
        return cells + [""]
    mean, error = row["difference"]
    return cells + [f"{mean:+.5f} ({error:.5f})" + (" noise" if row["is_noise"] else "")]


def report(features, found, speed):
    print(f"\n{features}")
    experiment.print_header("model", "width", "parameters", "rows/s", "income", "95 % interval", "minus MMoE (s.e.)",
                            "never married", "95 % interval", "minus MMoE (s.e.)")
    for model, row in found.items():
        sizes = [row["width"], f"{row['parameters']:,}"] if "width" in row else ["", ""]
        sizes.append(f"{speed[model] / 1000:.0f}k" if model in speed else "")
        experiment.print_row(model, *sizes, *(cell for task in TASKS for cell in task_cells(row["tasks"][task])))


def checks(features, found):
    """(what, found, whether it holds)."""
    for task, limit in LIMITS[features].items():
        mean = found[REFERENCE]["tasks"][task]["mean"]
        yield f"{features}: mean {task} of MMoE >= {limit}", mean, mean >= limit
    for model, row in found.items():
        if model.startswith("logistic"):
            mean = -row["tasks"]["income"]["difference"][0]
            yield f"{features}: MMoE - {model} >= {MARGIN_OVER_LOGISTIC}", mean, mean >= MARGIN_OVER_LOGISTIC
        elif "parameters" in row:
            share = row["parameters"] / found[REFERENCE]["parameters"]
            yield f"{features}: parameters of {model} / MMoE's within .03 of 1", share, abs(share - 1) <= 0.03


def main():
    parser = experiment.parser_of(__doc__, seeds=10, output="census.json", quick="two seeds, one epoch, no bounds")
    parser.add_argument("train", type=pathlib.Path)
    parser.add_argument("test", type=pathlib.Path)
    parser.add_argument("--baselines", type=pathlib.Path)
    parser.add_argument("--speed", type=pathlib.Path)
    parser.add_argument("--features", nargs="+", choices=list(EXAMPLES), default=list(EXAMPLES))
    parser.add_argument("--models", nargs="+", choices=list(MODELS), default=list(MODELS))
    arguments = experiment.arguments_of(parser)
    if arguments.quick:
        arguments.models = ["mmoe", "shared_bottom"]
    baselines = json.loads(arguments.baselines.read_text()) if arguments.baselines else {}
    speed = json.loads(arguments.speed.read_text()) if arguments.speed else {}
    results = {}
    try:
        for features in arguments.features:
            compared = compare(arguments, features)
            widths, runs = models.widths_of(compared), experiment.runs_of(compared)
            models.print_widths(features, widths)
            results[features] = summary(widths, runs, baselines.get(features, {}), arguments.seeds)
            report(features, results[features], speed)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 2
    experiment.write_results(arguments, results)
    if arguments.quick:
        return 0
    return experiment.verdict([check for features, found in results.items() for check in checks(features, found)])


if __name__ == "__main__":
    sys.exit(main())
