"""Writes tests/parity/operations/<case>.safetensors (float64) and operations.json: values and gradients of operations.

See README.md beside this file for the layout. Run from anywhere: python make_operations.py [OUTPUT_DIRECTORY]
"""

import json
import pathlib
import platform
import sys
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file

Tensors = dict[str, torch.Tensor]
SEED = 7
CORNERS = [-40.0, -20.0, -8.0, -5.5, -1.0, -1e-3, -1e-8, 0.0, 1e-8, 1e-3, 1.0, 5.5, 8.0, 20.0, 40.0]


class Case:
    """One operation: float inputs get gradients, constants (ids, masks, labels) do not."""

    def __init__(self, name: str, inputs: Tensors, apply: Callable, constants: Tensors | None = None, **attributes):
        self.name, self.inputs, self.apply = name, inputs, apply
        self.constants, self.attributes = constants or {}, attributes


def as_array(value: torch.Tensor) -> np.ndarray:
    return np.ascontiguousarray(value.detach().numpy())


def write_case(case: Case, directory: pathlib.Path) -> dict:
    inputs = {name: value.clone().requires_grad_() for name, value in case.inputs.items()}
    result = case.apply(**inputs, **case.constants)
    output, extra = result if isinstance(result, tuple) else (result, {})
    upstream = torch.from_numpy(np.random.default_rng(SEED + 1).standard_normal(tuple(output.shape)))
    gradients = torch.autograd.grad(output, list(inputs.values()), upstream)
    tensors = {f"inputs/{name}": as_array(value) for name, value in inputs.items()}
    tensors |= {f"constants/{name}": as_array(value) for name, value in case.constants.items()}
    tensors |= {"output": as_array(output), "upstream": as_array(upstream)}
    tensors |= {f"extra/{name}": as_array(value) for name, value in extra.items()}
    tensors |= {f"gradients/{name}": as_array(value) for name, value in zip(inputs, gradients)}
    assert all(np.isfinite(value).all() for value in tensors.values() if value.dtype == np.float64), case.name
    save_file(tensors, directory / f"{case.name}.safetensors")
    return {
        "name": case.name,
        "attributes": case.attributes,
        "tensors": {name: {"dtype": str(value.dtype), "shape": list(value.shape)} for name, value in tensors.items()},
    }


def normal(random: np.random.Generator, *shape: int) -> torch.Tensor:
    return torch.from_numpy(random.standard_normal(shape))


def corner_values(random: np.random.Generator) -> torch.Tensor:
    return torch.cat([torch.tensor(CORNERS, dtype=torch.float64), 2.0 * normal(random, 22)])


def elementwise_cases(random: np.random.Generator) -> list[Case]:
    x = {"x": corner_values(random)}
    # torch's softplus turns linear above its threshold (20 by default), 2e-9 off the formula; 50 is exact in double.
    return [
        Case("gelu_exact", x, lambda x: F.gelu(x), formula="x * Phi(x)"),
        Case("gelu_tanh", x, lambda x: F.gelu(x, approximate="tanh"), formula="tanh approximation"),
        Case("swish", x, lambda x: F.silu(x), formula="x * sigmoid(x)"),
        Case("elu", x, lambda x: F.elu(x), alpha=1.0),
        Case("softplus", x, lambda x: F.softplus(x, threshold=50.0), formula="log(1 + exp(x))"),
        Case("leaky_relu", x, lambda x: F.leaky_relu(x, 0.01), slope=0.01),
        Case("normal_cdf", x, lambda x: torch.special.ndtr(x), formula="Phi(x)"),
    ]


def batch_norm(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor):
    """Training mode; the running values start at 0 and 1 and are those after this one batch."""
    mean, variance = torch.zeros(x.shape[1], dtype=x.dtype), torch.ones(x.shape[1], dtype=x.dtype)
    output = F.batch_norm(x, mean, variance, weight, bias, training=True, momentum=0.1, eps=1e-5)
    return output, {"running_mean": mean, "running_variance": variance}


