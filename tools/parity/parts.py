"""The parts of the reference models, over dictionaries of tensors keyed by canonical parameter path.

Every weight is [in, out] and a layer computes y = x W + b. Shapes come first, so that values can be drawn; then a `Pass` runs.
"""

from dataclasses import dataclass, field

import torch

Tensors = dict[str, torch.Tensor]
Shapes = dict[str, tuple[int, ...]]
NORM_EPSILON, NORM_MOMENTUM = 1e-5, 0.1


@dataclass
class Pass:
    """One run of a model over one batch: what it reads, and what it leaves beside its outputs."""

    parameters: Tensors
    state: Tensors
    is_training: bool
    penalties: Tensors = field(default_factory=dict)  # already times their weight
    new_state: Tensors = field(default_factory=dict)  # after this training step
    probabilities: Tensors = field(default_factory=dict)  # of tasks whose loss is written on them
    margins: list[float] = field(default_factory=list)  # smallest lead of a kept expert over one left out

    def __getitem__(self, path: str) -> torch.Tensor:
        return self.parameters[path]


def layer_shapes(prefix: str, widths: list[int], bias_on_last: bool = True) -> Shapes:
    """Shapes of a chain of layers; widths holds the input width first."""
    shapes: Shapes = {}
    last = len(widths) - 2
    for layer in range(last + 1):
        shapes[f"{prefix}/layer_{layer}/weight"] = (widths[layer], widths[layer + 1])
        if layer < last or bias_on_last:
            shapes[f"{prefix}/layer_{layer}/bias"] = (widths[layer + 1],)
    return shapes


def affine(run: Pass, prefix: str, x: torch.Tensor) -> torch.Tensor:
    y = x @ run[f"{prefix}/weight"]
    return y + run[f"{prefix}/bias"] if f"{prefix}/bias" in run.parameters else y


def dense_chain(run: Pass, prefix: str, x: torch.Tensor, relu_on_last: bool) -> torch.Tensor:
    layer = 0
    while f"{prefix}/layer_{layer}/weight" in run.parameters:
        is_last = f"{prefix}/layer_{layer + 1}/weight" not in run.parameters
        x = affine(run, f"{prefix}/layer_{layer}", x)
        if relu_on_last or not is_last:
            x = torch.relu(x)
        layer += 1
    return x


def activate(name: str, x: torch.Tensor) -> torch.Tensor:
    return {"relu": torch.relu, "swish": lambda a: a * torch.sigmoid(a)}[name](x)


def expert_shapes(prefix: str, inputs: int, expert: dict) -> Shapes:
    shapes = layer_shapes(prefix, [inputs, *expert["units"]])
    if "normalisation" in expert:
        shapes |= {f"{prefix}/norm/{part}": (expert["units"][-1],) for part in ("scale", "shift")}
    return shapes


def bank_shapes(prefix: str, count: int, inputs: int, expert: dict) -> Shapes:
    shapes: Shapes = {}
    for index in range(count):
        shapes |= expert_shapes(f"{prefix}/{index}", inputs, expert)
    return shapes


def normalise(run: Pass, prefix: str, x: torch.Tensor, kind: str) -> torch.Tensor:
    """Batch: statistics of all rows in training, running ones otherwise. Layer: statistics of each row's units."""
    if kind == "layer":
        mean, variance = x.mean(dim=1, keepdim=True), x.var(dim=1, correction=0, keepdim=True)
    elif run.is_training:
        mean, variance = x.mean(dim=0), x.var(dim=0, correction=0)
        seen = torch.stack([mean, x.var(dim=0, correction=1)]).detach()
        running = run.state[f"{prefix}/running"]
        run.new_state[f"{prefix}/running"] = (1 - NORM_MOMENTUM) * running + NORM_MOMENTUM * seen
    else:
        mean, variance = run.state[f"{prefix}/running"]
    return (x - mean) / torch.sqrt(variance + NORM_EPSILON) * run[f"{prefix}/scale"] + run[f"{prefix}/shift"]


def expert_output(run: Pass, prefix: str, x: torch.Tensor, expert: dict) -> torch.Tensor:
    """Hidden layers end in hidden_activation; the last in its normalisation, if any, and then the activation."""
    for layer in range(len(expert["units"]) - 1):
        x = activate(expert.get("hidden_activation", "relu"), affine(run, f"{prefix}/layer_{layer}", x))
    x = affine(run, f"{prefix}/layer_{len(expert['units']) - 1}", x)
    if "normalisation" in expert:
        x = normalise(run, f"{prefix}/norm", x, expert["normalisation"])
    return activate(expert.get("activation", "relu"), x)


def bank(run: Pass, prefix: str, count: int, x: torch.Tensor, expert: dict) -> list[torch.Tensor]:
    return [expert_output(run, f"{prefix}/{index}", x, expert) for index in range(count)]


def softmax_gate(run: Pass, prefix: str, x: torch.Tensor) -> torch.Tensor:
    return torch.softmax(dense_chain(run, prefix, x, False), dim=1)


def mix(weights: torch.Tensor, experts: list[torch.Tensor]) -> torch.Tensor:
    """weights [rows, experts] or [experts]; experts [rows, hidden] each -> [rows, hidden]."""
    assert weights.shape[-1] == len(experts)
    return (weights.unsqueeze(-1) * torch.stack(experts, dim=1)).sum(dim=1)
