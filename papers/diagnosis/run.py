#!/usr/bin/env python3
"""Verdicts of gatewise diagnose against faults that are known: models with a planted fault, and healthy ones.

Usage: papers/diagnosis/run.py [--seeds 8] [--healthy 20] [--processes 1] [--program PATH] [--output FILE] [--cache FOLDER]
                               [--table FILE] [--quick]

Needs NumPy. For every verdict `seeds` models are trained into the fault it names, or trained well and then damaged in
their weights, and `healthy` models of nine architectures are left alone; each is diagnosed on rows it has not seen, with
the default thresholds. --table writes the confusion table between the marks of that page (docs/diagnosis.md). Exit code 1
if a planted fault is missed or a healthy model gets a verdict more often than the bounds of checks() allow, 2 if a run
fails. --quick takes one model per verdict and one healthy one, without bounds.
"""

import functools
import itertools
import pathlib
import re
import shutil
import sys
import tempfile

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import experiment  # noqa: E402
import saved_weights  # noqa: E402

VERDICTS = ["collapse", "degradation", "underfitting", "polarisation", "unused_expert", "task_conflict", "silent_failure"]
FEATURES, TASKS = 10, ["one", "two", "three"]
ROWS = {"train": 6000, "validation": 2000, "test": 5000}
EXPERT = {"units": [12]}
MIXTURES = {
    "mmoe": {"type": "mmoe", "experts": 4},
    "cgc": {"type": "cgc", "shared_experts": 3, "task_experts": 1},
    "ple": {"type": "ple", "levels": 2, "shared_experts": 2, "task_experts": 1},
    "omoe": {"type": "omoe", "experts": 3},
}
OTHERS = {
    "adatt": {"type": "adatt", "levels": 1, "shared_experts": 2, "task_experts": 1},
    "home": {"type": "home", "shared_experts": 2, "group_experts": 1, "task_experts": 1},
    "shared_bottom": {"type": "shared_bottom"},
    "single_task": {"type": "single_task"},
    "cross_stitch": {"type": "cross_stitch"},
}


def rows_of(seed, count, part):
    """Features and scores [rows, tasks] that share most of what they depend on, with bends that want experts."""
    truth = np.random.default_rng(seed)
    shared, own = truth.normal(size=(3, FEATURES)), truth.normal(size=(len(TASKS), FEATURES))
    x = np.random.default_rng([seed, list(ROWS).index(part)]).normal(size=(count, FEATURES))
    hidden = np.tanh(x @ shared.T) * [1.5, 1.2, 1.0]
    weights = truth.uniform(0.6, 1.4, size=(len(TASKS), 3))
    return x, hidden @ weights.T + 0.4 * np.sin(x @ own.T)


def write_table(path, x, labels):
    header = [f"x{i}" for i in range(x.shape[1])] + list(labels)
    columns = np.column_stack([x] + [labels[task] for task in labels])
    lines = [",".join("" if np.isnan(value) else f"{value:.6g}" for value in row) for row in columns]
    path.write_text("\n".join([",".join(header)] + lines) + "\n")


class Plant:
    """A folder with the rows of one seed and a model trained on them."""

    def __init__(self, program, folder, seed):
        self.program, self.folder, self.seed = program, folder, seed
        self.random = np.random.default_rng([seed, 77])

    def write_rows(self, labels_of=None, columns_of=None):
        for part, count in ROWS.items():
            x, scores = rows_of(self.seed, count, part)
            noise = np.random.default_rng([self.seed, 9, list(ROWS).index(part)]).logistic(size=scores.shape)
            labels = {task: (3 * scores[:, at] + noise[:, at] > 0).astype(float) for at, task in enumerate(TASKS)}
            if labels_of:
                labels = labels_of(part, x, scores, labels)
            write_table(self.folder / f"{part}.csv", columns_of(x) if columns_of else x, labels)
        return self

    def fit(self, model, kind="binary", rate=0.003, epochs=12, tasks=None, transform="standardise", output="model",
            expert=EXPERT, tower=(8,), extra=""):
        model = {"expert": expert, "tower": {"units": list(tower)}} | model
        columns = "".join(f'x{i} = {{ role = "numeric", transform = "{transform}" }}\n' for i in range(FEATURES))
        names = tasks or {task: {} for task in TASKS}
        tables = "".join(f"[tasks.{task}]\n" + "".join(f"{key} = {experiment.toml(value)}\n" for key, value in
                                                       ({"kind": kind} | options).items())
                         for task, options in names.items())
        files = "".join(f'{part} = "{self.folder / part}.csv"\n' for part in ROWS)
        options = "".join(f"{name} = {experiment.toml(value)}\n" for name, value in model.items())
        (self.folder / "model.toml").write_text(
            f'[data]\n{files}[columns]\ndefault = "ignore"\n{columns}{tables}[model]\n{options}[training]\nepochs = {epochs}\n'
            f'batch_rows = 128\nseed = {self.seed}\nthreads = 1\n[training.optimiser]\nkind = "adam"\nrate = {rate}\n'
            f"[training.stop]\npatience = 0\n[evaluation]\nresamples = 0\n{extra}")
        return self.run_fit([self.folder / "model.toml"], output)

    def run_fit(self, arguments, output="model"):
        shutil.rmtree(self.folder / output, ignore_errors=True)
        command = [self.program, "fit", *arguments, "--output", self.folder / output, "--json", "--quiet"]
        experiment.run_program(command, f"seed {self.seed}")
        return self

    def damage(self, change, frozen=()):
        """Changes arrays of the model, and trains the rest for two more epochs where parameters are to hold still."""
        weights = {path: values.copy() for path, values in saved_weights.read(self.folder / "model").items()}
        saved_weights.write(self.folder / "model", change(weights))
        if frozen:
            (self.folder / "model").rename(self.folder / "damaged")
            self.run_fit([self.folder / "model.toml", "--from", self.folder / "damaged", "--training.epochs", "2",
                          "--continue.freeze", experiment.toml(list(frozen))])
            shutil.rmtree(self.folder / "damaged")
        return self

    def diagnose(self):
        command = [self.program, "diagnose", self.folder / "model", self.folder / "test.csv", "--no-single", "--json",
                   "--quiet", "--threads", "1"]
        return experiment.run_program(command, f"diagnosis, seed {self.seed}")["verdicts"]


