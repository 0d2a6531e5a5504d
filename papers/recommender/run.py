#!/usr/bin/env python3
"""An analogue, on made-up rows, of the MMoE paper's large recommender (KDD 2018, section 6), by the command-line program.

Usage: papers/recommender/run.py [--seeds 6] [--processes 1] [--program PATH] [--output FILE] [--cache FOLDER] [--quick]

Ids of users and items, SGD, batches of 1,024, a plain bottom of which only the top layer is replaced by a mixture. A run is
one model from one seed, which fixes the service, its rows and the initial weights; models of one seed see the same rows.
Reported are AUC and R2 on held-out rows by step, differences from MMoE paired over seeds, and the mean weights of MMoE's
gates per task, experts ordered in each seed by their weight for the click. recommender.toml holds the setting.
Exit code 1 if a bound is missed, 2 if a run fails. --quick checks only that everything runs.
"""

import csv
import functools
import itertools
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import tomllib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import experiment  # noqa: E402

SETTING = pathlib.Path(__file__).resolve().parent / "recommender.toml"
CONFIGURATION = tomllib.loads(SETTING.read_text())
STEPS = CONFIGURATION["training"]["steps_per_epoch"]
METRICS = {"click": "auc", "watch_time": "r2", "like": "auc"}
EXPERTS, GATE_ROWS = 4, 20000

TOWER = ["--model.tower.units", "[]"]
MIXTURE = ["--model.bottom", "[64]", "--model.experts", EXPERTS, *TOWER]
MODELS = {
    "mmoe": ["--model.type", "mmoe", "--model.expert.units", "[32]", *MIXTURE],
    "omoe": ["--model.type", "omoe", "--model.expert.units", "[34]", *MIXTURE],
    "shared_bottom": ["--model.type", "shared_bottom", "--model.expert.units", "[64, 135]", *TOWER],
    "shared_bottom_32": ["--model.type", "shared_bottom", "--model.expert.units", "[64, 32]", *TOWER],
}
EQUAL = ("mmoe", "omoe", "shared_bottom")  # in parameters, within 1 %


def make_rows(arguments, seed, path):
    """Rows of the service of this seed in a file; its truth."""
    options = CONFIGURATION["synthetic"]["options"] | {"seed": seed}
    words = [word for name, value in options.items() for word in (f"--{name}", json.dumps(value))]
    command = [arguments.program, "synth", "behaviour_log", *words, "--rows", GATE_ROWS, "--output", path, "--json"]
    return experiment.run_program(command, f"rows of seed {seed}")["truth"]


def mean_gates(arguments, model, rows, folder):
    """{task: [mean weight of each expert]} over the rows."""
    path = folder / "gates.csv"
    values = [word for task in METRICS for word in ("--value", f"gates/{task}")]
    command = [arguments.program, "predict", model, rows, *values, "--output", path, "--threads", "1"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"gates: {done.stderr.strip()}")
    with path.open() as lines:
        found = list(csv.DictReader(lines))
    return {
        task: [statistics.fmean(float(row[f"gates/{task}[{expert}]"]) for row in found) for expert in range(EXPERTS)]
        for task in METRICS
    }


def fit(arguments, name, seed):
    """Of one run: {"metrics": {task: [by epoch]}, "best": {task: attainable}, "parameters", and of mmoe "gates"}."""
    what = f"{name}, seed {seed}"
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        command = [arguments.program, "fit", SETTING, *MODELS[name], "--synthetic.options.seed", seed,
                   "--training.seed", seed, "--output", folder / "model", "--json", "--quiet"]
        if arguments.quick:
            command += ["--training.steps_per_epoch", 20, "--synthetic.validation_rows", 5000]
        epochs = experiment.run_program(command, what)["history"]["epochs"]
        truth = make_rows(arguments, seed, folder / "rows.csv")["behaviours"]
        found = {
            "metrics": {
                task: [epoch["validation"][task][metric]["value"] for epoch in epochs] for task, metric in METRICS.items()
            },
            "best": {task: truth[task][f"best_{metric}"] for task, metric in METRICS.items()},
            "parameters": experiment.parameter_count(arguments.program, folder / "model", what),
        }
        if name == "mmoe":
            found["gates"] = mean_gates(arguments, folder / "model", folder / "rows.csv", folder)
        return found