def masked_softmax(x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return torch.softmax(x.masked_fill(mask == 0, -torch.inf), dim=1)


def normalisation_cases(random: np.random.Generator) -> list[Case]:
    rows, width = 6, 9
    x, weight, bias = 3.0 * normal(random, rows, width) + 1.0, 1.0 + 0.3 * normal(random, width), normal(random, width)
    mask = torch.from_numpy((random.random((rows, width)) < 0.6).astype(np.int32))
    mask[0], mask[1] = 1, 0
    mask[1, 4] = 1
    affine = {"x": x, "weight": weight, "bias": bias}
    statistics = {"epsilon": 1e-5, "momentum": 0.1, "running_variance": "unbiased", "output_variance": "biased"}
    assert (mask.sum(dim=1) > 0).all()
    return [
        Case("layer_norm", affine, lambda x, weight, bias: F.layer_norm(x, [width], weight, bias, 1e-5), epsilon=1e-5),
        Case("rms_norm", {"x": x, "weight": weight}, lambda x, weight: F.rms_norm(x, [width], weight, 1e-6), epsilon=1e-6),
        Case("batch_norm_training", affine, batch_norm, **statistics),
        Case("softmax", {"x": 3.0 * x}, lambda x: torch.softmax(x, dim=1), axis="last"),
        Case("masked_softmax", {"x": x}, masked_softmax, {"mask": mask}, axis="last", masked_out="exactly 0"),
    ]


def weighted_mean_bag(table, weights, ids, offsets):
    """Per bag sum(weight * row) / sum(weight); an empty bag is zero. Composed: torch's own mean takes no weights."""
    bag_of = torch.bucketize(torch.arange(len(ids)), offsets[1:], right=True)
    shape = (len(offsets), table.shape[1])
    sums = torch.zeros(shape, dtype=table.dtype).index_add(0, bag_of, weights[:, None] * table[ids])
    totals = torch.zeros(len(offsets), dtype=table.dtype).index_add(0, bag_of, weights)
    return sums / torch.where(totals > 0, totals, 1.0)[:, None]


def bag_cases(random: np.random.Generator) -> list[Case]:
    """Seven bags of 3, 1, 0, 4, 2, 0, 5 ids with repeats inside a bag; offsets are the bags' first positions."""
    sizes = np.array([3, 1, 0, 4, 2, 0, 5])
    ids = random.integers(0, 11, sizes.sum())
    ids[4:6] = ids[6]
    lists = {"ids": torch.from_numpy(ids), "offsets": torch.from_numpy(np.cumsum(sizes) - sizes)}
    table, weights = normal(random, 11, 4), torch.from_numpy(random.uniform(0.2, 2.0, len(ids)))

    def bag(mode: str) -> Callable:
        return lambda table, ids, offsets, weights=None: F.embedding_bag(
            ids, table, offsets, mode=mode, per_sample_weights=weights
        )

    empty = {"empty_bag": "zeros"}
    return [
        Case("embedding_bag_sum", {"table": table}, bag("sum"), lists, mode="sum", **empty),
        Case("embedding_bag_mean", {"table": table}, bag("mean"), lists, mode="mean", **empty),
        Case("embedding_bag_sum_weighted", {"table": table, "weights": weights}, bag("sum"), lists, mode="sum", **empty),
        Case(
            "embedding_bag_mean_weighted",
            {"table": table, "weights": weights},
            weighted_mean_bag,
            lists,
            mode="sum(weight * row) / sum(weight)",
            **empty,
        ),
    ]


def loss_cases(random: np.random.Generator) -> list[Case]:
    """Per-row losses, not reduced: output is [rows]."""
    wide = corner_values(random)
    targets = 2.0 * normal(random, len(wide))
    binary = torch.from_numpy(random.integers(0, 2, len(wide)).astype(np.float64))
    soft = torch.from_numpy(random.random(len(wide)))
    counts = torch.from_numpy(random.poisson(3.0, 22).astype(np.float64))
    rates, logits = 1.5 * normal(random, 22), 3.0 * normal(random, 12, 4)
    classes = torch.from_numpy(random.integers(0, 4, 12))
    class_weights = torch.tensor([0.5, 1.0, 2.0, 3.5], dtype=torch.float64)
    weighting = {"classes": classes, "class_weights": class_weights}
    return [
        Case("loss_bce_with_logits", {"x": wide}, bce_rows, {"target": binary}),
        Case("loss_bce_with_logits_soft_target", {"x": wide}, bce_rows, {"target": soft}),
        Case("loss_mse", {"x": wide}, lambda x, target: (x - target) ** 2, {"target": targets}, formula="(x - t)^2"),
        Case("loss_huber", {"x": wide}, huber_rows, {"target": targets}, delta=1.0),
        Case("loss_poisson_log_input", {"x": rates}, poisson_rows, {"target": counts}, formula="exp(x) - t * x"),
        Case("loss_softmax", {"x": logits}, softmax_rows, {"classes": classes}),
        Case("loss_softmax_class_weights", {"x": logits}, softmax_rows, weighting, formula="class_weight[t] * loss"),
    ]


def bce_rows(x, target):
    return F.binary_cross_entropy_with_logits(x, target, reduction="none")


def huber_rows(x, target):
    return F.huber_loss(x, target, delta=1.0, reduction="none")


def poisson_rows(x, target):
    return F.poisson_nll_loss(x, target, log_input=True, full=False, reduction="none")


def softmax_rows(x, classes, class_weights=None):
    return F.cross_entropy(x, classes, weight=class_weights, reduction="none")


def main() -> None:
    root = pathlib.Path(__file__).resolve().parents[2]
    directory = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else root / "tests/parity/operations"
    directory.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    random = np.random.default_rng(SEED)
    cases = elementwise_cases(random) + normalisation_cases(random) + bag_cases(random) + loss_cases(random)
    index = {
        "operations": [write_case(case, directory) for case in cases],
        "made_with": {"torch": torch.__version__, "numpy": np.__version__, "python": platform.python_version()},
    }
    (directory / "operations.json").write_text(json.dumps(index, indent=1) + "\n")
    print(len(cases), "operations written to", directory)


if __name__ == "__main__":
    main()
