#!/usr/bin/env python3
"""A task that comes after training, with 200 rows, on frozen experts: whose gate should it start from?

Usage: papers/task_aware/new_task.py [--seeds 10] [--processes 1] [--program PATH] [--output FILE] [--cache FOLDER] [--quick]

Tasks in four groups that share functions. A model with one top-2 gate per task learns all but the last task of each group on
fresh rows; that one has weight 0, so that its gate stays as it was drawn. Then each of the four new tasks gets 200 rows:
the experts stay as they are, the gate is copied from a task or stays random, and the linear tower is fitted by least squares;
"trained" goes on with gate and tower together by Adam. "chosen" copies the gate of the seen task whose gate has the least
error in five-fold cross-validation on the 200 rows, which needs no knowledge of the groups. "all rows" is the same task where
all were trained from the start. Reported is test error over the label's variance. The designs differ in how many tasks of the
group the experts were made by, and in the experts' width. The bounds of acceptance() are checked: exit code 1 if one is missed,
and 2 if a run fails. --quick checks only that everything runs. Needs NumPy.
"""

import dataclasses
import json
import pathlib
import statistics
import sys
import tempfile

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import experiment  # noqa: E402
import saved_weights  # noqa: E402

GROUPS, EXPERTS, FEATURES, KEPT = 4, 8, 20, 2
FEW, TEST_ROWS, STEPS, GATE_STEPS = 200, 20000, 3000, 500


@dataclasses.dataclass(frozen=True)
class Design:
    group_size: int
    units: int

    @property
    def tasks(self):
        return GROUPS * self.group_size

    @property
    def new(self):
        """The last task of each group."""
        return range(self.group_size - 1, self.tasks, self.group_size)

    @property
    def seen(self):
        return [task for task in range(self.tasks) if task not in self.new]


DESIGNS = {"2 seen tasks of a group": Design(3, 8), "7 seen tasks of a group": Design(8, 8),
           "7 seen tasks, experts of 16": Design(8, 16)}


class Frozen:
    """Expert outputs [rows, experts, units] and what gates make of them."""

    def __init__(self, weights, x):
        self.x = x
        of = lambda name: np.stack([weights[f"experts/{i}/layer_0/{name}"] for i in range(EXPERTS)])  # noqa: E731
        self.outputs = np.maximum(np.einsum("ri,eih->reh", x, of("weight")) + of("bias"), 0)

    def mixed(self, gate):
        shares = saved_weights.top_k_softmax(self.x @ gate, KEPT)
        return np.einsum("re,reh->rh", shares, self.outputs)


def with_ones(values):
    return np.concatenate([values, np.ones((len(values), 1))], 1)


def fitted_tower(mixed, labels):
    return np.linalg.lstsq(with_ones(mixed), labels, rcond=None)[0]


def error(mixed, tower, labels):
    return float(np.mean((with_ones(mixed) @ tower - labels) ** 2))


def cross_validated(mixed, labels, folds=5):
    fold = np.arange(len(labels)) % folds
    return statistics.mean(error(mixed[fold == f], fitted_tower(mixed[fold != f], labels[fold != f]), labels[fold == f])
                           for f in range(folds))


def trained(few, labels, gate, steps):
    """(gate, tower) after `steps` of Adam at 3e-3 on all rows at once, the tower starting from least squares."""
    values = [gate.astype(np.float64), fitted_tower(few.mixed(gate), labels)]
    first, second = [np.zeros_like(value) for value in values], [np.zeros_like(value) for value in values]
    for step in range(1, steps + 1):
        gate, tower = values
        shares = saved_weights.top_k_softmax(few.x @ gate, KEPT)
        mixed = np.einsum("re,reh->rh", shares, few.outputs)
        slope = 2 * (with_ones(mixed) @ tower - labels) / len(labels)
        of_share = np.einsum("reh,h->re", few.outputs, tower[:-1]) * slope[:, None]
        of_logit = shares * (of_share - (shares * of_share).sum(1, keepdims=True))
        for index, gradient in enumerate((few.x.T @ of_logit, with_ones(mixed).T @ slope)):
            first[index] = 0.9 * first[index] + 0.1 * gradient
            second[index] = 0.999 * second[index] + 0.001 * gradient**2
            rate = 3e-3 * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
            values[index] = values[index] - rate * first[index] / (np.sqrt(second[index]) + 1e-8)
    return values


def fit(arguments, design, seed, unseen, folder):
    """(weights, {task: test error}) of a model that never sees the tasks `unseen`."""
    model = pathlib.Path(folder) / "model"
    command = [
        arguments.program, "fit", pathlib.Path(__file__).with_name("fresh_rows.toml"),
        "--synthetic.options.tasks", design.tasks, "--synthetic.options.groups", GROUPS,
        "--model.type", "mmoe", "--model.experts", EXPERTS, "--model.expert.units", f"[{design.units}]",
        "--model.gate", experiment.toml({"type": "task_aware", "form": "per_task", "k": KEPT, "balance_weight": 0}),
        *(part for task in unseen for part in (f"--tasks.y{task + 1}", '{kind = "regression", weight = 0.0}')),
        "--synthetic.options.seed", seed, "--training.seed", seed,
        "--training.steps_per_epoch", 5 if arguments.quick else STEPS, "--output", model, "--json", "--quiet",
    ]
    found = experiment.run_program(command, f"seed {seed}")["metrics"]["test"]["tasks"]
    return saved_weights.read(model), {task: found[f"y{task + 1}"]["rmse"]["value"] ** 2 for task in range(design.tasks)}


