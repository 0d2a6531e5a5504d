"""What the experiments of this folder share: runs of the program, kept results, tables and the verdict on the bounds."""

import argparse
import json
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def run_program(command, what):
    """The JSON that the program prints; RuntimeError with `what` and the program's message if it fails."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{what}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def cached(folder, name, compute):
    """compute(), or what it gave before if `folder` is not None and keeps it under `name`."""
    path = folder and folder / f"{name}.json"
    if path and path.exists():
        return json.loads(path.read_text())
    found = compute()
    if path:
        path.write_text(json.dumps(found))
    return found


def parser_of(description, seeds, output, quick):
    """A parser of the arguments that all experiments take."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=seeds, help="seeds 1 to this number; at least 2")
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/gatewise")
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path(output))
    parser.add_argument("--cache", type=pathlib.Path)
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


def print_header(*columns):
    print(f"| {' | '.join(columns)} |\n|" + " --- |" * len(columns))


def write_results(arguments, results):
    arguments.output.write_text(json.dumps({"seeds": arguments.seeds, "results": results}, indent=1) + "\n")


def verdict(checks):
    """Prints every bound (what, found, whether it holds); the exit code, 1 if one is missed."""
    print()
    for what, found, holds in checks:
        print(f"{'holds ' if holds else 'MISSED'}  {what}; found {found:.5f}")
    return 0 if all(holds for _, _, holds in checks) else 1