def pick(choices, number):
    return list(choices)[number % len(choices)]


def gate_biases(weights, change):
    """The biases of all gates, changed: change(bias, path)."""
    return {path: change(weights[path].copy(), path) for path in weights if re.search(r"gates?/.*layer_0/bias$", path)}


def plant_collapse(plant, number):
    if number % 2 == 0:  # columns of very different scales and a high rate: dead experts (Wang et al. 2024)
        scales = np.exp(2 * np.random.default_rng(plant.seed).normal(size=FEATURES))
        plant.write_rows(columns_of=lambda x: x * scales)
        return plant.fit({"type": "mmoe", "experts": 6}, rate=0.1, epochs=8, transform="none", expert={"units": [16, 8]})
    plant.write_rows().fit(pick((MIXTURES["mmoe"], MIXTURES["cgc"]), number // 2))
    if number % 4 == 1:  # one expert far louder than the others
        return plant.damage(lambda weights: {path: 100 * values for path, values in weights.items()
                                             if re.match(r"(shared_)?experts/0/", path)},
                            ("*experts/*",))
    return plant.damage(lambda weights: {path: values - 100 for path, values in weights.items()
                                         if re.match(r"(shared_)?experts/1/layer_0/bias", path)})


def plant_degradation(plant, number):
    """One task that pulls a hundred times harder than the others."""
    model = pick((MIXTURES["mmoe"], MIXTURES["cgc"], MIXTURES["omoe"], OTHERS["shared_bottom"]), number)
    tasks = {task: ({"weight": 100.0} if task == pick(TASKS, number) else {}) for task in TASKS}
    return plant.write_rows().fit(model, tasks=tasks)


def plant_underfitting(plant, number):
    """A task of which few labels are left, and whose gate turns away from its own experts."""
    rare = pick(TASKS, number)

    def thinned(part, x, scores, labels):
        kept = np.random.default_rng([plant.seed, 5]).uniform(size=len(x)) < 0.04
        return labels | {rare: np.where(kept, labels[rare], np.nan)}

    plant.write_rows(labels_of=thinned).fit(pick((MIXTURES["cgc"], MIXTURES["ple"]), number))
    last = "levels/1/" if number % 2 else ""

    def turned_away(weights):
        path = f"{last}gates/{rare}/layer_0/bias"
        return {path: weights[path] - np.array([8.0] + [0.0] * (len(weights[path]) - 1))}

    return plant.damage(turned_away, ("*gates/*",))


def plant_polarisation(plant, number):
    """A gate that hears one expert only."""
    plant.write_rows().fit(pick((MIXTURES["mmoe"], MIXTURES["cgc"], MIXTURES["omoe"]), number))

    def one_only(bias, path):
        if pick(TASKS, number) in path or "shared" in path:
            bias[number % len(bias)] += 12
        return bias

    return plant.damage(lambda weights: gate_biases(weights, one_only), ("gates/*",))


def plant_unused_expert(plant, number):
    """A shared expert that no gate hears."""
    kind = pick(("mmoe", "cgc", "omoe"), number)
    plant.write_rows().fit(MIXTURES[kind])

    def unheard(bias, path):
        bias[-1] -= 12
        return bias

    return plant.damage(lambda weights: gate_biases(weights, unheard), ("gates/*",))


def plant_task_conflict(plant, number):
    """Tasks that want different directions of the input, and one unit that all have to share."""
    directions = np.linalg.qr(np.random.default_rng(plant.seed).normal(size=(FEATURES, len(TASKS))))[0]

    def apart(part, x, scores, labels):
        noise = np.random.default_rng([plant.seed, 3, list(ROWS).index(part)]).normal(size=scores.shape)
        return {task: (x @ directions)[:, at] + 0.1 * noise[:, at] for at, task in enumerate(TASKS[:2])}

    model = pick(({"type": "shared_bottom"}, {"type": "omoe", "experts": 1}, {"type": "mmoe", "experts": 1}), number)
    plant.write_rows(labels_of=apart)
    return plant.fit(model, kind="regression", tasks={task: {} for task in TASKS[:2]}, epochs=20, tower=(),
                     expert={"units": [1], "activation": "tanh"})


def plant_silent_failure(plant, number):
    model = pick((MIXTURES["mmoe"], MIXTURES["cgc"], OTHERS["shared_bottom"]), number)
    lost = pick(TASKS, number)
    if number % 3 == 0:  # labels that have nothing to do with the row

        def shuffled(part, x, scores, labels):
            order = np.random.default_rng([plant.seed, 4]).permutation(len(x))
            return labels | {lost: labels[lost][order]}

        return plant.write_rows(labels_of=shuffled).fit(model)
    plant.write_rows().fit(model)
    if number % 3 == 1:  # a tower that says the same of every row
        return plant.damage(lambda weights: {f"towers/{lost}/layer_1/weight": 0 * weights[f"towers/{lost}/layer_1/weight"]})
    return plant.damage(lambda weights: {f"towers/{lost}/layer_1/bias": weights[f"towers/{lost}/layer_1/bias"] - 5})


def plant_nothing(plant, number):
    return plant.write_rows().fit(pick(list(MIXTURES.values()) + list(OTHERS.values()), number))


PLANTS = dict(zip(VERDICTS, (plant_collapse, plant_degradation, plant_underfitting, plant_polarisation,
                             plant_unused_expert, plant_task_conflict, plant_silent_failure), strict=True))


def found_in(arguments, kind, number):
    """The verdicts that the model of this number gets."""
    with tempfile.TemporaryDirectory() as name:
        plant = Plant(arguments.program, pathlib.Path(name), seed=100 * list(PLANTS).index(kind) + number + 1
                      if kind in PLANTS else 1000 + number)
        PLANTS.get(kind, plant_nothing)(plant, number)
        return [[verdict["kind"], verdict["where"], verdict["confidence"]] for verdict in plant.diagnose()]


def count_rows(results):
    """{planted: (models, {verdict: models that got it}, models without any)}."""
    rows = {}
    for planted, models in results.items():
        kinds = [{kind for kind, _, _ in model} for model in models]
        rows[planted] = (len(kinds), {verdict: sum(verdict in found for found in kinds) for verdict in VERDICTS},
                         sum(not found for found in kinds))
    return rows


def table_lines(rows):
    names = [name.replace("_", " ") for name in VERDICTS]
    yield "| planted | models | " + " | ".join(names) + " | none |"
    yield "|" + " --- |" * (len(names) + 3)
    for planted, (models, counts, without) in rows.items():
        cells = [f"**{counts[name]}**" if name == planted else str(counts[name]) for name in VERDICTS]
        yield f"| {planted.replace('_', ' ')} | {models} | " + " | ".join(cells) + f" | {without} |"


def write_page(path, lines):
    begin, end = "<!-- confusion table -->\n", "<!-- end of it -->"
    text = path.read_text()
    if begin not in text:
        raise RuntimeError(f"{path}: the marks of the table are missing")
    head, rest = text.split(begin)
    path.write_text(head + begin + "\n".join(lines) + "\n" + end + rest.split(end, 1)[1])


def checks(rows):
    for verdict in VERDICTS:
        models, counts, _ = rows[verdict]
        yield f"{verdict}: share of planted faults found", counts[verdict] / models, counts[verdict] >= models - 1
    models, _, without = rows["healthy"]
    yield "healthy models without any verdict", without / models, without >= models - 2


def main():
    parser = experiment.parser_of(__doc__, seeds=8, output="results.json", quick="one model of each, no bounds")
    parser.add_argument("--healthy", type=int, default=20, help="healthy models")
    parser.add_argument("--table", type=pathlib.Path, help="page to write the table into")
    arguments = experiment.arguments_of(parser)
    planted, healthy = (1, 1) if arguments.quick else (arguments.seeds, arguments.healthy)
    wanted = [(kind, number) for kind in PLANTS for number in range(planted)]
    wanted += [("healthy", number) for number in range(healthy)]
    try:
        found = experiment.run_all(arguments.processes, {
            key: functools.partial(experiment.cached, arguments.cache, "_".join(map(str, key)),
                                   functools.partial(found_in, arguments, *key))
            for key in wanted
        })
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 2
    results = {kind: [found[key] for key in keys] for kind, keys in itertools.groupby(wanted, lambda key: key[0])}
    rows = count_rows(results)
    lines = list(table_lines(rows))
    print("\n".join(lines))
    if arguments.table:
        write_page(arguments.table, lines)
    experiment.write_results(arguments, results)
    return 0 if arguments.quick else experiment.verdict(list(checks(rows)))


if __name__ == "__main__":
    sys.exit(main())
