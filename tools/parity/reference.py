"""A whole reference model, from `config.model` to its losses, over dictionaries keyed by canonical parameter path.

Input x = concat(numeric, one embedding per id column); a system makes a vector per task of it, and the task's tower
(relu layers, the last one linear) gives the outputs (logits).
"""

import torch
import torch.nn.functional as F
from home import Home
from parts import Pass, Shapes, Tensors, dense_chain, layer_shapes
from systems import SYSTEMS, MmoeInLevels, System


def input_width(config: dict) -> int:
    return config["numeric_inputs"] + sum(table["width"] for table in config["embeddings"])


def system_of(config: dict) -> System:
    model, tasks = config["model"], [task["name"] for task in config["tasks"]]
    if model.get("levels", 1) > 1 and model["type"] == "mmoe":
        return MmoeInLevels(model, tasks, input_width(config))
    return (SYSTEMS | {"home": Home})[model["type"]](model, tasks, input_width(config))


def parameter_shapes(config: dict) -> Shapes:
    """Every parameter path of the model with its shape, in the order in which initial values are drawn."""
    system = system_of(config)
    shapes: Shapes = {f"embeddings/{table['table']}": (table["rows"], table["width"]) for table in config["embeddings"]}
    shapes |= system.shapes()
    for task in config["tasks"]:
        widths = [system.tower_inputs, *config["model"].get("tower", {"units": []})["units"], task["outputs"]]
        shapes |= layer_shapes(f"towers/{task['name']}", widths)
    return shapes


def is_batch_normed(config: dict) -> bool:
    return config["model"].get("expert", {}).get("normalisation") == "batch"


def initial_state(config: dict) -> Tensors:
    """Running mean 0 and variance 1 of every batch norm, and balancing biases 0."""
    state = {path: torch.zeros(shape) for path, shape in system_of(config).states().items()}
    if is_batch_normed(config):
        for path, shape in parameter_shapes(config).items():
            if path.endswith("/norm/scale"):
                state[path.removesuffix("scale") + "running"] = torch.stack([torch.zeros(shape), torch.ones(shape)])
    return state


def model_input(config: dict, run: Pass, batch: Tensors, sparse: bool) -> torch.Tensor:
    parts = [batch["numeric"]]
    for table in config["embeddings"]:
        name = table["table"]
        parts.append(F.embedding(batch[f"ids/{name}"], run[f"embeddings/{name}"], sparse=sparse))
    return torch.cat(parts, dim=1)


def forward(config: dict, run: Pass, batch: Tensors, sparse: bool = False) -> Tensors:
    """Outputs (logits) of every task: [rows, outputs]."""
    system = system_of(config)
    representations = system.represent(run, model_input(config, run, batch, sparse))
    return system.finish(run, {name: dense_chain(run, f"towers/{name}", f, False) for name, f in representations.items()})


def row_losses(kind: str, output: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
    if kind == "binary":
        return F.binary_cross_entropy_with_logits(output[:, 0], label, reduction="none")
    if kind == "regression":
        return (output[:, 0] - label) ** 2
    if kind == "multiclass":
        return F.cross_entropy(output, label.long(), reduction="none")
    raise ValueError(f"row_losses: unknown kind of task; got {kind}")


def task_losses(config: dict, run: Pass, outputs: Tensors, batch: Tensors) -> Tensors:
    """sum of weight * loss over present rows / sum of weights of present rows; zero where no row is present."""
    losses = {}
    for task in config["tasks"]:
        name = task["name"]
        present = ~torch.isnan(batch[f"labels/{name}"])
        if not present.any():
            losses[name] = outputs[name].sum() * 0.0
            continue
        weights, labels = batch["weights"][present], batch[f"labels/{name}"][present]
        if name in run.probabilities:
            per_row = F.binary_cross_entropy(run.probabilities[name][present][:, 0], labels, reduction="none")
        else:
            per_row = row_losses(task["kind"], outputs[name][present], labels)
        losses[name] = (weights * per_row).sum() / weights.sum()
    return losses


def total_loss(config: dict, run: Pass, losses: Tensors) -> torch.Tensor:
    terms = [task["weight"] * losses[task["name"]] for task in config["tasks"]]
    return torch.stack([*terms, *run.penalties.values()]).sum()
