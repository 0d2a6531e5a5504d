"""Writes tests/parity/models/<model>.{safetensors,json}: what small models must compute, by PyTorch in float64.

See README.md beside this file for the layout. Run from anywhere: python make_models.py [OUTPUT_DIRECTORY]
"""

import json
import pathlib
import platform
import sys

import numpy as np
import torch
from reference import forward, parameter_shapes, task_losses, total_loss
from safetensors.numpy import save_file

SEED = 20180819
ROWS, BATCHES, LEARNING_RATE = 13, 10, 0.01
BATCH_WITHOUT_MULTICLASS_LABELS = 3

BASE = {
    "rows": ROWS,
    "batches": BATCHES,
    "numeric_inputs": 7,
    "embeddings": [{"table": "city", "rows": 5, "width": 3}, {"table": "item", "rows": 11, "width": 3}],
    "tower_hidden": [4],
    "tasks": [
        {"name": "click", "kind": "binary", "outputs": 1, "weight": 1.0},
        {"name": "amount", "kind": "regression", "outputs": 1, "weight": 0.5},
        {"name": "grade", "kind": "multiclass", "outputs": 3, "weight": 2.0},
    ],
}
MIXTURE = {"experts": 3, "expert_widths": [5], "gate_hidden": [], "gate_bias": True}
MODELS = {
    "single_task": {"architecture": "single_task", "bottom_widths": [5]},
    "shared_bottom": {"architecture": "shared_bottom", "bottom_widths": [6, 5]},
    "omoe": {"architecture": "omoe", **MIXTURE},
    "mmoe": {"architecture": "mmoe", **MIXTURE},
    "mmoe_deep": {"architecture": "mmoe", **MIXTURE, "expert_widths": [6, 5], "gate_hidden": [4]},
    "mmoe_no_gate_bias": {"architecture": "mmoe", **MIXTURE, "gate_bias": False},
    "mmoe_binary": {
        "architecture": "mmoe",
        **MIXTURE,
        "tasks": [
            {"name": "click", "kind": "binary", "outputs": 1, "weight": 1.0},
            {"name": "like", "kind": "binary", "outputs": 1, "weight": 0.5},
            {"name": "share", "kind": "binary", "outputs": 1, "weight": 2.0},
        ],
    },
}


def draw_initial(config: dict, random: np.random.Generator) -> dict[str, np.ndarray]:
    """Normal values: embeddings and biases with sd 0.3, weights with sd 1 / sqrt(inputs of the layer)."""
    values = {}
    for path, shape in parameter_shapes(config).items():
        scale = shape[0] ** -0.5 if path.endswith("/weight") else 0.3
        values[path] = (scale * random.standard_normal(shape)).astype(np.float32)
    return values


def draw_labels(kind: str, outputs: int, random: np.random.Generator) -> np.ndarray:
    shape = (BATCHES, ROWS)
    if kind == "binary":
        return random.integers(0, 2, shape).astype(np.float32)
    if kind == "regression":
        return random.standard_normal(shape).astype(np.float32)
    return random.integers(0, outputs, shape).astype(np.float32)


def draw_batches(config: dict, random: np.random.Generator) -> dict[str, np.ndarray]:
    """All batches stacked on the first axis. A quarter of the labels is missing (NaN); some rows weigh nothing."""
    data = {"numeric": random.standard_normal((BATCHES, ROWS, config["numeric_inputs"])).astype(np.float32)}
    for table in config["embeddings"]:
        data[f"ids/{table['table']}"] = random.integers(0, table["rows"], (BATCHES, ROWS)).astype(np.int32)
    for task in config["tasks"]:
        labels = draw_labels(task["kind"], task["outputs"], random)
        labels[random.random(labels.shape) < 0.25] = np.nan
        if task["kind"] == "multiclass":
            labels[BATCH_WITHOUT_MULTICLASS_LABELS] = np.nan
        data[f"labels/{task['name']}"] = labels
    weights = random.uniform(0.25, 2.0, (BATCHES, ROWS))
    weights[random.random(weights.shape) < 0.08] = 0.0
    data["weights"] = weights.astype(np.float32)
    return data


