#!/usr/bin/env python3
"""Income and never married on Census-Income (the MMoE paper, table 1): four architectures, with and without education.

Usage: papers/mmoe/census.py TRAIN_CSV TEST_CSV [--seeds 5] [--program PATH] [--output FILE] [--logistic FILE]
           [--cache FOLDER] [--quick]

Every run takes the settings of examples/census_income.toml or examples/census_income_with_education.toml and replaces
only the model. Seed s splits the test file and starts the model, so models of one seed are judged on the same rows and
differences are paired. --logistic takes the file that census_logistic.py writes. The bounds of LIMITS are checked: exit
code 1 if one is missed, and 2 if a run fails. --quick trains two seeds for one epoch and checks only that everything runs.
"""

import json
import math
import pathlib
import statistics
import sys
import tempfile

import experiment

EXAMPLES = {
    "without_education": experiment.ROOT / "examples/census_income.toml",
    "with_education": experiment.ROOT / "examples/census_income_with_education.toml",
}
TASKS = ["income", "never_married"]

# The examples hold MMoE. With single networks of these widths the weights below the towers are about as many: 113 units as
# in the paper, or 56 for each of two tasks.
TOWER = "tower = { units = [8] }\n"
MODELS = {
    "mmoe": 'type = "mmoe"\nexperts = 8\nexpert = { units = [16] }\n' + TOWER,
    "omoe": 'type = "omoe"\nexperts = 8\nexpert = { units = [16] }\n' + TOWER,
    "shared_bottom": 'type = "shared_bottom"\nexpert = { units = [113] }\n' + TOWER,
    "single_task": 'type = "single_task"\nexpert = { units = [56] }\n' + TOWER,
}
LIMITS = {
    "without_education": {"income": 0.9465, "never_married": 0.9940},
    "with_education": {"income": 0.9505, "never_married": 0.9940},
}
MARGIN_OVER_LOGISTIC = 0.001


def with_model(example, model):
    """The text of the example with the lines of [model] replaced."""
    lines, is_model = [], False
    for line in example.read_text().splitlines(keepends=True):
        if line.startswith("["):
            is_model = line.strip() == "[model]"
            if is_model:
                lines += [line, MODELS[model], "\n"]
        if not is_model:
            lines.append(line)
    return "".join(lines)


def fit(arguments, features, model, seed):
    """Of the kept epoch: {"validation": {task: auc}, "test": {..}, "epoch": its number, "epochs": how many ran}."""
    with tempfile.TemporaryDirectory() as folder:
        configuration = pathlib.Path(folder) / "model.toml"
        configuration.write_text(with_model(EXAMPLES[features], model))
        command = [
            arguments.program, "fit", configuration,
            "--data.train", arguments.train.resolve(), "--data.test", arguments.test.resolve(),
            "--split.seed", seed, "--training.seed", seed, "--training.threads", arguments.threads,
            "--evaluation.resamples", 0, "--output", pathlib.Path(folder) / "model", "--json", "--quiet",
        ]
        if arguments.quick:
            command += ["--training.epochs", 1]
        printed = experiment.run_program(command, f"{features}, {model}, seed {seed}")
        metrics = json.loads((pathlib.Path(folder) / "model/metrics.json").read_text())
    epochs = printed["history"]["epochs"]
    found = {
        part: {task: metrics[part]["tasks"][task]["auc"]["value"] for task in TASKS} for part in ("validation", "test")
    }
    return found | {"epoch": [epoch["epoch"] for epoch in epochs if epoch["is_best"]][-1], "epochs": len(epochs)}


def cached_fit(arguments, features, model, seed):
    return experiment.cached(arguments.cache, f"{features}_{model}_{seed}",
                             lambda: fit(arguments, features, model, seed))


def moments(values):
    return statistics.mean(values), statistics.stdev(values)


def paired(ours, theirs):
    """(mean, standard error) of the differences per seed."""
    mean, sd = moments([a - b for a, b in zip(ours, theirs, strict=True)])
    return mean, sd / math.sqrt(len(ours))


def differences(aucs, logistic):
    """MMoE's income AUC over each other model's, and its never-married AUC where there is one: {model: {task: pair}}."""
    found = {
        model: {task: paired(aucs["mmoe"][task], aucs[model][task]) for task in TASKS}
        for model in MODELS if model != "mmoe"
    }
    income = aucs["mmoe"]["income"]
    return found | {model: {"income": paired(income, theirs[: len(income)])} for model, theirs in logistic.items()}


def report(features, runs, logistic):
    """Prints the tables of one set of features; returns what the result file keeps of them."""
    aucs = {model: {task: [run["test"][task] for run in runs[model]] for task in TASKS} for model in MODELS}
    print(f"\n{features}")
    experiment.print_header("model", "income", "sd", "never married", "sd", "epoch kept")
    for model in MODELS:
        cells = [f"{number:.5f}" for task in TASKS for number in moments(aucs[model][task])]
        kept = statistics.mean(run["epoch"] for run in runs[model])
        print(f"| {model} | {' | '.join(cells)} | {kept:.1f} |")
    over = differences(aucs, logistic)
    print()
    experiment.print_header("MMoE minus", "income", "standard error", "never married", "standard error")
    for model, tasks in over.items():
        cells = [f"{number:+.5f}" if i == 0 else f"{number:.5f}"
                 for task in TASKS for i, number in enumerate(tasks.get(task, ()))]
        print(f"| {model} | {' | '.join(cells)} |" + "  |" * (4 - len(cells)))
    return {"runs": runs, "mmoe_minus": over}


def checks(features, result):
    """(what, found, whether it holds)."""
    for task, limit in LIMITS[features].items():
        mean = statistics.mean(run["test"][task] for run in result["runs"]["mmoe"])
        yield f"{features}: mean {task} of MMoE >= {limit}", mean, mean >= limit
    for model, tasks in result["mmoe_minus"].items():
        if model.startswith("logistic"):
            mean = tasks["income"][0]
            yield f"{features}: MMoE - {model} >= {MARGIN_OVER_LOGISTIC}", mean, mean >= MARGIN_OVER_LOGISTIC


def main():
    parser = experiment.parser_of(__doc__, seeds=5, output="census.json", quick="two seeds, one epoch, no bounds")
    parser.add_argument("train", type=pathlib.Path)
    parser.add_argument("test", type=pathlib.Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--logistic", type=pathlib.Path)
    arguments = experiment.arguments_of(parser)
    logistic = json.loads(arguments.logistic.read_text()) if arguments.logistic else {}
    results = {}
    try:
        for features in EXAMPLES:
            runs = {model: [cached_fit(arguments, features, model, seed) for seed in range(1, arguments.seeds + 1)]
                    for model in MODELS}
            results[features] = report(features, runs, logistic.get(features, {}))
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 2
    experiment.write_results(arguments, results)
    if arguments.quick:
        return 0
    return experiment.verdict([check for features, result in results.items() for check in checks(features, result)])


if __name__ == "__main__":
    sys.exit(main())
