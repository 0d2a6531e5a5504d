#!/usr/bin/env python3
"""Gates that know the task (after Gupta et al. 2022) where one task of every group has few rows.

Usage: papers/task_aware/few_rows.py [--seeds 10] [--processes 1] [--program PATH] [--output FILE] [--cache FOLDER] [--quick]

Eight tasks in four groups that share functions; of each group one task has 10,000 labels and one has 200. In the design "own
rows" every row has the label of one task; in "shared rows" all tasks with many labels share 40,000 rows, of which the first
200 have all labels; "one expert" is "own rows" with one expert per row and task instead of two; "equal rows" is "own rows"
where a row counts as much as any other, instead of a task as much as any other in each batch. A row runs as many experts
for a task in all models that are compared: two of eight (or one), or one network as wide as those. A run is one model from
one seed, which fixes tasks, rows and initial weights; the models of a seed see the same rows. Reported is test error over the
labels' variance. The bounds of acceptance() are checked: exit code 1 if one is missed, and 2 if a run fails. --quick checks
only that everything runs. Needs NumPy and PyArrow.
"""

import functools
import json
import pathlib
import statistics
import sys
import tempfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import experiment  # noqa: E402

TASKS, FEATURES, MANY, FEW = 8, 20, 10000, 200
PARTS = {"train": TASKS * MANY, "validation": 4000, "test": 20000}
CUT = range(1, TASKS, 2)  # the second task of each group
FORMS = ["agnostic", "per_task", "task_embedding", "task_only", "additive"]
DESIGNS = ["own rows", "shared rows", "one expert", "equal rows"]


def models_of(design):
    """{name: options}. "all rows" is per_task where no task is cut; "cut tasks alone" share nothing."""
    k = 1 if design == "one expert" else 2
    gate = {form: {"type": "mmoe", "gate": {"type": "task_aware", "form": form, "k": k}} for form in FORMS}
    wide = {"expert": {"units": [8 * k]}}
    return gate | {
        "shared_bottom": {"type": "shared_bottom", **wide},
        "cut tasks alone": {"type": "single_task", **wide},
        "all rows": gate["per_task"],
    }


@functools.lru_cache(maxsize=1)
def made_rows(program, seed):
    """Features [rows, 20], labels [rows, 8] and the truth of a seed, rows of all parts."""
    rows = sum(PARTS.values())
    with tempfile.TemporaryDirectory() as folder:
        path, truth = pathlib.Path(folder) / "rows.csv", pathlib.Path(folder) / "truth.json"
        experiment.run_program([program, "synth", "grouped_tasks", "--rows", rows, "--output", path, "--truth",
                                truth, "--seed", seed, "--json"], f"rows of seed {seed}")
        values = np.loadtxt(path, delimiter=",", skiprows=1, dtype=np.float32)
        return values[:, :FEATURES], values[:, FEATURES:], json.loads(truth.read_text())


def write_rows(path, x, labels):
    """Missing labels, NaN, become nulls."""
    columns = {f"x{i}": pa.array(x[:, i]) for i in range(FEATURES)}
    columns |= {f"y{task + 1}": pa.array(labels[:, task], from_pandas=True) for task in range(TASKS)}
    pyarrow.parquet.write_table(pa.table(columns), path)


def training_labels(labels, design, cut):
    """`labels`, of TASKS * MANY rows, with NaN where the design gives none; tasks of `cut` keep FEW."""
    given = np.full_like(labels, np.nan)
    for task in range(TASKS):
        own = np.arange(4 * MANY) if design == "shared rows" else np.arange(task * MANY, (task + 1) * MANY)
        own = own[:FEW] if task in cut else own
        given[own, task] = labels[own, task]
    return given


