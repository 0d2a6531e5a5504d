#!/usr/bin/env python3
"""Unrelated tasks beside eight real ones: do they harm them, and does a gate per task protect?

Usage: papers/task_aware/noise_tasks.py [--seeds 8] [--processes 1] [--program PATH] [--output FILE] [--cache FOLDER] [--quick]

Eight tasks in four groups that share functions are learned with and without four more tasks whose labels are pure noise, in
three designs: fresh rows at every step; the same with four times the weight on the noise; and 4,000 rows seen 100 times. Rows
run two experts of eight per task, or one network as wide as two or as all eight. A seed fixes tasks, rows and initial weights;
the labels of the real tasks are the same with and without noise. Reported is the mean test error over variance of the real
tasks, and how much the noise adds to it. The bounds of acceptance() are checked: exit code 1 if one is missed, and 2 if a run
fails. --quick checks only that everything runs. Needs NumPy.
"""

import functools
import json
import pathlib
import statistics
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import experiment  # noqa: E402

TASKS, NOISE_TASKS, STEPS = 8, 4, 3000
ROWS, EPOCHS = 4000, 100  # of the design that sees rows again
MIXTURE = {"type": "mmoe", "experts": 8}
MODELS = {
    "shared_bottom of 16": {"type": "shared_bottom", "expert": {"units": [16]}},
    "shared_bottom of 64": {"type": "shared_bottom", "expert": {"units": [64]}},
    "agnostic": MIXTURE | {"gate": {"type": "task_aware", "form": "agnostic"}},
    "per_task": MIXTURE | {"gate": {"type": "task_aware", "form": "per_task"}},
    "task_embedding": MIXTURE | {"gate": {"type": "task_aware", "form": "task_embedding"}},
}
DESIGNS = ["fresh rows", "fresh rows, noise weighs 4", "4,000 rows"]


@functools.lru_cache(maxsize=1)
def variances_of(program, seed):
    with tempfile.TemporaryDirectory() as folder:
        truth = pathlib.Path(folder) / "truth.json"
        experiment.run_program([program, "synth", "grouped_tasks", "--rows", 1, "--output", pathlib.Path(folder) / "rows.csv",
                                "--truth", truth, "--seed", seed, "--json"], f"truth of seed {seed}")
        return json.loads(truth.read_text())["label_variance"]


def rows_in_files(arguments, noise_tasks, seed, folder):
    """Options that train on 4,000 rows and test on 20,000 others; tests take the same labels as all other tables."""
    rows = pathlib.Path(folder) / "rows.csv"
    experiment.run_program([arguments.program, "synth", "grouped_tasks", "--rows", ROWS + 20000, "--output", rows,
                            "--noise_tasks", noise_tasks, "--seed", seed, "--json"], f"rows of seed {seed}")
    header, *lines = rows.read_text().splitlines(keepends=True)
    for part, own in (("train", lines[:ROWS]), ("test", lines[ROWS:])):
        (pathlib.Path(folder) / f"{part}.csv").write_text(header + "".join(own))
    more = (part for task in range(noise_tasks) for part in (f"--tasks.noise{task + 1}.kind", "regression"))
    return [pathlib.Path(__file__).with_name("few_rows.toml"), "--data.train", pathlib.Path(folder) / "train.csv",
            "--data.test", pathlib.Path(folder) / "test.csv", *more,
            "--training.epochs", 2 if arguments.quick else EPOCHS]


def fresh_rows(arguments, noise_tasks, seed, weight):
    more = (part for task in range(noise_tasks)
            for part in (f"--tasks.noise{task + 1}", experiment.toml({"kind": "regression", "weight": weight})))
    return [pathlib.Path(__file__).with_name("fresh_rows.toml"), "--synthetic.options.noise_tasks", noise_tasks,
            "--synthetic.options.seed", seed, *more, "--training.steps_per_epoch", 5 if arguments.quick else STEPS]


def fit(arguments, design, name, noise_tasks, seed):
    """Mean over the real tasks of test error over variance."""
    with tempfile.TemporaryDirectory() as folder:
        rows = (rows_in_files(arguments, noise_tasks, seed, folder) if design == "4,000 rows" else
                fresh_rows(arguments, noise_tasks, seed, 4.0 if design.endswith("weighs 4") else 1.0))
        command = [
            arguments.program, "fit", *rows,
            *(part for option, value in MODELS[name].items() for part in (f"--model.{option}", experiment.toml(value))),
            "--training.seed", seed, "--output", pathlib.Path(folder) / "model", "--json", "--quiet",
        ]
        found = experiment.run_program(command, f"{design}, {name}, {noise_tasks} noise tasks, seed {seed}")
        tasks = found["metrics"]["test"]["tasks"]
    variances = variances_of(arguments.program, seed)
    return statistics.mean(tasks[f"y{task + 1}"]["rmse"]["value"] ** 2 / variances[task] for task in range(TASKS))


def added_by_noise(models):
    """{model: what the noise tasks add to the error, of every seed} of one design."""
    return {name: [with_noise - without for without, with_noise in zip(*found.values(), strict=True)]
            for name, found in models.items()}


def acceptance(results):
    """(what, found, whether it holds) of what was found and should stay so."""
    checks = []
    for design in DESIGNS[1:]:
        added = added_by_noise(results[design])
        difference = experiment.paired(added["shared_bottom of 64"], added["per_task"])
        holds = difference[0] > 0 and not experiment.is_noise(difference, len(added["per_task"]))
        checks.append((f"{design}: noise adds more to shared_bottom of 64 than to per_task, beyond the noise", difference[0],
                       holds))
    return checks


def print_tables(results):
    for design, models in results.items():
        print(f"\n{design}, {len(models['per_task']['0'])} seeds (mean and half the 95 % interval)")
        experiment.print_header("model", "without noise tasks", f"with {NOISE_TASKS}", "added by them",
                                "added, minus per_task's (standard error)")
        added = added_by_noise(models)
        for name, found in models.items():
            cells = ["{:.3f} ± {:.3f}".format(*experiment.mean_interval(values)) for values in found.values()]
            difference = "{:+.4f} ({:.4f})".format(*experiment.paired(added[name], added["per_task"]))
            experiment.print_row(name, *cells, "{:+.4f} ± {:.4f}".format(*experiment.mean_interval(added[name])),
                                 "" if name == "per_task" else difference)


def main():
    arguments = experiment.arguments_of(
        experiment.parser_of(__doc__, seeds=8, output="noise_tasks.json", quick="two seeds and few steps, no results"))
    seeds = range(1, arguments.seeds + 1)
    jobs = {(design, name, noise, seed): lambda design=design, name=name, noise=noise, seed=seed: experiment.cached(
                arguments.cache, f"noise_tasks {design} {name} {noise} {seed}",
                lambda: fit(arguments, design, name, noise, seed))
            for seed in seeds for design in DESIGNS for name in MODELS for noise in (0, NOISE_TASKS)}
    try:
        runs = experiment.run_all(arguments.processes, jobs)
    except RuntimeError as failure:
        print(failure, file=sys.stderr)
        return 2
    if arguments.quick:
        print(f"{len(runs)} short runs ended")
        return 0
    results = {design: {name: {str(noise): [runs[design, name, noise, seed] for seed in seeds] for noise in (0, NOISE_TASKS)}
                        for name in MODELS} for design in DESIGNS}
    experiment.write_results(arguments, results)
    print_tables(results)
    return experiment.verdict(acceptance(results))


if __name__ == "__main__":
    sys.exit(main())
