"""The estimators' parameters, out of the core's own declarations."""

import difflib
import inspect

from . import _core

SECTIONS = _core.describe_sections()
PARTS = _core.describe_parts()

# Training options that concern files and streamed rows, which estimators do not have.
NOT_HERE = ("checkpoint_seconds", "steps_per_epoch")
# Those that follow from the number of rows unless they are given, as `gatewise describe` proposes them.
BY_ROWS = ("batch_rows", "epochs")
# Tables of a configuration that are parameters as a whole.
TABLES = {
    "columns": "what columns are for, as {\"zip\": \"categorical\", \"age\": {\"role\": \"numeric\", \"transform\": "
               "\"log1p\"}}; columns not named get a role by their type",
    "tasks": "options of tasks by name, as {\"buy\": {\"weight\": 2, \"parents\": [\"click\"]}}",
    "split": "rows that are held out of training, as {\"kind\": \"fraction\", \"fractions\": {\"train\": 0.8, "
             "\"validation\": 0.2}}; None: none are",
    "evaluation": "what is measured after training",
}
# Parts that a table of the model names by its type, and the type of those that name none (a test holds it against the
# core).
DEFAULT_TYPES = {"expert": "mlp", "gate": "softmax", "tower": "mlp"}


def model_options():
    """{name: option} of every architecture; the default is that of the architecture, hence None here."""
    options = {}
    for entry in PARTS["architecture"].values():
        for option in entry["options"]:
            options.setdefault(option["name"], option)
    return options


def training_options():
    """{name: option} of [training]; tables and lists, whose defaults are empty, are None here."""
    return {option["name"]: option for option in SECTIONS["training"]["options"] if option["name"] not in NOT_HERE}


MODEL_OPTIONS = model_options()
TRAINING_OPTIONS = training_options()


def training_default(option):
    if option["name"] in BY_ROWS:
        return None
    return None if option["default"] in ({}, []) else option["default"]


def defaults():
    """{parameter: default} of every estimator, in the order of their signature."""
    return {
        "architecture": "mmoe",
        **{name: None for name in MODEL_OPTIONS},
        **{name: training_default(option) for name, option in TRAINING_OPTIONS.items()},
        **{name: None for name in TABLES},
    }


DEFAULTS = defaults()


def is_taken(name):
    """Whether estimators have a parameter of this name that is none of the architecture's."""
    return name in DEFAULTS and name not in MODEL_OPTIONS


def refresh():
    """Takes in the parts that were registered since; estimators made before have their options at the defaults."""
    PARTS.update(_core.describe_parts())
    MODEL_OPTIONS.update(model_options())
    for name in MODEL_OPTIONS:
        DEFAULTS.setdefault(name, None)


def signature():
    """That of __init__: every parameter by keyword."""
    kinds = inspect.Parameter
    return inspect.Signature(
        [kinds("self", kinds.POSITIONAL_OR_KEYWORD)]
        + [kinds(name, kinds.KEYWORD_ONLY, default=default) for name, default in DEFAULTS.items()])


def parameters_text():
    """The section "Parameters" of the estimators' documentation."""
    lines = ["architecture : str, default \"mmoe\"",
             "    how experts, gates and towers are wired: " + ", ".join(PARTS["architecture"])]
    for name, option in MODEL_OPTIONS.items():
        takers = [key for key, entry in PARTS["architecture"].items()
                  if any(known["name"] == name for known in entry["options"])]
        whose = "all architectures" if len(takers) == len(PARTS["architecture"]) else ", ".join(takers)
        lines += [f"{name} : {option['type']}, default None (that of the architecture)",
                  f"    {option['help']} ({whose})"]
    for name, option in TRAINING_OPTIONS.items():
        by_rows = f" (by the number of rows; {option['default']} for large tables)" if name in BY_ROWS else ""
        lines += [f"{name} : {option['type']}, default {training_default(option)!r}{by_rows}", f"    {option['help']}"]
    for name, text in TABLES.items():
        lines += [f"{name} : dict, default None", f"    {text}"]
    return "\n".join(lines)


