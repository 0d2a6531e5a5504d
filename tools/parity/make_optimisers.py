"""Writes tests/parity/optimisers/*: ten steps of torch.optim, gradient clipping and learning-rate schedules, in float64.

See README.md beside this file for the layout. Run from anywhere: python make_optimisers.py [OUTPUT_DIRECTORY]
"""

import json
import pathlib
import platform
import sys

import numpy as np
import torch
from safetensors.numpy import save_file

SEED, STEPS, SIZE = 11, 10, 37
TABLE_ROWS, TABLE_WIDTH, LOOKUPS = 20, 4, 9

DENSE = {
    "sgd": (torch.optim.SGD, {"lr": 0.05}),
    "sgd_momentum": (torch.optim.SGD, {"lr": 0.05, "momentum": 0.9}),
    "sgd_nesterov": (torch.optim.SGD, {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
    "adagrad": (torch.optim.Adagrad, {"lr": 0.05, "eps": 1e-10}),
    "adam": (torch.optim.Adam, {"lr": 0.01, "betas": (0.9, 0.999), "eps": 1e-8}),
    "adamw": (torch.optim.AdamW, {"lr": 0.01, "betas": (0.9, 0.999), "eps": 1e-8}),
}
SPARSE = {
    "sparse_sgd": (torch.optim.SGD, {"lr": 0.05}),
    "sparse_adagrad": (torch.optim.Adagrad, {"lr": 0.05, "eps": 1e-10}),
    "sparse_adam": (torch.optim.SparseAdam, {"lr": 0.01, "betas": (0.9, 0.999), "eps": 1e-8}),
}


def dense_run(kind, options: dict, initial: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """The parameters after each step: [steps, size]."""
    parameter = torch.nn.Parameter(torch.from_numpy(initial.copy()))
    optimiser = kind([parameter], **options)
    parameters = []
    for gradient in gradients:
        parameter.grad = torch.from_numpy(gradient.copy())
        optimiser.step()
        parameters.append(parameter.detach().numpy().copy())
    return np.stack(parameters)


def sparse_run(kind, options: dict, initial: np.ndarray, ids: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """The table after each step: [steps, rows, width]; gradients of a repeated id are summed before its one update."""
    table = torch.nn.Parameter(torch.from_numpy(initial.copy()))
    optimiser = kind([table], **options)
    tables = []
    for step_ids, step_gradients in zip(ids, gradients):
        positions, values = torch.from_numpy(step_ids)[None], torch.from_numpy(step_gradients)
        table.grad = torch.sparse_coo_tensor(positions, values, table.shape, check_invariants=True)
        optimiser.step()
        tables.append(table.detach().numpy().copy())
    return np.stack(tables)


def make_dense(random: np.random.Generator, directory: pathlib.Path) -> list[dict]:
    """Gradients span 1e-6 to 10; five elements always have gradient zero, five more only now and then."""
    initial = random.standard_normal(SIZE)
    scale = 10.0 ** random.uniform(-6, 1, SIZE)
    gradients = scale * random.standard_normal((STEPS, SIZE))
    gradients[:, :5] = 0.0
    gradients[random.random((STEPS, SIZE)) < np.where(np.arange(SIZE) < 10, 0.5, 0.0)] = 0.0
    index = []
    for name, (kind, options) in DENSE.items():
        for decay in (0.0, 0.01):
            case = f"{name}_weight_decay" if decay else name
            all_options = {**options, "weight_decay": decay}
            parameters = dense_run(kind, all_options, initial, gradients)
            tensors = {"initial": initial, "gradients": gradients, "parameters": parameters}
            save_file(tensors, directory / f"{case}.safetensors")
            index.append({"name": case, "optimiser": kind.__name__, "options": all_options})
    return index


def make_sparse(random: np.random.Generator, directory: pathlib.Path) -> list[dict]:
    """Ids repeat inside a step; rows 17 to 19 are never touched."""
    initial = random.standard_normal((TABLE_ROWS, TABLE_WIDTH))
    ids = random.integers(0, TABLE_ROWS - 3, (STEPS, LOOKUPS))
    ids[:, 3] = ids[:, 0]
    ids[::2, 7] = ids[::2, 0]
    gradients = random.standard_normal((STEPS, LOOKUPS, TABLE_WIDTH))
    index = []
    for name, (kind, options) in SPARSE.items():
        tables = sparse_run(kind, options, initial, ids, gradients)
        untouched = slice(TABLE_ROWS - 3, TABLE_ROWS)
        assert (tables[-1, untouched] == initial[untouched]).all()
        tensors = {"initial": initial, "ids": ids, "row_gradients": gradients, "parameters": tables}
        save_file(tensors, directory / f"{name}.safetensors")
        index.append({"name": name, "optimiser": kind.__name__, "options": options})
    return index


def make_clipping(random: np.random.Generator, directory: pathlib.Path) -> list[dict]:
    """One norm over all gradients; every gradient is scaled by min(1, max_norm / (norm + 1e-6))."""
    gradients = {"a": random.standard_normal(5), "b": random.standard_normal((3, 4)), "c": random.standard_normal(1)}
    index = []
    for name, max_norm in {"clip_active": 1.0, "clip_inactive": 100.0}.items():
        parameters = {path: torch.nn.Parameter(torch.zeros(*value.shape).double()) for path, value in gradients.items()}
        for path, parameter in parameters.items():
            parameter.grad = torch.from_numpy(gradients[path].copy())
        norm = torch.nn.utils.clip_grad_norm_(list(parameters.values()), max_norm)
        tensors = {f"gradients/{path}": value for path, value in gradients.items()}
        tensors |= {f"clipped/{path}": parameter.grad.numpy() for path, parameter in parameters.items()}
        save_file(tensors, directory / f"{name}.safetensors")
        index.append({"name": name, "max_norm": max_norm, "norm": norm.item()})
    return index


def rates_of(scheduler_of, base_rate: float, steps: int) -> list[float]:
    """rates[i] is the learning rate used by step i, counted from 0."""
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=base_rate)
    scheduler = scheduler_of(optimiser)
    rates = []
    for _ in range(steps):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        scheduler.step()
    return rates


def make_schedules() -> list[dict]:
    rate = 0.1
    lr_scheduler = torch.optim.lr_scheduler
    step = rates_of(lambda o: lr_scheduler.StepLR(o, step_size=3, gamma=0.5), rate, 13)
    cosine = rates_of(lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=10, eta_min=1e-4), rate, 11)
    linear = rates_of(lambda o: lr_scheduler.LinearLR(o, start_factor=0.1, end_factor=1.0, total_iters=5), rate, 9)
    warm_up = rates_of(lambda o: lr_scheduler.LambdaLR(o, lambda i: min(1.0, (i + 1) / 5)), rate, 9)
    return [
        {"name": "step", "rate": rate, "step_size": 3, "gamma": 0.5, "rates": step},
        {"name": "cosine", "rate": rate, "steps": 10, "minimum": 1e-4, "rates": cosine},
        {"name": "linear_factor", "rate": rate, "start_factor": 0.1, "steps": 5, "rates": linear},
        {"name": "linear_warm_up", "rate": rate, "steps": 5, "formula": "rate * min(1, (i + 1) / steps)", "rates": warm_up},
    ]


def main() -> None:
    root = pathlib.Path(__file__).resolve().parents[2]
    directory = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else root / "tests/parity/optimisers"
    directory.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    random = np.random.default_rng(SEED)
    index = {
        "dense": make_dense(random, directory),
        "sparse": make_sparse(random, directory),
        "clipping": make_clipping(random, directory),
        "schedules": make_schedules(),
        "made_with": {"torch": torch.__version__, "numpy": np.__version__, "python": platform.python_version()},
    }
    (directory / "optimisers.json").write_text(json.dumps(index, indent=1) + "\n")
    print("optimisers written to", directory)


if __name__ == "__main__":
    main()
