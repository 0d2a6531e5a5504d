#!/usr/bin/env python3
"""The models of the Census-Income comparison, and the helper that gives all of them the same number of parameters.

Usage: papers/census/models.py TRAIN_CSV TEST_CSV [--budget N] [--program PATH]

Prints, for both sets of features, the width WIDTH at which each model has about as many parameters outside its embeddings
as MMoE with 8 experts of 16 units (or as --budget says), and the number it then has. Numbers are the program's own: it
trains each candidate for one epoch on a few rows and is asked to describe the result.
"""

import argparse
import itertools
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import experiment  # noqa: E402

EXAMPLES = {
    "without_education": experiment.ROOT / "examples/census_income.toml",
    "with_education": experiment.ROOT / "examples/census_income_with_education.toml",
}
TASKS = ["income", "never_married"]

TOWER = "tower = { units = [8] }\n"
ONE_LAYER = "expert = { units = [WIDTH] }\n" + TOWER
TWO_LEVELS = "levels = 2\n" + ONE_LAYER
HOME = ONE_LAYER + 'groups = { income = ["income"], never_married = ["never_married"] }\n'

# Numbers of experts and everything else are the program's defaults, which `gatewise describe NAME` shows.
REFERENCE, REFERENCE_WIDTH = "mmoe", 16
MODELS = {
    "mmoe": 'type = "mmoe"\nexperts = 8\n' + ONE_LAYER,
    "single_task": 'type = "single_task"\n' + ONE_LAYER,
    "shared_bottom": 'type = "shared_bottom"\n' + ONE_LAYER,
    "omoe": 'type = "omoe"\nexperts = 8\n' + ONE_LAYER,
    "l2_constrained": 'type = "l2_constrained"\nalpha = 0.01\n' + ONE_LAYER,
    "l2_constrained_1e-4": 'type = "l2_constrained"\nalpha = 0.0001\n' + ONE_LAYER,
    "cross_stitch": 'type = "cross_stitch"\n' + ONE_LAYER,
    "tensor_factorization": 'type = "tensor_factorization"\nrank_in = WIDTH\nrank_out = WIDTH\n' + ONE_LAYER,
    "cgc": 'type = "cgc"\n' + ONE_LAYER,
    "ple": 'type = "ple"\n' + TWO_LEVELS,
    "adatt": 'type = "adatt"\n' + TWO_LEVELS,
    "adatt_sp": 'type = "adatt_sp"\n' + TWO_LEVELS,
    "home": 'type = "home"\nfeature_gate_rank = 4\n' + HOME,
    "home_no_feature_gate": 'type = "home"\nfeature_gate = false\n' + HOME,
}


def with_model(example, model, width):
    """The text of the example with the lines of [model] replaced."""
    lines, is_model = [], False
    for line in example.read_text().splitlines(keepends=True):
        if line.startswith("["):
            is_model = line.strip() == "[model]"
            if is_model:
                lines += [line, MODELS[model].replace("WIDTH", str(width)), "\n"]
        if not is_model:
            lines.append(line)
    return "".join(lines)


def head_of(source, folder, rows=1000):
    """The first rows of a table in a file of their own: widths do not depend on how many levels a column has."""
    path = folder / source.name
    with source.open() as lines:
        path.write_text("".join(itertools.islice(lines, rows + 1)))
    return path


def counter(program, features, model, train, test, folder):
    """A function width -> parameters outside the embeddings."""
    known = {}

    def count_of(width):
        if width not in known:
            what = f"{features}, {model}, width {width}"
            (folder / "count.toml").write_text(with_model(EXAMPLES[features], model, width))
            command = [program, "fit", folder / "count.toml", "--data.train", train, "--data.test", test,
                       "--training.threads", 1, "--training.epochs", 1, "--training.batch_rows", 128,
                       "--evaluation.resamples", 0, "--output", folder / "count", "--json", "--quiet"]
            experiment.run_program(command, what)
            known[width] = experiment.parameter_count(program, folder / "count", what)
        return known[width]

    return count_of


def solve(program, features, train, test, names=tuple(MODELS), budget=None):
    """{model: [width, parameters outside the embeddings]} of the models; None as budget is the reference's number."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        heads = head_of(train, folder), head_of(test, folder)
        counters = {model: counter(program, features, model, *heads, folder) for model in names}
        budget = budget or counter(program, features, REFERENCE, *heads, folder)(REFERENCE_WIDTH)
        return {model: list(experiment.solve_width(count_of, budget, 512)) for model, count_of in counters.items()}


def print_widths(features, widths):
    print(f"\n{features}: parameters outside the embeddings")
    experiment.print_header("model", "width", "parameters")
    for model, (width, count) in widths.items():
        experiment.print_row(model, width, f"{count:,}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train", type=pathlib.Path)
    parser.add_argument("test", type=pathlib.Path)
    parser.add_argument("--budget", type=int)
    parser.add_argument("--program", type=pathlib.Path, default=experiment.ROOT / "build/release/gatewise")
    arguments = parser.parse_args()
    for features in EXAMPLES:
        print_widths(features, solve(arguments.program, features, arguments.train, arguments.test,
                                     budget=arguments.budget))


if __name__ == "__main__":
    main()
