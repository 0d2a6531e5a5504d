#!/usr/bin/env python3
"""DSelect-k (Hazimeh et al., NeurIPS 2021) against top-k on tasks in groups: test error, and whether experts are shared as
the tasks are related.

Usage: papers/dselect_k/run.py [--seeds 40] [--processes 1] [--program PATH] [--output FILE] [--cache FOLDER] [--quick]

A run is one gate from one seed, which fixes functions, rows and initial weights; the gates of a seed see the same rows. A
task's experts are those of weight above 1e-3; reported are how many, and the mean Jaccard index of two tasks' experts within
groups and across. The bounds of acceptance() are checked: exit code 1 if one is missed, and 2 if a run fails. --quick checks
only that everything runs. Needs NumPy.
"""

import json
import pathlib
import statistics
import sys
import tempfile

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import experiment  # noqa: E402
import saved_weights  # noqa: E402

STEPS = 3000
# The earlier figures took the mean over 8 tasks as the loss, which this lambda stands beside; the program takes the sum.
LAMBDA_SCALE = 8
CHOSEN_ABOVE = 1e-3
STATIC = {"per_example": False, "initializer": "uniform", "initializer_scale": 0.5}


def dselect_k(weight, ramp=False):
    """The gate with entropy weight lambda."""
    return {"type": "dselect_k", "lambda": weight, "ramp": ramp}


GATES = {
    "softmax": {"type": "top_k", "k": "all", **STATIC},
    "top_k": {"type": "top_k", "k": 2, **STATIC},
    "dselect_k 0": dselect_k(0),
    "dselect_k 1e-4": dselect_k(1e-4),
    "dselect_k 3e-4": dselect_k(3e-4),
    "dselect_k 3e-3": dselect_k(3e-3),
    "dselect_k 3e-2": dselect_k(3e-2),
    "dselect_k 0 to 3e-3": dselect_k(3e-3, True),
    "dselect_k 0 to 3e-2": dselect_k(3e-2, True),
}
SETTINGS = {
    "8 tasks": {"tasks": 8, "groups": 4, "experts": 8, "gates": list(GATES), "share_of_seeds": 1},
    "128 tasks": {"tasks": 128, "groups": 16, "experts": 32, "gates": ["softmax", "top_k", "dselect_k 3e-4"],
                  "share_of_seeds": 0.25},
}


def gate_options(gate, setting):
    """The gate as the program takes it."""
    if gate["type"] != "dselect_k":
        return gate | ({"k": setting["experts"]} if gate["k"] == "all" else {})
    weight = gate["lambda"] * LAMBDA_SCALE
    ramp = {"from": 0, "to": weight, "steps": STEPS, "shape": "linear"}
    return {"type": "dselect_k", "k": 2, "entropy_weight": ramp if gate["ramp"] else weight}


def gates_of(model, gate, tasks, experts):
    """Weights of all tasks over the experts [tasks, experts]."""
    weights = saved_weights.read(model)
    of = lambda name: np.stack([weights[f"gates/y{task + 1}/{name}"] for task in range(tasks)])  # noqa: E731
    if gate["type"] == "dselect_k":
        return saved_weights.dselect_k(of("codes"), of("mixture"), experts)
    return saved_weights.top_k_softmax(of("logits"), gate["k"])


def jaccards(gates, group):
    """(mean experts per task, mean Jaccard index within groups, the same across groups)."""
    chosen = gates > CHOSEN_ABOVE
    both = chosen.astype(float) @ chosen.T
    sizes = chosen.sum(1)
    index = both / (sizes[:, None] + sizes[None, :] - both)
    group = np.array(group)
    same = group[:, None] == group[None, :]
    pairs = np.triu(np.ones_like(same), 1)
    return sizes.mean(), index[pairs & same].mean(), index[pairs & ~same].mean()


def truth_of(program, setting, seed, folder):
    path = pathlib.Path(folder) / "truth.json"
    command = [program, "synth", "grouped_tasks", "--rows", 1, "--output", pathlib.Path(folder) / "rows.csv", "--truth", path,
               "--tasks", setting["tasks"], "--groups", setting["groups"], "--seed", seed, "--json"]
    experiment.run_program(command, f"truth of seed {seed}")
    return json.loads(path.read_text())


