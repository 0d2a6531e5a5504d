#!/usr/bin/env python3
"""HoME (2024): its three anomalies of mixtures produced, and what its components do about each, with the ablation.

Usage: papers/home/run.py [--seeds 4] [--processes 1] [--program PATH] [--output FILE] [--cache FOLDER] [--quick]

Needs NumPy. The data are those of short_videos.py. In the setting "harsh" features have scales that differ a hundredfold
and the learning rate is 3e-2; in "tame", the control, features are standardised and it is 1e-2. A seed fixes functions,
rows and weights, and models of a seed see the same rows. Of each model are measured AUC per task, the share of zeros in the
experts' outputs, who uses the shared experts, and how much a task gives its own. The bounds of checks() are checked: exit
code 1 if one is missed, and 2 if a run fails. --quick checks only that everything runs.
"""

import functools
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

import numpy as np
import short_videos

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import experiment  # noqa: E402

SHARES = {"shared": 0.3, "group": 0.7, "own": 0.6}
TASKS = list(short_videos.RATES)
RARE, DENSE = ("t4", "t5"), ("t0", "t1")
EXPERTS, SHARED = 6, 4
FAIR = SHARED + 2 + 1  # experts that a task of home sees in the second layer
WIDTHS = [32, 16]

GROUPS = "groups = { watch = ['t0', 't1', 't3'], inter = ['t2', 't4', 't5'] }\n"
COUNTS = f"shared_experts = {SHARED}\ngroup_experts = 2\ntask_experts = 1\n"


def model(kind, options, activation="swish", normalisation="batch"):
    return (f'type = "{kind}"\n{options}expert = {{ units = {WIDTHS}, hidden_activation = "relu", '
            f'activation = "{activation}", normalisation = "{normalisation}" }}\ntower = {{ units = [16] }}\n')


def mmoe(*expert):
    return model("mmoe", f"experts = {EXPERTS}\n", *expert)


def cgc(*expert):
    return model("cgc", f"shared_experts = {SHARED}\ntask_experts = 1\n", *expert)


def home(*without):
    return model("home", GROUPS + COUNTS + "".join(f"{option}\n" for option in without))


NO_FEATURE_GATE, NO_SELF_GATE, NO_MASK = "feature_gate = false", "self_gate = false", "mask = false"
# A star marks experts of batch norm and swish, as in the paper.
MODELS = {
    "mmoe": mmoe("relu", "none"),
    "mmoe batch norm": mmoe("relu", "batch"),
    "mmoe swish": mmoe("swish", "none"),
    "mmoe*": mmoe(),
    "cgc": cgc("relu", "none"),
    "cgc*": cgc(),
    "home": home(),
    "home w/o fg2": home("layer_2_feature_gate = false"),
    "home w/o fg": home(NO_FEATURE_GATE),
    "home w/o sg": home(NO_SELF_GATE),
    "home w/o mask": home(NO_MASK),
    "home w/o fg-sg": home(NO_FEATURE_GATE, NO_SELF_GATE),
    "home w/o fg-sg-mask": home(NO_FEATURE_GATE, NO_SELF_GATE, NO_MASK),
    "home with sg2": home("layer_2_self_gate = true"),
}
SETTINGS = {
    "harsh": {"scale_deviation": 2.0, "transform": "none", "rate": 0.03, "models": list(MODELS)},
    "tame": {"scale_deviation": 0.0, "transform": "standardise", "rate": 0.01,
             "models": ["mmoe", "mmoe*", "cgc", "cgc*", "home", "home w/o mask", "home with sg2"]},
}


def configuration(setting, name, seed, folder):
    columns = "".join(f'x{i} = {{ role = "numeric", transform = "{SETTINGS[setting]["transform"]}" }}\n'
                      for i in range(short_videos.FEATURES))
    tasks = "".join(f'[tasks.{task}]\nkind = "binary"\n' for task in TASKS)
    files = "".join(f'{part} = "{folder / part}.csv"\n' for part in ("train", "validation", "test"))
    return (f'[data]\n{files}[columns]\ndefault = "ignore"\n{columns}{tasks}[model]\n{MODELS[name]}'
            f'[training]\nepochs = 6\nbatch_rows = 256\nseed = {seed}\nthreads = 1\nmetrics = ["auc"]\n'
            f'[training.optimiser]\nkind = "adam"\nrate = {SETTINGS[setting]["rate"]}\n'
            "[training.stop]\npatience = 0\n[evaluation]\nresamples = 0\n")


