"""What the documentation shows is what happens."""

import doctest
import importlib
import pathlib

import pytest

import gatewise


@pytest.mark.parametrize("name", ["python.md", "research.md"])
def test_a_page(tmp_path, monkeypatch, name):
    page = pathlib.Path(__file__).resolve().parents[2] / "docs" / name
    monkeypatch.chdir(tmp_path)
    found = doctest.testfile(str(page), module_relative=False, optionflags=doctest.ELLIPSIS)
    assert found.attempted > 20 and found.failed == 0


@pytest.mark.parametrize("name", ["gatewise", "gatewise._classifier", "gatewise._regressor", "gatewise._multi_task", "gatewise.graph"])
def test_examples_of_docstrings(name):
    found = doctest.testmod(importlib.import_module(name))
    assert found.attempted > 2 and found.failed == 0


def test_the_module_is_typed():
    folder = pathlib.Path(gatewise.__file__).parent
    assert (folder / "py.typed").is_file()
    types = (folder / "_core.pyi").read_text()
    for name in ("class Frame", "class Model", "def predict", "def describe_parts", "class Error(ValueError)"):
        assert name in types, name
