"""Runs Gatewise and the PyTorch contestants in turns and writes their ratios as JSON and Markdown.

    python benchmarks/run.py --python VENV/bin/python --programs build/benchmarks/benchmarks [--rounds 3]
        [--gatewise build/release/gatewise --census DIRECTORY --census-xz DIRECTORY]

Every round runs each contestant once, so that the machine's moods meet all of them; figures are medians over the rounds.
Ratios compare processor time per step on one thread, which a busy machine disturbs least, and wall time otherwise.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent
SCRIPTS = HERE / "pytorch"
# Twenty Adam steps of the deep mixture amplify rounding: PyTorch's own forms differ by 2e-4 there. Gradients of one
# step in float agree with double to 1e-6 of their norm, tensor by tensor.
TOLERANCE = {"paper_mmoe": 1e-3, "ranking_mmoe": 5e-3, "embeddings": 1e-3, "sparse_mixture": 1e-3}
SPARSE_VARIANTS = ["grouped", "one_hot", "dense"]
# The first is the model; "dense" the same without routing; the rest measure products of given choices.
SPARSE_FORMS = ["routed", "dense", "even", "crowded", "equal_work"]


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable, help="a python that has torch (benchmarks/pytorch/README.md)")
    parser.add_argument("--programs", type=pathlib.Path, default=pathlib.Path("build/benchmarks/benchmarks"))
    parser.add_argument("--gatewise", type=pathlib.Path, help="the command line program, for census")
    parser.add_argument("--census", type=pathlib.Path, help="directory of train.csv and test.csv")
    parser.add_argument("--census-xz", type=pathlib.Path, help="directory of census_income_{train,test}.csv.xz, for torch-rechub")
    parser.add_argument("--benchmarks", nargs="+", default=["paper_mmoe", "ranking_mmoe", "embeddings", "sparse_mixture", "census"])
    parser.add_argument("--variants", nargs="+", default=["loop", "batched", "compiled_batched.default"])
    parser.add_argument("--tables", nargs="+", default=["columns", "one_table", "one_bag_table"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.2)
    parser.add_argument("--output", type=pathlib.Path, default=HERE / "results.md")
    return parser.parse_args()


def lines_of(command: list, threads: int = 1) -> list[dict]:
    """The JSON lines that a contestant prints."""
    environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
    run = subprocess.run([str(part) for part in command], capture_output=True, text=True, env=environment)
    if run.returncode != 0:
        raise SystemExit(f"{command[0]}: failed\n{run.stderr[-2000:]}")
    return [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]


def torch_lines(options, name: str, batch: int, variants: list[str], threads: int) -> list[dict]:
    command = [options.python, SCRIPTS / f"{name}.py", "--batches", batch, "--variants", *variants, "--threads", threads]
    return lines_of([*command, "--repeats", options.repeats, "--seconds", options.seconds], threads)


def our_line(options, name: str, dump: pathlib.Path, batch: int, threads: int, expected: float, *extra) -> dict:
    command = [options.programs / "bench_training", name, dump, "--batch", batch, "--threads", threads]
    command += ["--repeats", options.repeats, "--seconds", options.seconds]
    command += ["--expected-loss", expected, "--tolerance", TOLERANCE[name]]
    return lines_of([*command, *extra], threads)[0]


def sparse_round(options, dump: pathlib.Path) -> list[dict]:
    theirs = torch_lines(options, "sparse_mixture", 4096, SPARSE_VARIANTS, 1)
    losses = {line["loss_after"]["steps"]: line["loss_after"]["batch_0_loss"] for line in theirs if "error" not in line}
    lines = []
    for form in SPARSE_FORMS:
        steps = 3 if form == "dense" else 20
        expected = losses[steps] if form in ("routed", "dense") else 0
        lines.append(our_line(options, "sparse_mixture", dump, 4096, 1, expected, "--form", form, "--check-steps", steps))
    return theirs + lines


def training_round(options, name: str, dump: pathlib.Path) -> list[dict]:
    if name == "sparse_mixture":
        return sparse_round(options, dump)
    configurations = {
        "paper_mmoe": [(64, 1), (256, 1), (1024, 1), (1024, 2)],
        "ranking_mmoe": [(1024, 1)],
        "embeddings": [(4096, 1)],
    }[name]
    lines = []
    for batch, threads in configurations:
        variants = options.tables if name == "embeddings" else options.variants
        theirs = torch_lines(options, name, batch, variants, threads)
        lines += theirs
        for ids in sorted({line.get("ids", "") for line in theirs}):
            group = [line for line in theirs if line.get("ids", "") == ids and "error" not in line]
            expected = group[0]["loss_after"]["batch_0_loss"]
            lines.append(our_line(options, name, dump, batch, threads, expected, *(["--ids", ids] if ids else [])))
    return lines


def census_round(options) -> list[dict]:
    """One thread each: our program from text files, and torch-rechub's epoch over its loader."""
    with tempfile.TemporaryDirectory() as folder:
        command = [options.gatewise, "fit", HERE.parent / "examples" / "census_income.toml", "--data.train"]
        command += [options.census / "train.csv", "--data.test", options.census / "test.csv", "--threads", "1"]
        command += ["--output", f"{folder}/model", "--training.epochs", "3", "--quiet", "--json"]
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        run = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True)
        wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    epochs = json.loads(run.stdout)["history"]["epochs"]
    ours = {
        "benchmark": "census",
        "variant": "gatewise",
        "batch": 1024,
        "threads": 1,
        "rows_per_second": statistics.median(epoch["rows_per_second"] for epoch in epochs),
        "whole_run_seconds": wall,
        "whole_run_processor_seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
    }
    theirs = lines_of([options.python, SCRIPTS / "census_rechub.py", options.census_xz])
    return [ours, *(line | {"benchmark": "census"} for line in theirs)]