def in_order(gates):
    """{task: mean weights} with the experts ordered by their weight for the click, the largest first."""
    order = sorted(range(EXPERTS), key=lambda expert: -gates["click"][expert])
    return {task: [weights[expert] for expert in order] for task, weights in gates.items()}


def distance(gates, a, b):
    """Total variation distance of the tasks' mean weights: 0 alike, 1 no expert in common."""
    return sum(abs(first - second) for first, second in zip(gates[a], gates[b], strict=True)) / 2


def summary(runs, reference):
    """Of the runs of one model, seed by seed: values, intervals, and paired differences from those of `reference`."""
    found = {"parameters": runs[0]["parameters"]}
    for task in METRICS:
        curves, others = ([run["metrics"][task] for run in models] for models in (runs, reference))
        found[task] = {"values": curves, "best": statistics.fmean(run["best"][task] for run in runs)}
        for part, compute in (
            ("interval", lambda ours, theirs: experiment.mean_interval(ours)),
            ("difference", lambda ours, theirs: experiment.paired(ours, theirs)),
        ):
            found[task][part] = [
                compute(ours, theirs) for ours, theirs in zip(zip(*curves), zip(*others), strict=True)
            ]
    if "gates" in runs[0]:
        found["gates"] = [in_order(run["gates"]) for run in runs]
    return found


def print_tables(results, runs):
    marks = range(len(results["mmoe"]["click"]["interval"]))
    for task, metric in METRICS.items():
        print(f"\n{task}, {metric} (attainable {results['mmoe'][task]['best']:.4f})")
        experiment.print_header("model", "parameters", *(f"step {(mark + 1) * STEPS:,}" for mark in marks),
                                *(f"minus MMoE (error), {(mark + 1) * STEPS:,}" for mark in marks))
        for model, found in results.items():
            values = (f"{mean:.4f} ± {half:.4f}" for mean, half in found[task]["interval"])
            differences = (
                f"{pair[0]:+.4f} ({pair[1]:.4f}){', noise' if experiment.is_noise(pair, runs) else ''}"
                for pair in found[task]["difference"]
            )
            experiment.print_row(model, f"{found['parameters']:,}", *values,
                                 *(differences if model != "mmoe" else [""] * len(marks)))
    gates = results["mmoe"]["gates"]
    print("\nMean weights of MMoE's gates")
    experiment.print_header("task", *(f"expert {expert + 1}" for expert in range(EXPERTS)))
    for task in METRICS:
        columns = (experiment.mean_interval(weights) for weights in zip(*(of_seed[task] for of_seed in gates)))
        experiment.print_row(task, *(f"{mean:.3f} ± {half:.3f}" for mean, half in columns))
    for a, b in itertools.combinations(METRICS, 2):
        mean, half = experiment.mean_interval([distance(of_seed, a, b) for of_seed in gates])
        print(f"distance of the gates of {a} and {b}: {mean:.3f} ± {half:.3f}")


def acceptance(results):
    """(what, found, whether it holds) of every bound: that the models learn, not which one wins."""
    counts = [results[model]["parameters"] for model in EQUAL]
    checks = [("parameters differ by at most 1 %", max(counts) / min(counts) - 1, max(counts) <= 1.01 * min(counts))]
    for task, metric in METRICS.items():
        chance = 0.5 if metric == "auc" else 0
        for model, found in results.items():
            last, best = found[task]["interval"][-1][0], found[task]["best"]
            share = (last - chance) / (best - chance)
            checks.append((f"{task}: {model} learns half of what is attainable", share, 0.5 <= share <= 1.01))
    return checks


def main():
    parser = experiment.parser_of(__doc__, seeds=6, output="results.json", quick="two seeds and few steps, no results")
    arguments = experiment.arguments_of(parser)
    seeds = range(1, arguments.seeds + 1)
    try:
        runs = experiment.run_all(arguments.processes, {
            (model, seed): functools.partial(
                experiment.cached, arguments.cache, f"{model}_{seed}", functools.partial(fit, arguments, model, seed)
            )
            for seed in seeds for model in MODELS
        })
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 2
    if arguments.quick:
        print(f"{len(runs)} short runs ended")
        return 0
    by_model = {model: [runs[model, seed] for seed in seeds] for model in MODELS}
    results = {model: summary(of_model, by_model["mmoe"]) for model, of_model in by_model.items()}
    experiment.write_results(arguments, results)
    print_tables(results, arguments.seeds)
    return experiment.verdict(acceptance(results))


if __name__ == "__main__":
    sys.exit(main())
