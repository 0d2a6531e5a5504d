"""One mixture (MMoE) in two forms: as the model zoos write it, and as few large products. Same canonical parameters.

Canonical weights are [in, out], y = x W + b: experts/<i>/layer_<j>, gates/<task>/layer_0, towers/<task>/layer_<j>.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass

import common
import numpy as np
import torch
from torch import nn

Parameters = dict[str, np.ndarray]


@dataclass(frozen=True)
class Setup:
    """inputs -> experts (relu after every layer), one gate per task on the inputs, towers hidden (relu) -> 1."""

    name: str
    inputs: int
    experts: int
    expert_widths: tuple[int, ...]
    tasks: int
    tower_hidden: int
    loss: str  # "mse" or "bce": mean over the batch, summed over the tasks
    pool_rows: int
    learning_rate: float = 1e-3
    seed: int = 20180819


def draw_parameters(setup: Setup, random: np.random.Generator) -> Parameters:
    """Glorot-uniform weights and zero biases, drawn in the order written here."""
    parameters: Parameters = {}

    def chain(prefix: str, widths: list[int]) -> None:
        for layer, (inputs, outputs) in enumerate(zip(widths[:-1], widths[1:])):
            limit = np.sqrt(6.0 / (inputs + outputs))
            weight = random.uniform(-limit, limit, (inputs, outputs)).astype(np.float32)
            parameters[f"{prefix}/layer_{layer}/weight"] = weight
            parameters[f"{prefix}/layer_{layer}/bias"] = np.zeros(outputs, np.float32)

    for expert in range(setup.experts):
        chain(f"experts/{expert}", [setup.inputs, *setup.expert_widths])
    for task in range(setup.tasks):
        chain(f"gates/task_{task}", [setup.inputs, setup.experts])
    for task in range(setup.tasks):
        chain(f"towers/task_{task}", [setup.expert_widths[-1], setup.tower_hidden, 1])
    return parameters


def draw_data(setup: Setup, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Normal inputs [pool, inputs]; labels [pool, tasks]: a random direction plus noise, its sign for "bce"."""
    inputs = random.standard_normal((setup.pool_rows, setup.inputs), dtype=np.float32)
    directions = random.standard_normal((setup.inputs, setup.tasks), dtype=np.float32) / np.sqrt(setup.inputs)
    noise = random.standard_normal((setup.pool_rows, setup.tasks), dtype=np.float32)
    labels = inputs @ directions.astype(np.float32) + np.float32(0.1) * noise
    return inputs, (labels > 0).astype(np.float32) if setup.loss == "bce" else labels.astype(np.float32)


