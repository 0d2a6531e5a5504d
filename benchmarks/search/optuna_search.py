"""Searches the functions of functions.h with Optuna's samplers; prints one JSON line per run as search.cpp does.

Usage: python optuna_search.py SAMPLER FUNCTION FIRST_SEED LAST_SEED EVALUATIONS, with SAMPLER gp or tpe. Needs
`pip install optuna scipy torch` (the last two for the Gaussian process).
"""

import json
import math
import sys
import time
import warnings


def branin(trial):
    x, y = trial.suggest_float("x", -5, 10), trial.suggest_float("y", 0, 15)
    curve = y - 5.1 / (4 * math.pi**2) * x * x + 5 / math.pi * x - 6
    return curve * curve + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


HARTMANN_SCALE = [1.0, 1.2, 3.0, 3.2]
HARTMANN_WIDTH = [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8],
                  [17, 8, 0.05, 10, 0.1, 14]]
HARTMANN_PEAK = [[0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886], [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
                 [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650], [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381]]


def hartmann6(trial):
    x = [trial.suggest_float(f"x{i}", 0, 1) for i in range(6)]
    return -sum(scale * math.exp(-sum(a * (value - p)**2 for a, value, p in zip(width, x, peak)))
                for scale, width, peak in zip(HARTMANN_SCALE, HARTMANN_WIDTH, HARTMANN_PEAK))


def mixed(trial):
    rate = trial.suggest_float("rate", 1e-5, 1e-1, log=True)
    units = trial.suggest_int("units", 4, 256, log=True)
    layers = trial.suggest_int("layers", 1, 6)
    dropout = trial.suggest_float("dropout", 0, 0.8)
    activation = trial.suggest_categorical("activation", ["relu", "tanh", "gelu"])
    optimiser = trial.suggest_categorical("optimiser", ["adam", "sgd"])
    size = math.log2(units / 48)
    best_rate = (-3 if optimiser == "adam" else -1.7) - 0.2 * size
    best_layers = {"relu": 3, "tanh": 2, "gelu": 4}[activation]
    best_dropout = min(max(0.2 + 0.08 * size, 0), 0.8)
    offset = {"relu": 0, "tanh": 0.3, "gelu": 0.1}[activation] + (0 if optimiser == "adam" else 0.15)
    return (0.5 * (math.log10(rate) - best_rate)**2 + 0.15 * size * size + 0.12 * (layers - best_layers)**2 +
            2 * (dropout - best_dropout)**2 + offset)


def main():
    import optuna
    warnings.filterwarnings("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler, name, first, last, evaluations = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
    function = {"branin": branin, "hartmann6": hartmann6, "mixed": mixed}[name]
    make = {"gp": optuna.samplers.GPSampler, "tpe": optuna.samplers.TPESampler}[sampler]
    options = {"gp": {"deterministic_objective": True}, "tpe": {}}[sampler]
    for seed in range(first, last + 1):
        start = time.perf_counter()
        study = optuna.create_study(sampler=make(seed=seed, **options))
        study.optimize(function, n_trials=evaluations)
        print(json.dumps({"searcher": f"optuna {sampler}", "function": name, "seed": seed,
                          "values": [trial.value for trial in study.trials],
                          "seconds": time.perf_counter() - start}), flush=True)


if __name__ == "__main__":
    main()
