#!/usr/bin/env python3
"""CGC, PLE and AdaTT against MMoE from equal tasks to conflicting ones: p = 1, .5, 0 and -.5.

Usage: papers/baselines/conflict.py [--seeds 8] [--processes 1] [--program P] [--output FILE] [--cache FOLDER] [--quick]

Models, setting and runs are those of run.py, whose cache this shares. Checked is whether experts of a task's own gain more
over MMoE where tasks are unrelated or conflict (p 0 and -.5) than where they are equal (p 1): exit code 1 if not, and 2 if a
run fails. --quick checks only that everything runs.
"""

import statistics
import sys

import run  # puts papers/ on the path
from run import gain

import experiment
import related_tasks

CORRELATIONS = [1.0, 0.5, 0.0, -0.5]
MODELS = ["mmoe", "cgc", "ple", "adatt", "adatt_sp", "single_task"]
OWN_EXPERTS = ["cgc", "ple", "adatt", "adatt_sp"]


def print_table(results):
    experiment.print_header("model", *(column for p in results for column in (f"p {p}", "minus MMoE (s.e.)")))
    for name in MODELS:
        cells = [name]
        for found in results.values():
            row, (mean, error) = found[name], related_tasks.paired(found[name], found["mmoe"])
            half = row["interval"][1] - row["mean"]
            noise = " noise" if experiment.is_noise((mean, error), len(row["final"])) else ""
            cells += [f"**{row['mean']:.3f}** ± {half:.3f}", "" if name == "mmoe" else f"{mean:+.3f} ({error:.3f}){noise}"]
        experiment.print_row(*cells)


def checks(results):
    """(what, found, whether it holds)."""
    for name in OWN_EXPERTS:
        apart = statistics.mean(gain(results[p], name, "mmoe")[0] for p in ("0.0", "-0.5"))
        more = apart - gain(results["1.0"], name, "mmoe")[0]
        yield f"gain of {name} over MMoE at p 0 and -.5 is larger than at p 1, by", more, more > 0


def main():
    models = {name: run.MODELS[name] for name in MODELS}
    return related_tasks.compare(__doc__, 8, "conflict.json", CORRELATIONS, models, print_table, checks)


if __name__ == "__main__":
    sys.exit(main())