class LoopMixture(nn.Module):
    """A module for every expert, gate and tower, called one after the other."""

    def __init__(self, setup: Setup, parameters: Parameters):
        super().__init__()
        widths = [setup.inputs, *setup.expert_widths]
        tower_widths = [setup.expert_widths[-1], setup.tower_hidden, 1]
        self.loss = nn.MSELoss() if setup.loss == "mse" else nn.BCEWithLogitsLoss()
        self.experts = nn.ModuleList(chain_module(widths, True) for _ in range(setup.experts))
        gate_widths = [setup.inputs, setup.experts]
        self.gates = nn.ModuleList(chain_module(gate_widths, False) for _ in range(setup.tasks))
        self.towers = nn.ModuleList(chain_module(tower_widths, False) for _ in range(setup.tasks))
        for kind, modules in (("experts", self.experts), ("gates", self.gates), ("towers", self.towers)):
            for index, module in enumerate(modules):
                load_chain(module, f"{kind}/{index if kind == 'experts' else f'task_{index}'}", parameters)

    def forward(self, x: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        experts = torch.stack([expert(x) for expert in self.experts], dim=1)
        losses = []
        for task, (gate, tower) in enumerate(zip(self.gates, self.towers)):
            weights = torch.softmax(gate(x), dim=1)
            mixed = (weights.unsqueeze(2) * experts).sum(dim=1)
            losses.append(self.loss(tower(mixed)[:, 0], labels[:, task]))
        return sum(losses)


def chain_module(widths: list[int], relu_on_last: bool) -> nn.Sequential:
    layers: list[nn.Module] = []
    for layer in range(len(widths) - 1):
        layers.append(nn.Linear(widths[layer], widths[layer + 1]))
        if relu_on_last or layer < len(widths) - 2:
            layers.append(nn.ReLU())
    return nn.Sequential(*layers)


def load_chain(module: nn.Sequential, prefix: str, parameters: Parameters) -> None:
    linears = [layer for layer in module if isinstance(layer, nn.Linear)]
    with torch.no_grad():
        for layer, linear in enumerate(linears):
            linear.weight.copy_(torch.from_numpy(parameters[f"{prefix}/layer_{layer}/weight"].T))
            linear.bias.copy_(torch.from_numpy(parameters[f"{prefix}/layer_{layer}/bias"]))


class BatchedMixture(nn.Module):
    """All first expert layers and all gates are one product; later expert layers and the towers are batched products."""

    def __init__(self, setup: Setup, parameters: Parameters, mix: str = "product"):
        super().__init__()
        self.setup, self.mix = setup, mix
        experts = [f"experts/{i}" for i in range(setup.experts)]
        gates = [f"gates/task_{t}" for t in range(setup.tasks)]
        towers = [f"towers/task_{t}" for t in range(setup.tasks)]

        def values(prefixes: list[str], layer: int, kind: str) -> list[torch.Tensor]:
            return [torch.from_numpy(parameters[f"{prefix}/layer_{layer}/{kind}"].copy()) for prefix in prefixes]

        def stacked(prefixes: list[str], layer: int) -> nn.ParameterList:
            weight, bias = torch.stack(values(prefixes, layer, "weight")), torch.stack(values(prefixes, layer, "bias"))
            return nn.ParameterList([nn.Parameter(weight), nn.Parameter(bias[:, None])])

        self.first_weight = nn.Parameter(torch.cat(values(experts + gates, 0, "weight"), dim=1))
        self.first_bias = nn.Parameter(torch.cat(values(experts + gates, 0, "bias")))
        self.deeper = nn.ModuleList(stacked(experts, layer) for layer in range(1, len(setup.expert_widths)))
        self.towers = nn.ModuleList(stacked(towers, layer) for layer in range(2))

    def forward(self, x: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        setup, rows = self.setup, x.shape[0]
        first = torch.addmm(self.first_bias, x, self.first_weight)
        split = setup.experts * setup.expert_widths[0]
        gates = torch.softmax(first[:, split:].view(rows, setup.tasks, setup.experts), dim=2)
        experts = torch.relu(first[:, :split]).view(rows, setup.experts, -1)
        if len(self.deeper) > 0:
            experts = experts.transpose(0, 1)
            for weight, bias in self.deeper:
                experts = torch.relu(torch.baddbmm(bias, experts, weight))
            experts = experts.transpose(0, 1)
        if self.mix == "product":
            mixed = torch.bmm(gates, experts)
        else:
            mixed = (gates.unsqueeze(3) * experts.unsqueeze(1)).sum(dim=2)
        (hidden_weight, hidden_bias), (weight, bias) = self.towers
        hidden = torch.relu(torch.baddbmm(hidden_bias, mixed.transpose(0, 1), hidden_weight))
        outputs = torch.baddbmm(bias, hidden, weight)[:, :, 0].t()
        if setup.loss == "mse":
            return ((outputs - labels) ** 2).mean(dim=0).sum()
        return nn.functional.binary_cross_entropy_with_logits(outputs, labels, reduction="none").mean(dim=0).sum()


EAGER = {
    "loop": lambda setup, parameters: LoopMixture(setup, parameters),
    "batched": lambda setup, parameters: BatchedMixture(setup, parameters),
    "batched_sum": lambda setup, parameters: BatchedMixture(setup, parameters, "sum"),
}
COMPILE_OPTIONS = {
    "default": {},
    "reduce_overhead": {"mode": "reduce-overhead"},
    "max_autotune": {"mode": "max-autotune"},
    "cpp_wrapper": {"options": {"cpp_wrapper": True}},
    "cpp_wrapper_max_autotune": {"options": {"cpp_wrapper": True, "max_autotune": True}},
}
COMPILED = [f"compiled_{form}.{mode}" for form in EAGER for mode in COMPILE_OPTIONS]
VARIANTS = [*EAGER, *COMPILED]


class Trainer:
    """A model from the stated initial weights, its optimiser, and one training step."""

    def __init__(self, setup: Setup, parameters: Parameters, variant: str):
        form, _, mode = variant.removeprefix("compiled_").partition(".")
        self.model = EAGER[form](setup, parameters)
        # The loop form takes the optimiser as the zoos create it; the others the fused one.
        fused = {} if variant == "loop" else {"fused": True}
        self.optimiser = torch.optim.Adam(self.model.parameters(), lr=setup.learning_rate, **fused)
        self.loss: Callable = self.model
        if mode:
            torch.compiler.reset()
            self.loss = torch.compile(self.model, fullgraph=True, dynamic=False, **COMPILE_OPTIONS[mode])

    def step(self, x: torch.Tensor, labels: torch.Tensor) -> None:
        self.optimiser.zero_grad(set_to_none=True)
        self.loss(x, labels).backward()
        self.optimiser.step()

    def loss_after(self, batches: list, steps: int) -> float:
        """Trains for so many steps from the first batch on; the loss of the first batch afterwards."""
        for index in range(steps):
            self.step(*batches[index % len(batches)])
        return self.loss(*batches[0]).item()


def run_variant(setup: Setup, parameters: Parameters, variant: str, batches: list, options, expected: float) -> None:
    start = time.perf_counter()
    trainer = Trainer(setup, parameters, variant)
    loss = trainer.loss_after(batches, common.CHECK_STEPS)
    first_seconds = time.perf_counter() - start
    common.check_answer(variant, loss, expected)
    rows = len(batches[0][0])
    timing = common.measure(lambda i: trainer.step(*batches[i % len(batches)]), options.repeats, options.seconds)
    common.emit(
        benchmark=setup.name,
        variant=variant,
        batch=rows,
        threads=options.threads,
        **timing.as_fields(rows),
        loss_after={"steps": common.CHECK_STEPS, "batch_0_loss": loss},
        seconds_to_start=first_seconds,
    )


def run(setup: Setup, options: argparse.Namespace) -> None:
    random = np.random.default_rng(setup.seed)
    parameters = draw_parameters(setup, random)
    inputs, labels = draw_data(setup, random)
    if options.dump:
        tensors = {f"initial/{path}": value for path, value in parameters.items()}
        tensors |= {f"labels/task_{task}": labels[:, task] for task in range(setup.tasks)}
        common.dump(options.dump, tensors | {"inputs": inputs})
        return
    for size in options.batches:
        batches = common.batches_of(size, torch.from_numpy(inputs), torch.from_numpy(labels))
        expected = Trainer(setup, parameters, "loop").loss_after(batches, common.CHECK_STEPS)
        for variant in options.variants:
            try:
                run_variant(setup, parameters, variant, batches, options, expected)
            except common.WrongAnswer:
                raise
            except Exception as error:  # a mode that this machine cannot compile is a result too
                common.emit(benchmark=setup.name, variant=variant, batch=size, error=str(error).splitlines()[0])