def fit(arguments, design, name, seed):
    """Of one run: {"cut": error over variance of the tasks with few labels, "many": the same of the others}."""
    x, labels, truth = made_rows(arguments.program, seed)
    given, cut = labels.copy(), {"all rows": (), "cut tasks alone": range(TASKS)}.get(name, CUT)
    given[:PARTS["train"]] = training_labels(labels[:PARTS["train"]], design, cut)
    has_any = ~np.isnan(given).all(1)
    with tempfile.TemporaryDirectory() as folder:
        files, begin = {part: pathlib.Path(folder) / f"{part}.parquet" for part in PARTS}, 0
        for part, rows in PARTS.items():
            own = np.arange(begin, begin + rows)[has_any[begin:begin + rows]]
            write_rows(files[part], x[own], (given if part == "train" else labels)[own])
            begin += rows
        model = models_of(design)[name]
        # About as many steps for all; the tasks alone are chosen by validation long before their last epoch.
        epochs = {"cut tasks alone": 200, "all rows": 10 if design == "shared rows" else 5}.get(name, 10)
        command = [
            arguments.program, "fit", pathlib.Path(__file__).with_name("few_rows.toml"),
            *(part for file in files for part in (f"--data.{file}", files[file])),
            *(part for option, value in model.items() for part in (f"--model.{option}", experiment.toml(value))),
            *(["--model.experts", 8] if model["type"] == "mmoe" else []),
            *(["--training.normaliser", "batch"] if design == "equal rows" else []),
            "--training.seed", seed, "--training.epochs", 1 if arguments.quick else epochs,
            "--output", pathlib.Path(folder) / "model", "--json", "--quiet",
        ]
        found = experiment.run_program(command, f"{design}, {name}, seed {seed}")["metrics"]["test"]["tasks"]
    shares = [found[f"y{task + 1}"]["rmse"]["value"] ** 2 / truth["label_variance"][task] for task in range(TASKS)]
    return {"cut": statistics.mean(shares[task] for task in CUT),
            "many": statistics.mean(share for task, share in enumerate(shares) if task not in CUT)}


def acceptance(results):
    """(what, found, whether it holds) of what was found and should stay so."""
    checks = []
    for design, models in results.items():
        cut = {name: [run["cut"] for run in runs] for name, runs in models.items()}
        for name, what, sign in (("task_only", "less", -1), ("per_task", "more", 1)):
            difference = experiment.paired(cut[name], cut["agnostic"])
            holds = sign * difference[0] > 0 and not experiment.is_noise(difference, len(cut[name]))
            checks.append((f"{design}: {name} has {what} error than agnostic on tasks of 200 labels, beyond the noise",
                           difference[0], holds))
    return checks


def print_tables(results):
    for design, models in results.items():
        print(f"\n{design}, {len(models['agnostic'])} seeds (mean and half the 95 % interval)")
        experiment.print_header("model", "tasks of 200 labels", "minus agnostic (standard error)", "tasks of many labels")
        agnostic = [run["cut"] for run in models["agnostic"]]
        for name, runs in models.items():
            cells = {part: "{:.3f} ± {:.3f}".format(*experiment.mean_interval([run[part] for run in runs]))
                     for part in ("cut", "many")}
            difference = experiment.paired([run["cut"] for run in runs], agnostic)
            experiment.print_row(name, cells["cut"],
                                 "" if name == "agnostic" else "{:+.3f} ({:.3f})".format(*difference),
                                 "" if name == "cut tasks alone" else cells["many"])


def main():
    arguments = experiment.arguments_of(
        experiment.parser_of(__doc__, seeds=10, output="few_rows.json", quick="one epoch, no results"))
    jobs = {(design, name, seed): lambda design=design, name=name, seed=seed: experiment.cached(
                arguments.cache, f"few_rows {design} {name} {seed}", lambda: fit(arguments, design, name, seed))
            for seed in range(1, arguments.seeds + 1) for design in DESIGNS for name in models_of(design)}
    try:
        runs = experiment.run_all(arguments.processes, jobs)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 2
    if arguments.quick:
        print(f"{len(runs)} short runs ended")
        return 0
    results = {design: {name: [runs[design, name, seed] for seed in range(1, arguments.seeds + 1)]
                        for name in models_of(design)} for design in DESIGNS}
    experiment.write_results(arguments, results)
    print_tables(results)
    return experiment.verdict(acceptance(results))


if __name__ == "__main__":
    sys.exit(main())