def fit(arguments, name, setting, seed):
    """Of one run: test error, the same over the labels' variance, and the choice of experts."""
    gate = gate_options(GATES[name], setting)
    with tempfile.TemporaryDirectory() as folder:
        model = pathlib.Path(folder) / "model"
        command = [
            arguments.program, "fit", pathlib.Path(__file__).with_name("grouped_tasks.toml"),
            "--model.gate", experiment.toml(gate), "--model.experts", setting["experts"],
            "--synthetic.options.tasks", setting["tasks"], "--synthetic.options.groups", setting["groups"],
            "--synthetic.options.seed", seed, "--training.seed", seed,
            "--training.steps_per_epoch", 5 if arguments.quick else STEPS, "--output", model, "--json", "--quiet",
        ]
        found = experiment.run_program(command, f"{name}, seed {seed}")["metrics"]["test"]["tasks"]
        truth = truth_of(arguments.program, setting, seed, folder)
        gates = gates_of(model, gate, setting["tasks"], setting["experts"])
    errors = [found[f"y{task + 1}"]["rmse"]["value"] ** 2 for task in range(setting["tasks"])]
    shares = [error / variance for error, variance in zip(errors, truth["label_variance"], strict=True)]
    experts, in_group, across = jaccards(gates, truth["group"])
    return {"mse": statistics.mean(errors), "share": statistics.mean(shares), "experts": float(experts),
            "in_group": float(in_group), "across": float(across)}


def run_all(arguments):
    """{setting: {gate: {figure: [of every seed]}}}."""
    jobs = {}
    for title, setting in SETTINGS.items():
        for name in setting["gates"]:
            for seed in range(1, max(2, round(arguments.seeds * setting["share_of_seeds"])) + 1):
                jobs[title, name, seed] = lambda title=title, name=name, seed=seed: experiment.cached(
                    arguments.cache, f"{title} {name} {seed}", lambda: fit(arguments, name, SETTINGS[title], seed))
    results = {}
    for (title, name, _), run in experiment.run_all(arguments.processes, jobs).items():
        of_gate = results.setdefault(title, {}).setdefault(name, {figure: [] for figure in run})
        for figure, value in run.items():
            of_gate[figure].append(value)
    return results


def acceptance(results):
    """(what, found, whether it holds) of every bound."""
    checks = []
    for title, gates in results.items():
        top_k = gates["top_k"]

        def above_top_k(name, figure, sign, gates=gates, top_k=top_k):
            """The mean difference from top_k, and whether it has this sign beyond the noise."""
            found = experiment.paired(gates[name][figure], top_k[figure])
            return found[0], sign * found[0] > 0 and not experiment.is_noise(found, len(top_k[figure]))

        checks += [(f"{title}: lambda 3e-4 has less error than top_k, beyond the noise",
                    *above_top_k("dselect_k 3e-4", "mse", -1)),
                   (f"{title}: lambda 3e-4 shares more experts within groups than top_k, beyond the noise",
                    *above_top_k("dselect_k 3e-4", "in_group", 1))]
        if "dselect_k 0" in gates:
            ratio = statistics.mean(gates["dselect_k 0"]["in_group"]) / statistics.mean(top_k["in_group"])
            checks += [(f"{title}: lambda 0 has at least twice the Jaccard index of top_k within groups", ratio, ratio >= 2),
                       (f"{title}: lambda 3e-2 has more error than top_k, beyond the noise",
                        *above_top_k("dselect_k 3e-2", "mse", 1))]
    return checks


def print_tables(results):
    for title, gates in results.items():
        print(f"\n{title}, {len(gates['top_k']['mse'])} seeds (mean and half the 95 % interval)")
        experiment.print_header("gate", "test error", "error / variance", "experts per task", "Jaccard within groups",
                                "across", "error minus top_k's (standard error)")
        for name, found in gates.items():
            cells = ["{:.3f} ± {:.3f}".format(*experiment.mean_interval(found[figure])) for figure in found]
            difference = experiment.paired(found["mse"], gates["top_k"]["mse"])
            experiment.print_row(name, *cells, "" if name == "top_k" else "{:+.3f} ({:.3f})".format(*difference))


def main():
    arguments = experiment.arguments_of(
        experiment.parser_of(__doc__, seeds=40, output="results.json", quick="two seeds and few steps, no results"))
    try:
        results = run_all(arguments)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 2
    if arguments.quick:
        print("all gates ran")
        return 0
    experiment.write_results(arguments, results)
    print_tables(results)
    return experiment.verdict(acceptance(results))


if __name__ == "__main__":
    sys.exit(main())
