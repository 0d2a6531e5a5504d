"""Reference models, written from the papers' equations over a dictionary of tensors keyed by canonical parameter path.

Every weight is [in, out] and a layer computes y = x W + b. Input x = concat(numeric, one embedding per id column).
Expert, bottom and hidden gate and tower layers end in relu; the last gate layer gives the experts' logits, softmax over
them mixes the experts; the last tower layer is linear and gives the task's outputs (logits).
"""

import torch
import torch.nn.functional as F

Tensors = dict[str, torch.Tensor]


def input_width(config: dict) -> int:
    return config["numeric_inputs"] + sum(table["width"] for table in config["embeddings"])


def layer_shapes(prefix: str, widths: list[int], bias_on_last: bool = True) -> dict[str, tuple[int, ...]]:
    """Shapes of a chain of layers; widths holds the input width first."""
    shapes: dict[str, tuple[int, ...]] = {}
    last = len(widths) - 2
    for layer in range(last + 1):
        shapes[f"{prefix}/layer_{layer}/weight"] = (widths[layer], widths[layer + 1])
        if layer < last or bias_on_last:
            shapes[f"{prefix}/layer_{layer}/bias"] = (widths[layer + 1],)
    return shapes


def parameter_shapes(config: dict) -> dict[str, tuple[int, ...]]:
    """Every parameter path of the model with its shape, in the order in which initial values are drawn."""
    inputs, tasks, architecture = input_width(config), config["tasks"], config["architecture"]
    shapes: dict[str, tuple[int, ...]] = {}
    for table in config["embeddings"]:
        shapes[f"embeddings/{table['table']}"] = (table["rows"], table["width"])
    if architecture == "single_task":
        for task in tasks:
            shapes |= layer_shapes(f"bottoms/{task['name']}", [inputs, *config["bottom_widths"]])
        tower_input = config["bottom_widths"][-1]
    elif architecture == "shared_bottom":
        shapes |= layer_shapes("bottom", [inputs, *config["bottom_widths"]])
        tower_input = config["bottom_widths"][-1]
    else:
        for expert in range(config["experts"]):
            shapes |= layer_shapes(f"experts/{expert}", [inputs, *config["expert_widths"]])
        for gate in gate_names(config):
            widths = [inputs, *config["gate_hidden"], config["experts"]]
            shapes |= layer_shapes(f"gates/{gate}", widths, config["gate_bias"])
        tower_input = config["expert_widths"][-1]
    for task in tasks:
        shapes |= layer_shapes(f"towers/{task['name']}", [tower_input, *config["tower_hidden"], task["outputs"]])
    return shapes


def gate_names(config: dict) -> list[str]:
    return ["shared"] if config["architecture"] == "omoe" else [task["name"] for task in config["tasks"]]


def dense_chain(parameters: Tensors, prefix: str, x: torch.Tensor, relu_on_last: bool) -> torch.Tensor:
    layer = 0
    while f"{prefix}/layer_{layer}/weight" in parameters:
        is_last = f"{prefix}/layer_{layer + 1}/weight" not in parameters
        x = x @ parameters[f"{prefix}/layer_{layer}/weight"]
        if f"{prefix}/layer_{layer}/bias" in parameters:
            x = x + parameters[f"{prefix}/layer_{layer}/bias"]
        if relu_on_last or not is_last:
            x = torch.relu(x)
        layer += 1
    return x


def model_input(config: dict, parameters: Tensors, batch: Tensors, sparse: bool = False) -> torch.Tensor:
    parts = [batch["numeric"]]
    for table in config["embeddings"]:
        name = table["table"]
        parts.append(F.embedding(batch[f"ids/{name}"], parameters[f"embeddings/{name}"], sparse=sparse))
    return torch.cat(parts, dim=1)


def task_representations(config: dict, parameters: Tensors, x: torch.Tensor) -> dict[str, torch.Tensor]:
    """What each task's tower reads: [rows, width]."""
    names = [task["name"] for task in config["tasks"]]
    if config["architecture"] == "single_task":
        return {name: dense_chain(parameters, f"bottoms/{name}", x, True) for name in names}
    if config["architecture"] == "shared_bottom":
        shared = dense_chain(parameters, "bottom", x, True)
        return {name: shared for name in names}
    experts = [dense_chain(parameters, f"experts/{i}", x, True) for i in range(config["experts"])]
    stacked = torch.stack(experts, dim=1)
    mixed = {}
    for gate in gate_names(config):
        weights = torch.softmax(dense_chain(parameters, f"gates/{gate}", x, False), dim=1)
        mixed[gate] = (weights.unsqueeze(2) * stacked).sum(dim=1)
    return {name: mixed.get(name, mixed.get("shared")) for name in names}


def forward(config: dict, parameters: Tensors, batch: Tensors, sparse: bool = False) -> Tensors:
    """Outputs (logits) of every task: [rows, outputs]."""
    x = model_input(config, parameters, batch, sparse)
    representations = task_representations(config, parameters, x)
    return {name: dense_chain(parameters, f"towers/{name}", f, False) for name, f in representations.items()}


def row_losses(kind: str, output: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
    if kind == "binary":
        return F.binary_cross_entropy_with_logits(output[:, 0], label, reduction="none")
    if kind == "regression":
        return (output[:, 0] - label) ** 2
    if kind == "multiclass":
        return F.cross_entropy(output, label.long(), reduction="none")
    raise ValueError(f"row_losses: unknown kind of task; got {kind}")


def task_losses(config: dict, outputs: Tensors, batch: Tensors) -> Tensors:
    """sum of weight * loss over present rows / sum of weights of present rows; zero where no row is present."""
    losses = {}
    for task in config["tasks"]:
        name = task["name"]
        present = ~torch.isnan(batch[f"labels/{name}"])
        if not present.any():
            losses[name] = outputs[name].sum() * 0.0
            continue
        weights = batch["weights"][present]
        per_row = row_losses(task["kind"], outputs[name][present], batch[f"labels/{name}"][present])
        losses[name] = (weights * per_row).sum() / weights.sum()
    return losses


def total_loss(config: dict, losses: Tensors) -> torch.Tensor:
    return torch.stack([task["weight"] * losses[task["name"]] for task in config["tasks"]]).sum()