def is_cgc(name):
    return name.startswith("cgc")


def value_names(name):
    """Named values of a model: experts' outputs, and the gates of its tasks."""
    if name.startswith("home"):
        return ["meta/experts", "tasks/experts"], [f"tasks/gates/{task}" for task in TASKS]
    return ["experts"], [f"gates/{task}" for task in TASKS]


def read_values(program, folder, names):
    """{name: [rows, numbers]} on the rows of the probe."""
    command = [program, "predict", folder / "model", folder / "probe.csv", "--threads", 1,
               "--output", folder / "values.csv"]
    for name in names:
        command += ["--value", name]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"predict: {done.stderr.strip()}")
    with (folder / "values.csv").open() as lines:
        columns = next(lines).strip().split(",")
    table = np.loadtxt(folder / "values.csv", delimiter=",", skiprows=1, dtype=np.float32, ndmin=2)
    return {name: table[:, [at for at, column in enumerate(columns) if column.startswith(f"{name}[")]] for name in names}


def gate_places(name, task_at):
    """(places of the shared experts, place of the task's own) among the weights of a task's gate."""
    if is_cgc(name):
        return list(range(1, 1 + SHARED)), 0
    own = SHARED + 2 if "mask" not in name else SHARED + 4 + task_at
    return list(range(SHARED)), own


def measure_gates(name, weights):
    """Of mean gate weights {task: [experts]}: who uses the shared experts, and each task's share for its own expert."""
    shared = np.array([weights[task][gate_places(name, at)[0]] for at, task in enumerate(TASKS)])  # [tasks, experts]
    by_one = shared.max(axis=0) / shared.sum(axis=0)
    captured = (by_one > 0.5) & (shared.max(axis=0) >= 0.1)
    own = {task: float(weights[task][gate_places(name, at)[1]]) for at, task in enumerate(TASKS)}
    return {
        "by_one_task": float(by_one.max()),
        "captured": float(captured.mean()),
        "own": own,
        "own_share": {task: own[task] / float(weights[task].sum()) for task in TASKS},
    }


def measure(arguments, setting, name, seed, folder):
    (folder / "model.toml").write_text(configuration(setting, name, seed, folder))
    what = f"{setting}, {name}, seed {seed}"
    shutil.rmtree(folder / "model", ignore_errors=True)
    command = [arguments.program, "fit", folder / "model.toml", "--output", folder / "model", "--json", "--quiet"]
    metrics = experiment.run_program(command, what)["metrics"]["test"]["tasks"]
    experts, gates = value_names(name)
    values = read_values(arguments.program, folder, experts + gates)
    zeros = [share for bank in experts for share in
             (values[bank].reshape(len(values[bank]), -1, WIDTHS[-1]) == 0).mean(axis=(0, 2))]
    found = {
        "auc": {task: metrics[task]["auc"]["value"] or 0.5 for task in TASKS},
        "parameters": experiment.parameter_count(arguments.program, folder / "model", what),
        "zeros": float(np.mean(zeros)),
        "zeros_worst": float(np.max(zeros)),
        "top": float(np.mean([values[gate].max(axis=1) / values[gate].sum(axis=1) for gate in gates])),
    }
    if not name.startswith("mmoe"):
        found |= measure_gates(name, {task: values[gate].mean(axis=0) for task, gate in zip(TASKS, gates, strict=True)})
    return found


