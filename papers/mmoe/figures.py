#!/usr/bin/env python3
"""The MMoE paper's figures 4 and 5 with as many runs as the paper's: 200 of each model and correlation.

Usage: papers/mmoe/figures.py [--seeds 200] [--rate-seeds 10] [--processes 1] [--program PATH] [--output FILE] [--raw FILE]
           [--cache FOLDER] [--quick]

The setting is that of run.py, at two learning rates: the one of RATES with the least mean final loss on seeds of its own, of
each model and correlation apart, as the paper chose it; and 1e-2, at which its figures come out. The cost is printed before
the runs. What the figures show is printed for both and checked at 1e-2: exit code 1 if it does not hold, and 2 if a run
fails. --raw keeps the losses of all runs as .csv.xz. --quick checks only that everything runs. With
--cache a killed run goes on, and more seeds add to it.
"""

import csv
import lzma
import pathlib
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import experiment  # noqa: E402
import related_tasks  # noqa: E402
import run as fixed_rate  # noqa: E402

RATES = ["1e-4", "1e-3", "1e-2"]
FIXED_RATE = "1e-2"
FIRST_RATE_SEED = 1001
MODELS = ["shared_bottom_113", "omoe", "mmoe"]
# Steps of figure 4, and the epoch around each or up to it.
STEPS = {500: 2, 1000: 4, 2000: 9, 4000: 19, 9900: 49}
DRAWN = {
    0.5: {"shared_bottom_113": (0.494, 0.385, 0.331, 0.286, 0.255), "omoe": (0.379, 0.291, 0.226, 0.178, 0.146),
          "mmoe": (0.235, 0.173, 0.134, 0.106, 0.083)},
    0.9: {"shared_bottom_113": (0.531, 0.424, 0.351, 0.294, 0.221), "omoe": (0.314, 0.238, 0.185, 0.150, 0.118),
          "mmoe": (0.226, 0.166, 0.127, 0.101, 0.081)},
    1.0: {"shared_bottom_113": (0.453, 0.361, 0.306, 0.259, 0.201), "omoe": (0.219, 0.164, 0.126, 0.101, 0.078),
          "mmoe": (0.213, 0.156, 0.119, 0.092, 0.070)},
}

# Of the summaries; the values of single runs are in the raw file.
KEPT = ["parameters", "mean", "sd", "interval", "stuck", "histogram"]


def at_rate(model, rate):
    return [*fixed_rate.MODELS[model], "--training.optimiser.rate", rate]


def loss_at(run, epoch):
    return statistics.mean(run[task][epoch] for task in related_tasks.TASKS)


def rate_runs(arguments, seeds):
    """{p: {model: {rate: [run per seed]}}} on the seeds that choose the rate."""
    found = {}
    for p in DRAWN:
        names = {f"{model} {rate}": at_rate(model, rate) for model in MODELS for rate in RATES}
        runs = related_tasks.runs_at(arguments, p, names, seeds, FIRST_RATE_SEED)
        found[p] = {model: {rate: runs[f"{model} {rate}"] for rate in RATES} for model in MODELS}
    return found


def chosen_rates(found):
    """{p: {model: rate}} of the least mean final loss."""
    def final(runs):
        return statistics.mean(loss_at(run, -1) for run in runs)

    return {p: {model: min(rates, key=lambda rate: final(rates[rate])) for model, rates in models.items()}
            for p, models in found.items()}


def print_cost(arguments):
    """Times one run of each model, which the choice of the rate needs anyway."""
    first = rate_runs(arguments, 1)
    seconds = statistics.mean(
        run["seconds"] for models in first.values() for rates in models.values() for runs in rates.values() for run in runs)
    runs = len(DRAWN) * len(MODELS) * (2 * arguments.seeds + len(RATES) * arguments.rate_seeds)
    print(f"{runs} runs of about {seconds:.1f} s on a core: {runs * seconds / arguments.processes / 60:.0f} minutes on "
          f"{arguments.processes} core(s)", flush=True)


def all_runs(arguments, rates):
    """{p: {model: [run per seed]}} at the rates {p: {model: rate}}."""
    return {p: related_tasks.runs_at(arguments, p, {model: at_rate(model, rate) for model, rate in of_p.items()},
                                     arguments.seeds) for p, of_p in rates.items()}


