"""Gates and architectures that are functions of Python, and the graphs they compose."""

import json
import pathlib
import re
import subprocess
import traceback
import typing

import numpy
import pytest

import gatewise
from gatewise import graph


def rows(count=400, seed=3):
    random = numpy.random.default_rng(seed)
    x = random.normal(size=(count, 4))
    y = numpy.column_stack([x[:, 0] + x[:, 1] > 0, x[:, 1] - x[:, 2] > 0]).astype(int)
    return x, y


@pytest.fixture(scope="module", autouse=True)
def parts():
    @gatewise.gate
    def sharpened(x, experts, *, temperature: typing.Annotated[float, "divides the logits", gatewise.above(0),
                                                              gatewise.search(0.1, 2, log=True)] = 0.5,
                  form: typing.Literal["plain", "centred"] = "plain"):
        """Softmax over logits divided by a temperature.

        More of it."""
        logits = x.logits()
        if form == "centred":
            logits = graph.layer_norm(logits, [1.0] * experts, [0.0] * experts)
        return graph.softmax(logits / temperature)

    @gatewise.gate(sparse=True, active="k", network=False)
    def first_choices(x, experts, *, k: int = 2):
        logits = graph.reshape(graph.product(graph.reshape(x, [1, x.shape[-1]]), x.shared_parameter("weight", [x.shape[-1], experts])),
                               [experts])
        each = x.parameter("bias", [experts], "zero") + logits
        chosen = graph.top_k_mask(each, k)
        x.add_penalty("spread", graph.mean(graph.square(graph.mean(graph.row_mean(chosen), axis=0))) * 0.01)
        return graph.masked_softmax(each, chosen)

    @gatewise.architecture
    def beside(inputs, *, experts: int = 3, width: typing.Annotated[int, gatewise.limits(1, 64)] = 5, expert: dict = {},
               gate: dict = {}, tower: dict = {}):
        """A mixture whose towers also read one shared layer."""
        tasks = [task.name for task in inputs.tasks]
        level = graph.level(inputs, [graph.ExpertGroup(inputs.x, graph.numbered("experts", experts))],
                            [graph.Consumer(f"gates/{task}", inputs.x, task=task) for task in tasks], expert, gate)
        shared = graph.mlp(inputs.x, ["bottom"], [width])
        return graph.towers(inputs, graph.concatenate([level.mixed, graph.concatenate([shared] * len(tasks), 0)]), tower)


def fitted(**options):
    x, y = rows()
    return gatewise.MultiTaskClassifier(epochs=2, expert={"units": [8]}, **options).fit(x, y), x


def test_a_gate_equals_the_same_gate_of_the_core():
    # The core's softmax has a temperature too: same paths, same seed, so the same numbers.
    own, x = fitted(gate={"type": "sharpened", "temperature": 0.25})
    core, _ = fitted(gate={"type": "softmax", "temperature": 0.25})
    plain, _ = fitted(gate={"type": "softmax"})
    numpy.testing.assert_allclose(own.predict_proba(x)[0], core.predict_proba(x)[0], rtol=2e-5)
    assert not numpy.allclose(own.predict_proba(x)[0], plain.predict_proba(x)[0], rtol=1e-3)


def test_options_are_declared_by_the_signature():
    entry = gatewise.describe("sharpened")["gate"]
    assert entry["summary"] == "Softmax over logits divided by a temperature"
    options = {option["name"]: option for option in entry["options"]}
    assert list(options) == ["temperature", "form", "hidden", "activation", "bias", "initializer", "initializer_scale"]
    assert options["temperature"] == {"name": "temperature", "type": "number", "default": 0.5, "limits": "above 0",
                                      "help": "divides the logits", "search": {"min": 0.1, "max": 2.0, "log": True}}
    assert options["form"]["limits"] == "one of: plain, centred"
    for gate, message in [({"temperature": 0}, "gate.temperature: got 0, expected above 0"),
                          ({"form": "centered"}, "Did you mean \"centred\"?"),
                          ({"temperatur": 1}, "Did you mean \"temperature\"?")]:
        with pytest.raises(gatewise.Error, match=message.replace("?", r"\?")):
            fitted(gate={"type": "sharpened", **gate})