def measure_all(arguments, setting, seed):
    """{model: what measure() finds} on the tables of one seed, which are made where a model is not in the cache."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)

        def compute(model):
            if not (folder / "probe.csv").exists():
                short_videos.write(folder, seed, SHARES, SETTINGS[setting]["scale_deviation"], arguments.quick)
            return measure(arguments, setting, model, seed, folder)

        return {
            model: experiment.cached(arguments.cache, f"{setting}_{model.replace(' ', '_').replace('/', '')}_{seed}",
                                     functools.partial(compute, model))
            for model in SETTINGS[setting]["models"]
        }


def mean_auc(run, tasks=tuple(TASKS)):
    return statistics.mean(run["auc"][task] for task in tasks)


def own_share(run, tasks):
    return statistics.mean(run["own_share"][task] for task in tasks)


def interval_text(values):
    mean, half = experiment.mean_interval(values)
    return f"{mean:.3f} ± {half:.3f}"


def difference_text(ours, theirs):
    mean, error = experiment.paired(ours, theirs)
    return f"{mean:+.4f} ({error:.4f})" + (" noise" if experiment.is_noise((mean, error), len(ours)) else "")


def print_tables(setting, runs):
    print(f"\n{setting}")
    experiment.print_header("model", "parameters", "AUC, all tasks", "minus mmoe* (s.e.)", "AUC, rare tasks",
                            "minus mmoe* (s.e.)", "zeros", "zeros, worst expert", "largest gate weight of a row",
                            "shared experts captured", "largest part of one task", "own share, rare", "own share, dense")
    for name, of_model in runs.items():
        cells = [name, f"{of_model[0]['parameters']:,}"]
        for tasks in (TASKS, RARE):
            ours, theirs = ([mean_auc(run, tasks) for run in part] for part in (of_model, runs["mmoe*"]))
            cells += [interval_text(ours), "" if name == "mmoe*" else difference_text(ours, theirs)]
        cells += [f"{statistics.mean(run[key] for run in of_model):.2f}" for key in ("zeros", "zeros_worst", "top")]
        if "own" in of_model[0]:
            cells += [interval_text([run[key] for run in of_model]) for key in ("captured", "by_one_task")]
            cells += [interval_text([own_share(run, tasks) for run in of_model]) for tasks in (RARE, DENSE)]
        experiment.print_row(*cells, *[""] * (13 - len(cells)))


def mask_checks(results):
    """The mask in three designs: with all components in both settings, and without feature and self gates."""
    pairs = [("harsh", "home", "home w/o mask"), ("tame", "home", "home w/o mask"),
             ("harsh", "home w/o fg-sg", "home w/o fg-sg-mask")]
    for setting, masked, open_to_all in pairs:
        fewer = experiment.paired(*([run["captured"] for run in results[setting][name]] for name in (open_to_all, masked)))
        yield f"capture, {setting}: the mask of \"{masked}\" lowers the captured part, by", fewer[0], fewer[0] > 0


def checks(results):
    """(what, found, whether it holds)."""
    harsh = results["harsh"]
    zeros = {name: statistics.mean(run["zeros"] for run in harsh[name]) for name in ("mmoe", "mmoe*")}
    yield "collapse: zero share of ReLU experts > .7", zeros["mmoe"], zeros["mmoe"] > 0.7
    yield "collapse: zero share with batch norm and swish is 0", zeros["mmoe*"], zeros["mmoe*"] < 1e-4
    gain = experiment.paired(*([mean_auc(run) for run in harsh[name]] for name in ("mmoe*", "mmoe")))
    yield "collapse: batch norm and swish gain AUC by more than 2 standard errors", gain[0], gain[0] > 2 * gain[1]
    captured = {setting: statistics.mean(run["captured"] for run in results[setting]["cgc"]) for setting in results}
    yield "capture: part of cgc's shared experts in the harsh setting > .2", captured["harsh"], captured["harsh"] > 0.2
    yield "capture: and in the tame one 0", captured["tame"], captured["tame"] == 0
    yield from mask_checks(results)
    ignored = statistics.mean(own_share(run, RARE) for run in harsh["home"]) * FAIR
    yield "own experts: rare tasks of home give theirs less than half its fair part", ignored, ignored < 0.5
    for setting, of_setting in results.items():
        more = {tasks: experiment.paired(*([own_share(run, tasks) for run in of_setting[name]]
                                           for name in ("home with sg2", "home")))[0]
                for tasks in (RARE, DENSE)}
        yield f"own experts, {setting}: a self gate adds at least .1 for rare tasks", more[RARE], more[RARE] >= 0.1
        yield f"own experts, {setting}: and less for dense tasks", more[DENSE], more[DENSE] < more[RARE]


def main():
    parser = experiment.parser_of(__doc__, seeds=4, output="results.json", quick="two seeds, few rows, no bounds")
    arguments = experiment.arguments_of(parser)
    seeds = range(1, arguments.seeds + 1)
    try:
        runs = experiment.run_all(arguments.processes, {
            (setting, seed): functools.partial(measure_all, arguments, setting, seed)
            for seed in seeds for setting in SETTINGS
        })
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 2
    results = {
        setting: {name: [runs[setting, seed][name] for seed in seeds] for name in options["models"]}
        for setting, options in SETTINGS.items()
    }
    for setting, of_setting in results.items():
        print_tables(setting, of_setting)
    experiment.write_results(arguments, results)
    return 0 if arguments.quick else experiment.verdict(list(checks(results)))


if __name__ == "__main__":
    sys.exit(main())
