"""Embedding look-ups and their sparse Adagrad: 26 columns x 4096 rows, width 16, one million table rows in all.

A row's prediction is the concatenation of its 26 embeddings times a fixed vector; the loss is the mean squared error
against random targets; only the tables learn (Adagrad, rate 0.05). Ids are uniform, or Zipf-like with exponent 1.05.

Variants: columns (nn.Embedding(sparse=True) per column, as the zoos have it), bags (nn.EmbeddingBag(sparse=True) per column),
one_table and one_bag_table (all columns in one table by offset), dense_gradients (nn.Embedding per column with the zoos'
default dense gradients and torch.optim.Adagrad over the whole tables).
"""

import common
import numpy as np
import torch
from torch import nn

COLUMNS, TABLE_ROWS, WIDTH, BATCHES = 26, 38461, 16, 8
RATE, ZIPF_EXPONENT, SEED = 0.05, 1.05, 20180819
VARIANTS = ["columns", "bags", "one_table", "one_bag_table", "dense_gradients"]


def draw_ids(distribution: str, rows: int, random: np.random.Generator) -> np.ndarray:
    """[rows, columns]; Zipf-like: id r has probability proportional to (r + 1)^-1.05, by the inverse of its sum."""
    if distribution == "uniform":
        return random.integers(0, TABLE_ROWS, (rows, COLUMNS))
    cumulative = np.cumsum(np.arange(1, TABLE_ROWS + 1, dtype=np.float64) ** -ZIPF_EXPONENT)
    return np.searchsorted(cumulative, random.random((rows, COLUMNS)) * cumulative[-1])


class PerColumn(nn.Module):
    def __init__(self, tables: np.ndarray, bags: bool, sparse: bool):
        super().__init__()
        self.bags = bags
        kind = nn.EmbeddingBag if bags else nn.Embedding
        options = {"mode": "sum"} if bags else {}
        weights = [torch.from_numpy(table.copy()) for table in tables]
        self.tables = nn.ModuleList(
            kind.from_pretrained(weight, freeze=False, sparse=sparse, **options) for weight in weights
        )

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        columns = ids.t()
        if self.bags:
            return torch.cat([table(column[:, None]) for table, column in zip(self.tables, columns)], dim=1)
        return torch.cat([table(column) for table, column in zip(self.tables, columns)], dim=1)


class OneTable(nn.Module):
    def __init__(self, tables: np.ndarray, bags: bool):
        super().__init__()
        self.bags = bags
        weight = torch.from_numpy(tables.reshape(-1, WIDTH).copy())
        kind, options = (nn.EmbeddingBag, {"mode": "sum"}) if bags else (nn.Embedding, {})
        self.table = kind.from_pretrained(weight, freeze=False, sparse=True, **options)
        self.register_buffer("offsets", torch.arange(COLUMNS) * TABLE_ROWS)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        shifted = ids + self.offsets
        found = self.table(shifted.view(-1, 1) if self.bags else shifted)
        return found.view(len(ids), COLUMNS * WIDTH)


def make_model(variant: str, tables: np.ndarray) -> nn.Module:
    if variant in ("one_table", "one_bag_table"):
        return OneTable(tables, bags=variant == "one_bag_table")
    return PerColumn(tables, bags=variant == "bags", sparse=variant != "dense_gradients")


class Trainer:
    def __init__(self, variant: str, data: dict[str, np.ndarray]):
        self.model = make_model(variant, data["tables"])
        self.vector = torch.from_numpy(data["vector"])
        self.optimiser = torch.optim.Adagrad(self.model.parameters(), lr=RATE)

    def loss(self, ids: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return ((self.model(ids) @ self.vector - labels) ** 2).mean()

    def step(self, ids: torch.Tensor, labels: torch.Tensor) -> None:
        self.optimiser.zero_grad(set_to_none=True)
        self.loss(ids, labels).backward()
        self.optimiser.step()

    def loss_after(self, batches: list, steps: int) -> float:
        for index in range(steps):
            self.step(*batches[index % len(batches)])
        with torch.no_grad():
            return self.loss(*batches[0]).item()


def draw(rows: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(SEED)
    tables = 0.01 * random.standard_normal((COLUMNS, TABLE_ROWS, WIDTH), dtype=np.float32)
    return {
        "tables": tables.astype(np.float32),
        "vector": random.standard_normal(COLUMNS * WIDTH, dtype=np.float32),
        "labels": random.standard_normal(BATCHES * rows, dtype=np.float32),
        "ids/uniform": draw_ids("uniform", BATCHES * rows, random),
        "ids/zipf": draw_ids("zipf", BATCHES * rows, random),
    }


def run_variant(variant: str, distribution: str, rows: int, data: dict, options, expected: float) -> None:
    ids, labels = torch.from_numpy(data[f"ids/{distribution}"]), torch.from_numpy(data["labels"])
    batches = common.batches_of(rows, ids, labels)
    trainer = Trainer(variant, data)
    loss = trainer.loss_after(batches, common.CHECK_STEPS)
    common.check_answer(variant, loss, expected)
    timing = common.measure(lambda i: trainer.step(*batches[i % len(batches)]), options.repeats, options.seconds)
    fields = timing.as_fields(rows)
    common.emit(
        benchmark="embeddings",
        variant=variant,
        ids=distribution,
        batch=rows,
        threads=options.threads,
        **fields,
        lookups_per_second=COLUMNS * fields["rows_per_second"],
        loss_after={"steps": common.CHECK_STEPS, "batch_0_loss": loss},
    )


def main() -> None:
    options = common.parse_options(__doc__, [4096], VARIANTS)
    for rows in options.batches:
        data = draw(rows)
        if options.dump:
            tables = data.pop("tables")
            common.dump(options.dump, data | {f"initial/embeddings/column_{c}": tables[c] for c in range(COLUMNS)})
            return
        for distribution in ("uniform", "zipf"):
            ids, labels = torch.from_numpy(data[f"ids/{distribution}"]), torch.from_numpy(data["labels"])
            expected = Trainer("columns", data).loss_after(common.batches_of(rows, ids, labels), common.CHECK_STEPS)
            for variant in options.variants:
                run_variant(variant, distribution, rows, data, options, expected)


if __name__ == "__main__":
    main()
