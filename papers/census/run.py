#!/usr/bin/env python3
"""Every architecture on Census-Income (income and never married), at equal parameters, with and without education.

Usage: papers/census/run.py TRAIN_CSV TEST_CSV [--seeds 10] [--baselines FILE] [--features NAME ..] [--models NAME ..]
           [--processes 1] [--program PATH] [--output FILE] [--cache FOLDER] [--quick]

Every run takes the settings of examples/census_income.toml or examples/census_income_with_education.toml and replaces
only the model, at the width that models.py solves. Seed s splits the test file and starts the model, so models of one seed
are judged on the same rows and differences are paired. --baselines takes the file that baselines.py writes. The bounds of
LIMITS are checked: exit code 1 if one is missed, and 2 if a run fails. --quick trains two seeds of MMoE and Shared-Bottom
for one epoch and checks only that everything runs.
"""

import functools
import json
import pathlib
import statistics
import sys
import tempfile

import models
from models import EXAMPLES, MODELS, REFERENCE, TASKS

import experiment  # found by models.py

LIMITS = {
    "without_education": {"income": 0.9465, "never_married": 0.9940},
    "with_education": {"income": 0.9505, "never_married": 0.9940},
}
MARGIN_OVER_LOGISTIC = 0.001


def fit(arguments, features, model, width, seed):
    """Of the kept epoch: {"test": {task: auc}, "epoch": its number, "rows_per_second": of the fastest epoch, ..}."""
    what = f"{features}, {model}, seed {seed}"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "model.toml").write_text(models.with_model(EXAMPLES[features], model, width))
        command = [
            arguments.program, "fit", folder / "model.toml",
            "--data.train", arguments.train.resolve(), "--data.test", arguments.test.resolve(),
            "--split.seed", seed, "--training.seed", seed, "--training.threads", 1,
            "--evaluation.resamples", 0, "--output", folder / "model", "--json", "--quiet",
        ]
        if arguments.quick:
            command += ["--training.epochs", 1]
        epochs = experiment.run_program(command, what)["history"]["epochs"]
        metrics = json.loads((folder / "model/metrics.json").read_text())
        parameters = experiment.parameter_count(arguments.program, folder / "model", what)
    return {
        "test": {task: metrics["test"]["tasks"][task]["auc"]["value"] for task in TASKS},
        "epoch": [epoch["epoch"] for epoch in epochs if epoch["is_best"]][-1],
        "rows_per_second": max(epoch["rows_per_second"] for epoch in epochs),
        "parameters": parameters,
    }


def cached_fit(arguments, features, model, width, seed):
    found = experiment.cached(arguments.cache, f"{features}_{model}_{width}_{seed}",
                              lambda: fit(arguments, features, model, width, seed))
    print(f"{features} {model} seed {seed}: income {found['test']['income']:.4f}", file=sys.stderr)
    return found


def aucs_of(runs):
    """{task: [AUC per seed]}."""
    return {task: [run["test"][task] for run in runs] for task in TASKS}


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
    """{model: {"width", "parameters", "rows_per_second", "epoch", "tasks": row_of}} of one set of features."""
    reference = aucs_of(runs[REFERENCE])
    found = {}
    for model, of_model in runs.items():
        aucs = reference if model == REFERENCE else aucs_of(of_model)
        found[model] = {
            "width": widths[model][0],
            "parameters": of_model[0]["parameters"],
            "rows_per_second": max(run["rows_per_second"] for run in of_model),
            "epoch": statistics.mean(run["epoch"] for run in of_model),
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


def report(features, found):
    print(f"\n{features}")
    experiment.print_header("model", "width", "parameters", "rows/s", "income", "95 % interval", "minus MMoE (s.e.)",
                            "never married", "95 % interval", "minus MMoE (s.e.)")
    for model, row in found.items():
        sizes = ([row["width"], f"{row['parameters']:,}", f"{row['rows_per_second'] / 1000:.0f}k"]
                 if "width" in row else ["", "", ""])
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
    parser.add_argument("--features", nargs="+", choices=list(EXAMPLES), default=list(EXAMPLES))
    parser.add_argument("--models", nargs="+", choices=list(MODELS), default=list(MODELS))
    arguments = experiment.arguments_of(parser)
    if arguments.quick:
        arguments.models = ["mmoe", "shared_bottom"]
    baselines = json.loads(arguments.baselines.read_text()) if arguments.baselines else {}
    results = {}
    try:
        for features in arguments.features:
            widths = experiment.cached(arguments.cache, f"widths_{features}", lambda features=features: models.solve(
                arguments.program, features, arguments.train, arguments.test, arguments.models))
            models.print_widths(features, widths)
            seeds = range(1, arguments.seeds + 1)
            runs = experiment.run_all(arguments.processes, {
                (model, seed): functools.partial(cached_fit, arguments, features, model, widths[model][0], seed)
                for seed in seeds for model in arguments.models
            })
            of_model = {model: [runs[model, seed] for seed in seeds] for model in arguments.models}
            results[features] = summary(widths, of_model, baselines.get(features, {}), arguments.seeds)
            report(features, results[features])
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 2
    experiment.write_results(arguments, results)
    if arguments.quick:
        return 0
    return experiment.verdict([check for features, found in results.items() for check in checks(features, found)])


if __name__ == "__main__":
    sys.exit(main())
