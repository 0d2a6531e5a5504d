#!/usr/bin/env python3
"""Rows a second of one core that the models of run.py train, by processor time, so that a busy machine matters little.

Usage: papers/census/speed.py TRAIN_CSV TEST_CSV [--rounds 3] [--program PATH] [--output FILE] [--quick]

Of each model, in rounds over all models, the least processor time of fits of one epoch and of four; reading and encoding
cancel in their difference, scoring the validation rows after each epoch does not. Without education, at the widths that
models.py solves. Writes {model: rows a second}. --quick times MMoE and Shared-Bottom once.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import models

EPOCHS = [1, 4]
FEATURES = "without_education"


def processor_seconds(command):
    """User and system time of the command; RuntimeError if it fails."""
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if status != 0:
        raise RuntimeError(errors.decode().strip())
    return usage.ru_utime + usage.ru_stime


def fit(arguments, tables, epochs, folder):
    (folder / "model.toml").write_text(models.experiment.toml_text(tables))
    return processor_seconds([
        arguments.program, "fit", folder / "model.toml", "--data.train", arguments.train.resolve(),
        "--data.test", arguments.test.resolve(), "--training.threads", 1, "--training.epochs", epochs,
        "--evaluation.resamples", 0, "--output", folder / "model", "--quiet"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train", type=pathlib.Path)
    parser.add_argument("test", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=3)
    models.experiment.add_program(parser)
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("census_speed.json"))
    parser.add_argument("--quick", action="store_true")
    parser.set_defaults(cache=None, processes=1)
    arguments = parser.parse_args()
    names = ["mmoe", "shared_bottom"] if arguments.quick else list(models.MODELS)
    with arguments.train.open() as lines:
        rows = sum(1 for _ in lines) - 1
    solved = {found["name"]: found["model"] for found in models.solve(arguments, FEATURES, names)["configurations"]}
    tables = {name: given | {"model": solved[name]} for name, given in models.configurations(FEATURES, names).items()}
    least = {}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(1 if arguments.quick else arguments.rounds):
            for model in names:
                for epochs in EPOCHS:
                    seconds = fit(arguments, tables[model], epochs, pathlib.Path(folder))
                    least[model, epochs] = min(seconds, least.get((model, epochs), seconds))
    found = {model: rows * (EPOCHS[1] - EPOCHS[0]) / (least[model, EPOCHS[1]] - least[model, EPOCHS[0]]) for model in names}
    for model, speed in found.items():
        print(f"{model}: {speed:,.0f} rows a second")
    if not arguments.quick:
        arguments.output.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
