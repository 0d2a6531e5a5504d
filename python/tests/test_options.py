"""Names, defaults and errors are the core's."""

import inspect
import json
import subprocess

import numpy
import pytest

import gatewise
from gatewise import Error, MultiTask, MultiTaskClassifier, MultiTaskRegressor

ESTIMATORS = [MultiTask, MultiTaskClassifier, MultiTaskRegressor]


def described(program, *arguments):
    return json.loads(subprocess.run([program, "describe", *arguments, "--json"], check=True, capture_output=True).stdout)


def without_added(catalogue):
    """Without the parts that other tests have registered in this process."""
    return {kind: {name: entry for name, entry in entries.items() if name not in gatewise._define.ADDED}
            for kind, entries in catalogue.items()}


def test_what_is_described_is_what_the_command_line_describes(program):
    assert without_added(gatewise.describe()) == described(program)
    assert gatewise.describe("top_k") == described(program, "top_k")


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_parameters_and_defaults_are_those_of_the_command_line(program, estimator):
    catalogue = described(program)
    parameters = {name: entry.default for name, entry in inspect.signature(estimator).parameters.items()}
    training = {option["name"]: option["default"] for option in catalogue["configuration"]["training"]["options"]}
    for name in ("checkpoint_seconds", "steps_per_epoch"):  # of files and of streamed rows
        assert name not in parameters
        training.pop(name)
    model = {option["name"] for entry in catalogue["architecture"].values() for option in entry["options"]}
    added = {option["name"] for name, entry in gatewise.describe()["architecture"].items()
             if name in gatewise._define.ADDED for option in entry["options"]} - model
    for name in added:
        parameters.pop(name)
    assert set(parameters) == {"architecture", "columns", "tasks", "split", "evaluation"} | model | set(training)
    parameters["threads"] = 0  # which these tests set
    for name, default in training.items():
        is_told_by_rows = name in ("batch_rows", "epochs")
        assert parameters[name] == (None if default in ({}, []) or is_told_by_rows else default), name
    for name, default in parameters.items():
        assert getattr(estimator(), name) == default or name == "threads", name
    for name in parameters:
        assert name + " : " in estimator.__doc__, name


@pytest.mark.parametrize("architecture", list(gatewise.describe()["architecture"]))
def test_options_inside_of_parts_have_their_defaults(architecture):
    deep = MultiTask(architecture=architecture).get_params()
    for option in gatewise.describe(architecture)["architecture"]["options"]:
        kind = option["name"]
        if kind not in ("expert", "gate", "tower"):
            continue
        for inner in gatewise.describe(deep[kind + "__type"])[kind]["options"]:
            assert deep[f"{kind}__{inner['name']}"] == option["default"].get(inner["name"], inner["default"])
    assert deep["optimiser__rate"] == 0.001 and deep["stop__patience"] == 3


def test_parts_without_a_type_are_what_parameters_say(numbers):
    x, y = numbers
    plain = MultiTask(epochs=1).fit(x, y)
    kinds = {name: plain.get_params()[name + "__type"] for name in ("expert", "gate", "tower")}
    named = MultiTask(epochs=1, **kinds).fit(x, y)
    assert plain.predict_table(x).equals(named.predict_table(x))
    assert not plain.predict_table(x).equals(MultiTask(epochs=1, gate="sigmoid").fit(x, y).predict_table(x))


def test_setting_options_inside_of_parts():
    model = MultiTask(gate="top_k")
    assert model.set_params(gate__k=3, optimiser__rate=0.1, epochs=4) is model
    assert model.gate == {"type": "top_k", "k": 3} and model.optimiser == {"rate": 0.1} and model.epochs == 4
    assert model.get_params()["gate__k"] == 3 and model.get_params()["optimiser__beta1"] == 0.9
    model.set_params(columns__age__role="numeric")
    assert model.columns == {"age": {"role": "numeric"}}
    given = {"type": "top_k", "k": 1}
    MultiTask(gate=given).set_params(gate__k=2)
    assert given == {"type": "top_k", "k": 1}


def test_unknown_parameters_are_refused_with_the_nearest():
    with pytest.raises(TypeError, match="unknown parameter \"epoch\"; did you mean epochs"):
        MultiTask(epoch=3)
    with pytest.raises(ValueError, match="Invalid parameter 'expertz'"):
        MultiTask().set_params(expertz=3)
    with pytest.raises(Error, match="did you mean mmoe"):
        gatewise.describe("mmoee")


@pytest.mark.parametrize("options, arguments", [
    ({"gate": {"type": "top_k", "kk": 2}}, ["--model.gate", "{type = \"top_k\", kk = 2}"]),
    ({"gate": "top_kk"}, ["--model.gate", "{type = \"top_kk\"}"]),
    ({"epochs": 0}, ["--training.epochs", "0"]),
    ({"experts": -1}, ["--model.experts", "-1"]),
    ({"optimiser": {"kind": "adan"}}, ["--training.optimiser.kind", "adan"]),
    ({"split": {"kind": "fraction"}}, ["--split.kind", "fraction", "--split.fractions", "{}"]),
    ({"tasks": {"y": {"los": "huber"}}}, ["--tasks.y.los", "huber"]),
    ({"evaluation": {"metrics": ["acc"]}}, ["--evaluation.metrics", "[\"acc\"]"]),
])
def test_errors_are_word_for_word_those_of_the_command_line(program, tmp_path, options, arguments):
    rows = "".join(f"{place},{place % 2}\n" for place in range(40))
    (tmp_path / "rows.csv").write_text("x,y\n" + rows)
    run = subprocess.run([program, "fit", "rows.csv", "--labels", "y", "--output", "out", *arguments], cwd=tmp_path,
                         capture_output=True, text=True)
    assert run.returncode == 2
    with pytest.raises(Error) as error:
        MultiTask(**options).fit({"x": list(range(40))}, {"y": [place % 2 for place in range(40)]})
    assert isinstance(error.value, ValueError)
    assert run.stderr.strip() == f"gatewise: {error.value}" or run.stderr.strip().endswith(str(error.value))


@pytest.mark.parametrize("number", [float("nan"), float("inf"), numpy.float64("nan")])
def test_numbers_that_are_not_finite_are_called_by_their_name(number):
    with pytest.raises(Error, match="rate: got (nan|inf), expected a finite number"):
        MultiTask(optimiser={"rate": number}).fit({"x": list(range(40))}, {"y": [place % 2 for place in range(40)]})


def test_help_is_worth_reading():
    for estimator in ESTIMATORS:
        for name in ("fit", "predict", "score", "save", "load", "diagnose", "report", "evaluate", "predict_table"):
            assert getattr(estimator, name).__doc__, name
        assert "Examples" in estimator.__doc__
