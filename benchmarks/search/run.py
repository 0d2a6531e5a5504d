#!/usr/bin/env python3
"""Compares the search of `gatewise tune` with Optuna's samplers on functions whose minima are known.

Usage: benchmarks/search/run.py PROGRAM [--optuna PYTHON] [--seeds 20] [--evaluations 50] [--output FILE]

PROGRAM is bench_search; PYTHON an interpreter that has optuna, scipy and torch. Both search the same functions with the
seeds 1, 2, ...; what counts is how far above the minimum the best of the evaluations lies. Prints the table of README.md,
and exits with 1 where the median or the mean of Gatewise is worse than that of another searcher beyond chance: where the
whole 95 % bootstrap interval of the difference lies above 0. With --output an earlier file's runs are not run again.
"""

import argparse
import json
import pathlib
import random
import statistics
import subprocess
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
MINIMA = {"branin": 0.39788735772974, "hartmann6": -3.32236801141551, "mixed": 0}
OURS = "gatewise"


def lines_of(command):
    """The JSON lines that a command prints."""
    finished = subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE, text=True)
    return [json.loads(line) for line in finished.stdout.splitlines()]


def runs_of(arguments, searcher, function, known):
    """{seed: {"excess": of the best so far after each evaluation, "seconds"}}, from `known` where it holds all."""
    if len(known) >= arguments.seeds and all(len(run["excess"]) >= arguments.evaluations for run in known.values()):
        return known
    where = [function, 1, arguments.seeds, arguments.evaluations]
    if searcher == OURS:
        command = [arguments.program, *where]
    else:
        command = [arguments.optuna, FOLDER / "optuna_search.py", searcher.split()[-1], *where]
    runs = {}
    for line in lines_of(command):
        best, excess = float("inf"), []
        for value in line["values"]:
            best = min(best, value)
            excess.append(float(f"{best - MINIMA[function]:.3g}"))
        runs[str(line["seed"])] = {"excess": excess, "seconds": line["seconds"]}
    return runs


def interval(samples, statistic, resamples=4000):
    """The 95 % bootstrap interval of a statistic of several lists, each of which is resampled alone."""
    generator = random.Random(1)
    values = sorted(statistic(*[generator.choices(sample, k=len(sample)) for sample in samples])
                    for _ in range(resamples))
    return values[round(0.025 * resamples)], values[round(0.975 * resamples) - 1]


def is_worse(ours, theirs, statistic):
    low, _ = interval([ours, theirs], lambda a, b: statistic(a) - statistic(b))
    return low > 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--optuna")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--evaluations", type=int, default=50)
    parser.add_argument("--output", type=pathlib.Path)
    arguments = parser.parse_args()
    searchers = [OURS] + (["optuna gp", "optuna tpe"] if arguments.optuna else [])
    results = json.loads(arguments.output.read_text()) if arguments.output and arguments.output.exists() else {}
    verdicts = []
    print("| function | searcher | median | mean | 95 % of the mean | worst | seconds |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for function in MINIMA:
        finals = {}
        for searcher in searchers:
            runs = runs_of(arguments, searcher, function, results.get(function, {}).get(searcher, {}))
            results.setdefault(function, {})[searcher] = runs
            final = [run["excess"][arguments.evaluations - 1] for run in runs.values()]
            finals[searcher] = final
            low, high = interval([final], statistics.mean)
            print(f"| {function} | {searcher} | {statistics.median(final):.2g} | {statistics.mean(final):.2g} | "
                  f"{low:.2g} to {high:.2g} | {max(final):.2g} | "
                  f"{statistics.mean(run['seconds'] for run in runs.values()):.2g} |", flush=True)
            if arguments.output:
                arguments.output.write_text(json.dumps(results, separators=(",", ":")) + "\n")
        verdicts += [f"{function}: the {name} is worse than that of {searcher}"
                     for searcher in searchers if searcher != OURS
                     for name, statistic in [("median", statistics.median), ("mean", statistics.mean)]
                     if is_worse(finals[OURS], finals[searcher], statistic)]
    print("\n".join(verdicts), file=sys.stderr)
    sys.exit(bool(verdicts))


if __name__ == "__main__":
    main()
