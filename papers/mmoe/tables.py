#!/usr/bin/env python3
"""The MMoE paper's tables 1 and 2: seven methods on Census-Income, each tuned on validation rows, then run many times.

Usage: papers/mmoe/tables.py TRAIN_CSV TEST_CSV [--runs 100] [--trials 60] [--groups 1 2] [--methods NAME ..] [--processes 1]
           [--cache FOLDER] [--output FILE] [--raw FILE] [--program PATH] [--quick]

Table 1: income and never married; table 2: education and never married. Each method is tuned by `gatewise tune` (--trials,
validation AUC of the first task, of the split and the weights of seed 1) over SPACES; its best configuration is then trained
--runs times by `gatewise compare` on the same rows, from seeds that tuning did not use. The test half takes no part in
tuning. The cost is printed first. Everything that is finished stays in --cache: the same command goes on where a killed one
was, and more --runs or --trials add to it. --raw keeps the AUC of every run as .csv.xz. Exit code 1 if the bound on MMoE is
missed, 2 if something fails. --quick checks only that everything runs.
"""

import csv
import functools
import json
import lzma
import pathlib
import statistics
import sys
import tempfile
import tomllib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import experiment  # noqa: E402

EXAMPLES = {1: "examples/census_income.toml", 2: "examples/census_education.toml"}
MAIN, AUXILIARY = {1: "income", 2: "education"}, "never_married"
FIRST_SEED = 1001  # of the runs; tuning uses seed 1
LEAST_MEAN = {1: 0.950}  # of the main task's test AUC of MMoE


def between(low, high, start):
    return {"min": low, "max": high, "log": True, "start": start}


def hidden(start):
    return between(8, 2048, start)


# The paper tunes the rate and the number of steps for all; hidden units per layer up to 2048, for mixtures in all experts
# together; alpha; the stitched layer; the ranks. Its ranges are open, and so are ours for what it does not bound.
COMMON = {"rate": between(1e-4, 3e-2, 8e-3), "epochs": {"min": 2, "max": 12, "start": 6}}
MIXTURE = {"experts": between(2, 32, 8), "expert": {"units": [between(4, 512, 16)]}}
SPACES = {
    "single_task": {"expert": {"units": [hidden(64)]}},
    "shared_bottom": {"expert": {"units": [hidden(128)]}},
    "l2_constrained": {"alpha": between(1e-6, 1e-1, 1e-4), "expert": {"units": [hidden(64)]}},
    "cross_stitch": {"stitched_layers": [1], "expert": {"units": [hidden(64), hidden(64)]}},
    "tensor_factorization": {
        "rank_in": between(4, 256, 64), "rank_out": between(4, 256, 64), "rank_tasks": {"choices": [1, 2], "start": 2},
        "expert": {"units": [hidden(64)]},
    },
    "omoe": MIXTURE,
    "mmoe": MIXTURE,
}
# The last bound is ours: two layers of 2048 for each task would cost some twenty minutes of a core a run.
CONSTRAINTS = dict.fromkeys(("omoe", "mmoe"), ["model.experts * model.expert.units <= 2048"])
CONSTRAINTS["cross_stitch"] = ["model.expert.units[0] * model.expert.units[1] <= 65536"]
TOWER = {"units": [8]}

# Best and mean of the main task, then never married: of the run whose main task is best, and mean. Printed, 400 runs each.
PUBLISHED = {
    1: {"single_task": (0.9398, 0.9337, 0.9933, 0.9922), "shared_bottom": (0.9361, 0.9295, 0.9915, 0.9921),
        "l2_constrained": (0.9389, 0.9359, 0.9922, 0.9918), "cross_stitch": (0.9406, 0.9361, 0.9917, 0.9922),
        "tensor_factorization": (0.7460, 0.6765, 0.8175, 0.8412), "omoe": (0.9387, 0.9319, 0.9928, 0.9923),
        "mmoe": (0.9410, 0.9359, 0.9926, 0.9927)},
    2: {"single_task": (0.8843, 0.8792, 0.9933, 0.9922), "shared_bottom": (0.8836, 0.8813, 0.9927, 0.9917),
        "l2_constrained": (0.8855, 0.8823, 0.9923, 0.9918), "cross_stitch": (0.8855, 0.8819, 0.9919, 0.9921),
        "tensor_factorization": (0.7367, 0.7256, 0.7453, 0.7497), "omoe": (0.8852, 0.8813, 0.9915, 0.9912),
        "mmoe": (0.8860, 0.8826, 0.9932, 0.9924)},
}


