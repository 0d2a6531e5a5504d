"""The systems: what each task's tower reads, from the input x = concat(numeric, embeddings).

A system gives its shapes in the order in which initial values are drawn, and `represent` gives [rows, width] per task.
"""

import itertools

import torch
from gates import GATES
from parts import (
    Pass, Shapes, Tensors, bank, bank_shapes, dense_chain, expert_output, layer_shapes, mix, softmax_gate,
)


class System:
    def __init__(self, model: dict, tasks: list[str], inputs: int):
        self.model, self.tasks, self.inputs = model, tasks, inputs
        self.expert = model.get("expert", {})
        self.units = self.expert.get("units", [])
        self.tower_inputs = self.units[-1] if self.units else inputs

    def shapes(self) -> Shapes:
        raise NotImplementedError

    def states(self) -> Shapes:
        return {}

    def represent(self, run: Pass, x: torch.Tensor) -> Tensors:
        raise NotImplementedError

    def finish(self, run: Pass, outputs: Tensors) -> Tensors:
        """What becomes of the towers' outputs."""
        return outputs


class Linear(System):
    """Nothing below the towers, which are one linear layer each."""

    def shapes(self) -> Shapes:
        return {}

    def represent(self, run: Pass, x: torch.Tensor) -> Tensors:
        return {task: x for task in self.tasks}


class SingleTask(System):
    def shapes(self) -> Shapes:
        shapes: Shapes = {}
        for task in self.tasks:
            shapes |= layer_shapes(f"bottoms/{task}", [self.inputs, *self.units])
        return shapes

    def represent(self, run: Pass, x: torch.Tensor) -> Tensors:
        return {task: dense_chain(run, f"bottoms/{task}", x, True) for task in self.tasks}


class SharedBottom(System):
    def shapes(self) -> Shapes:
        return layer_shapes("bottom", [self.inputs, *self.units])

    def represent(self, run: Pass, x: torch.Tensor) -> Tensors:
        shared = dense_chain(run, "bottom", x, True)
        return {task: shared for task in self.tasks}


class Mmoe(System):
    def __init__(self, model: dict, tasks: list[str], inputs: int):
        super().__init__(model, tasks, inputs)
        options = model.get("gate", {})
        self.bottom = model.get("bottom", [])
        self.read = [inputs, *self.bottom][-1]
        self.gate = GATES[options.get("type", "softmax")](options, self.consumers(), self.read, model["experts"])

    def consumers(self) -> list[str]:
        return self.tasks

    def shapes(self) -> Shapes:
        plain = layer_shapes("bottom", [self.inputs, *self.bottom]) if self.bottom else {}
        return plain | bank_shapes("experts", self.model["experts"], self.read, self.expert) | self.gate.shapes()

    def states(self) -> Shapes:
        return self.gate.states()

    def represent(self, run: Pass, x: torch.Tensor) -> Tensors:
        if self.bottom:
            x = dense_chain(run, "bottom", x, True)
        experts = bank(run, "experts", self.model["experts"], x, self.expert)
        mixed = {name: mix(weights, experts) for name, weights in self.gate.weights(run, x).items()}
        return {task: mixed.get(task, mixed.get("shared")) for task in self.tasks}


class Omoe(Mmoe):
    def consumers(self) -> list[str]:
        return ["shared"]


class MmoeInLevels(System):
    """Every expert above the first level reads a mix of the level below by a gate of its own; tasks mix the last level.

    Gates above the first level read the features, or the mean of what the experts of their level read.
    """

    def gates(self, level: int) -> list[str]:
        is_last = level == self.model["levels"] - 1
        names = self.tasks if is_last else [str(index) for index in range(self.model["experts"])]
        return [f"levels/{level}/gates/{name}" for name in names]

    def shapes(self) -> Shapes:
        shapes, inputs, count = {}, self.inputs, self.model["experts"]
        for level in range(self.model["levels"]):
            shapes |= bank_shapes(f"levels/{level}/experts", count, inputs, self.expert)
            inputs = self.units[-1]
            reads_experts = level > 0 and self.model["upper_gates_read"] == "experts"
            for gate in self.gates(level):
                shapes |= layer_shapes(gate, [inputs if reads_experts else self.inputs, count])
        return shapes

    def represent(self, run: Pass, x: torch.Tensor) -> Tensors:
        below, selector = [x] * self.model["experts"], x
        for level in range(self.model["levels"]):
            if level > 0 and self.model["upper_gates_read"] == "experts":
                selector = torch.stack(below).mean(dim=0)
            prefix = f"levels/{level}/experts"
            experts = [expert_output(run, f"{prefix}/{i}", value, self.expert) for i, value in enumerate(below)]
            below = [mix(softmax_gate(run, gate, selector), experts) for gate in self.gates(level)]
        return dict(zip(self.tasks, below, strict=True))