def batch_at(data: dict[str, np.ndarray], index: int, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    batch = {}
    for name, values in data.items():
        tensor = torch.from_numpy(values[index])
        batch[name] = tensor.long() if name.startswith("ids/") else tensor.to(dtype)
    return batch


def parameters_from(initial: dict[str, np.ndarray], dtype: torch.dtype) -> dict[str, torch.Tensor]:
    return {path: torch.from_numpy(value).to(dtype).requires_grad_() for path, value in initial.items()}


def losses_as_numbers(config: dict, losses: dict[str, torch.Tensor]) -> dict:
    return {"tasks": {name: loss.item() + 0.0 for name, loss in losses.items()}, "total": total_loss(config, losses).item()}


def first_batch(config: dict, initial: dict, data: dict) -> tuple[dict, dict]:
    """Outputs and gradients of batch 0."""
    parameters = parameters_from(initial, torch.float64)
    batch = batch_at(data, 0, torch.float64)
    outputs = forward(config, parameters, batch)
    total_loss(config, task_losses(config, outputs, batch)).backward()
    gradients = {path: value.grad for path, value in parameters.items()}
    assert all(gradient is not None for gradient in gradients.values())
    return outputs, gradients


def train(config: dict, initial: dict, data: dict, sparse: bool, dtype: torch.dtype) -> tuple[dict, list, dict]:
    """Ten steps, one per batch. sparse: embedding tables under SparseAdam, which leaves rows not in the batch alone.

    Returns the parameters after the steps, the losses of each step before its update, and the loss of batch 0 afterwards.
    """
    parameters = parameters_from(initial, dtype)
    tables = [value for path, value in parameters.items() if sparse and path.startswith("embeddings/")]
    dense = [value for path, value in parameters.items() if not (sparse and path.startswith("embeddings/"))]
    optimisers = [torch.optim.Adam(dense, lr=LEARNING_RATE)]
    if tables:
        optimisers.append(torch.optim.SparseAdam(tables, lr=LEARNING_RATE))
    history = []
    for index in range(BATCHES):
        batch = batch_at(data, index, dtype)
        losses = task_losses(config, forward(config, parameters, batch, sparse), batch)
        history.append(losses_as_numbers(config, losses))
        for optimiser in optimisers:
            optimiser.zero_grad()
        total_loss(config, losses).backward()
        for optimiser in optimisers:
            optimiser.step()
    batch = batch_at(data, 0, dtype)
    after = losses_as_numbers(config, task_losses(config, forward(config, parameters, batch), batch))
    return {path: value.detach() for path, value in parameters.items()}, history, after


def float32_deviation(config: dict, initial: dict, data: dict, final: dict, after: dict) -> dict[str, float]:
    """How far the same training in float32 strays from float64: the yardstick for a test's tolerance."""
    final32, _, after32 = train(config, initial, data, False, torch.float32)
    largest = max((final32[path].double() - value).abs().max().item() for path, value in final.items())
    return {"parameters_after_ten_steps": largest, "total_loss_after": abs(after32["total"] - after["total"])}


def as_float32(prefix: str, tensors: dict) -> dict[str, np.ndarray]:
    return {f"{prefix}/{name}": value.detach().numpy().astype(np.float32) for name, value in tensors.items()}


def make_model(name: str, config: dict, seed: int, directory: pathlib.Path) -> None:
    random = np.random.default_rng(seed)
    initial, data = draw_initial(config, random), draw_batches(config, random)
    outputs, gradients = first_batch(config, initial, data)
    final, history, after = train(config, initial, data, False, torch.float64)
    final_sparse, history_sparse, after_sparse = train(config, initial, data, True, torch.float64)
    tensors = {f"initial/{path}": value for path, value in initial.items()}
    tensors |= {f"batches/{path}": value for path, value in data.items()}
    tensors |= as_float32("outputs", outputs) | as_float32("gradients", gradients)
    tensors |= as_float32("final", final) | as_float32("final_sparse", final_sparse)
    save_file(tensors, directory / f"{name}.safetensors")
    header = {
        "model": name,
        "config": config,
        "adam": {"learning_rate": LEARNING_RATE, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
        "losses": {"dense": history, "sparse": history_sparse},
        "loss_of_batch_0_after": {"dense": after, "sparse": after_sparse},
        "float32_deviation": float32_deviation(config, initial, data, final, after),
        "tensors": {path: list(value.shape) for path, value in tensors.items()},
        "made_with": {"torch": torch.__version__, "numpy": np.__version__, "python": platform.python_version()},
    }
    (directory / f"{name}.json").write_text(json.dumps(header, indent=1) + "\n")
    print(name, header["float32_deviation"])


def main() -> None:
    root = pathlib.Path(__file__).resolve().parents[2]
    directory = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else root / "tests/parity/models"
    directory.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    for index, (name, part) in enumerate(MODELS.items()):
        make_model(name, {**BASE, **part}, SEED + index, directory)


if __name__ == "__main__":
    main()
