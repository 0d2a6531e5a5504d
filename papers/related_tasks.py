"""Runs on the MMoE paper's synthetic tasks (KDD 2018, section 3) as the experiments of papers/ share them.

A run is one model at one correlation of the tasks' weights from one seed, which fixes the generator, the initial weights
and the data; models of one seed see the same rows. Labels have variance 1. related_tasks.toml holds the setting.
"""

import math
import statistics
import sys
import tomllib

import experiment

EPOCHS, STEPS_PER_EPOCH = 50, 200  # an epoch is 2 % of the steps
MARKS = [1000, 2000, 3000, 5000, 10000]  # steps at whose epoch the loss is reported
STUCK_ABOVE = 0.3
BIN = 1 / 30
TASKS = ("y1", "y2")

GLOROT = ["--model.tower.units", "[8]", "--model.tower.initializer", "glorot_uniform",
          "--model.expert.initializer", "glorot_uniform"]


def gates(has_bias):
    return ["--model.gate.bias", "true" if has_bias else "false", "--model.gate.initializer", "glorot_uniform"]


SETTING = tomllib.loads((experiment.ROOT / "papers/related_tasks.toml").read_text())


def runs_at(arguments, correlation, models, seeds, first_seed=1):
    """{model: [run per seed]}; a run is {"y1": [loss per epoch], "y2": [..], "parameters": their number, "seconds"}.

    `models` is {name: options}. Finished runs are kept by correlation, whoever asks for them.
    """
    configurations = {name: experiment.with_options(SETTING, [*GLOROT, *options]) for name, options in models.items()}
    options = ["--synthetic.options.correlation", correlation, "--training.epochs", EPOCHS,
               "--training.steps_per_epoch", 2 if arguments.quick else STEPS_PER_EPOCH]
    compared = experiment.compare(arguments, configurations, f"related_tasks_{correlation}", seeds, first_seed, options)
    return {
        name: [run["losses"] | {"parameters": run["parameters"]["outside_embeddings"], "seconds": run["seconds"]}
               for run in runs]
        for name, runs in experiment.runs_of(compared).items()
    }


def summary(runs):
    """Of the runs of one model and correlation, seed by seed: what tables of the READMEs show."""
    finals = [(run["y1"][-1] + run["y2"][-1]) / 2 for run in runs]
    per_task = [run[task][-1] for run in runs for task in TASKS]
    sd = statistics.stdev(finals)
    mean = statistics.mean(finals)
    half = experiment.mean_interval(finals)[1]
    histogram = {}
    for loss in per_task:
        left = math.floor(loss / BIN)
        histogram[left] = histogram.get(left, 0) + 1
    return {
        "curve": {
            str(step): statistics.mean((run["y1"][at] + run["y2"][at]) / 2 for run in runs)
            for step in MARKS for at in [step // STEPS_PER_EPOCH - 1]
        },
        "parameters": runs[0]["parameters"],
        "mean": mean,
        "sd": sd,
        "standard_error": sd / math.sqrt(len(finals)),
        "interval": [mean - half, mean + half],
        "stuck": sum(loss > STUCK_ABOVE for loss in per_task) / len(per_task),
        "stuck_count": sum(loss > STUCK_ABOVE for loss in per_task),
        "histogram": {f"{left * BIN:.3f}": count / len(per_task) for left, count in sorted(histogram.items())},
        "final": [[run["y1"][-1], run["y2"][-1]] for run in runs],
    }


def paired(ours, theirs):
    """(mean, standard error) over seeds of the difference of two summaries' mean losses."""
    return experiment.paired([statistics.mean(pair) for pair in ours["final"]],
                             [statistics.mean(pair) for pair in theirs["final"]])


def compare(description, seeds, output, correlations, models, show, judge):
    """The whole of a comparison of models at several correlations: runs, results, table, bounds. Returns the exit code."""
    parser = experiment.parser_of(description, seeds=seeds, output=output, quick="two seeds and few steps, no results")
    arguments = experiment.arguments_of(parser)
    try:
        runs = {p: runs_at(arguments, p, models, arguments.seeds) for p in correlations}
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 2
    if arguments.quick:
        print(f"{sum(len(of_model) for at in runs.values() for of_model in at.values())} short runs ended")
        return 0
    results = {str(p): {name: summary(of_model) for name, of_model in runs[p].items()} for p in correlations}
    experiment.write_results(arguments, results)
    show(results)
    return experiment.verdict(list(judge(results)))