class L2Constrained(SingleTask):
    """alpha * sum over pairs of tasks of the squared distance of their networks, tensor by tensor."""

    def represent(self, run: Pass, x: torch.Tensor) -> Tensors:
        distance = torch.zeros((), dtype=x.dtype)
        for kind in ("bottoms", "towers") if self.model["tie_towers"] else ("bottoms",):
            for first, second in itertools.combinations(self.tasks, 2):
                prefix = f"{kind}/{first}/"
                for path in [path for path in run.parameters if path.startswith(prefix)]:
                    a, b = run[path], run[f"{kind}/{second}/" + path.removeprefix(prefix)]
                    if a.shape == b.shape:
                        distance = distance + ((a - b) ** 2).sum()
        run.penalties["l2_constraint"] = self.model["alpha"] * distance
        return super().represent(run, x)


class CrossStitch(SingleTask):
    def stitched_layers(self) -> list[int]:
        return self.model.get("stitched_layers", list(range(len(self.units))))

    def shapes(self) -> Shapes:
        shapes, count = super().shapes(), len(self.tasks)
        for layer in self.stitched_layers():
            channels = (self.units[layer],) if self.model.get("per_channel", False) else ()
            shapes[f"stitches/layer_{layer}"] = (count, count, *channels)
        return shapes

    def represent(self, run: Pass, x: torch.Tensor) -> Tensors:
        values = [x] * len(self.tasks)
        for layer in range(len(self.units)):
            for k, task in enumerate(self.tasks):
                prefix = f"bottoms/{task}/layer_{layer}"
                values[k] = torch.relu(values[k] @ run[f"{prefix}/weight"] + run[f"{prefix}/bias"])
            if layer in self.stitched_layers():
                unit = run[f"stitches/layer_{layer}"]
                values = [sum(unit[j, k] * value for k, value in enumerate(values)) for j in range(len(values))]
        return dict(zip(self.tasks, values))


class TensorFactorization(System):
    """W_t = sum of core (a, b, c) * tasks (t, c) * inputs (:, a) outer outputs (:, b)."""

    def shapes(self) -> Shapes:
        shapes, inputs = {}, self.inputs
        for layer, outputs in enumerate(self.units):
            a, b = min(self.model["rank_in"], inputs), min(self.model["rank_out"], outputs)
            c = min(self.model["rank_tasks"], len(self.tasks))
            prefix = f"layers/{layer}"
            shapes |= {f"{prefix}/core": (a, b, c), f"{prefix}/inputs": (inputs, a), f"{prefix}/outputs": (outputs, b)}
            shapes |= {f"{prefix}/tasks": (len(self.tasks), c)}
            shapes |= {f"{prefix}/bias/{task}": (outputs,) for task in self.tasks}
            inputs = outputs
        return shapes

    def represent(self, run: Pass, x: torch.Tensor) -> Tensors:
        values = {task: x for task in self.tasks}
        for layer in range(len(self.units)):
            prefix = f"layers/{layer}"
            factors = (run[f"{prefix}/{part}"] for part in ("core", "tasks", "inputs", "outputs"))
            weights = torch.einsum("abc,tc,ma,nb->tmn", *factors)
            for t, task in enumerate(self.tasks):
                values[task] = torch.relu(values[task] @ weights[t] + run[f"{prefix}/bias/{task}"])
        return values


class Cgc(System):
    def shapes(self) -> Shapes:
        shared, own = self.model["shared_experts"], self.model["task_experts"]
        shapes = bank_shapes("shared_experts", shared, self.inputs, self.expert)
        for task in self.tasks:
            shapes |= bank_shapes(f"task_experts/{task}", own, self.inputs, self.expert)
        for task in self.tasks:
            shapes |= layer_shapes(f"gates/{task}", [self.inputs, own + shared])
        return shapes

    def represent(self, run: Pass, x: torch.Tensor) -> Tensors:
        shared = bank(run, "shared_experts", self.model["shared_experts"], x, self.expert)
        mixed = {}
        for task in self.tasks:
            own = bank(run, f"task_experts/{task}", self.model["task_experts"], x, self.expert)
            mixed[task] = mix(softmax_gate(run, f"gates/{task}", x), own + shared)
        return mixed


