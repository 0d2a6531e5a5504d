#!/usr/bin/env python3
"""DSelect-k against top-k on Multi-MNIST: test accuracy of each digit.

Usage: papers/dselect_k/multi_mnist.py FOLDER [--seeds 3] [--processes 1] [--program PATH] [--output FILE] [--cache FOLDER]
[--quick]

FOLDER holds the files of make_multi_mnist.py. A run is one gate from one seed, which fixes the initial weights and the order
of the rows; the epoch with the least validation loss is kept. --quick checks only that everything runs. Needs NumPy.
"""

import pathlib
import statistics
import sys
import tempfile

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import experiment  # noqa: E402
import saved_weights  # noqa: E402

EXPERTS = 8
TASKS = ("left", "right")
STATIC = {"per_example": False, "initializer": "uniform", "initializer_scale": 0.5}
GATES = {
    "softmax": {"type": "softmax"},
    "top_k": {"type": "top_k"},
    "top_k static": {"type": "top_k", **STATIC},
    "dselect_k": {"type": "dselect_k", "per_example": True, "entropy_weight": 1e-3},
    "dselect_k static": {"type": "dselect_k", "entropy_weight": 1e-3},
    "dselect_k, entropy .01": {"type": "dselect_k", "per_example": True, "entropy_weight": 1e-2},
    "dselect_k static, entropy .01": {"type": "dselect_k", "entropy_weight": 1e-2},
}


def experts_chosen(model, gate):
    """Experts of a weight above 1e-3 of each task, of a gate that is the same for all rows."""
    weights = saved_weights.read(model)
    if gate["type"] == "dselect_k":
        shares = [saved_weights.dselect_k(weights[f"gates/{task}/codes"], weights[f"gates/{task}/mixture"], EXPERTS)
                  for task in TASKS]
    else:
        shares = [saved_weights.top_k_softmax(weights[f"gates/{task}/logits"], 2) for task in TASKS]
    return [np.flatnonzero(share > 1e-3).tolist() for share in shares]


def fit(arguments, name, seed):
    """Of one run: {"left": accuracy, "right": accuracy}, and of static gates the experts of each task."""
    files = {part: arguments.folder / f"{part}.parquet" for part in ("train", "validation", "test")}
    with tempfile.TemporaryDirectory() as folder:
        model = pathlib.Path(folder) / "model"
        command = [
            arguments.program, "fit", pathlib.Path(__file__).with_name("multi_mnist.toml"),
            *(part for file in files for part in (f"--data.{file}", files["test" if arguments.quick else file])),
            "--model.gate", experiment.toml(GATES[name]), "--training.seed", seed,
            *(["--training.epochs", 1] if arguments.quick else []), "--output", model, "--json", "--quiet",
        ]
        tasks = experiment.run_program(command, f"{name}, seed {seed}")["metrics"]["test"]["tasks"]
        found = {task: tasks[task]["accuracy"]["value"] for task in TASKS}
        if "static" in name:
            found["experts"] = experts_chosen(model, GATES[name])
    print(f"{name}, seed {seed}: {found}", file=sys.stderr)
    return found


def print_table(results):
    experiment.print_header("gate", "left", "right", "mean", "mean minus top_k's (standard error)", "experts of left, of right")
    mean_of = {name: [(run["left"] + run["right"]) / 2 for run in runs] for name, runs in results.items()}
    for name, runs in results.items():
        cells = ["{:.4f} ± {:.4f}".format(*experiment.mean_interval(values))
                 for values in ([run["left"] for run in runs], [run["right"] for run in runs], mean_of[name])]
        difference = experiment.paired(mean_of[name], mean_of["top_k"])
        sizes = [statistics.mean(len(run["experts"][task]) for run in runs) if "experts" in run else "" for task in (0, 1)
                 for run in runs[:1]]
        experiment.print_row(name, *cells, "" if name == "top_k" else "{:+.4f} ({:.4f})".format(*difference),
                             ", ".join(f"{size:.1f}" for size in sizes if size != ""))


def main():
    parser = experiment.parser_of(__doc__, seeds=3, output="multi_mnist.json", quick="one epoch on the test rows, no results")
    parser.add_argument("folder", type=pathlib.Path)
    arguments = experiment.arguments_of(parser)
    jobs = {(name, seed): lambda name=name, seed=seed: experiment.cached(arguments.cache, f"multi_mnist {name} {seed}",
                                                                         lambda: fit(arguments, name, seed))
            for seed in range(1, arguments.seeds + 1) for name in GATES}
    try:
        runs = experiment.run_all(arguments.processes, jobs)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 2
    if arguments.quick:
        print(f"{len(runs)} short runs ended")
        return 0
    results = {name: [runs[name, seed] for seed in range(1, arguments.seeds + 1)] for name in GATES}
    experiment.write_results(arguments, results)
    print_table(results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
