"""Reports and diagnoses."""

import html
import os
import pathlib

from . import _core, _tables


class Report:
    """A report as one HTML page that needs nothing beside it."""

    def __init__(self, page):
        self.html = page

    def save(self, path):
        """Writes the page."""
        pathlib.Path(os.fspath(path)).write_text(self.html, encoding="utf-8")
        return self

    def _repr_html_(self):
        # A page of its own: its styles and scripts stay inside.
        return (f"<iframe srcdoc=\"{html.escape(self.html)}\" sandbox=\"allow-scripts allow-downloads\" "
                "style=\"width:100%;height:720px;border:0\"></iframe>")

    def __repr__(self):
        return f"Report({len(self.html)} characters of HTML; save(path) writes it)"


class Diagnosis:
    """What was found out about a model; docs/diagnosis.md explains every number.

    Attributes
    ----------
    result : dict
        everything, as ``gatewise diagnose --json`` prints it
    sharing, verdicts, tasks, experts, gates, columns : tables
        pandas DataFrames if pandas is there, else dictionaries of columns
    """

    def __init__(self, result):
        self.result = result

    @property
    def verdicts(self):
        """What is wrong: kind, where, text, confidence (0 to 1)."""
        return _tables.rows_as_table([
            {"kind": found["kind"], "where": found["where"], "confidence": found.get("confidence"),
             "text": found.get("text")} for found in self.result["verdicts"]])

    @property
    def sharing(self):
        """A row for each task: whether it is better off than alone."""
        return _tables.rows_as_table([{"task": name, **found} for name, found in
                                      self.result["sharing"].get("tasks", {}).items()])

    @property
    def tasks(self):
        """A row for each task: labels, predictions, loss and metric."""
        return _tables.rows_as_table([{"task": name, **found} for name, found in self.result["tasks"].items()])

    @property
    def experts(self):
        """A row for each expert of each level; "<task>_without" is the rise of a task's loss without it."""
        return _tables.rows_as_table([
            {"level": level["name"], **_numbers(expert), **_changes(expert.get("removed", {}), "without")}
            for level in self.result["levels"] for expert in level["experts"]])

    @property
    def gates(self):
        """A row for each gate and expert it sees: mean weight, share, and how often the expert leads."""
        return _tables.rows_as_table([
            {"level": level["name"], "gate": gate["path"], "task": gate["task"], "expert": expert,
             "weight": gate["weights"][place], "share": gate["shares"][place], "leads": gate["leads"][place]}
            for level in self.result["levels"] for gate in level["gates"] for place, expert in enumerate(gate["sees"])])

    @property
    def columns(self):
        """A row for each feature: "<task>_permuted" is the rise of a task's loss when its values change places, the mean
        of several shuffles, and "<task>_error" the standard error of that."""
        return _tables.rows_as_table([
            {"column": found["column"], **_changes(found.get("permuted", {}), "permuted"),
             **_changes({task: change.get("standard_error", {}) for task, change in found.get("permuted", {}).items()}, "error")}
            for found in self.result.get("columns", [])])

    def report(self):
        """The diagnosis as a page: shown inline in a notebook, saved by ``.save(path)``."""
        return Report(_core.diagnosis_page(self.result))

    def _repr_html_(self):
        return self.report()._repr_html_()

    def __str__(self):
        return _core.diagnosis_text(self.result)

    def __repr__(self):
        return f"Diagnosis({len(self.result['verdicts'])} verdicts; print() shows all, .verdicts is a table)"


def _numbers(entry):
    """The entries of a row that are no lists or tables."""
    return {name: value for name, value in entry.items() if not isinstance(value, (list, dict))}


def _changes(by_task, what):
    return {f"{task}_{what}": change.get("loss") for task, change in by_task.items()}