class Levels(System):
    """Levels of experts in groups, one per task and a shared one (None); each group hands a vector to its own next level."""

    def groups(self) -> list[str | None]:
        return [*self.tasks, None] if self.model.get("shared_experts", 0) else list(self.tasks)

    def count(self, group: str | None) -> int:
        return self.model["shared_experts"] if group is None else self.model["task_experts"]

    def name(self, level: int, kind: str, group: str | None) -> str:
        """kind: experts, gates or native."""
        if kind == "experts":
            return f"levels/{level}/" + ("shared_experts" if group is None else f"task_experts/{group}")
        return f"levels/{level}/" + (f"shared_{kind.removesuffix('s')}" if group is None else f"{kind}/{group}")

    def consumers(self, level: int) -> list[str | None]:
        """Groups that mix experts at this level: the shared one only hands on."""
        return list(self.tasks) if level == self.model["levels"] - 1 else self.groups()

    def seen(self, consumer: str | None) -> list[str | None]:
        """The groups whose experts a gate mixes, in the order of its logits."""
        return self.groups()

    def own_path_shapes(self, level: int, consumer: str | None) -> Shapes:
        return {}

    def own_path(self, run: Pass, level: int, consumer: str | None, own: list[torch.Tensor]) -> torch.Tensor | float:
        return 0.0

    def shapes(self) -> Shapes:
        shapes, inputs = {}, self.inputs
        for level in range(self.model["levels"]):
            for group in self.groups():
                shapes |= bank_shapes(self.name(level, "experts", group), self.count(group), inputs, self.expert)
            for consumer in self.consumers(level):
                experts = sum(self.count(group) for group in self.seen(consumer))
                shapes |= layer_shapes(self.name(level, "gates", consumer), [inputs, experts])
                shapes |= self.own_path_shapes(level, consumer)
            inputs = self.units[-1]
        return shapes

    def represent(self, run: Pass, x: torch.Tensor) -> Tensors:
        below = {group: x for group in self.groups()}
        for level in range(self.model["levels"]):
            experts = {
                group: bank(run, self.name(level, "experts", group), self.count(group), value, self.expert)
                for group, value in below.items()
            }
            above = {}
            for consumer in self.consumers(level):
                weights = softmax_gate(run, self.name(level, "gates", consumer), below[consumer])
                seen = [expert for group in self.seen(consumer) for expert in experts[group]]
                above[consumer] = mix(weights, seen) + self.own_path(run, level, consumer, experts[consumer])
            below = above
        return {task: below[task] for task in self.tasks}


class Ple(Levels):
    def seen(self, consumer: str | None) -> list[str | None]:
        return self.groups() if consumer is None else [consumer, None]


class Adatt(Levels):
    """Beside the gate, every unit adds its native experts by learned weights; a lone expert has weight 1."""

    def own_path_shapes(self, level: int, consumer: str | None) -> Shapes:
        count = self.count(consumer)
        return {} if count == 1 else {self.name(level, "native", consumer): (count,)}

    def own_path(self, run: Pass, level: int, consumer: str | None, own: list[torch.Tensor]) -> torch.Tensor | float:
        return own[0] if len(own) == 1 else mix(run[self.name(level, "native", consumer)], own)


class Esmm(SingleTask):
    """A task's probability is the product of the conditional ones of its chain up to it; its output is that logit."""

    def finish(self, run: Pass, outputs: Tensors) -> Tensors:
        result, probability = {}, torch.ones(())
        for task in self.model.get("chain", self.tasks):
            probability = probability * torch.sigmoid(outputs[task])
            run.probabilities[task] = probability
            result[task] = torch.log(probability) - torch.log(1 - probability)
        return {task: result[task] for task in self.tasks}


class Aitm(SingleTask):
    """Each task after the first attends over its own vector and what the task before hands on."""

    def shapes(self) -> Shapes:
        shapes, width = super().shapes(), self.units[-1]
        for task in self.tasks[1:]:
            shapes[f"transfers/{task}/information/weight"] = (width, width)
            shapes[f"transfers/{task}/information/bias"] = (width,)
            shapes |= {f"transfers/{task}/{part}": (width, width) for part in ("value", "key", "query")}
        return shapes

    def represent(self, run: Pass, x: torch.Tensor) -> Tensors:
        own = super().represent(run, x)
        result = {self.tasks[0]: own[self.tasks[0]]}
        for before, task in zip(self.tasks, self.tasks[1:]):
            prefix = f"transfers/{task}"
            information = result[before] @ run[f"{prefix}/information/weight"] + run[f"{prefix}/information/bias"]
            heard = [torch.relu(information), own[task]]
            products = [((u @ run[f"{prefix}/key"]) * (u @ run[f"{prefix}/query"])).sum(dim=1) for u in heard]
            weights = torch.softmax(torch.stack(products, dim=1) / self.units[-1] ** 0.5, dim=1)
            result[task] = mix(weights, [u @ run[f"{prefix}/value"] for u in heard])
        return result

    def finish(self, run: Pass, outputs: Tensors) -> Tensors:
        probabilities = [torch.sigmoid(outputs[task][:, 0]) for task in self.tasks]
        excess = [torch.clamp(after - before, min=0) for before, after in zip(probabilities, probabilities[1:])]
        run.penalties["calibrator"] = self.model.get("calibrator", 0.6) * torch.stack(excess).sum(dim=0).mean()
        return outputs


SYSTEMS = {
    "linear": Linear,
    "single_task": SingleTask,
    "shared_bottom": SharedBottom,
    "omoe": Omoe,
    "mmoe": Mmoe,
    "l2_constrained": L2Constrained,
    "cross_stitch": CrossStitch,
    "tensor_factorization": TensorFactorization,
    "cgc": Cgc,
    "ple": Ple,
    "adatt": Adatt,
    "adatt_sp": Adatt,
    "esmm": Esmm,
    "aitm": Aitm,
}