def held_out_rows(arguments, design, seed, folder):
    """Rows that no training step has: features, labels, and the variance of each label."""
    path, truth = pathlib.Path(folder) / "rows.csv", pathlib.Path(folder) / "truth.json"
    command = [arguments.program, "synth", "grouped_tasks", "--rows", FEW + TEST_ROWS, "--output", path, "--truth", truth,
               "--tasks", design.tasks, "--groups", GROUPS, "--seed", seed, "--json"]
    experiment.run_program(command, f"rows of seed {seed}")
    values = np.loadtxt(path, delimiter=",", skiprows=1)
    return values[:, :FEATURES], values[:, FEATURES:], json.loads(truth.read_text())["label_variance"]


def errors_of_task(design, task, weights, few, test, labels):
    """{way: test error} of one new task."""
    known, asked = labels[:FEW, task], labels[FEW:, task]
    gates = {other: weights[f"gates/y{other + 1}/weight"] for other in range(design.tasks)}
    chosen = min(design.seen, key=lambda other: cross_validated(few.mixed(gates[other]), known))
    starts = {"sibling's gate": task - 1, "chosen gate": chosen, "gate of another group": (task + 1) % design.tasks,
              "random gate": task}
    found = {}
    for name, other in starts.items():
        found[name] = error(test.mixed(gates[other]), fitted_tower(few.mixed(gates[other]), known), asked)
        gate, tower = trained(few, known, gates[other], GATE_STEPS)
        found[f"{name}, trained"] = error(test.mixed(gate), tower, asked)
    everything = [frozen.outputs.reshape(len(frozen.x), -1) for frozen in (few, test)]
    found["all experts, no gate"] = error(everything[1], fitted_tower(everything[0], known), asked)
    found["chosen gate is of the same group"] = float(chosen // design.group_size == task // design.group_size)
    return found


def run_seed(arguments, design, seed):
    """{way: mean over the four new tasks of error over variance}."""
    with tempfile.TemporaryDirectory() as folder:
        x, labels, variance = held_out_rows(arguments, design, seed, folder)
        weights, _ = fit(arguments, design, seed, design.new, folder)
        few, test = Frozen(weights, x[:FEW]), Frozen(weights, x[FEW:])
        ways = [errors_of_task(design, task, weights, few, test, labels) for task in design.new]
        _, full = fit(arguments, design, seed, (), folder)
    found = {}
    for way in ways[0]:
        scale = [1] * design.tasks if way.startswith("chosen gate is") else variance
        found[way] = statistics.mean(of_task[way] / scale[task] for of_task, task in zip(ways, design.new, strict=True))
    return found | {"all rows": statistics.mean(full[task] / variance[task] for task in design.new)}


def acceptance(results):
    """(what, found, whether it holds) of what was found and should stay so."""
    checks = []
    for design, ways in results.items():
        difference = experiment.paired(ways["sibling's gate"], ways["random gate"])
        holds = difference[0] < 0 and not experiment.is_noise(difference, len(ways["random gate"]))
        right = statistics.mean(ways["chosen gate is of the same group"])
        checks += [(f"{design}: a sibling's gate has less error than a random one, beyond the noise", difference[0], holds),
                   (f"{design}: at least 95 % of the chosen gates are of the same group", right, right >= 0.95)]
    return checks


def print_table(results):
    for design, ways in results.items():
        print(f"\n{design}, {len(ways['all rows'])} seeds (mean and half the 95 % interval)")
        experiment.print_header("way", "error / variance", "over that of all rows")
        for way, values in ways.items():
            if way.startswith("chosen gate is"):
                continue
            ratio = [value / full for value, full in zip(values, ways["all rows"], strict=True)]
            experiment.print_row(way, *("{:.3f} ± {:.3f}".format(*experiment.mean_interval(part)) for part in (values, ratio)))
        print(f"chosen gate is of the same group: {statistics.mean(ways['chosen gate is of the same group']):.0%}")


def main():
    arguments = experiment.arguments_of(
        experiment.parser_of(__doc__, seeds=10, output="new_task.json", quick="two seeds and few steps, no results"))
    seeds = range(1, arguments.seeds + 1)
    jobs = {(name, seed): lambda name=name, seed=seed: experiment.cached(
                arguments.cache, f"new_task {name} {seed}", lambda: run_seed(arguments, DESIGNS[name], seed))
            for seed in seeds for name in DESIGNS}
    try:
        runs = experiment.run_all(arguments.processes, jobs)
    except RuntimeError as failure:
        print(failure, file=sys.stderr)
        return 2
    if arguments.quick:
        print(f"{len(runs)} short runs ended")
        return 0
    results = {name: {way: [runs[name, seed][way] for seed in seeds] for way in runs[name, 1]} for name in DESIGNS}
    experiment.write_results(arguments, results)
    print_table(results)
    return experiment.verdict(acceptance(results))


if __name__ == "__main__":
    sys.exit(main())
