"""HoME: experts in groups of tasks at layer 1 ("meta"), experts of tasks at layer 2 ("tasks"), feature gates and self gates."""

import torch
from parts import Pass, Shapes, Tensors, bank, bank_shapes, dense_chain, layer_shapes, mix, softmax_gate
from systems import System


class Home(System):
    def __init__(self, model: dict, tasks: list[str], inputs: int):
        super().__init__(model, tasks, inputs)
        self.groups = list(model["groups"])
        self.group_of = {task: group for group, members in model["groups"].items() for task in members}
        self.shared, self.per_group = model["shared_experts"], model["group_experts"]

    def banks(self, layer: str) -> dict[str, tuple[str, int, str]]:
        """The experts of a layer in the order of an unmasked gate: path -> (feature gate, count, vector they read)."""
        banks = {f"{layer}/shared_experts": (f"{layer}/shared_feature_gate", self.shared, "shared")}
        for group in self.groups:
            gate = f"{layer}/feature_gates/{group}"
            banks[f"{layer}/group_experts/{group}"] = (gate, self.per_group, group)
        if layer == "tasks":
            for task in self.tasks:
                gate = f"tasks/task_feature_gates/{task}"
                banks[f"tasks/task_experts/{task}"] = (gate, self.model["task_experts"], self.group_of[task])
        return banks

    def seen(self, layer: str, group: str, task: str = "") -> list[str]:
        """The banks that the gate of a group (layer 1) or of a task (layer 2) mixes."""
        if not self.model["mask"] or group == "shared":
            return list(self.banks(layer))
        own = [f"tasks/task_experts/{task}"] if task else []
        return [f"{layer}/shared_experts", f"{layer}/group_experts/{group}", *own]

    def has_feature_gate(self, layer: str) -> bool:
        return self.model["feature_gate"] and (layer == "meta" or self.model["layer_2_feature_gate"])

    @staticmethod
    def meta_name(kind: str, consumer: str) -> str:
        """kind: gate or self_gate."""
        return f"meta/shared_{kind}" if consumer == "shared" else f"meta/{kind}s/{consumer}"

    def feature_gate_shapes(self, prefix: str, width: int) -> Shapes:
        factors = self.model["feature_gate_factors"]
        rank = self.model["feature_gate_rank"] or width // factors
        shapes: Shapes = {f"{prefix}/mix/weight": (width, factors)}
        for index in range(factors):
            shapes |= {f"{prefix}/down/{index}": (width, rank), f"{prefix}/up/{index}": (rank, width)}
        return shapes

    def layer_bank_shapes(self, layer: str, inputs: int) -> Shapes:
        shapes: Shapes = {}
        for path, (gate, count, _) in self.banks(layer).items():
            shapes |= bank_shapes(path, count, inputs, self.expert)
            if self.has_feature_gate(layer):
                shapes |= self.feature_gate_shapes(gate, inputs)
        return shapes

    def gate_width(self, layer: str, group: str, task: str = "") -> int:
        banks = self.banks(layer)
        return sum(banks[path][1] for path in self.seen(layer, group, task))

    def shapes(self) -> Shapes:
        shapes = self.layer_bank_shapes("meta", self.inputs)
        for consumer in [*self.groups, "shared"]:
            shapes |= layer_shapes(self.meta_name("gate", consumer), [self.inputs, self.gate_width("meta", consumer)])
            if self.model["self_gate"]:
                count = self.shared if consumer == "shared" else self.per_group
                shapes |= layer_shapes(self.meta_name("self_gate", consumer), [self.inputs, count])
        shapes |= self.layer_bank_shapes("tasks", self.units[-1])
        for task in self.tasks:
            width = self.gate_width("tasks", self.group_of[task], task)
            shapes |= layer_shapes(f"tasks/gates/{task}", [2 * self.units[-1], width])
        return shapes

    def feature_gated(self, run: Pass, prefix: str, v: torch.Tensor) -> torch.Tensor:
        shares = torch.softmax(v @ run[f"{prefix}/mix/weight"], dim=1)
        factors = [
            2 * torch.sigmoid(v @ run[f"{prefix}/down/{index}"] @ run[f"{prefix}/up/{index}"])
            for index in range(self.model["feature_gate_factors"])
        ]
        return v * mix(shares, factors)

    def experts(self, run: Pass, layer: str, read: Tensors) -> dict[str, list[torch.Tensor]]:
        outputs = {}
        for path, (gate, count, source) in self.banks(layer).items():
            v = read[source]
            if self.has_feature_gate(layer):
                v = self.feature_gated(run, gate, v)
            outputs[path] = bank(run, path, count, v, self.expert)
        return outputs

    def self_gated(self, run: Pass, consumer: str, v: torch.Tensor, own: list[torch.Tensor]) -> torch.Tensor:
        logits = dense_chain(run, self.meta_name("self_gate", consumer), v, False)
        return mix(torch.sigmoid(logits) if len(own) == 1 else torch.softmax(logits, dim=1), own)

    def represent(self, run: Pass, x: torch.Tensor) -> Tensors:
        assert not self.model["layer_2_self_gate"]
        meta = self.experts(run, "meta", {name: x for name in [*self.groups, "shared"]})
        z = {}
        for consumer in [*self.groups, "shared"]:
            seen = [expert for path in self.seen("meta", consumer) for expert in meta[path]]
            z[consumer] = mix(softmax_gate(run, self.meta_name("gate", consumer), x), seen)
            if self.model["self_gate"]:
                own = "meta/shared_experts" if consumer == "shared" else f"meta/group_experts/{consumer}"
                z[consumer] = z[consumer] + self.self_gated(run, consumer, x, meta[own])
        experts, result = self.experts(run, "tasks", z), {}
        for task in self.tasks:
            group = self.group_of[task]
            weights = softmax_gate(run, f"tasks/gates/{task}", torch.cat([z[group], z["shared"]], dim=1))
            seen = [expert for path in self.seen("tasks", group, task) for expert in experts[path]]
            result[task] = mix(weights, seen)
        return result