def write_raw(path, series):
    with lzma.open(path, "wt", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["rates", "p", "model", "rate", "seed", "task", *(f"loss_{step}" for step in STEPS)])
        for name, (rates, runs) in series.items():
            for p, models in runs.items():
                for model, of_model in models.items():
                    for seed, run in enumerate(of_model, 1):
                        for task in related_tasks.TASKS:
                            losses = [f"{run[task][epoch]:.6f}" for epoch in STEPS.values()]
                            table.writerow([name, p, model, rates[p][model], seed, task, *losses])


def print_tables(name, rates, results, runs):
    print(f"\nRates {name}. Figure 4: mean loss, found / drawn")
    experiment.print_header("p", "model", "rate", *(f"step {step}" for step in STEPS), "95 % interval", "sd", "best", "stuck")
    for p, models in results.items():
        for model, found in models.items():
            means = [statistics.mean(loss_at(run, epoch) for run in runs[p][model]) for epoch in STEPS.values()]
            cells = [f"{mean:.3f} / {drawn:.3f}" for mean, drawn in zip(means, DRAWN[p][model])]
            low, high = found["interval"]
            best = min(loss_at(run, -1) for run in runs[p][model])
            experiment.print_row(p, model, rates[p][model], *cells, f"{low:.3f} to {high:.3f}", f"{found['sd']:.3f}",
                                 f"{best:.3f}", f"{found['stuck']:.1%}")
    print(f"\nRates {name}. Figure 5: final loss of a task, share per bin of 1/30 (left edge:share)")
    for p, models in results.items():
        for model, found in models.items():
            print(f"  {p} {model}: " + " ".join(f"{left}:{share:.3f}" for left, share in found["histogram"].items()))


def checks(results):
    """(what, found, whether it holds) of what the figures show."""
    for p, models in results.items():
        for better, worse in (("mmoe", "omoe"), ("omoe", "shared_bottom_113")):
            mean, error = related_tasks.paired(models[worse], models[better])
            if p == 1.0 and better == "mmoe":
                yield "p 1: OMoE - MMoE at most .02 either way", mean, abs(mean) <= 0.02
            else:
                yield f"p {p}: {worse} loses more than {better}, by more than 2 standard errors", mean, mean > 2 * error
    gaps = [related_tasks.paired(models["omoe"], models["mmoe"])[0] for models in results.values()]
    yield "the gap of OMoE to MMoE at p .5 is larger than at p 1, by", gaps[0] - gaps[-1], gaps[0] > gaps[-1]


def main():
    parser = experiment.parser_of(__doc__, seeds=200, output="figures.json", quick="two seeds and few steps, no results")
    parser.add_argument("--rate-seeds", type=int, default=10)
    parser.add_argument("--raw", type=pathlib.Path, default=pathlib.Path("figures.csv.xz"))
    arguments = experiment.arguments_of(parser)
    if arguments.quick:
        arguments.rate_seeds = 2
    try:
        print_cost(arguments)
        chosen = chosen_rates(rate_runs(arguments, arguments.rate_seeds))
        print("chosen rates:", chosen, flush=True)
        fixed = {p: dict.fromkeys(MODELS, FIXED_RATE) for p in DRAWN}
        series = {name: (rates, all_runs(arguments, rates)) for name, rates in (("fixed", fixed), ("chosen", chosen))}
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 2
    if arguments.quick:
        return 0
    write_raw(arguments.raw, series)
    kept, readings = {}, {}
    for name, (rates, runs) in series.items():
        results = {p: {model: related_tasks.summary(of_seeds) for model, of_seeds in models.items()} for p, models in runs.items()}
        print_tables(name, rates, results, runs)
        readings[name] = list(checks(results))
        kept[name] = {str(p): {model: {"rate": rates[p][model]} | {part: found[part] for part in KEPT}
                               for model, found in models.items()} for p, models in results.items()}
    experiment.write_results(arguments, kept)
    print("\nWith the chosen rates:")
    experiment.verdict(readings["chosen"])
    print("\nWith the fixed rate:")
    return experiment.verdict(readings["fixed"])


if __name__ == "__main__":
    sys.exit(main())
