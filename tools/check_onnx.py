#!/usr/bin/env python3
"""Runs ONNX models by ONNX Runtime and compares what they give with what Gatewise gave.

Usage: tools/check_onnx.py FOLDER [--tolerance 1e-5]

Every case is a pair <name>.onnx and <name>.json: {"inputs": {name: {"type", "shape", "values"}}, "outputs": {name:
{"shape", "values", "has_exact_zeros"}}}. The model has to pass the checker with full inference of shapes, differ by at
most the tolerance (relative to the largest value, at least 1), and be exactly 0 where an output that has exact zeros is.
Prints a line for every fault; exit code 1 if there is any or no case.
"""

import argparse
import json
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime

TYPES = {"real": np.float32, "integer": np.int64, "double": np.float64, "text": object}


def array(given):
    return np.array(given["values"], dtype=TYPES[given.get("type", "real")]).reshape(given["shape"])


def faults(model, case, tolerance):
    onnx.checker.check_model(onnx.load(model), full_check=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    inputs = {name: array(given) for name, given in case["inputs"].items()}
    names = [output.name for output in session.get_outputs()]
    if sorted(names) != sorted(case["outputs"]):
        yield f"got the outputs {names}, expected {list(case['outputs'])}"
        return
    wanted = {value.name for value in session.get_inputs()}
    found = session.run(None, {name: value for name, value in inputs.items() if name in wanted})
    for name, value in zip(names, found):
        expected = array(case["outputs"][name])
        if value.shape != expected.shape:
            yield f"{name}: got the shape {value.shape}, expected {expected.shape}"
            continue
        if value.size == 0:
            continue
        difference = np.abs(value - expected).max() / max(1.0, np.abs(expected).max())
        if not difference <= tolerance:
            yield f"{name}: differs by {difference:.3g}, expected at most {tolerance:.3g}"
        if case["outputs"][name].get("has_exact_zeros") and ((value == 0) != (expected == 0)).any():
            yield f"{name}: exact zeros differ"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--tolerance", type=float, default=1e-5)
    arguments = parser.parse_args()
    count = wrong = 0
    for path in sorted(arguments.folder.glob("*.json")):
        count += 1
        try:
            found = list(faults(str(path.with_suffix(".onnx")), json.loads(path.read_text()), arguments.tolerance))
        except Exception as error:  # whatever the libraries throw is a fault of the model
            found = [f"{type(error).__name__}: {error}"]
        for fault in found:
            wrong += 1
            print(f"{path.stem}: {fault}")
    print(f"check_onnx: {count} models, {wrong} faults")
    sys.exit(wrong > 0 or count == 0)


if __name__ == "__main__":
    main()
