#!/usr/bin/env python3
"""Routers that balance the load of their experts (Shazeer et al. 2017; Fedus et al. 2022; Wang et al. 2024) on clusters of
unequal size: test error against balance.

Usage: papers/balance/run.py [--seeds 10] [--processes 1] [--program PATH] [--output FILE] [--cache FOLDER] [--quick]

A run is one router from one seed, which fixes clusters, maps, rows and initial weights; the routers of a seed see the same
rows. An expert's load is the number of test rows that are sent to it. Reported are the coefficient of variation of the loads,
and MaxVio, the largest load over the mean load minus 1: of all test rows, and as a mean over batches of 256 of them. The
bounds of acceptance() are checked: exit code 1 if one is missed, and 2 if a run fails. --quick checks only that everything
runs. Needs NumPy.
"""

import pathlib
import statistics
import sys
import tempfile

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import experiment  # noqa: E402
import saved_weights  # noqa: E402

STEPS, BATCH_ROWS, TEST_ROWS, VALIDATION_ROWS, FEATURES, TASKS = 3000, 256, 20480, 2, 16, 4
# Weights of losses stand in the table beside a task loss that is the mean over labels; the program takes the sum.
LOSS_SCALE = TASKS
ROUTERS = {
    "top-2, no balance": {"type": "top_k", "bias": False},
    "noisy top-2, no balance": {"type": "noisy_top_k", "importance_weight": 0, "load_weight": 0},
    "noisy top-2, importance and load .1": {"type": "noisy_top_k", "importance_weight": 0.1 * LOSS_SCALE,
                                            "load_weight": 0.1 * LOSS_SCALE},
    "top-2, Switch loss .01": {"type": "top_k", "bias": False, "balance_weight": 0.01 * LOSS_SCALE},
    "sigmoid top-2, loss-free .001": {"type": "bias_balanced", "update_rate": 1e-3},
    "the same, weights renormalised": {"type": "bias_balanced", "update_rate": 1e-3, "renormalise": True},
    "Switch top-1, no balance": {"type": "switch", "balance_weight": 0},
    "Switch top-1, Switch loss .01": {"type": "switch", "balance_weight": 0.01 * LOSS_SCALE},
}


def loads(model, gate, x):
    """Rows that each expert gets, per batch [batches, experts]."""
    weights = saved_weights.read(model)
    scores = x @ weights["gates/shared/layer_0/weight"].astype(np.float64)
    if gate["type"] == "bias_balanced":
        scores = 1 / (1 + np.exp(-scores)) + weights["gates/shared/balance"]
    chosen = np.zeros_like(scores)
    kept = 1 if gate["type"] == "switch" else 2
    np.put_along_axis(chosen, np.argsort(-scores, axis=1, kind="stable")[:, :kept], 1, 1)
    return chosen.reshape(-1, BATCH_ROWS, chosen.shape[1]).sum(1)


def max_violation(counts):
    return counts.max(-1) / counts.mean(-1) - 1


def test_features(program, seed, folder):
    """The features of the rows that the program tests on: those after the validation rows."""
    path = pathlib.Path(folder) / "rows.csv"
    command = [program, "synth", "clusters", "--rows", VALIDATION_ROWS + TEST_ROWS, "--output", path, "--seed", seed, "--json"]
    experiment.run_program(command, f"rows of seed {seed}")
    return np.loadtxt(path, delimiter=",", skiprows=1 + VALIDATION_ROWS, usecols=range(FEATURES))


def fit(arguments, name, seed):
    """Of one run: test error and balance."""
    gate = ROUTERS[name]
    with tempfile.TemporaryDirectory() as folder:
        model = pathlib.Path(folder) / "model"
        command = [
            arguments.program, "fit", pathlib.Path(__file__).with_name("clusters.toml"), "--model.gate", experiment.toml(gate),
            "--synthetic.options.seed", seed, "--training.seed", seed,
            "--training.steps_per_epoch", 5 if arguments.quick else STEPS, "--output", model, "--json", "--quiet",
        ]
        found = experiment.run_program(command, f"{name}, seed {seed}")["metrics"]["test"]["tasks"]
        batches = loads(model, gate, test_features(arguments.program, seed, folder))
    total = batches.sum(0)
    return {"mse": statistics.mean(task["rmse"]["value"] ** 2 for task in found.values()),
            "cv": float(total.std() / total.mean()), "global": float(max_violation(total)),
            "batch": float(max_violation(batches).mean())}


def acceptance(results):
    """(what, found, whether it holds) of every bound."""
    mean = {name: {figure: statistics.mean(values) for figure, values in found.items()} for name, found in results.items()}
    plain, noisy, shazeer, switch, free = (mean[name] for name in list(ROUTERS)[:5])
    unbalanced = min(plain["cv"], noisy["cv"])
    return [
        ("MaxVio of loss-free balance < .15", free["global"], free["global"] < 0.15),
        ("MaxVio with importance and load losses < .35", shazeer["global"], shazeer["global"] < 0.35),
        ("MaxVio of top-2 without balance > .6", plain["global"], plain["global"] > 0.6),
        ("MaxVio of noisy top-2 without balance > .6", noisy["global"], noisy["global"] > 0.6),
        ("CV of loads: loss-free below importance and load", free["cv"] - shazeer["cv"], free["cv"] < shazeer["cv"]),
        ("CV of loads: importance and load below Switch", shazeer["cv"] - switch["cv"], shazeer["cv"] < switch["cv"]),
        ("CV of loads: Switch below no balance", switch["cv"] - unbalanced, switch["cv"] < unbalanced),
    ]


def print_table(results):
    experiment.print_header("router", "test error", "CV of loads", "MaxVio", "MaxVio of a batch",
                            "error minus that of top-2 without balance (standard error)")
    first = results[next(iter(ROUTERS))]
    for name, found in results.items():
        cells = ["{:.3f} ± {:.3f}".format(*experiment.mean_interval(values)) for values in found.values()]
        difference = experiment.paired(found["mse"], first["mse"])
        experiment.print_row(name, *cells, "" if found is first else "{:+.3f} ({:.3f})".format(*difference))


def main():
    arguments = experiment.arguments_of(
        experiment.parser_of(__doc__, seeds=10, output="results.json", quick="two seeds and few steps, no results"))
    jobs = {(name, seed): lambda name=name, seed=seed: experiment.cached(arguments.cache, f"{name} {seed}",
                                                                         lambda: fit(arguments, name, seed))
            for seed in range(1, arguments.seeds + 1) for name in ROUTERS}
    try:
        runs = experiment.run_all(arguments.processes, jobs)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 2
    if arguments.quick:
        print(f"{len(runs)} short runs ended")
        return 0
    results = {name: {figure: [runs[name, seed][figure] for seed in range(1, arguments.seeds + 1)]
                      for figure in runs[name, 1]} for name in ROUTERS}
    experiment.write_results(arguments, results)
    print_table(results)
    return experiment.verdict(acceptance(results))


if __name__ == "__main__":
    sys.exit(main())
