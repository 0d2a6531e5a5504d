"""Writes tests/parity/models/<model>.{safetensors,json}: what small models must compute, by PyTorch in float64.

See README.md beside this file for the layout. Run from anywhere: python make_models.py [OUTPUT_DIRECTORY]
"""

import json
import pathlib
import platform
import sys
from dataclasses import dataclass

import numpy as np
import torch
from catalogue import BATCHES, UNLABELLED_BATCH, UNLABELLED_TASKS, all_models
from parts import Pass, Tensors
from reference import forward, initial_state, is_batch_normed, parameter_shapes, task_losses, total_loss
from safetensors.numpy import save_file

LEARNING_RATE = 0.01
SMALLEST_MARGIN = 1e-4  # by which a kept expert must lead, so that rounding never changes a choice
NO_GRADIENT = 1e-13  # sums that cancel leave less than this in float64
# Batch norm makes some biases' gradients pure rounding; the larger epsilon keeps Adam from blowing it up to whole steps.
EPSILON, EPSILON_WITH_BATCH_NORM = 1e-8, 1e-3

# Standard deviations of initial values, by the end of the path; otherwise 1 / sqrt(inputs) for weights and 0.3.
DEVIATIONS = {"/codes/weight": 0.05, "/codes": 0.15, "/embedding": 1.0}
FACTORS = ("/value", "/key", "/query", "/inputs")


def initial_spread(config: dict, path: str, shape: tuple[int, ...]) -> tuple[float | np.ndarray, float]:
    """Centre and standard deviation of a parameter's normal values."""
    for end, deviation in DEVIATIONS.items():
        if path.endswith(end):
            return 0.0, deviation
    if path.endswith(("/weight", *FACTORS)) or "/down/" in path:
        return 0.0, shape[0] ** -0.5
    if path.endswith("/norm/scale"):
        return 1.0, 0.3
    if path.endswith("/core"):
        return 0.0, np.prod(shape) ** -0.5
    if path.startswith("layers/") and path.endswith(("/outputs", "/tasks")):
        return 0.0, 1.0
    if path.startswith("stitches/"):
        same, other, count = config["model"]["same_task"], config["model"]["other_task"], shape[0]
        start = np.full((count, count), other / (count - 1)) + np.eye(count) * (same - other / (count - 1))
        return start.reshape(count, count, *[1] * (len(shape) - 2)), 0.1
    return 0.0, 0.3


def epsilon_of(config: dict) -> float:
    return EPSILON_WITH_BATCH_NORM if is_batch_normed(config) else EPSILON


def draw_initial(config: dict, random: np.random.Generator) -> dict[str, np.ndarray]:
    values = {}
    for path, shape in parameter_shapes(config).items():
        centre, deviation = initial_spread(config, path, shape)
        values[path] = (centre + deviation * random.standard_normal(shape)).astype(np.float32)
    return values


def draw_labels(kind: str, outputs: int, shape: tuple[int, int], random: np.random.Generator) -> np.ndarray:
    if kind == "binary":
        return random.integers(0, 2, shape).astype(np.float32)
    if kind == "regression":
        return random.standard_normal(shape).astype(np.float32)
    return random.integers(0, outputs, shape).astype(np.float32)


def draw_batches(config: dict, random: np.random.Generator) -> dict[str, np.ndarray]:
    """All batches stacked on the first axis. A quarter of the labels is missing (NaN); some rows weigh nothing."""
    shape = (BATCHES, config["rows"])
    data = {"numeric": random.standard_normal((*shape, config["numeric_inputs"])).astype(np.float32)}
    for table in config["embeddings"]:
        data[f"ids/{table['table']}"] = random.integers(0, table["rows"], shape).astype(np.int32)
    for task in config["tasks"]:
        labels = draw_labels(task["kind"], task["outputs"], shape, random)
        labels[random.random(labels.shape) < 0.25] = np.nan
        if task["name"] in UNLABELLED_TASKS:
            labels[UNLABELLED_BATCH] = np.nan
        data[f"labels/{task['name']}"] = labels
    weights = random.uniform(0.25, 2.0, shape)
    weights[random.random(shape) < 0.08] = 0.0
    data["weights"] = weights.astype(np.float32)
    return data


def batch_at(data: dict[str, np.ndarray], index: int, dtype: torch.dtype) -> Tensors:
    batch = {}
    for name, values in data.items():
        tensor = torch.from_numpy(values[index])
        batch[name] = tensor.long() if name.startswith("ids/") else tensor.to(dtype)
    return batch


def parameters_from(initial: dict[str, np.ndarray], dtype: torch.dtype) -> Tensors:
    return {path: torch.from_numpy(value).to(dtype).requires_grad_() for path, value in initial.items()}


def state_from(config: dict, dtype: torch.dtype) -> Tensors:
    return {path: value.to(dtype) for path, value in initial_state(config).items()}


def train_on(config: dict, run: Pass, batch: Tensors, sparse: bool = False) -> tuple[torch.Tensor, dict]:
    """The total loss of a batch in training, and all losses as numbers."""
    losses = task_losses(config, run, forward(config, run, batch, sparse), batch)
    total = total_loss(config, run, losses)
    numbers = {"tasks": {name: loss.item() + 0.0 for name, loss in losses.items()}}
    if run.penalties:
        numbers["penalties"] = {name: penalty.item() for name, penalty in run.penalties.items()}
    return total, {**numbers, "total": total.item()}


def evaluate(config: dict, parameters: Tensors, state: Tensors, data: dict) -> Tensors:
    """Outputs of batch 0."""
    outputs = forward(config, Pass(parameters, state, is_training=False), batch_at(data, 0, torch.float64))
    assert all(torch.isfinite(value).all() for value in outputs.values())
    return outputs