def key_of(line: dict) -> tuple:
    return line["benchmark"], line["batch"], line["threads"], line.get("ids", "")


def seconds_of(line: dict) -> float:
    """What ratios compare: seconds per row."""
    if "seconds_per_step" not in line:
        return 1 / line["rows_per_second"]
    if line["threads"] == 1:
        return line["processor_seconds_per_step"] / line["batch"]
    return line["seconds_per_step"]["median"] / line["batch"]


def summarise(rounds: list[list[dict]]) -> list[dict]:
    """One row per configuration and contestant: rate, spread, and the ratio to ours round by round."""
    ours = [{key_of(line): seconds_of(line) for line in lines if line["variant"] in ("gatewise", "gatewise_routed")}
            for lines in rounds]
    rows: dict[tuple, dict] = {}
    for index, lines in enumerate(rounds):
        for line in lines:
            if "error" in line:
                continue
            row = rows.setdefault((key_of(line), line["variant"]), {"rates": [], "ratios": [], "shares": [], "scaling": []})
            row["rates"].append(1 / seconds_of(line))
            row["ratios"].append(seconds_of(line) / ours[index][key_of(line)])
            if line.get("work_per_row") and line["threads"] == 1 and line["variant"] != "gatewise_dense":
                row["shares"].append(line["work_per_row"] / seconds_of(line) / line["product_rate"]["median"])
            if "scaling" in line:
                row["scaling"].append((line["scaling"]["median"], line["fma_scaling"]["median"]))
    return [{"key": key, "variant": variant, **row} for (key, variant), row in rows.items()]


