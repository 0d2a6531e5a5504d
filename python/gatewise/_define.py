"""Gates and architectures that are functions of Python."""

import inspect
import math
import typing
import warnings

from . import _core, _options
from ._estimator import Estimator

ADDED = set()  # names of parts that this process has registered
TYPES = {bool: "boolean", int: "integer", float: "number", str: "text", dict: "table", list[int]: "list of integers",
         list[float]: "list of numbers", list[str]: "list of texts"}


class ReplacedWarning(UserWarning):
    """A gate or an architecture took the place of the one that had its name."""


class Limits(dict):
    """What `limits`, `above`, `choices` and `search` give, for typing.Annotated."""


def limits(low=-math.inf, high=math.inf):
    """Inclusive bounds of an option that is a number or a list of numbers."""
    return Limits({name: value for name, value in (("low", low), ("high", high)) if math.isfinite(value)})


def above(low):
    """A number must be greater."""
    return Limits(above=low)


def choices(*names):
    """A text must be one of these; so must a parameter that is annotated with typing.Literal."""
    return Limits(choices=list(names))


def search(low, high, log=False):
    """Where `gatewise tune` looks for good values; `log`: equal ratios count as equally far apart."""
    return Limits(search={"low": low, "high": high, "log": log})


def gate(function=None, *, name=None, network=True, sparse=False, sums_to_one=True, active=""):
    """Registers a function as a gate.

    After that ``gate={"type": "<its name>", ...}`` uses it, in this process. A model that is saved holds the graph that
    the function composed, so it is loaded, served and exported without it.

    Parameters
    ----------
    function : ``f(x, experts, *, option: type = default, ...) -> Var``
        x is a ``graph.GateInput``, experts the number of experts; it returns the weights [consumers, experts]. Keyword
        parameters are the gate's options. An annotation says the type (bool, int, float, str, dict, list[int],
        list[float], list[str], a Literal of texts), and with ``typing.Annotated[float, "what it does",
        gatewise.above(0)]`` also help and limits. The first line of its documentation becomes the summary.
    name : str
        that of the function unless given
    network : bool
        whether the gate has the options of a gate's network (hidden, activation, bias, initializer,
        initializer_scale), which ``x.logits()`` follows
    sparse : bool
        whether some weights are exactly 0, so that those experts need not run
    sums_to_one : bool
    active : str
        the int option that says how many experts have a weight at most, as "k"
    """
    traits = {"network": network, "sparse": sparse, "sums_to_one": sums_to_one, "active": active}
    return _definer(function, name, "gate", 2, traits)


def architecture(function=None, *, name=None):
    """Registers a function as an architecture.

    Parameters
    ----------
    function : ``f(inputs, *, option: type = default, ...)``
        inputs is a ``graph.ModelInputs``; it returns what ``graph.towers`` gives, or the logits [outputs] of every task
        in a dict. Options as for ``gatewise.gate``; tables of parts (expert, gate, tower) are ``dict``.
    name : str
        that of the function unless given
    """
    return _definer(function, name, "architecture", 1, {})


def load_plugin(path):
    """Loads a C++ plug-in, as ``--plugin`` does; returns the names of its parts."""
    names = _core.load_plugin(str(path))
    _take_in(names)
    return names


def _take_in(names):
    """Parameters of the estimators, in their signature too, are those of the parts there are."""
    ADDED.update(names)
    _options.refresh()
    known = Estimator.__init__.__signature__
    new = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None)
           for name in _options.MODEL_OPTIONS if name not in known.parameters]
    Estimator.__init__.__signature__ = known.replace(parameters=[*known.parameters.values(), *new])


def _definer(function, name, kind, positional, traits):
    def register(function):
        known = name or function.__name__
        where = f"{kind} \"{known}\""
        documentation = inspect.getdoc(function) or "made in Python"
        traits["summary"] = documentation.splitlines()[0].rstrip(".")
        traits["options"] = _declared(function, where, positional)
        taken = [one["name"] for one in traits["options"] if kind == "architecture" and _options.is_taken(one["name"])]
        if taken:
            raise _core.Error(f"{where}: option \"{taken[0]}\": estimators have a parameter of this name; choose another")
        define = _core.define_gate if kind == "gate" else _core.define_architecture
        if define(known, function, traits):
            # At the line of the decorator, which is called with the function or gives what is.
            warnings.warn(f"{where} takes the place of the one of that name", ReplacedWarning,
                          stacklevel=2 if is_called else 4)
        _take_in([known])
        return function

    if function is not None and not callable(function):
        raise TypeError(f"{kind}: got a {type(function).__name__}, expected a function; the name is given as name=\"...\"")
    is_called = function is None
    return register if is_called else register(function)


def _declared(function, where, positional):
    """The options of a function, by its keyword parameters."""
    kinds = inspect.Parameter
    parameters = inspect.signature(function).parameters.values()
    hints = typing.get_type_hints(function, include_extras=True)
    plain = [one for one in parameters if one.kind in (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD)]
    if len(plain) != positional or any(one.kind in (kinds.VAR_POSITIONAL, kinds.VAR_KEYWORD) for one in parameters):
        expected = "(x, experts, *, options)" if positional == 2 else "(inputs, *, options)"
        raise _core.Error(f"{where}: got the parameters {inspect.signature(function)}, expected {expected}")
    return [_option(one, hints.get(one.name), where) for one in parameters if one.kind == kinds.KEYWORD_ONLY]


def _option(parameter, hint, where):
    place = f"{where}: option \"{parameter.name}\""
    if parameter.default is parameter.empty:
        raise _core.Error(f"{place}: has no default; give it one, as {parameter.name}: float = 0.5")
    declared = {"name": parameter.name, "help": "", "default": parameter.default}
    if typing.get_origin(hint) is typing.Annotated:
        hint, *notes = typing.get_args(hint)
        for note in notes:
            if isinstance(note, str):
                declared["help"] = note
            elif isinstance(note, Limits):
                declared.update(note)
    if typing.get_origin(hint) is typing.Literal:
        declared["choices"] = list(typing.get_args(hint))
        hint = str
    kind = type(parameter.default) if hint is None else hint
    if kind not in TYPES:
        raise _core.Error(f"{place}: got the type {getattr(kind, '__name__', kind)}, expected bool, int, float, str, dict, "
                          "list[int], list[float], list[str] or a Literal of texts")
    return {**declared, "type": TYPES[kind]}
