#!/usr/bin/env python3
"""Runs ONNX models by ONNX Runtime and compares what they give with what Gatewise gave.

Usage: tools/check_onnx.py FOLDER [--tolerance 1e-5]

Every case is a pair <name>.onnx and <name>.json: {"inputs": {name: {"type", "shape", "values"}}, "outputs": {name:
{"shape", "values", "has_exact_zeros"}}, "paths": [...], "routes": true, "refused": [inputs, ...], "metadata": {...}}. The model has to pass the checker with full
inference of shapes, use operators of the promised versions, leave the number of rows open (all rows twice give everything
twice), hold the parameters of those paths, choose rows for experts if and only if it routes, differ by at most the tolerance
(relative to the largest value, at least 1), be exactly 0 where an output that has exact zeros is, and fail for inputs that
are to be refused. Prints a line for every
fault; exit code 1 if there is any or no case.
"""

import argparse
import json
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime

TYPES = {"real": np.float32, "integer": np.int64, "double": np.float64, "text": object}
OPSETS, ML_OPSETS = {"": 17}, {"ai.onnx.ml": 3}


def array(given):
    return np.array(given["values"], dtype=TYPES[given.get("type", "real")]).reshape(given["shape"])


def form_faults(model, case):
    versions = {entry.domain: entry.version for entry in model.opset_import}
    if versions not in (OPSETS, OPSETS | ML_OPSETS):
        yield f"got operators of {versions}, expected {OPSETS} or {OPSETS | ML_OPSETS}"
    for value in model.graph.input:
        if not value.type.tensor_type.shape.dim[0].dim_param:
            yield f"{value.name}: the number of rows is fixed"
    held = {tensor.name for tensor in model.graph.initializer}
    for entry in model.metadata_props:
        if entry.key.startswith("paths:"):
            if entry.key[len("paths:"):] not in held:
                yield f"{entry.key}: there is no such initializer"
            held |= set(json.loads(entry.value))
    for path in set(case.get("paths", [])) - held:
        yield f"no initializer holds the parameter {path}"
    notes = {entry.key: entry.value for entry in model.metadata_props}
    for key, value in case.get("metadata", {}).items():
        if notes.get(key) != value:
            yield f"metadata {key}: got {notes.get(key)}, expected {value}"
    if "routes" in case and case["routes"] != any(node.op_type == "NonZero" for node in model.graph.node):
        yield "it routes, expected not to" if not case["routes"] else "it does not route"


def value_faults(session, inputs, outputs, tolerance, times):
    """Of the rows of the case `times` times."""
    wanted = [value.name for value in session.get_inputs()]
    found = session.run(None, {name: np.concatenate([inputs[name]] * times) for name in wanted})
    for output, value in zip(session.get_outputs(), found):
        name, expected = output.name, array(outputs[output.name])
        if output.shape and isinstance(output.shape[0], str):
            expected = np.concatenate([expected] * times)
        if value.shape != expected.shape:
            yield f"{name}: got the shape {value.shape}, expected {expected.shape}"
            continue
        if value.size == 0:
            continue
        difference = np.abs(value - expected).max() / max(1.0, np.abs(expected).max())
        if not difference <= tolerance:
            yield f"{name}: differs by {difference:.3g}, expected at most {tolerance:.3g}"
        if outputs[name].get("has_exact_zeros") and ((value == 0) != (expected == 0)).any():
            yield f"{name}: exact zeros differ"


def refusal_faults(session, inputs, refused):
    for given in refused:
        changed = inputs | {name: array(values) for name, values in given.items()}
        try:
            session.run(None, {value.name: changed[value.name] for value in session.get_inputs()})
        except onnxruntime.capi.onnxruntime_pybind11_state.InvalidArgument:
            continue
        yield f"takes {given}, expected it to fail"


def faults(path, case, tolerance):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    yield from form_faults(model, case)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    inputs = {name: array(given) for name, given in case["inputs"].items()}
    names = [output.name for output in session.get_outputs()]
    if sorted(names) != sorted(case["outputs"]):
        yield f"got the outputs {names}, expected {list(case['outputs'])}"
        return
    for times in (1, 2):
        for fault in value_faults(session, inputs, case["outputs"], tolerance, times):
            yield fault if times == 1 else f"all rows twice: {fault}"
    yield from refusal_faults(session, inputs, case.get("refused", []))


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
