"""torch-rechub's own MMoE, data loader and trainer on census-income: one epoch, as its users run it.

8 experts of 16, embeddings of 4 for every category column, seven numbers, towers of 8, batch 1024, Adam 1e-3. Tasks:
income above 50K and never married; education and marital_stat are no features. The script encodes the table (not
timed), then times `MTLTrainer.train_one_epoch` over `DataGenerator`'s shuffled loader, the loader alone, and the same
trainer fed with batches collated beforehand, which is what is left without the loader.

    python census_rechub.py DATA_DIRECTORY [--threads 1] [--repeats 1] [--rows 199523]
"""

import argparse
import contextlib
import io
import pathlib
import statistics
import time

import common
import numpy as np
import pandas as pd
import torch
from torch_rechub.basic.features import DenseFeature, SparseFeature
from torch_rechub.models.multi_task import MMOE
from torch_rechub.trainers import MTLTrainer
from torch_rechub.utils.data import DataGenerator

NUMERIC_COLUMNS = [
    "age",
    "wage_per_hour",
    "capital_gains",
    "capital_losses",
    "dividends_from_stocks",
    "num_persons_worked_for_employer",
    "weeks_worked_in_year",
]
NOT_FEATURES = ["income", "marital_stat", "education"]
BATCH, SEED = 1024, 20180819


def encode(data: pathlib.Path, rows: int) -> tuple[dict[str, dict[str, np.ndarray]], dict[str, np.ndarray], dict[str, int]]:
    """Columns and labels of train and test, and the vocabulary size of every category column (0: unseen level)."""
    tables = {
        part: pd.read_csv(data / f"census_income_{part}.csv.xz", dtype=str, keep_default_na=False).iloc[:rows]
        for part in ("train", "test")
    }
    columns: dict[str, dict[str, np.ndarray]] = {part: {} for part in tables}
    vocabularies: dict[str, int] = {}
    for name in tables["train"].columns:
        if name in NOT_FEATURES:
            continue
        if name in NUMERIC_COLUMNS:
            numbers = {part: table[name].to_numpy(np.float32) for part, table in tables.items()}
            mean, deviation = numbers["train"].mean(), numbers["train"].std() + 1e-6
            encoded = {part: (values - mean) / deviation for part, values in numbers.items()}
        else:
            levels = pd.Index(sorted(tables["train"][name].unique()))
            encoded = {part: levels.get_indexer(table[name]) + 1 for part, table in tables.items()}
            vocabularies[name] = len(levels) + 1
        for part in tables:
            columns[part][name] = encoded[part]
    labels = {part: labels_of(table) for part, table in tables.items()}
    return columns, labels, vocabularies


def labels_of(table: pd.DataFrame) -> np.ndarray:
    income, married = table["income"] == "50000+.", table["marital_stat"] == "Never married"
    return np.stack([income.to_numpy(np.float32), married.to_numpy(np.float32)], axis=1)


def make_trainer(vocabularies: dict[str, int]) -> MTLTrainer:
    torch.manual_seed(SEED)
    features = [DenseFeature(name) for name in NUMERIC_COLUMNS]
    features += [SparseFeature(name, vocab_size=size, embed_dim=4) for name, size in vocabularies.items()]
    task_types = ["classification", "classification"]
    model = MMOE(features, task_types, 8, expert_params={"dims": [16]}, tower_params_list=[{"dims": [8]}] * 2)
    return MTLTrainer(model, task_types, optimizer_params={"lr": 1e-3}, n_epoch=1)


def quiet_epoch(trainer: MTLTrainer, loader) -> tuple[float, list[float]]:
    """Seconds of one epoch and the mean training loss of each task; the trainer's progress bar is kept off the output."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        start = time.perf_counter()
        losses = trainer.train_one_epoch(loader)
        return time.perf_counter() - start, [float(loss) for loss in losses]


def loader_seconds(loader) -> float:
    start = time.perf_counter()
    for _ in loader:
        pass
    return time.perf_counter() - start


def emit(variant: str, seconds: list[float], rows: int, options, **more) -> None:
    median = statistics.median(seconds)
    common.emit(
        benchmark="census_rechub",
        variant=variant,
        batch=BATCH,
        threads=options.threads,
        seconds_per_epoch={"median": median, "min": min(seconds), "max": max(seconds)},
        rows_per_second=rows / median,
        repeats=len(seconds),
        **more,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=pathlib.Path, help="directory of census_income_{train,test}.csv.xz")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--rows", type=int, default=199523, help="use only the first so many rows of each part")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    columns, labels, vocabularies = encode(options.data, options.rows)
    generator = DataGenerator(columns["train"], labels["train"])
    train, test, _ = generator.generate_dataloader(
        columns["test"], labels["test"], columns["test"], labels["test"], batch_size=BATCH
    )
    rows = len(labels["train"])
    runs = []
    for _ in range(options.repeats):
        trainer = make_trainer(vocabularies)
        runs.append(quiet_epoch(trainer, train))
    with contextlib.redirect_stderr(io.StringIO()):
        test_auc = [float(score) for score in trainer.evaluate(trainer.model, test)]
    scores = {"train_loss": runs[-1][1], "test_auc_after_one_epoch": test_auc}
    emit("trainer_and_loader", [seconds for seconds, _ in runs], rows, options, **scores)
    emit("loader_alone", [loader_seconds(train) for _ in range(options.repeats)], rows, options)
    collated = list(train)
    runs = [quiet_epoch(make_trainer(vocabularies), collated) for _ in range(options.repeats)]
    emit("trainer_on_collated_batches", [seconds for seconds, _ in runs], rows, options, train_loss=runs[-1][1])


if __name__ == "__main__":
    main()