def spread(values: list[float], form: str) -> str:
    return f"{statistics.median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def markdown(rows: list[dict], rounds: list[list[dict]], machine: dict) -> str:
    rates = [line for lines in rounds for line in lines if "product_rate" in line]
    text = ["# Measured against PyTorch", "",
            "Written by `benchmarks/run.py` (its help says how; `make benchmarks` builds the programs, `benchmarks/pytorch/README.md`",
            "the environment with PyTorch); every ratio comes from this one run.", ""]
    text += [f"- {name}: {value}" for name, value in machine.items()]
    for name, title in (("product_rate", "OpenBLAS 512 x 1024 x 512"), ("fma_rate", "multiply-adds in registers")):
        if rates:
            text.append(f"- {title}: {spread([line[name]['median'] / 1e9 for line in rates], '.1f')} GFLOP/s on one core")
    text += ["", "Medians over the rounds, in parentheses the least and the greatest. `ratio`: time per row over Gatewise's, "
             "processor time on one thread, wall time otherwise and for census.", ""]
    text += ["| benchmark | batch | threads | contestant | rows/s | ratio | share of product rate |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        benchmark, batch, threads, ids = row["key"]
        share = spread([100 * value for value in row["shares"]], ".0f") + " %" if row["shares"] else ""
        cells = [f"{benchmark} {ids}".strip(), batch, threads, row["variant"], spread(row["rates"], ",.0f")]
        text.append("| " + " | ".join(str(cell) for cell in [*cells, spread(row["ratios"], ".2f"), share]) + " |")
    for row in rows:
        if row["scaling"]:
            ours, machine_scaling = (statistics.median(values) for values in zip(*row["scaling"]))
            text += ["", f"{row['key'][0]}, batch {row['key'][1]}, two threads: {ours:.2f} times one thread "
                     f"(multiply-adds in registers: {machine_scaling:.2f})."]
    text += sparse_text(rounds)
    for line in (line for lines in rounds[:1] for line in lines if "touched_rows" in line):
        text += ["", f"embeddings {line['ids']}: the first step changed {line['touched_rows']:,} table rows, "
                 "exactly those that the batch names."]
    return "\n".join(text) + "\n"


def sparse_text(rounds: list[list[dict]]) -> list[str]:
    """What routing costs and saves, round by round."""
    forms = [{line["variant"].removeprefix("gatewise_"): line for line in lines if line["variant"].startswith("gatewise_")}
             for lines in rounds]
    forms = [lines for lines in forms if lines]
    if not forms:
        return []

    def ratio(field: str, one: str, other: str, form: str) -> str:
        return spread([lines[one][field] / lines[other][field] for lines in forms], form)

    step, gradients = "processor_seconds_per_step", "processor_seconds_without_optimiser"
    return ["", f"sparse_mixture: a routed step is {ratio(step, 'dense', 'routed', '.1f')} times as fast as the same model with all "
            "experts on all rows. Forward and backward of routed experts, packing, gathering and mixing included, reach "
            f"{ratio(gradients, 'equal_work', 'even', '.2f')} of the speed of two experts on all rows (equal work) where choices are "
            f"even, and {ratio(gradients, 'equal_work', 'crowded', '.2f')} where a quarter of them falls on a sixteenth of the experts."]


def describe_machine(options) -> dict:
    processor = [line for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    versions = subprocess.run(
        [options.python, "-c", "import torch; print(torch.__version__)"], capture_output=True, text=True, check=True
    )
    return {
        "date": datetime.date.today().isoformat(),
        "rounds asked for": options.rounds,
        "processor": f"{processor[0].split(':')[1].strip()}, {os.cpu_count()} cores",
        "load at the start": f"{os.getloadavg()[0]:.1f}",
        "system": platform.system() + " " + platform.machine(),
        "PyTorch": versions.stdout.strip(),
    }


def write_results(options, rounds: list[list[dict]], machine: dict) -> None:
    rows = summarise(rounds)
    options.output.write_text(markdown(rows, rounds, machine))
    options.output.with_suffix(".json").write_text(json.dumps({"machine": machine, "rows": rows, "rounds": rounds}, indent=1))


def main() -> None:
    options = parse_options()
    machine = describe_machine(options)
    rounds: list[list[dict]] = []
    with tempfile.TemporaryDirectory() as folder:
        dumps = {}
        for name in (name for name in options.benchmarks if name != "census"):
            dumps[name] = pathlib.Path(folder) / f"{name}.safetensors"
            lines_of([options.python, SCRIPTS / f"{name}.py", "--dump", dumps[name]])
        for _ in range(options.rounds):
            lines = [line for name, dump in dumps.items() for line in training_round(options, name, dump)]
            if "census" in options.benchmarks and options.gatewise:
                lines += census_round(options)
            rounds.append(lines)
            write_results(options, rounds, machine)  # after every round, so that a run can be broken off


if __name__ == "__main__":
    main()