def check_names(given, owner):
    """Raises TypeError for a keyword that is no parameter, with the nearest ones."""
    for name in given:
        if name not in DEFAULTS:
            near = difflib.get_close_matches(name, DEFAULTS, n=3)
            hint = f"did you mean {' or '.join(near)}?" if near else "gatewise.describe() lists them"
            raise TypeError(f"{owner}: unknown parameter \"{name}\"; {hint}")


def model_table(parameters):
    """The table [model] of a configuration."""
    table = {"type": parameters["architecture"]}
    for name in MODEL_OPTIONS:
        value = parameters[name]
        if value is not None:
            table[name] = {"type": value} if name in DEFAULT_TYPES and isinstance(value, str) else value
    return table


def configuration(parameters, tasks, rows):
    """The configuration of a training run over `rows` rows, in the form of a configuration file."""
    given = {name: parameters[name] for name in TRAINING_OPTIONS if parameters[name] is not None}
    made = {"model": model_table(parameters),
            "training": _core.propose_training(rows) | given,
            "tasks": tasks}
    for name in ("columns", "split", "evaluation"):
        if parameters[name] is not None:
            made[name] = parameters[name]
    return made


def nested(parameters):
    """{"gate__k": value} for every option of the parameters that are tables, those left out at their defaults."""
    found = {}
    try:
        model = _core.complete_model(model_table(parameters))
    except _core.Error:
        model = model_table(parameters)
    for name in MODEL_OPTIONS:
        if isinstance(model.get(name), dict):
            _flatten(name, _complete_part(name, model[name]), found)
    for name in TRAINING_OPTIONS:
        section = SECTIONS.get(f"training.{name}")
        if section is not None:
            known = {option["name"]: option["default"] for option in section["options"]}
            given = parameters[name] if isinstance(parameters[name], dict) else {}
            # Drawing by task is off unless it is asked for.
            _flatten(name, given if name == "task_sampling" else {**known, **given}, found)
    for name in TABLES:
        if isinstance(parameters[name], dict):
            _flatten(name, parameters[name], found)
    return found


def _complete_part(name, given):
    """A part's table with the options that it leaves out."""
    if name not in DEFAULT_TYPES:
        return given
    kind = given.get("type", DEFAULT_TYPES[name])
    entry = PARTS[name].get(kind, {"options": []}) if isinstance(kind, str) else {"options": []}
    return {"type": kind, **{option["name"]: option["default"] for option in entry["options"]}, **given}


def _flatten(path, table, found):
    for key, value in table.items():
        found[f"{path}__{key}"] = value
        if isinstance(value, dict):
            _flatten(f"{path}__{key}", value, found)


def with_nested(name, value, path, new):
    """A copy of the table `value` of parameter `name`, with the option of this path set to `new`."""
    table = {"type": value} if isinstance(value, str) else dict(value or {})
    first, _, rest = path.partition("__")
    table[first] = with_nested(first, table.get(first), rest, new) if rest else new
    return table


def describe(name=None):
    """What can be set: every kind of part, each of their options, and the tables of a configuration.

    Parameters
    ----------
    name : str, optional
        an architecture, gate, expert, tower, loss, metric ("mmoe", "top_k") or a table ("training.stop")

    Returns
    -------
    dict
        {kind: {name: {"summary", "options"}}}, each option with name, type, default, limits and help, as
        ``gatewise describe --json`` prints them; of one name {kind: {"summary", "options"}}
    """
    catalogue = {**PARTS, "configuration": SECTIONS}
    if name is None:
        return catalogue
    found = {kind: entries[name] for kind, entries in catalogue.items() if name in entries}
    if not found:
        known = [key for entries in catalogue.values() for key in entries]
        near = difflib.get_close_matches(name, known, n=3)
        raise _core.Error(f"describe: nothing is called \"{name}\"; " + (
            f"did you mean {' or '.join(near)}?" if near else "describe() lists everything"))
    return found
