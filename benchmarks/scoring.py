"""Times scoring by the C API beside ONNX Runtime, on one core, and writes the ratios as Markdown.

    .venv/bin/python benchmarks/scoring.py --gatewise build/release/gatewise \\
        --bench build/benchmarks/benchmarks/bench_scoring [--census DIRECTORY] [--rounds 3]

Every round runs each contestant once, in turns. ONNX Runtime gets one thread, all graph optimisations, and whichever is
fastest of its exports (`gatewise export`, all experts grouped, expert by expert) and of two ways to call it (inputs and
outputs bound beforehand, or not). It is called from Python; what such a call costs is measured with a graph that does
nothing, and taken off. Answers are compared before anything is timed.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import statistics
import tempfile
import time

import numpy as np
import onnx
import onnxruntime

import mixture_onnx
from served import run

HERE = pathlib.Path(__file__).parent
MODELS = {
    "paper_mmoe": {"inputs": 100, "tasks": 2, "expert": [16], "tower": [8], "rows": [1, 500]},
    "ranking_mmoe": {"inputs": 512, "tasks": 6, "expert": [512, 256, 128], "tower": [64], "rows": [1, 32, 500, 4096]},
}
TOLERANCE = 1e-5
POOL = 4096  # rows that requests go through


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gatewise", type=pathlib.Path, default=pathlib.Path("build/release/gatewise"))
    parser.add_argument("--bench", type=pathlib.Path, default=pathlib.Path("build/benchmarks/benchmarks/bench_scoring"))
    parser.add_argument("--census", type=pathlib.Path, help="directory of train.csv and test.csv")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0, help="of one measurement of ONNX Runtime")
    parser.add_argument("--output", type=pathlib.Path, default=HERE / "scoring.md")
    return parser.parse_args()


def make_model(options, name: str, folder: pathlib.Path) -> pathlib.Path:
    """A model of that size, trained for a moment on generated rows that need no encoding."""
    size = MODELS[name]
    configuration = folder / f"{name}.toml"
    configuration.write_text(
        f'[synthetic]\nkind = "related_tasks"\noptions = {{ dimension = {size["inputs"]}, tasks = {size["tasks"]} }}\n'
        f'[model]\ntype = "mmoe"\nexperts = 8\nexpert = {{ units = {size["expert"]} }}\n'
        f'tower = {{ units = {size["tower"]} }}\n[training]\nepochs = 1\nsteps_per_epoch = 5\n'
        f'[output]\nmodel = "{folder / name}"\n')
    run(options.gatewise, "fit", configuration, "--quiet")
    return folder / name


def session_of(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    return onnxruntime.InferenceSession(model.SerializeToString(), settings, providers=["CPUExecutionProvider"])


def exports(options, model: pathlib.Path) -> dict[str, onnx.ModelProto]:
    mixture = mixture_onnx.Mixture(mixture_onnx.read_weights(model))
    exported = model.with_suffix(".onnx")
    run(options.gatewise, "export", model, "--encoded", "--onnx", exported)
    return {"gatewise export": onnx.load(exported), "grouped": mixture.grouped(), "expert by expert": mixture.expert_by_expert()}


def predictions(session, x: np.ndarray) -> np.ndarray:
    """[rows, tasks]; an export may have an output for each task."""
    values = session.run(None, {session.get_inputs()[0].name: x})
    return np.concatenate([value.reshape(len(x), -1) for value in values], 1)


def ways_to_call(session, x: np.ndarray) -> dict:
    name = session.get_inputs()[0].name
    binding = session.io_binding()
    binding.bind_ortvalue_input(name, onnxruntime.OrtValue.ortvalue_from_numpy(x))
    for output, value in zip(session.get_outputs(), session.run(None, {name: x})):
        binding.bind_ortvalue_output(output.name, onnxruntime.OrtValue.ortvalue_from_numpy(value))
    return {"bound": lambda: session.run_with_iobinding(binding), "unbound": lambda: session.run(None, {name: x})}


def seconds_of(call, seconds: float) -> float:
    """The median of a call."""
    call()
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 3:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def ours(options, kind: str, model: pathlib.Path, inputs: pathlib.Path, rows: int, folder: pathlib.Path) -> tuple[dict, np.ndarray]:
    answers = folder / "answers.bin"
    line = json.loads(run(options.bench, kind, model, inputs, rows, answers))
    return line, np.fromfile(answers, np.float32).reshape(rows, -1)


def compare(options, name: str, folder: pathlib.Path) -> list[dict]:
    model = make_model(options, name, folder)
    x = np.random.default_rng(20180819).standard_normal((POOL, MODELS[name]["inputs"]), np.float32)
    inputs = folder / f"{name}.bin"
    x.tofile(inputs)
    sessions = {form: session_of(export) for form, export in exports(options, model).items()}
    nothing = session_of(mixture_onnx.identity(1))
    lines = []
    for rows in MODELS[name]["rows"]:
        for _ in range(options.rounds):
            line, answers = ours(options, "encoded", model, inputs, rows, folder)
            line |= {"model": name, "theirs": {}}
            for form, session in sessions.items():
                difference = np.abs(predictions(session, x[:rows]) - answers).max()
                if not difference <= TOLERANCE * max(1, np.abs(answers).max()):
                    raise SystemExit(f"{name}, {form}, {rows} rows: answers differ by {difference}")
                for way, call in ways_to_call(session, x[:rows]).items():
                    empty = seconds_of(ways_to_call(nothing, x[:1, :1].copy())[way], options.seconds / 4)
                    line["theirs"][f"{form}, {way}"] = seconds_of(call, options.seconds) - empty
            lines.append(line)
    return lines


def census(options, folder: pathlib.Path) -> list[dict]:
    """Raw rows: strings and numbers by name, encoded and scored."""
    model = folder / "census"
    run(options.gatewise, "fit", HERE.parent / "examples" / "census_income.toml", "--data.train", options.census / "train.csv",
        "--data.test", options.census / "test.csv", "--training.epochs", "1", "--output.model", model, "--quiet")
    rows = (options.census / "test.csv").read_text().splitlines()[: POOL + 1]
    if any('"' in row for row in rows):
        raise SystemExit("the census rows have quotes, which bench_scoring does not read")
    inputs = folder / "census.csv"
    inputs.write_text("\n".join(rows) + "\n")
    expected = np.array([line.split(",") for line in run(options.gatewise, "predict", model, inputs).split()[1:]], np.float32)
    lines = []
    for count in (1, 32, 500):
        for _ in range(options.rounds):
            line, answers = ours(options, "raw", model, inputs, count, folder)
            difference = np.abs(answers - expected[:count]).max()
            if not difference <= TOLERANCE:
                raise SystemExit(f"census, {count} rows: answers differ from gatewise predict's by {difference}")
            lines.append(line | {"model": "census, raw rows", "theirs": {}})
    return lines


def time_text(seconds: float) -> str:
    return f"{seconds * 1e6:,.2f} µs" if seconds < 1e-4 else f"{seconds * 1e3:,.2f} ms"


def spread(values: list[float], text) -> str:
    return f"{text(statistics.median(values))} ({text(min(values))} to {text(max(values))})"


def table(lines: list[dict]) -> list[str]:
    text = ["| model | rows | Gatewise | after other work | ONNX Runtime, at its best | its best | ratio |", "|---|---|---|---|---|---|---|"]
    for key in dict.fromkeys((line["model"], line["rows"]) for line in lines):
        group = [line for line in lines if (line["model"], line["rows"]) == key]
        mine = spread([line["seconds"] for line in group], time_text)
        cold = spread([line["cold_seconds"] for line in group], time_text) if "cold_seconds" in group[0] else ""
        best = form = ratio = ""
        if group[0]["theirs"]:
            form = min(group[0]["theirs"], key=lambda f: statistics.median(line["theirs"][f] for line in group))
            best = spread([line["theirs"][form] for line in group], time_text)
            ratio = spread([line["theirs"][form] / line["seconds"] for line in group], lambda value: f"{value:.2f}")
        text.append(f"| {key[0]} | {key[1]:,} | {mine} | {cold} | {best} | {form} | {ratio} |")
    return text


def main():
    options = parse_options()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        lines = [line for name in MODELS for line in compare(options, name, pathlib.Path(folder))]
        if options.census:
            lines += census(options, pathlib.Path(folder))
    cpu = next(line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name"))
    text = ["# Scoring, measured against ONNX Runtime", "", "Written by `benchmarks/scoring.py`; every ratio comes from this one run.", "",
            f"- date: {datetime.date.today()}", f"- rounds: {options.rounds}", f"- processor: {cpu}, {os.cpu_count()} cores, of which one is used",
            f"- load at the start: {load:.1f}", f"- system: {platform.system()} {platform.machine()}", f"- ONNX Runtime: {onnxruntime.__version__}", "",
            "Time of one request: medians over the rounds, in parentheses the least and the greatest. `after other work`: with 64 MB passed",
            "through the caches before each request. `ratio`: ONNX Runtime's time over Gatewise's, round by round; over 1 is faster.", ""]
    options.output.write_text("\n".join([*text, *table(lines), ""]))
    print(options.output.read_text())


if __name__ == "__main__":
    main()