def test_what_it_makes_needs_no_python(program, served, tmp_path):
    model, x = fitted(architecture="beside", gate={"type": "sharpened", "form": "centred", "hidden": [4]}, width=6)
    model.save(tmp_path / "model")
    lines = ["x0,x1,x2,x3"] + [",".join(repr(float(value)) for value in row) for row in x]
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n")

    def run(*arguments):
        done = subprocess.run([program, *arguments], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("predict", "model", "rows.csv", "--output", "scored.csv")
    scored = numpy.loadtxt(tmp_path / "scored.csv", delimiter=",", skiprows=1, dtype=numpy.float32)
    assert numpy.array_equal(scored, model.predict_table(x).to_numpy())
    described = json.loads(run("describe", "model", "--json"))
    assert described["configuration"]["model"]["width"] == 6
    run("export", "model", "--onnx", "model.onnx")
    answers = served(tmp_path / "model", [{f"x{i}": float(value) for i, value in enumerate(row)} for row in x[:20]])
    assert numpy.array_equal(numpy.float32([list(answer.values()) for answer in answers]), scored[:20])


def test_a_sparse_gate_leaves_experts_out_and_is_diagnosed():
    model, x = fitted(gate={"type": "first_choices", "k": 2}, experts=5)
    level, = model.diagnose(*rows(seed=4)).result["levels"]
    assert len(level["gates"]) == 2 and len(level["experts"]) == 5
    assert "spread" in json.dumps(model.history_)
    assert {"gates/y0/bias", "gates_shared/weight"} <= set(model.parameters())


def test_a_second_definition_replaces_the_first():
    def define(factor):
        @gatewise.gate(name="changing")
        def changing(x, experts):
            return graph.softmax(x.logits() * factor)

    define(1.0)
    before, x = fitted(gate="changing")
    with pytest.warns(gatewise.ReplacedWarning, match="\"changing\" takes the place"):
        define(0.0)
    after, _ = fitted(gate="changing")
    assert not numpy.allclose(before.predict_proba(x)[0], after.predict_proba(x)[0])
    with pytest.raises(gatewise.Error, match="softmax: this name is taken"):
        gatewise.gate(lambda x, experts: x, name="softmax")


def test_errors_have_the_line_that_made_them():
    @gatewise.gate
    def failing(x, experts, *, how: str = "raise"):
        if how == "raise":
            raise KeyError("what went wrong")
        if how == "shape":
            return x.logits() + x.logits("/other", experts + 1)
        return x.logits(outputs=experts + 1) if how == "wrong" else 3

    with pytest.raises(KeyError, match="what went wrong") as caught:
        fitted(gate={"type": "failing"})
    assert "raise KeyError" in "".join(traceback.format_exception(caught.value))
    with pytest.raises(gatewise.Error, match=r"add: shapes \[2, 8\] and \[2, 9\] do not fit") as caught:
        fitted(gate={"type": "failing", "how": "shape"})
    assert "x.logits(\"/other\"" in "".join(traceback.format_exception(caught.value))
    with pytest.raises(gatewise.Error, match=r"\"failing\": its function returned weights of shape \[2, 9\], expected \[2, 8\]"):
        fitted(gate={"type": "failing", "how": "wrong"})
    with pytest.raises(gatewise.Error, match="returned a int, expected a Var"):
        fitted(gate={"type": "failing", "how": "number"})


def test_functions_that_cannot_be_parts_are_refused():
    for function, message in [(lambda x: x, r"expected \(x, experts, \*, options\)"),
                              (lambda x, experts, *, k: x, "has no default"),
                              (lambda x, experts, *, k=None: x, "got the type NoneType"),
                              (lambda x, experts, *, hidden=1: x, "declared twice")]:
        with pytest.raises(gatewise.Error, match=message):
            gatewise.gate(function, name="refused")
    with pytest.raises(gatewise.Error, match="got 2, expected above 3"):
        def beyond(x, experts, *, k: typing.Annotated[int, gatewise.above(3)] = 2):
            return x
        gatewise.gate(beyond)
    assert "refused" not in gatewise.describe()["gate"]


def test_values_of_a_model_are_of_no_use_after_it():
    kept = []

    @gatewise.gate
    def keeping(x, experts):
        kept.extend([x, x.logits()])
        return graph.softmax(kept[1])

    fitted(gate="keeping")
    for use in (lambda: kept[1] + 1, lambda: kept[0].logits("/more"), lambda: kept[0].shape):
        with pytest.raises(gatewise.Error, match="composed already"):
            use()


def test_an_architecture_may_give_logits_by_task():
    @gatewise.architecture
    def plain(inputs, *, forgets: bool = False):
        logits = {task.name: graph.mlp(inputs.x, [f"towers/{task.name}"], [task.outputs], output_activation="none")
                  for task in inputs.tasks}
        return dict(list(logits.items())[:1]) if forgets else logits

    own, x = fitted(architecture="plain")
    linear, _ = fitted(architecture="linear")
    numpy.testing.assert_allclose(own.predict_proba(x)[1], linear.predict_proba(x)[1], rtol=2e-5)
    with pytest.raises(gatewise.Error, match="no logits of task \"y1\""):
        fitted(architecture="plain", forgets=True)


def test_operations_give_what_numpy_gives():
    random = numpy.random.default_rng(1)
    x, weight = random.normal(size=(6, 2, 3)), random.normal(size=(3, 4))
    g = graph.Graph()
    value = g.input("x", [2, 3])
    bias = g.parameter_from("bias", numpy.arange(4.0))
    product = graph.linear(value, g.parameter("weight", [3, 4]), bias)
    outputs = {
        "product": product, "relu": graph.relu(-value), "parts": value[1, 1:], "last": value[..., -1],
        "scaled": 2 - value * numpy.array([1.0, 2.0, 3.0]) / 4, "soft": graph.softmax(product),
        "joined": graph.concatenate([value[0], value[1]]), "turned": graph.transpose(value),
        "norm": graph.layer_norm(value, [1.0] * 3, [0.0] * 3), "sum": graph.sum(value, 0)}
    for name, output in outputs.items():
        g.add_output(name, output)
    found = g.run({"x": x}, {"weight": weight})
    y = x @ weight + numpy.arange(4)
    expected = {
        "product": y, "relu": numpy.maximum(-x, 0), "parts": x[:, 1, 1:], "last": x[..., -1],
        "scaled": 2 - x * [1, 2, 3] / 4, "soft": numpy.exp(y) / numpy.exp(y).sum(-1, keepdims=True),
        "joined": x.reshape(6, 6), "turned": x.swapaxes(1, 2),
        "norm": (x - x.mean(-1, keepdims=True)) / numpy.sqrt(x.var(-1, keepdims=True) + 1e-5), "sum": x.sum(1)}
    assert found.keys() == expected.keys()
    for name in expected:
        numpy.testing.assert_allclose(found[name], expected[name], rtol=2e-5, atol=2e-6, err_msg=name)


def test_values_say_what_they_are():
    g = graph.Graph()
    x = g.input("x", [2, 3])
    assert repr(x) == "Var(\"x\", [2, 3], per row)"
    assert repr(g.parameter("weight", [3])) == "Var(\"weight\", [3], per batch)"
    assert repr(graph.softmax(x)) == "Var(softmax, [2, 3], per row)"
    assert x.shape == (2, 3) and not x.is_static
    with pytest.raises(gatewise.Error, match=r"multiply: shapes \[2, 3\] and \[2\] do not fit"):
        x * [1.0, 2.0]
    with pytest.raises(IndexError):
        x[2]
    with pytest.raises(gatewise.Error, match="two graphs"):
        x + graph.Graph().input("x", [2, 3])
    g.add_output("y", x * 2)
    with pytest.raises(gatewise.Error, match="there are two outputs \"y\""):
        g.add_output("y", x)
    with pytest.raises(gatewise.Error, match="there is no input \"xs\". Did you mean \"x\"?"):
        g.run({"x": numpy.ones((1, 2, 3)), "xs": [1]})
    with pytest.raises(gatewise.Error, match="unknown initializer"):
        graph.Initializer("glorot")


def test_no_rows_give_no_rows():
    g = graph.Graph()
    g.add_output("y", graph.relu(g.input("x", [2, 3])))
    assert g.run({"x": numpy.zeros((0, 2, 3))})["y"].shape == (0, 2, 3)
    with pytest.raises(gatewise.Error, match=r"x: got the shape \[0, 2\], expected \[rows, ..\] with 6 numbers a row"):
        g.run({"x": numpy.zeros((0, 2))})


def test_kept_values_can_be_shown():
    kept = []

    def showing(x, experts):
        kept.append(x.logits())
        return graph.softmax(kept[-1])

    gatewise.gate(showing, name="showing")
    random = numpy.random.default_rng(1)
    gatewise.MultiTask(gate="showing", epochs=1).fit(random.normal(size=(40, 2)), random.normal(size=40))
    assert repr(kept[-1]) == "Var(of a model that is composed already)"
    for what in (gatewise.gate, gatewise.architecture):
        with pytest.raises(TypeError, match="got a int, expected a function"):
            what(3)


def test_ids_name_rows_of_tables():
    g = graph.Graph()
    g.add_output("row", graph.embedding(g.ids("who"), g.table("table", 3, 2)))
    table = numpy.arange(6.0).reshape(3, 2)
    assert numpy.array_equal(g.run({"who": [2, 0]}, {"table": table})["row"], table[[2, 0]])
    with pytest.raises(gatewise.Error, match="who: got the id 3, expected ids below 3"):
        g.run({"who": [3]})
    with pytest.raises(gatewise.Error, match="the input \"who\" is missing"):
        g.run({})


def test_every_operation_of_the_core_is_there():
    source = (pathlib.Path(__file__).resolve().parents[2] / "src/graph/ops.h").read_text()
    declared = set(re.findall(r"^Var (\w+)\(", source, re.MULTILINE))
    assert len(declared) > 50
    assert declared - set(dir(graph)) == set()
