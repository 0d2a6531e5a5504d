"""A sparse mixture: 64 experts 256-256-128 (relu), one gate that keeps two per row, batch 4096, Adam 1e-3.

The gate is a softmax over the two largest of x W + b; the prediction is the mixture times a vector plus a bias, the loss the mean
squared error.

Variants: grouped (rows sorted by expert, one slice per expert, results added back by index), one_hot (rows brought to their
experts and back by products with one-hot matrices of a fixed capacity, experts as batched products), dense (all experts on all rows
as batched products). All use fused Adam.
"""

import common
import numpy as np
import torch
from torch import nn

INPUTS, WIDTHS, EXPERTS, KEPT, POOL, RATE, SEED = 256, (256, 128), 64, 2, 8192, 1e-3, 20180819
VARIANTS = ["grouped", "one_hot", "dense"]


def draw() -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    random = np.random.default_rng(SEED)

    def glorot(rows: int, columns: int) -> np.ndarray:
        limit = np.sqrt(6 / (rows + columns))
        return random.uniform(-limit, limit, (rows, columns)).astype(np.float32)

    parameters = {}
    for expert in range(EXPERTS):
        for layer, (rows, columns) in enumerate(zip((INPUTS, *WIDTHS), WIDTHS)):
            parameters[f"experts/{expert}/layer_{layer}/weight"] = glorot(rows, columns)
            parameters[f"experts/{expert}/layer_{layer}/bias"] = np.zeros(columns, np.float32)
    parameters["gates/task/layer_0/weight"] = glorot(INPUTS, EXPERTS)
    parameters["gates/task/layer_0/bias"] = np.zeros(EXPERTS, np.float32)
    parameters["tower/weight"] = glorot(WIDTHS[-1], 1)
    parameters["tower/bias"] = np.zeros(1, np.float32)
    inputs = random.standard_normal((POOL, INPUTS), np.float32)
    direction = random.standard_normal(INPUTS, np.float32) / np.float32(np.sqrt(INPUTS))
    return parameters, inputs, np.tanh(inputs @ direction).astype(np.float32)


def given_weights(skew: bool) -> np.ndarray:
    """Weights 1/2 for two different experts per row: even, or crowded (a quarter of the choices fall on a sixteenth)."""
    random = np.random.default_rng(SEED + 1)
    weights = np.zeros((POOL, EXPERTS), np.float32)
    for row in weights:
        while np.count_nonzero(row) < KEPT:
            row[min(EXPERTS - 1, int(EXPERTS * random.random() ** (2 if skew else 1)))] = 1 / KEPT
    return weights


