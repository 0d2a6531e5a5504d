"""Parameters to and from NumPy, by path."""

import numpy
import pytest

import gatewise

EXPERTS, WIDTH, TASKS = 3, 5, ("y0", "y1")


@pytest.fixture
def model():
    random = numpy.random.default_rng(5)
    x = random.normal(size=(200, 4))
    y = numpy.column_stack([x[:, 0] > 0, x[:, 1] > 0]).astype(int)
    columns = {f"x{place}": {"role": "numeric", "transform": "none"} for place in range(4)}
    return gatewise.MultiTaskClassifier(architecture="mmoe", experts=EXPERTS, expert={"units": [WIDTH]},
                                        tower={"units": [2]}, epochs=1, columns=columns).fit(x, y)


def state_dict(seed=11):
    """What a PyTorch module of the same shape would give: weights are [out, in]."""
    random = numpy.random.default_rng(seed)
    state = {}

    def layer(name, inputs, outputs):
        state[f"{name}.weight"] = random.normal(size=(outputs, inputs)).astype(numpy.float32)
        state[f"{name}.bias"] = random.normal(size=outputs).astype(numpy.float32)

    for expert in range(EXPERTS):
        layer(f"experts.{expert}", 4, WIDTH)
    for task in range(len(TASKS)):
        layer(f"gates.{task}", 4, EXPERTS)
        layer(f"towers.{task}.0", WIDTH, 2)
        layer(f"towers.{task}.1", 2, 1)
    return state


def paths_of(state):
    """{path: array} of the model for a state dict: other names, and weights [in, out]."""
    renamed = {}
    for name, values in state.items():
        part, number, *layer, kind = name.split(".")
        owner = number if part == "experts" else TASKS[int(number)]
        renamed[f"{part}/{owner}/layer_{layer[0] if layer else 0}/{kind}"] = values.T if kind == "weight" else values
    return renamed


def forward(state, x):
    def linear(name, value):
        return value @ state[f"{name}.weight"].T + state[f"{name}.bias"]

    experts = numpy.stack([numpy.maximum(linear(f"experts.{expert}", x), 0) for expert in range(EXPERTS)], 1)
    logits = []
    for task in range(len(TASKS)):
        gate = numpy.exp(linear(f"gates.{task}", x))
        mixed = ((gate / gate.sum(1, keepdims=True))[:, :, None] * experts).sum(1)
        logits.append(linear(f"towers.{task}.1", numpy.maximum(linear(f"towers.{task}.0", mixed), 0))[:, 0])
    return [1 / (1 + numpy.exp(-value)) for value in logits]


def test_a_state_dict_gives_the_outputs_of_its_module(model, tmp_path):
    state = state_dict()
    assert paths_of(state).keys() == model.parameters().keys()
    x = numpy.random.default_rng(6).normal(size=(50, 4))
    model.predict_proba(x)  # by the parameters before
    model.set_parameters(paths_of(state))
    for found, expected in zip(model.predict_proba(x), forward(state, x)):
        numpy.testing.assert_allclose(found[:, 1], expected, rtol=1e-5)
    model.save(tmp_path / "model")
    again = gatewise.load(tmp_path / "model")
    assert numpy.array_equal(again.predict_table(x), model.predict_table(x))
    for path, values in paths_of(state).items():
        assert numpy.array_equal(again.parameters()[path], values)


def test_what_does_not_fit_changes_nothing(model):
    before = model.parameters()
    weight = "experts/0/layer_0/weight"
    good = {"experts/1/layer_0/bias": numpy.ones(WIDTH)}
    for values, message in [({"experts/0/layer_0/weigth": 1.0}, "Did you mean \"experts/0/layer_0/weight\""),
                            ({weight: numpy.zeros((WIDTH, 4))}, r"got the shape \[5, 4\], expected \[4, 5\]; weights are"),
                            ({weight: numpy.zeros(3)}, r"got the shape \[3\], expected \[4, 5\]$"),
                            ({weight: numpy.full((4, WIDTH), numpy.nan)}, "not finite")]:
        with pytest.raises(gatewise.Error, match=message):
            model.set_parameters({**good, **values})
    assert all(numpy.array_equal(values, before[path]) for path, values in model.parameters().items())
    model.set_parameters(good)
    assert model.parameters()["experts/1/layer_0/bias"].tolist() == [1.0] * WIDTH


def test_arrays_are_copies(model):
    model.parameters()["experts/0/layer_0/bias"][:] = 7
    assert model.parameters()["experts/0/layer_0/bias"].max() < 7
