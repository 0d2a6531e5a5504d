"""What the experiments of papers/ share: runs of the program, kept results, statistics, tables, the verdict on bounds."""

import argparse
import concurrent.futures
import json
import math
import pathlib
import re
import statistics
import subprocess
import tempfile
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent


def run_program(command, what):
    """The JSON that the program prints; RuntimeError with `what` and the program's message if it fails."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{what}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def toml(value):
    """A value of a configuration as it is given on the command line; tables become inline tables."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml_key(name)} = {toml(own)}" for name, own in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)


def toml_key(name):
    return name if re.fullmatch(r"[\w-]+", name, re.ASCII) else json.dumps(name)


def toml_text(tables):
    """A whole configuration."""
    return "".join(f"{toml_key(name)} = {toml(value)}\n" for name, value in tables.items())


def parameter_count(program, model, what):
    """Parameters outside the embeddings of the model directory `model`, as the program counts them."""
    groups = run_program([program, "describe", "--json", model], what)["parameters"]["groups"]
    return sum(group["values"] for group in groups if group["group"] != "embeddings")


def with_options(configuration, options):
    """A copy of the tables of a configuration with the command line's options ["--model.type", "omoe", ..] in them."""
    changed = json.loads(json.dumps(configuration))
    for name, text in zip(options[::2], options[1::2], strict=True):
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            value = text
        *tables, option = name.removeprefix("--").split(".")
        place = changed
        for table in tables:
            place = place.setdefault(table, {})
        place[option] = value
    return changed


def compare(arguments, configurations, journal, seeds, first_seed=1, options=()):
    """What `gatewise compare --json` prints of the configurations {name: tables}, which the options are added for all.

    `journal` names the file in the cache that keeps finished runs; without a cache it lasts as long as the comparison.
    RuntimeError if the program fails or a run diverges.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        files = []
        for title, tables in configurations.items():
            files.append(folder / f"{title}.toml")
            files[-1].write_text(toml_text(tables))
        kept = (arguments.cache or folder) / f"{journal}.journal"
        compared = run_program([
            arguments.program, "compare", *files, "--seeds", seeds, "--first-seed", first_seed,
            "--threads", arguments.processes, "--journal", kept, "--json", "--quiet", *options], journal)
    for run in compared["runs"]:
        if "error" in run:
            raise RuntimeError(f"{journal}: {run['configuration']}, seed {run['seed']}: {run['error']}")
    return compared


def runs_of(compared):
    """{name: [run per seed]} of a comparison."""
    runs = {}
    for run in compared["runs"]:
        runs.setdefault(run["configuration"], []).append(run)
    return runs


def cached(folder, name, compute):
    """compute(), or what it gave before if `folder` is not None and keeps it under `name`."""
    path = folder and folder / f"{name}.json"
    if path and path.exists():
        return json.loads(path.read_text())
    found = compute()
    if path:
        path.write_text(json.dumps(found))
    return found


def run_all(processes, jobs):
    """{key: job()} of the jobs {key: function}, started in their order; the first RuntimeError ends everything."""
    with concurrent.futures.ThreadPoolExecutor(processes) as pool:
        pending = {key: pool.submit(job) for key, job in jobs.items()}
        try:
            return {key: future.result() for key, future in pending.items()}
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def add_program(parser):
    parser.add_argument("--program", type=lambda text: pathlib.Path(text).resolve(),
                        default=ROOT / "build/release/gatewise")


def parser_of(description, seeds, output, quick):
    """A parser of the arguments that all experiments take."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=seeds, help="seeds 1 to this number; at least 2")
    parser.add_argument("--processes", type=int, default=1, help="runs at a time, each of one thread")
    add_program(parser)
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path(output))
    parser.add_argument("--cache", type=pathlib.Path, help="keeps finished runs, so that an experiment can be resumed")
    parser.add_argument("--quick", action="store_true", help=quick)
    return parser


def arguments_of(parser):
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.seeds, arguments.cache = 2, None
    if arguments.seeds < 2:
        parser.error("--seeds: at least 2")
    if arguments.cache:
        arguments.cache.mkdir(parents=True, exist_ok=True)
    return arguments


def student_within(t, degrees):
    """The chance that Student's variable of whole degrees lies within -t and t (Abramowitz and Stegun 26.7.3, 26.7.4)."""
    angle = math.atan(t / math.sqrt(degrees))
    cosine = math.cos(angle)
    term, total = (cosine if degrees % 2 else 1.0), 0.0
    for power in range(3 if degrees % 2 else 2, degrees + 1, 2):
        total += term
        term *= (power - 1) / power * cosine**2
    within = math.sin(angle) * total
    return 2 / math.pi * (angle + within) if degrees % 2 else within


def student_t(degrees):
    """The .975 quantile of Student's distribution."""
    low, high = 0.0, 13.0  # that of one degree is 12.71
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if student_within(middle, degrees) < 0.95 else (low, middle)
    return high


def mean_interval(values):
    """(mean, half the width of its 95 % interval)."""
    half = student_t(len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))
    return statistics.mean(values), half


def paired(ours, theirs):
    """(mean, standard error) of the differences per seed."""
    differences = [a - b for a, b in zip(ours, theirs, strict=True)]
    return statistics.mean(differences), statistics.stdev(differences) / math.sqrt(len(differences))


def is_noise(difference, runs):
    """Whether the 95 % interval of a paired (mean, standard error) holds 0."""
    mean, error = difference
    return abs(mean) <= student_t(runs - 1) * error


def print_header(*columns):
    print(f"| {' | '.join(columns)} |\n|" + " --- |" * len(columns))


def print_row(*cells):
    print(f"| {' | '.join(str(cell) for cell in cells)} |")


def write_results(arguments, results):
    arguments.output.write_text(json.dumps({"seeds": arguments.seeds, "results": results}, indent=1) + "\n")


def verdict(checks):
    """Prints every bound (what, found, whether it holds); the exit code, 1 if one is missed."""
    print()
    for what, found, holds in checks:
        print(f"{'holds ' if holds else 'MISSED'}  {what}; found {found:.5f}")
    return 0 if all(holds for _, _, holds in checks) else 1
