#!/usr/bin/env python3
"""The synthetic relatedness experiment of the MMoE paper (KDD 2018, figures 4 and 5), by the command-line program.

Usage: papers/mmoe/run.py [--seeds 20] [--processes 1] [--program PATH] [--output FILE] [--cache FOLDER] [--quick]

A run is one model at one correlation of the tasks' weights from one seed, which fixes the generator, the initial weights
and the data; models of one seed see the same rows. Reported is each task's mean squared error over the last 2 % of the
steps, labels having variance 1. The bounds of acceptance() are checked: exit code 1 if one is missed, and 2 if a run fails.
--quick checks only that everything runs. --cache keeps the losses of finished runs, so that more seeds can be added.
"""

import concurrent.futures
import math
import pathlib
import statistics
import sys
import tempfile

import experiment

CORRELATIONS = [0.5, 0.9, 1.0]
EPOCHS, STEPS_PER_EPOCH = 50, 200  # an epoch is 2 % of the steps
MARKS = [1000, 2000, 3000, 5000, 10000]  # steps at whose epoch the loss is reported
STUCK_ABOVE = 0.3
BIN = 1 / 30

TOWER = ["--model.tower.units", "[8]", "--model.tower.initializer", "glorot_uniform"]
EXPERTS = ["--model.experts", "8", "--model.expert.units", "[16]", "--model.gate.bias", "true",
           "--model.gate.initializer", "glorot_uniform"]
MODELS = {
    "shared_bottom_113": ["--model.type", "shared_bottom", "--model.expert.units", "[113]"],
    "omoe": ["--model.type", "omoe", *EXPERTS],
    "mmoe": ["--model.type", "mmoe", *EXPERTS],
    "shared_bottom_16": ["--model.type", "shared_bottom", "--model.expert.units", "[16]"],
}


def fit(program, model, correlation, seed, is_quick):
    """Losses of one run, {"y1": [per epoch], "y2": [..]}."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            program, "fit", experiment.HERE / "synthetic.toml", *MODELS[model], *TOWER,
            "--model.expert.initializer", "glorot_uniform",
            "--synthetic.options.correlation", correlation, "--synthetic.options.seed", seed,
            "--training.seed", seed, "--training.epochs", EPOCHS,
            "--training.steps_per_epoch", 2 if is_quick else STEPS_PER_EPOCH,
            "--output", pathlib.Path(folder) / "model", "--json", "--quiet",
        ]
        printed = experiment.run_program(command, f"{model}, correlation {correlation}, seed {seed}")
    epochs = printed["history"]["epochs"]
    if len(epochs) != EPOCHS:
        raise RuntimeError(f"{model}, seed {seed}: got {len(epochs)} epochs, expected {EPOCHS}")
    return {task: [epoch["losses"][task] for epoch in epochs] for task in ("y1", "y2")}


def cached_fit(arguments, model, correlation, seed):
    return experiment.cached(arguments.cache, f"{model}_{correlation}_{seed}",
                             lambda: fit(arguments.program, model, correlation, seed, arguments.quick))


def summary(runs):
    """Of the runs of one model and correlation: what the README's tables show."""
    finals = [(run["y1"][-1] + run["y2"][-1]) / 2 for run in runs]
    per_task = [run[task][-1] for run in runs for task in ("y1", "y2")]
    sd = statistics.stdev(finals)
    error = sd / math.sqrt(len(finals))
    mean = statistics.mean(finals)
    histogram = {}
    for loss in per_task:
        left = math.floor(loss / BIN)
        histogram[left] = histogram.get(left, 0) + 1
    return {
        "curve": {
            str(step): statistics.mean((run["y1"][at] + run["y2"][at]) / 2 for run in runs)
            for step in MARKS for at in [step // STEPS_PER_EPOCH - 1]
        },
        "mean": mean,
        "sd": sd,
        "standard_error": error,
        "interval": [mean - 1.96 * error, mean + 1.96 * error],
        "stuck": sum(loss > STUCK_ABOVE for loss in per_task) / len(per_task),
        "stuck_count": sum(loss > STUCK_ABOVE for loss in per_task),
        "histogram": {f"{left * BIN:.3f}": count / len(per_task) for left, count in sorted(histogram.items())},
        "final": [[run["y1"][-1], run["y2"][-1]] for run in runs],
    }


def acceptance(results):
    """(what, found, whether it holds) of every bound."""
    half, same = results["0.5"], results["1.0"]
    mmoe, omoe, wide = (half[model]["mean"] for model in ("mmoe", "omoe", "shared_bottom_113"))
    gap = abs(same["omoe"]["mean"] - same["mmoe"]["mean"])
    checks = [
        ("p .5: MMoE <= .10", mmoe, mmoe <= 0.10),
        ("p .5: MMoE + .01 <= OMoE <= .16", omoe, mmoe + 0.01 <= omoe <= 0.16),
        ("p .5: Shared-Bottom 113 >= .13", wide, wide >= 0.13),
        ("p 1: |OMoE - MMoE| <= .02", gap, gap <= 0.02),
    ]
    for p, models in results.items():
        runs = len(models["mmoe"]["final"])
        stuck, narrow = models["mmoe"]["stuck_count"], models["shared_bottom_16"]["mean"]
        checks += [
            (f"p {p}: at most 1 in 40 MMoE task losses above .3", stuck / (2 * runs), stuck * 40 <= 2 * runs),
            (f"p {p}: Shared-Bottom 113 stuck in at least 5 %", models["shared_bottom_113"]["stuck"],
             models["shared_bottom_113"]["stuck"] >= 0.05),
            (f"p {p}: Shared-Bottom 16 < .12", narrow, narrow < 0.12),
        ]
    return checks


def print_tables(results):
    experiment.print_header("p", "model", *(f"step {step}" for step in MARKS), "sd", "95 % interval", "stuck")
    for p, models in results.items():
        for model, found in models.items():
            curve = " | ".join(f"{found['curve'][str(step)]:.3f}" for step in MARKS)
            low, high = found["interval"]
            print(f"| {p} | {model} | {curve} | {found['sd']:.3f} | {low:.3f} to {high:.3f} | {found['stuck']:.1%} |")
    print("\nFinal loss of a task, share per bin of 1/30 (left edge:share)")
    for p, models in results.items():
        for model, found in models.items():
            bins = " ".join(f"{left}:{share:.3f}" for left, share in found["histogram"].items())
            print(f"  {p} {model}: {bins}")


def main():
    parser = experiment.parser_of(__doc__, seeds=20, output="results.json", quick="two seeds and few steps, no results")
    parser.add_argument("--processes", type=int, default=1)
    arguments = experiment.arguments_of(parser)
    seeds = range(1, arguments.seeds + 1)
    with concurrent.futures.ThreadPoolExecutor(arguments.processes) as pool:
        pending = {
            (p, model, seed): pool.submit(cached_fit, arguments, model, p, seed)
            for seed in seeds for p in CORRELATIONS for model in MODELS
        }
        try:
            runs = {key: future.result() for key, future in pending.items()}
        except RuntimeError as error:
            pool.shutdown(cancel_futures=True)
            print(error, file=sys.stderr)
            return 2
    if arguments.quick:
        print(f"{len(runs)} short runs ended")
        return 0
    results = {
        str(p): {model: summary([runs[p, model, seed] for seed in seeds]) for model in MODELS} for p in CORRELATIONS
    }
    experiment.write_results(arguments, results)
    print_tables(results)
    return experiment.verdict(acceptance(results))


if __name__ == "__main__":
    sys.exit(main())
