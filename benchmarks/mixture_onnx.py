"""A mixture's saved weights as ONNX, in the two forms that people write: expert by expert, or all experts grouped.

Written from the arrays of weights.safetensors by path, so that it shares nothing with `gatewise export`.
"""

import json
import pathlib
import struct

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def read_weights(model: pathlib.Path) -> dict[str, np.ndarray]:
    data = (model / "weights.safetensors").read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    header.pop("__metadata__", None)
    arrays = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        arrays[name] = np.frombuffer(data[8 + size + begin : 8 + size + end], np.float32).reshape(entry["shape"])
    return arrays


class Builder:
    """Collects operators and constants of one graph."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, array: np.ndarray) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def whole(self, *numbers: int) -> str:
        return self.constant(np.array(numbers, np.int64))

    def add(self, operator: str, *inputs: str, outputs: int = 1, **attributes):
        names = [f"value_{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(operator, inputs, names, **attributes))
        return names[0] if outputs == 1 else names

    def model(self, output: str, inputs: int, tasks: int) -> onnx.ModelProto:
        self.nodes.append(helper.make_node("Identity", [output], ["y"]))
        graph = helper.make_graph(
            self.nodes, "mixture",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", inputs])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", tasks])], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model)
        return model


class Mixture:
    """The paths of an mmoe model: experts, gates and towers, each of some layers."""

    def __init__(self, weights: dict[str, np.ndarray]):
        self.weights = weights
        parts = [path.split("/") for path in weights]
        self.experts = sorted({p[1] for p in parts if p[0] == "experts"}, key=int)
        self.tasks = list(dict.fromkeys(p[1] for p in parts if p[0] == "gates"))
        self.layers = len({p[2] for p in parts if p[0] == "experts"})
        self.tower_layers = len({p[2] for p in parts if p[0] == "towers"})
        self.inputs = weights["experts/0/layer_0/weight"].shape[0]

    def of(self, kind: str, part: str, layer: int) -> tuple[np.ndarray, np.ndarray]:
        path = f"{kind}/{part}/layer_{layer}"
        return self.weights[f"{path}/weight"], self.weights[f"{path}/bias"]

    def stacked(self, kind: str, parts: list[str], layer: int) -> tuple[np.ndarray, np.ndarray]:
        """Weights [parts, in, out] and biases [parts, 1, out]."""
        weights, biases = zip(*(self.of(kind, part, layer) for part in parts))
        return np.stack(weights), np.stack(biases)[:, None, :]

    def expert_by_expert(self) -> onnx.ModelProto:
        to = Builder()

        def dense(x, kind, part, layer):
            weight, bias = self.of(kind, part, layer)
            return to.add("Gemm", x, to.constant(weight), to.constant(bias))

        outputs = []
        for expert in self.experts:
            x = "x"
            for layer in range(self.layers):
                x = to.add("Relu", dense(x, "experts", expert, layer))
            outputs.append(to.add("Unsqueeze", x, to.whole(1)))
        experts = to.add("Concat", *outputs, axis=1)
        predictions = []
        for task in self.tasks:
            gate = to.add("Softmax", dense("x", "gates", task, 0), axis=1)
            mixed = to.add("MatMul", to.add("Unsqueeze", gate, to.whole(1)), experts)
            x = to.add("Squeeze", mixed, to.whole(1))
            for layer in range(self.tower_layers):
                x = dense(x, "towers", task, layer)
                x = to.add("Relu", x) if layer + 1 < self.tower_layers else x
            predictions.append(x)
        return to.model(to.add("Concat", *predictions, axis=1), self.inputs, len(self.tasks))

    def grouped(self) -> onnx.ModelProto:
        to = Builder()
        first = [self.of("experts", e, 0) for e in self.experts] + [self.of("gates", t, 0) for t in self.tasks]
        width = first[0][0].shape[1]
        product = to.add("Gemm", "x", to.constant(np.concatenate([w for w, _ in first], 1)),
                         to.constant(np.concatenate([b for _, b in first])))
        count, tasks = len(self.experts), len(self.tasks)
        hidden, logits = to.add("Split", product, to.whole(count * width, tasks * count), outputs=2, axis=1)
        x = to.add("Reshape", to.add("Relu", hidden), to.whole(-1, count, width))
        if self.layers > 1:
            x = to.add("Transpose", x, perm=[1, 0, 2])
            for layer in range(1, self.layers):
                weight, bias = self.stacked("experts", self.experts, layer)
                x = to.add("Relu", to.add("Add", to.add("MatMul", x, to.constant(weight)), to.constant(bias)))
            x = to.add("Transpose", x, perm=[1, 0, 2])
        gates = to.add("Softmax", to.add("Reshape", logits, to.whole(-1, tasks, count)), axis=2)
        x = to.add("Transpose", to.add("MatMul", gates, x), perm=[1, 0, 2])
        for layer in range(self.tower_layers):
            weight, bias = self.stacked("towers", self.tasks, layer)
            x = to.add("Add", to.add("MatMul", x, to.constant(weight)), to.constant(bias))
            x = to.add("Relu", x) if layer + 1 < self.tower_layers else x
        x = to.add("Squeeze", to.add("Transpose", x, perm=[1, 0, 2]), to.whole(2))
        return to.model(x, self.inputs, tasks)


def identity(width: int) -> onnx.ModelProto:
    """What a call of the runtime costs without any work."""
    return Builder().model("x", width, width)
