"""Gates of a mixture in which every task sees every expert: logits or codes in, weights [rows, experts] out, one gate per task.

Counts of kept experts, sums and means run over all rows of the batch, whatever their weights and labels.
"""

import math

import torch
from parts import Pass, Shapes, Tensors, dense_chain, layer_shapes


def kept(scores: torch.Tensor, k: int, run: Pass) -> torch.Tensor:
    """1 where a row's score is among its k largest, else 0."""
    ordered = scores.detach().sort(dim=1, descending=True).values
    if k < scores.shape[1]:
        run.margins.append((ordered[:, k - 1] - ordered[:, k]).min().item())
    return torch.zeros_like(scores.detach()).scatter(1, scores.topk(k, dim=1).indices, 1.0)


def softmax_over(logits: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
    return torch.softmax(logits.masked_fill(chosen == 0, -math.inf), dim=1)


def squared_variation(load: torch.Tensor) -> torch.Tensor:
    mean = load.mean()
    return ((load - mean) ** 2).mean() / (mean**2 + 1e-10)


def balance_loss(probabilities: torch.Tensor, chosen: torch.Tensor, k: int) -> torch.Tensor:
    """n * sum_e f_e P_e: f the share of the choices that fell on e, P the mean of the full softmax."""
    share = chosen.mean(dim=0) / k
    return probabilities.shape[1] * (share.detach() * probabilities.mean(dim=0)).sum()


def mean_of(values: list[torch.Tensor]) -> torch.Tensor:
    return torch.stack(values).mean()


class Gate:
    """Softmax over all experts; the other kinds change the shapes or what becomes of the logits."""

    has_bias = True

    def __init__(self, options: dict, tasks: list[str], inputs: int, experts: int):
        self.options, self.tasks, self.inputs, self.experts = options, tasks, inputs, experts

    def shapes(self) -> Shapes:
        shapes: Shapes = {}
        widths = [self.inputs, *self.options.get("hidden", []), self.experts]
        for task in self.tasks:
            shapes |= layer_shapes(f"gates/{task}", widths, self.options.get("bias", self.has_bias))
        return shapes

    def states(self) -> Shapes:
        return {}

    def logits(self, run: Pass, x: torch.Tensor) -> Tensors:
        return {task: dense_chain(run, f"gates/{task}", x, False) for task in self.tasks}

    def weights(self, run: Pass, x: torch.Tensor) -> Tensors:
        return {task: torch.softmax(logits, dim=1) for task, logits in self.logits(run, x).items()}


class Sigmoid(Gate):
    def weights(self, run: Pass, x: torch.Tensor) -> Tensors:
        weights = {task: torch.sigmoid(logits) for task, logits in self.logits(run, x).items()}
        if self.options.get("normalise", False):
            weights = {task: value / value.sum(dim=1, keepdim=True) for task, value in weights.items()}
        return weights


class TopK(Gate):
    def shapes(self) -> Shapes:
        if self.options.get("per_example", True):
            return super().shapes()
        return {f"gates/{task}/logits": (self.experts,) for task in self.tasks}

    def logits(self, run: Pass, x: torch.Tensor) -> Tensors:
        if self.options.get("per_example", True):
            return super().logits(run, x)
        return {task: run[f"gates/{task}/logits"].expand(x.shape[0], -1) for task in self.tasks}

    def weights(self, run: Pass, x: torch.Tensor) -> Tensors:
        k = self.options["k"]
        return {task: softmax_over(logits, kept(logits, k, run)) for task, logits in self.logits(run, x).items()}


class NoisyTopK(TopK):
    """Without noise, as written here, the load is a count and gives no gradient."""

    has_bias = False

    def weights(self, run: Pass, x: torch.Tensor) -> Tensors:
        assert not self.options["noise"]
        weights = super().weights(run, x)
        importance = [squared_variation(value.sum(dim=0)) for value in weights.values()]
        load = [squared_variation((value > 0).to(x.dtype).sum(dim=0)) for value in weights.values()]
        run.penalties["importance"] = self.options["importance_weight"] * mean_of(importance)
        run.penalties["load"] = self.options["load_weight"] * mean_of(load)
        return weights


class Switch(Gate):
    has_bias = False

    def weights(self, run: Pass, x: torch.Tensor) -> Tensors:
        assert self.options["jitter"] == 0
        weights, losses = {}, []
        for task, logits in self.logits(run, x).items():
            probabilities, chosen = torch.softmax(logits, dim=1), kept(logits, 1, run)
            weights[task] = probabilities * chosen
            losses.append(balance_loss(probabilities, chosen, 1))
        run.penalties["balance"] = self.options["balance_weight"] * mean_of(losses)
        return weights


class BiasBalanced(Gate):
    has_bias = False

    def states(self) -> Shapes:
        return {f"gates/{task}/balance": (self.experts,) for task in self.tasks}

    def weights(self, run: Pass, x: torch.Tensor) -> Tensors:
        weights = {}
        for task, logits in self.logits(run, x).items():
            path = f"gates/{task}/balance"
            scores = torch.sigmoid(logits)
            chosen = kept(scores + run.state[path], self.options["k"], run)
            weights[task] = scores * chosen
            if self.options["renormalise"]:
                weights[task] = weights[task] / weights[task].sum(dim=1, keepdim=True)
            counts = chosen.sum(dim=0)
            if run.is_training:
                step = self.options["update_rate"] * torch.sign(counts.mean() - counts)
                run.new_state[path] = run.state[path] + step
        return weights


def smooth_step(t: torch.Tensor, gamma: float) -> torch.Tensor:
    ramp = -2 * t**3 / gamma**3 + 3 * t / (2 * gamma) + 0.5
    return torch.where(t <= -gamma / 2, torch.zeros_like(t), torch.where(t >= gamma / 2, torch.ones_like(t), ramp))


class DSelectK(Gate):
    """k selectors a gate. Static: codes and mixture are parameters; per example: affine in x."""

    def __init__(self, options: dict, tasks: list[str], inputs: int, experts: int):
        super().__init__(options, tasks, inputs, experts)
        self.bits = math.ceil(math.log2(experts))

    def shapes(self) -> Shapes:
        k, shapes = self.options["k"], {}
        for task in self.tasks:
            if self.options["per_example"]:
                for part, width in (("codes", k * self.bits), ("mixture", k)):
                    shapes[f"gates/{task}/{part}/weight"] = (self.inputs, width)
                    shapes[f"gates/{task}/{part}/bias"] = (width,)
            else:
                shapes[f"gates/{task}/codes"] = (k, self.bits)
                shapes[f"gates/{task}/mixture"] = (k,)
        return shapes

    def selectors(self, codes: torch.Tensor) -> torch.Tensor:
        """codes [rows, k, bits] -> [rows, k, experts]; the first bit of an expert's index is its highest."""
        step = smooth_step(codes, self.options["gamma"])
        columns = []
        for expert in range(self.experts):
            value = torch.ones_like(step[:, :, 0])
            for place in range(self.bits):
                is_set = (expert >> (self.bits - 1 - place)) & 1
                value = value * (step[:, :, place] if is_set else 1 - step[:, :, place])
            columns.append(value)
        return torch.stack(columns, dim=2)

    def weights(self, run: Pass, x: torch.Tensor) -> Tensors:
        k, weights, entropy, reachability = self.options["k"], {}, [], []
        for task in self.tasks:
            prefix = f"gates/{task}"
            if self.options["per_example"]:
                codes = (x @ run[f"{prefix}/codes/weight"] + run[f"{prefix}/codes/bias"]).view(-1, k, self.bits)
                mixture = x @ run[f"{prefix}/mixture/weight"] + run[f"{prefix}/mixture/bias"]
            else:
                codes, mixture = run[f"{prefix}/codes"].unsqueeze(0), run[f"{prefix}/mixture"].unsqueeze(0)
            r = self.selectors(codes)
            q = (torch.softmax(mixture, dim=1).unsqueeze(2) * r).sum(dim=1)
            weights[task] = q.expand(x.shape[0], -1)
            entropy.append(-(r * torch.log(r + 1e-6)).sum(dim=(1, 2)).mean())
            reachability.append((1 / r.sum(dim=2)).sum(dim=1).mean())
        run.penalties["entropy"] = self.options["entropy_weight"] * torch.stack(entropy).sum()
        if self.experts != 2**self.bits:
            run.penalties["reachability"] = torch.stack(reachability).sum()
        return weights


class TaskAware(Gate):
    """The five forms differ in what the logits read; then top-k, softmax over the kept, and one balance loss of all tasks:
    shares and probabilities are averaged over tasks before they are multiplied."""

    def shapes(self) -> Shapes:
        form, width = self.options["form"], self.options.get("embedding_width", 0)
        if form == "per_task":
            return {f"gates/{task}/weight": (self.inputs, self.experts) for task in self.tasks}
        rows = {"task_embedding": self.inputs + width, "task_only": width}.get(form, self.inputs)
        shapes: Shapes = {"gates_shared/weight": (rows, self.experts)}
        if form in ("task_embedding", "task_only"):
            shapes |= {f"gates/{task}/embedding": (width,) for task in self.tasks}
        if form == "additive":
            shapes |= {f"gates/{task}/bias": (self.experts,) for task in self.tasks}
        return shapes

    def task_logits(self, run: Pass, x: torch.Tensor, task: str) -> torch.Tensor:
        form = self.options["form"]
        if form == "per_task":
            return x @ run[f"gates/{task}/weight"]
        shared = run["gates_shared/weight"]
        if form == "agnostic":
            return x @ shared
        if form == "additive":
            return x @ shared + run[f"gates/{task}/bias"]
        embedding = run[f"gates/{task}/embedding"].expand(x.shape[0], -1)
        return (embedding if form == "task_only" else torch.cat([x, embedding], dim=1)) @ shared

    def weights(self, run: Pass, x: torch.Tensor) -> Tensors:
        k, weights, masks, probabilities = self.options["k"], {}, [], []
        for task in self.tasks:
            logits = self.task_logits(run, x, task)
            masks.append(kept(logits, k, run))
            weights[task] = softmax_over(logits, masks[-1])
            probabilities.append(torch.softmax(logits, dim=1))
        balance = balance_loss(torch.cat(probabilities), torch.cat(masks), k)
        run.penalties["balance"] = self.options["balance_weight"] * balance
        return weights


GATES = {
    "softmax": Gate,
    "sigmoid": Sigmoid,
    "top_k": TopK,
    "noisy_top_k": NoisyTopK,
    "switch": Switch,
    "bias_balanced": BiasBalanced,
    "dselect_k": DSelectK,
    "task_aware": TaskAware,
}
