#!/usr/bin/env python3
"""The models of the Census-Income comparison, all with as many parameters outside the embeddings as MMoE.

Usage: papers/census/models.py TRAIN_CSV TEST_CSV [--program PATH]

Prints, for both sets of features, the width at which `gatewise compare --equal-parameters` finds each model to have about as
many parameters outside its embeddings as MMoE with 8 experts of 16 units, and the number it then has.
"""

import argparse
import itertools
import pathlib
import sys
import tempfile
import tomllib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import experiment  # noqa: E402

EXAMPLES = {
    "without_education": experiment.ROOT / "examples/census_income.toml",
    "with_education": experiment.ROOT / "examples/census_income_with_education.toml",
}
TASKS = ["income", "never_married"]

TOWER = "tower = { units = [8] }\n"
ONE_LAYER = "expert = { units = [16] }\n" + TOWER
TWO_LEVELS = "levels = 2\n" + ONE_LAYER
HOME = ONE_LAYER + 'groups = { income = ["income"], never_married = ["never_married"] }\n'

# At the width of the reference, which EQUAL scales. Numbers of experts and everything else are the program's defaults,
# which `gatewise describe NAME` shows.
REFERENCE, REFERENCE_WIDTH = "mmoe", 16
MODELS = {
    "mmoe": 'type = "mmoe"\nexperts = 8\n' + ONE_LAYER,
    "single_task": 'type = "single_task"\n' + ONE_LAYER,
    "shared_bottom": 'type = "shared_bottom"\n' + ONE_LAYER,
    "omoe": 'type = "omoe"\nexperts = 8\n' + ONE_LAYER,
    "l2_constrained": 'type = "l2_constrained"\nalpha = 0.01\n' + ONE_LAYER,
    "l2_constrained_1e-4": 'type = "l2_constrained"\nalpha = 0.0001\n' + ONE_LAYER,
    "cross_stitch": 'type = "cross_stitch"\n' + ONE_LAYER,
    "tensor_factorization": 'type = "tensor_factorization"\nrank_in = 16\nrank_out = 16\n' + ONE_LAYER,
    "cgc": 'type = "cgc"\n' + ONE_LAYER,
    "ple": 'type = "ple"\n' + TWO_LEVELS,
    "adatt": 'type = "adatt"\n' + TWO_LEVELS,
    "adatt_sp": 'type = "adatt_sp"\n' + TWO_LEVELS,
    "home": 'type = "home"\nfeature_gate_rank = 4\n' + HOME,
    "home_no_feature_gate": 'type = "home"\nfeature_gate = false\n' + HOME,
}


# Of `gatewise compare`.
EQUAL = ["--equal-parameters", "--widths", "expert.units,rank_in,rank_out", "--baseline", REFERENCE]


def configurations(features, names=tuple(MODELS)):
    """{model: the tables of the example with the model's own [model]}."""
    example = tomllib.loads(EXAMPLES[features].read_text())
    return {name: example | {"model": tomllib.loads(MODELS[name])} for name in names}


def widths_of(compared):
    """{model: [width, parameters outside the embeddings]} of a comparison at equal parameters."""
    widths = {}
    for found in compared["configurations"]:
        changed = found.get("changed_widths")
        width = changed[0]["to"][0] if changed else REFERENCE_WIDTH
        widths[found["name"]] = [width, found["parameters"]["outside_embeddings"]]
    return widths


def head_of(source, folder, rows=1000):
    """The first rows of a table in a file of their own: widths do not depend on how many levels a column has."""
    path = folder / source.name
    with source.open() as lines:
        path.write_text("".join(itertools.islice(lines, rows + 1)))
    return path


def solve(arguments, features, names=tuple(MODELS)):
    """The comparison of the models at equal parameters for one epoch on a few rows."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        train, test = head_of(arguments.train, folder), head_of(arguments.test, folder)
        options = [*EQUAL, "--data.train", train, "--data.test", test, "--training.epochs", 1, "--training.batch_rows", 128]
        return experiment.compare(arguments, configurations(features, names), f"widths_{features}", 1, 1, options)


def print_widths(features, widths):
    print(f"\n{features}: parameters outside the embeddings")
    experiment.print_header("model", "width", "parameters")
    for model, (width, count) in widths.items():
        experiment.print_row(model, width, f"{count:,}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train", type=pathlib.Path)
    parser.add_argument("test", type=pathlib.Path)
    experiment.add_program(parser)
    parser.set_defaults(cache=None, processes=1)
    arguments = parser.parse_args()
    for features in EXAMPLES:
        print_widths(features, widths_of(solve(arguments, features)))


if __name__ == "__main__":
    main()
