"""A plug-in in C++ in a Python process."""

import os
import pathlib

import numpy
import pytest

import gatewise


@pytest.fixture(scope="module")
def plugin():
    path = pathlib.Path(os.environ.get("GATEWISE_PLUGIN_EXAMPLE", ""))
    if not path.is_file():
        pytest.skip("GATEWISE_PLUGIN_EXAMPLE names no plug-in")
    return path


def test_its_parts_train_and_are_described(plugin, served, tmp_path):
    assert gatewise.load_plugin(plugin) == ["normalised", "shared_and_own"]
    assert gatewise.load_plugin(plugin) == ["normalised", "shared_and_own"]
    assert "temperature" in str(gatewise.describe("normalised"))
    random = numpy.random.default_rng(5)
    x = random.normal(size=(200, 4))
    y = numpy.column_stack([x[:, 0] > 0, x[:, 1] > 0]).astype(int)
    for options in ({"gate": {"type": "normalised", "temperature": 0.5}}, {"architecture": "shared_and_own"}):
        model = gatewise.MultiTaskClassifier(epochs=3, **options).fit(x, y)
        model.save(tmp_path / "model")
        expected = model.predict_table(x).to_numpy()
        assert numpy.array_equal(gatewise.load(tmp_path / "model").predict_table(x), expected)
        # The server knows nothing of the plug-in: a model has its graph.
        answers = served(tmp_path / "model", [{f"x{i}": float(value) for i, value in enumerate(row)} for row in x[:5]])
        assert numpy.array_equal(numpy.float32([list(answer.values()) for answer in answers]), expected[:5])


def test_others_are_refused(tmp_path):
    (tmp_path / "other.so").write_text("no library")
    with pytest.raises(gatewise.Error, match="this is no plug-in"):
        gatewise.load_plugin(tmp_path / "other.so")
    with pytest.raises(gatewise.Error, match="cannot be read"):
        gatewise.load_plugin(tmp_path / "missing.so")