class SparseMixture(nn.Module):
    def __init__(self, variant: str, parameters: dict[str, np.ndarray]):
        super().__init__()
        self.variant = variant

        def stacked(layer: int, kind: str) -> nn.Parameter:
            values = [torch.from_numpy(parameters[f"experts/{i}/layer_{layer}/{kind}"]) for i in range(EXPERTS)]
            return nn.Parameter(torch.stack(values).clone())

        self.weights = nn.ParameterList(stacked(layer, "weight") for layer in range(2))
        self.biases = nn.ParameterList(stacked(layer, "bias") for layer in range(2))
        for name, path in (("gate", "gates/task/layer_0"), ("tower", "tower")):
            for kind in ("weight", "bias"):
                self.register_parameter(f"{name}_{kind}", nn.Parameter(torch.from_numpy(parameters[f"{path}/{kind}"]).clone()))

    def expert(self, index: int, x: torch.Tensor) -> torch.Tensor:
        for weight, bias in zip(self.weights, self.biases):
            x = torch.relu(torch.addmm(bias[index], x, weight[index]))
        return x

    def all_experts(self, x: torch.Tensor) -> torch.Tensor:
        """x [experts, rows, inputs] -> [experts, rows, hidden]."""
        for weight, bias in zip(self.weights, self.biases):
            x = torch.relu(torch.baddbmm(bias[:, None], x, weight))
        return x

    def grouped(self, x: torch.Tensor, chosen: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
        order = chosen.reshape(-1).argsort(stable=True)
        rows = order // KEPT
        counts = torch.bincount(chosen.reshape(-1), minlength=EXPERTS).tolist()
        parts = x.index_select(0, rows).split(counts)
        outputs = torch.cat([self.expert(i, part) for i, part in enumerate(parts) if len(part) > 0])
        outputs = outputs * shares.reshape(-1)[order][:, None]
        return torch.zeros(len(x), WIDTHS[-1]).index_add(0, rows, outputs)

    def one_hot(self, x: torch.Tensor, chosen: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
        flat = chosen.t().reshape(-1)
        belongs = nn.functional.one_hot(flat, EXPERTS)
        place = (belongs.cumsum(0) * belongs).sum(1) - 1
        capacity = int(belongs.sum(0).max())
        slots = torch.zeros(KEPT * len(x), EXPERTS * capacity)
        slots[torch.arange(len(flat)), flat * capacity + place] = 1
        slots = slots.view(KEPT, len(x), -1)
        brought = (slots.sum(0).t() @ x).view(EXPERTS, capacity, INPUTS)
        back = (slots * shares.t()[:, :, None]).sum(0)
        return back @ self.all_experts(brought).reshape(EXPERTS * capacity, -1)

    def dense(self, x: torch.Tensor, chosen: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
        weights = torch.zeros(len(x), EXPERTS).scatter(1, chosen, shares)
        experts = self.all_experts(x.expand(EXPERTS, *x.shape))
        return torch.bmm(weights[:, None], experts.transpose(0, 1))[:, 0]

    def forward(self, x: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        logits = torch.addmm(self.gate_bias, x, self.gate_weight)
        kept, chosen = logits.topk(KEPT, dim=1)
        mixed = getattr(self, self.variant)(x, chosen, torch.softmax(kept, dim=1))
        return ((torch.addmm(self.tower_bias, mixed, self.tower_weight)[:, 0] - labels) ** 2).mean()


class Trainer:
    def __init__(self, variant: str, parameters: dict[str, np.ndarray]):
        self.model = SparseMixture(variant, parameters)
        self.optimiser = torch.optim.Adam(self.model.parameters(), lr=RATE, fused=True)

    def step(self, x: torch.Tensor, labels: torch.Tensor) -> None:
        self.optimiser.zero_grad(set_to_none=True)
        self.model(x, labels).backward()
        self.optimiser.step()

    def loss_after(self, batches: list, steps: int) -> float:
        for index in range(steps):
            self.step(*batches[index % len(batches)])
        return self.model(*batches[0]).item()


def main() -> None:
    options = common.parse_options(__doc__, [4096], VARIANTS)
    parameters, inputs, labels = draw()
    if options.dump:
        tensors = {f"initial/{path}": value for path, value in parameters.items()}
        given = {"weights/even": given_weights(False), "weights/crowded": given_weights(True)}
        common.dump(options.dump, tensors | given | {"inputs": inputs, "labels": labels})
        return
    for size in options.batches:
        batches = common.batches_of(size, torch.from_numpy(inputs), torch.from_numpy(labels))
        expected = Trainer("grouped", parameters).loss_after(batches, common.CHECK_STEPS)
        for variant in options.variants:
            trainer = Trainer(variant, parameters)
            # Twenty dense steps take a minute; three show whether the answer is the same.
            steps = 3 if variant == "dense" else common.CHECK_STEPS
            loss = trainer.loss_after(batches, steps)
            common.check_answer(variant, loss, expected if steps == common.CHECK_STEPS else
                                Trainer("grouped", parameters).loss_after(batches, steps))
            repeats = 1 if variant == "dense" else options.repeats
            timing = common.measure(lambda i: trainer.step(*batches[i % len(batches)]), repeats, options.seconds)
            common.emit(benchmark="sparse_mixture", variant=variant, batch=size, threads=options.threads,
                        **timing.as_fields(size), loss_after={"steps": steps, "batch_0_loss": loss})


if __name__ == "__main__":
    main()
