"""Computations composed from Python: values, operations, and the core's parts as building blocks.

A ``Var`` is a value of one row; shapes never show the batch. Parameters are made with a path, under which they are
saved::

    >>> from gatewise import graph
    >>> g = graph.Graph()
    >>> x = g.input("x", [3])
    >>> g.add_output("y", graph.softmax(graph.linear(x, g.parameter("weight", [3, 2])) * 2.0))
    >>> g.run({"x": [[0.0, 0.0, 0.0]]})["y"]
    array([[0.5, 0.5]], dtype=float32)

Gates (``gatewise.gate``) and architectures (``gatewise.architecture``) are functions over such values.
"""

from ._core import graph as _graph
from ._core.graph import *  # noqa: F403

__all__ = [name for name in vars(_graph) if not name.startswith("_")]
