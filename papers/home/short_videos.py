"""Made-up logs of short videos: six yes-or-no tasks from dense to one in two hundred, in two groups.

A task's score is a mix of a function that all tasks share, one of its group and one of its own, each a line and a wave of
standard normal features; the label is 1 where score plus logistic noise is among the highest, as many as the task's rate.
"""

import numpy as np

GROUPS = {"watch": ["t0", "t1", "t3"], "inter": ["t2", "t4", "t5"]}
RATES = {"t0": 0.5, "t1": 0.3, "t2": 0.1, "t3": 0.03, "t4": 0.01, "t5": 0.005}
FEATURES = 32
ROWS = {"train": 64000, "validation": 10240, "test": 20480, "probe": 4096}


def wave(random):
    """A random function of variance about 1: a line and a wave along two directions."""
    line, along = (direction / np.linalg.norm(direction) for direction in random.standard_normal((2, FEATURES)))
    phase = random.uniform(0, 2 * np.pi)
    return lambda z: (z @ line + 1.4 * np.sin(2 * (z @ along) + phase)) / 1.4


def scores(random, z, shares):
    """{task: score} of variance about 1; shares: {"shared", "group", "own"} weights, or {task: such weights}."""
    shared, of_group = wave(random), {group: wave(random) for group in GROUPS}
    found = {}
    for group, tasks in GROUPS.items():
        for task in tasks:
            own, mine = wave(random), shares.get(task, shares)
            total = mine["shared"] * shared(z) + mine["group"] * of_group[group](z) + mine["own"] * own(z)
            found[task] = total / np.sqrt(sum(mine[part] ** 2 for part in ("shared", "group", "own")))
    return {task: found[task] for task in RATES}


def write(folder, seed, shares, scale_deviation=0.0, is_quick=False):
    """A file <part>.csv in the folder for each part of ROWS. Features are scaled by exp(scale_deviation x normal)."""
    random = np.random.default_rng(seed)
    scales = np.exp(scale_deviation * random.standard_normal(FEATURES))
    rows = {part: 2048 if is_quick else count for part, count in ROWS.items()}
    z = random.standard_normal((sum(rows.values()), FEATURES))
    labels = []
    for task, score in scores(random, z, shares).items():
        noisy = 4 * score + random.logistic(size=len(z))
        labels.append(noisy > np.quantile(noisy, 1 - RATES[task]))
    table = np.column_stack([z * scales, *labels])
    header = ",".join([f"x{i}" for i in range(FEATURES)] + list(RATES))
    form = ["%.6g"] * FEATURES + ["%d"] * len(RATES)
    first = 0
    for part, count in rows.items():
        np.savetxt(folder / f"{part}.csv", table[first : first + count], form, ",", header=header, comments="")
        first += count