@dataclass
class Training:
    parameters: Tensors
    state: Tensors
    history: list[dict]  # losses of each step before its update
    after: dict  # losses of batch 0 after the ten steps
    first_gradients: Tensors
    largest_gradients: dict[str, float]  # over all steps
    margin: float


def train(config: dict, initial: dict, data: dict, sparse: bool, dtype: torch.dtype) -> Training:
    """Ten steps, one per batch. sparse: embedding tables under SparseAdam, which leaves rows not in the batch alone."""
    parameters, state = parameters_from(initial, dtype), state_from(config, dtype)
    tables = [value for path, value in parameters.items() if sparse and path.startswith("embeddings/")]
    dense = [value for path, value in parameters.items() if not (sparse and path.startswith("embeddings/"))]
    optimisers = [torch.optim.Adam(dense, lr=LEARNING_RATE, eps=epsilon_of(config))]
    if tables:
        optimisers.append(torch.optim.SparseAdam(tables, lr=LEARNING_RATE, eps=epsilon_of(config)))
    history, first, largest, margins = [], {}, dict.fromkeys(parameters, 0.0), [np.inf]
    for index in range(BATCHES):
        run = Pass(parameters, state, is_training=True)
        total, numbers = train_on(config, run, batch_at(data, index, dtype), sparse)
        history.append(numbers)
        for optimiser in optimisers:
            optimiser.zero_grad()
        total.backward()
        gradients = {path: value.grad.to_dense() for path, value in parameters.items()}
        first = first or {path: value.clone() for path, value in gradients.items()}
        largest = {path: max(largest[path], value.abs().max().item()) for path, value in gradients.items()}
        for optimiser in optimisers:
            optimiser.step()
        state = {**state, **run.new_state}
        margins += run.margins
    run = Pass(parameters, state, is_training=True)
    _, after = train_on(config, run, batch_at(data, 0, dtype))
    final = {path: value.detach() for path, value in parameters.items()}
    return Training(final, state, history, after, first, largest, min(margins + run.margins))


def check_gradients(config: dict, training: Training) -> None:
    """Every parameter has a gradient in some step, but for the biases that batch norm cancels."""
    cancelled = f"/layer_{len(config['model']['expert']['units']) - 1}/bias" if is_batch_normed(config) else None
    for path, largest in training.largest_gradients.items():
        assert np.isfinite(largest), f"{path}: gradient is not finite"
        is_cancelled = cancelled and "experts/" in path and path.endswith(cancelled)
        assert largest > NO_GRADIENT or is_cancelled, f"{path}: largest gradient {largest}"


def float32_deviation(config: dict, initial: dict, data: dict, exact: Training) -> dict[str, float]:
    """How far the same training in float32 strays from float64: the yardstick for a test's tolerance."""
    rough = train(config, initial, data, False, torch.float32)
    steps = [abs(a["total"] - b["total"]) for a, b in zip(rough.history, exact.history)]
    values, exact_values = rough.parameters | rough.state, exact.parameters | exact.state
    return {
        "after_ten_steps": max((values[path].double() - value).abs().max().item() for path, value in exact_values.items()),
        "total_loss": max(abs(rough.after["total"] - exact.after["total"]), *steps),
    }


def as_float32(prefix: str, tensors: dict) -> dict[str, np.ndarray]:
    return {f"{prefix}/{name}": value.detach().numpy().astype(np.float32) for name, value in tensors.items()}


def make_model(name: str, config: dict, seed: int, directory: pathlib.Path) -> None:
    random = np.random.default_rng(seed)
    initial, data = draw_initial(config, random), draw_batches(config, random)
    dense = train(config, initial, data, False, torch.float64)
    sparse = train(config, initial, data, True, torch.float64)
    assert min(dense.margin, sparse.margin) > SMALLEST_MARGIN, f"{name}: choices too close: {dense.margin}"
    state = state_from(config, torch.float64)
    outputs = evaluate(config, parameters_from(initial, torch.float64), state, data)
    tensors = {f"initial/{path}": value for path, value in initial.items()} | as_float32("initial_state", state)
    tensors |= {f"batches/{path}": value for path, value in data.items()}
    tensors |= as_float32("outputs", outputs) | as_float32("gradients", dense.first_gradients)
    tensors |= as_float32("final", dense.parameters) | as_float32("final_sparse", sparse.parameters)
    if state:
        tensors |= as_float32("final_state", dense.state)
        tensors |= as_float32("final_outputs", evaluate(config, dense.parameters, dense.state, data))
    save_file(tensors, directory / f"{name}.safetensors")
    check_gradients(config, dense)
    header = {
        "model": name,
        "config": config,
        "adam": {"learning_rate": LEARNING_RATE, "beta1": 0.9, "beta2": 0.999, "epsilon": epsilon_of(config)},
        "losses": {"dense": dense.history, "sparse": sparse.history},
        "loss_of_batch_0_after": {"dense": dense.after, "sparse": sparse.after},
        "float32_deviation": float32_deviation(config, initial, data, dense),
        "tensors": {path: list(value.shape) for path, value in tensors.items()},
        "made_with": {"torch": torch.__version__, "numpy": np.__version__, "python": platform.python_version()},
    }
    (directory / f"{name}.json").write_text(json.dumps(header, indent=1) + "\n")
    print(name, header["float32_deviation"], f"margin {min(dense.margin, sparse.margin):.2g}")


def main() -> None:
    root = pathlib.Path(__file__).resolve().parents[2]
    directory = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else root / "tests/parity/models"
    directory.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    for name, (seed, config) in all_models().items():
        make_model(name, config, seed, directory)


if __name__ == "__main__":
    main()
