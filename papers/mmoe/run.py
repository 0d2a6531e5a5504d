#!/usr/bin/env python3
"""The synthetic relatedness experiment of the MMoE paper (KDD 2018, figures 4 and 5), by the command-line program.

Usage: papers/mmoe/run.py [--seeds 20] [--processes 1] [--program PATH] [--output FILE] [--cache FOLDER] [--quick]

A run is one model at one correlation of the tasks' weights from one seed, which fixes the generator, the initial weights
and the data; models of one seed see the same rows. Reported is each task's mean squared error over the last 2 % of the
steps, labels having variance 1. The bounds of acceptance() are checked: exit code 1 if one is missed, and 2 if a run fails.
--quick checks only that everything runs. --cache keeps the losses of finished runs, so that more seeds can be added.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import experiment  # noqa: E402
import related_tasks  # noqa: E402

CORRELATIONS = [0.5, 0.9, 1.0]

EXPERTS = ["--model.experts", "8", "--model.expert.units", "[16]", *related_tasks.gates(True)]
MODELS = {
    "shared_bottom_113": ["--model.type", "shared_bottom", "--model.expert.units", "[113]"],
    "omoe": ["--model.type", "omoe", *EXPERTS],
    "mmoe": ["--model.type", "mmoe", *EXPERTS],
    "shared_bottom_16": ["--model.type", "shared_bottom", "--model.expert.units", "[16]"],
}


def acceptance(results):
    """(what, found, whether it holds) of every bound."""
    half, same = results["0.5"], results["1.0"]
    mmoe, omoe, wide = (half[model]["mean"] for model in ("mmoe", "omoe", "shared_bottom_113"))
    gap = abs(same["omoe"]["mean"] - same["mmoe"]["mean"])
    checks = [
        ("p .5: MMoE <= .10", mmoe, mmoe <= 0.10),
        ("p .5: MMoE + .01 <= OMoE <= .16", omoe, mmoe + 0.01 <= omoe <= 0.16),
        ("p .5: Shared-Bottom 113 >= .13", wide, wide >= 0.13),
        ("p 1: |OMoE - MMoE| <= .02", gap, gap <= 0.02),
    ]
    for p, models in results.items():
        runs = len(models["mmoe"]["final"])
        stuck, narrow = models["mmoe"]["stuck_count"], models["shared_bottom_16"]["mean"]
        checks += [
            (f"p {p}: at most 1 in 40 MMoE task losses above .3", stuck / (2 * runs), stuck * 40 <= 2 * runs),
            (f"p {p}: Shared-Bottom 113 stuck in at least 5 %", models["shared_bottom_113"]["stuck"],
             models["shared_bottom_113"]["stuck"] >= 0.05),
            (f"p {p}: Shared-Bottom 16 < .12", narrow, narrow < 0.12),
        ]
    return checks


def print_tables(results):
    experiment.print_header("p", "model", *(f"step {step}" for step in related_tasks.MARKS), "sd", "95 % interval", "stuck")
    for p, models in results.items():
        for model, found in models.items():
            curve = " | ".join(f"{found['curve'][str(step)]:.3f}" for step in related_tasks.MARKS)
            low, high = found["interval"]
            print(f"| {p} | {model} | {curve} | {found['sd']:.3f} | {low:.3f} to {high:.3f} | {found['stuck']:.1%} |")
    print("\nFinal loss of a task, share per bin of 1/30 (left edge:share)")
    for p, models in results.items():
        for model, found in models.items():
            bins = " ".join(f"{left}:{share:.3f}" for left, share in found["histogram"].items())
            print(f"  {p} {model}: {bins}")


def main():
    return related_tasks.compare(__doc__, 20, "results.json", CORRELATIONS, MODELS, print_tables, acceptance)


if __name__ == "__main__":
    sys.exit(main())
