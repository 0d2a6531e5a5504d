#!/usr/bin/env python3
"""The MMoE paper's figure 3: a narrow shared bottom learns less the less its two tasks are related.

Usage: papers/mmoe/figure3.py [--seeds 10] [--processes 1] [--program PATH] [--output FILE] [--cache FOLDER] [--quick]

The setting is that of run.py with a shared bottom of 16 units and Adam at 1e-3. Only the order is checked, at step 5,000
and at the end: exit code 1 if it is missed, and 2 if a run fails. --quick checks only that everything runs.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import experiment  # noqa: E402
import related_tasks  # noqa: E402

CORRELATIONS = [0.5, 0.9, 1.0]
NAME = "shared_bottom_16_slow"
MODEL = ["--model.type", "shared_bottom", "--model.expert.units", "[16]", "--training.optimiser.rate", "1e-3"]
# Correlation of the two labels on this generator, from its closed form.
LABELS = {0.5: 0.075, 0.9: 0.296, 1.0: 0.996}
# Mean loss at steps 5000 and 10,000 that an independent program gave in this setting at 10 seeds, before this one.
EARLIER = {0.5: (0.342, 0.086), 0.9: (0.310, 0.078), 1.0: (0.226, 0.065)}


def losses(found):
    """At step 5,000 and at the end."""
    return found["curve"]["5000"], found["mean"]


def main():
    parser = experiment.parser_of(__doc__, seeds=10, output="figure3.json", quick="two seeds and few steps, no results")
    arguments = experiment.arguments_of(parser)
    try:
        runs = {p: related_tasks.runs_at(arguments, p, {NAME: MODEL}, arguments.seeds)[NAME] for p in CORRELATIONS}
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 2
    if arguments.quick:
        print(f"{sum(map(len, runs.values()))} short runs ended")
        return 0
    results = {p: related_tasks.summary(of_seeds) for p, of_seeds in runs.items()}
    experiment.write_results(arguments, results)
    experiment.print_header("p", "correlation of labels", *(f"step {step}" for step in related_tasks.MARKS),
                            "95 % interval", "earlier, 5000", "earlier, 10000")
    for p, found in results.items():
        low, high = found["interval"]
        experiment.print_row(p, LABELS[p], *(f"{found['curve'][str(step)]:.3f}" for step in related_tasks.MARKS),
                             f"{low:.3f} to {high:.3f}", *(f"{loss:.3f}" for loss in EARLIER[p]))
    checks = []
    for at, step in enumerate(("5000", "10,000")):
        for less, more in ((0.5, 0.9), (0.9, 1.0)):
            lead = losses(results[less])[at] - losses(results[more])[at]
            checks.append((f"step {step}: p {less} loses more than p {more}, by", lead, lead > 0))
    return experiment.verdict(checks)


if __name__ == "__main__":
    sys.exit(main())