def space_of(arguments, group, method):
    """The configuration of a method with its ranges."""
    tables = tomllib.loads((experiment.ROOT / EXAMPLES[group]).read_text())
    tables["data"] |= {"train": str(arguments.train.resolve()), "test": str(arguments.test.resolve())}
    tables["model"] = {"type": method, "tower": TOWER} | SPACES[method]
    tables["training"]["epochs"] = 1 if arguments.quick else COMMON["epochs"]
    tables["training"]["optimiser"]["rate"] = COMMON["rate"]
    tables["evaluation"] = {"resamples": 0}
    tables["tune"] = {"objective": f"{MAIN[group]}.auc", "parallel": arguments.parallel,
                      "constraints": CONSTRAINTS.get(method, [])}
    return tables


def tune(arguments, group, method, trials, threads=1):
    """(what `gatewise tune --json` prints, the best configuration); the threads do not change the search."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "space.toml").write_text(experiment.toml_text(space_of(arguments, group, method)))
        found = experiment.run_program([
            arguments.program, "tune", folder / "space.toml", "--tune.trials", trials, "--threads", threads,
            "--journal", arguments.cache / f"tables_{group}_{method}.tune.journal", "--output", folder / "best.toml",
            "--json", "--quiet"], f"group {group}, {method}")
        return found, tomllib.loads((folder / "best.toml").read_text())


def cells_of(arguments):
    return [(group, method) for group in arguments.groups for method in arguments.methods]


def print_cost(arguments):
    """Times the first trial of every cell, which tuning needs anyway."""
    seconds = {cell: tune(arguments, *cell, 1)[0]["trials"][0]["seconds"] for cell in cells_of(arguments)}
    of_each = arguments.trials + arguments.runs
    total = sum(seconds.values()) * of_each / arguments.processes
    print(f"{len(seconds)} cells of {arguments.trials} trials and {arguments.runs} runs, a run of the first settings "
          f"{min(seconds.values()):.1f} to {max(seconds.values()):.1f} s on a core: about {total / 60:.0f} minutes on "
          f"{arguments.processes} core(s), several times as much where wide models win", flush=True)


def tune_all(arguments):
    """{(group, method): what tune() gives}, a cell per process: the trials of one wait for each other, cells do not."""
    cells = cells_of(arguments)
    threads = max(1, arguments.processes // len(cells))

    def job(group, method):
        found, best = tune(arguments, group, method, arguments.trials, threads)
        print(f"table {group}, {method}: validation AUC {found['best']['value']:.4f} with {found['best']['values']}", flush=True)
        return found, best

    return experiment.run_all(arguments.processes, {cell: functools.partial(job, *cell) for cell in cells})


def run_group(arguments, group, cells):
    """{"tuned": {method: settings}, "compared": the comparison} of one table, from what tune_all() gives."""
    tuned, configurations = {}, {}
    for method in arguments.methods:
        found, configurations[method] = cells[group, method]
        tuned[method] = {"values": found["best"]["values"], "validation": found["best"]["value"], "trials": len(found["trials"])}
    options = ["--same-rows", "--metric", "auc"]
    if "mmoe" in arguments.methods:
        options += ["--baseline", "mmoe"]
    compared = experiment.compare(arguments, configurations, f"tables_{group}", arguments.runs, FIRST_SEED, options)
    return {"tuned": tuned, "compared": compared}


def auc_of(run, task, part="test"):
    return run["metrics"][part]["tasks"][task]["auc"]["value"]


def row_of(runs, main):
    """(best, mean) of the main task, (of its best run, mean) of never married."""
    mains, others = ([auc_of(run, task) for run in runs] for task in (main, AUXILIARY))
    at = max(range(len(runs)), key=lambda i: mains[i])
    return mains[at], statistics.mean(mains), others[at], statistics.mean(others)


def print_table(group, found):
    main, compared = MAIN[group], found["compared"]
    print(f"\nTable {group}: test AUC, found / printed in the paper; best of {len(compared['seeds'])} runs (the paper's: 400)")
    experiment.print_header("method", f"{main} best", f"{main} mean", "95 % interval", "minus MMoE", "never married best",
                            "never married mean", "parameters", "seconds a run")
    about = {item["name"]: item for item in compared["configurations"]}
    for method, runs in experiment.runs_of(compared).items():
        cells = [f"{ours:.4f} / {theirs:.4f}" for ours, theirs in zip(row_of(runs, main), PUBLISHED[group][method])]
        item = compared["tasks"][main]["auc"]["configurations"][method]
        low, high = item["interval"]
        difference = item.get("difference")
        against = f"{difference['mean']:+.4f} {difference['verdict']}" if difference else ""
        experiment.print_row(method, *cells[:2], f"{low:.4f} to {high:.4f}", against, *cells[2:],
                             f"{about[method]['parameters']['outside_embeddings']:,}", f"{about[method]['seconds']:.1f}")


def write_raw(path, results):
    with lzma.open(path, "wt", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["table", "method", "seed", "part", "main_auc", "never_married_auc", "best_epoch", "seconds"])
        for group, found in results.items():
            for run in found["compared"]["runs"]:
                for part in ("validation", "test"):
                    aucs = [f"{auc_of(run, task, part):.6f}" for task in (MAIN[group], AUXILIARY)]
                    table.writerow([group, run["configuration"], run["seed"], part, *aucs, run["best_epoch"],
                                    f"{run['seconds']:.2f}"])


def summary(group, found):
    """What is kept of a table: settings, and (best, mean) of both tasks as row_of() has them."""
    runs = experiment.runs_of(found["compared"])
    return {method: settings | {"runs": len(runs[method]), "test": row_of(runs[method], MAIN[group])}
            for method, settings in found["tuned"].items()}


def checks(results):
    """(what, found, whether it holds)."""
    for group, least in LEAST_MEAN.items():
        runs = experiment.runs_of(results[group]["compared"]).get("mmoe") if group in results else None
        if runs:
            mean = row_of(runs, MAIN[group])[1]
            yield f"table {group}: mean {MAIN[group]} AUC of tuned MMoE >= {least}", mean, mean >= least


def main():
    parser = experiment.parser_of(__doc__, seeds=2, output="tables.json", quick="two trials and runs of two methods, one epoch")
    parser.add_argument("train", type=pathlib.Path)
    parser.add_argument("test", type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--parallel", type=int, default=2, help="trials that do not know of each other; decides the search")
    parser.add_argument("--groups", type=int, nargs="+", choices=list(EXAMPLES), default=list(EXAMPLES))
    parser.add_argument("--methods", nargs="+", choices=list(SPACES), default=list(SPACES))
    parser.add_argument("--raw", type=pathlib.Path, default=pathlib.Path("tables.csv.xz"))
    parser.set_defaults(cache=pathlib.Path("mmoe_tables"))
    arguments = experiment.arguments_of(parser)
    with tempfile.TemporaryDirectory() as name:
        if arguments.quick:
            arguments.runs = arguments.trials = 2
            arguments.methods, arguments.cache = ["shared_bottom", "mmoe"], pathlib.Path(name)
        try:
            print_cost(arguments)
            cells, results = tune_all(arguments), {}
            for group in arguments.groups:
                results[group] = run_group(arguments, group, cells)
                print_table(group, results[group])
        except RuntimeError as error:
            print(error, file=sys.stderr)
            return 2
    if arguments.quick:
        return 0
    write_raw(arguments.raw, results)
    kept = {group: summary(group, found) for group, found in results.items()}
    arguments.output.write_text(json.dumps({"tables": kept}, indent=1) + "\n")
    return experiment.verdict(list(checks(results)))


if __name__ == "__main__":
    sys.exit(main())
