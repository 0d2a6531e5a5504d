"""Rows that every test can use; made from a seed."""

import json
import os
import pathlib
import re
import subprocess
import urllib.request

import numpy
import pytest

import gatewise


@pytest.fixture(autouse=True)
def quiet(monkeypatch, request):
    """One thread for each model: tests run beside each other. (scikit-learn's checks hold defaults against these.)"""
    if request.module.__name__ != "test_sklearn":
        monkeypatch.setitem(gatewise._options.DEFAULTS, "threads", 1)


@pytest.fixture(scope="session")
def program():
    """The command line, where it has been built."""
    path = os.environ.get("GATEWISE_PROGRAM", "")
    if not pathlib.Path(path).is_file():
        pytest.skip("GATEWISE_PROGRAM names no program")
    return path


@pytest.fixture
def served(program):
    """A function that asks a server of a saved model: served(folder, rows as dictionaries) -> predictions."""

    def ask(folder, rows):
        command = [program, "serve", folder, "--port", "0", "--workers", "1"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
            try:
                first = next(line for line in server.stderr if "http://" in line)
                url = f"{re.search('http://[0-9.:]+[0-9]', first)[0]}/v1/models/{pathlib.Path(folder).name}:predict"
                request = urllib.request.Request(url, json.dumps({"instances": rows}).encode(),
                                                 {"Content-Type": "application/json"})
                with urllib.request.urlopen(request, timeout=30) as answer:
                    return json.load(answer)["predictions"]
            finally:
                server.terminate()

    return ask


class People:
    """400 rows with a column of every kind, as columns of Python values."""

    def __init__(self):
        random = numpy.random.default_rng(7)
        rows = 400
        age = random.integers(18, 80, rows).astype(float)
        self.columns = {
            "age": [None if missing else float(value) for value, missing in zip(age, random.random(rows) < 0.1)],
            "visits": random.integers(0, 50, rows).tolist(),
            "city": [["Bern", "Genf", "Chur", None][place] for place in random.integers(0, 4, rows)],
            "user_id": random.integers(0, 30, rows).tolist(),
            "member": (random.random(rows) < 0.5).tolist(),
            "seen": [random.integers(0, 40, count).tolist() for count in random.integers(0, 4, rows)],
            "tags": [[["new", "hot", "old"][place] for place in random.integers(0, 3, count)]
                     for count in random.integers(1, 3, rows)],
            "place": random.normal(size=(rows, 2)).round(3).tolist(),
        }
        visits = numpy.array(self.columns["visits"])
        self.buy = (visits + random.normal(0, 10, rows) > 25).astype(int)
        self.amount = (age / 10 + visits + random.normal(size=rows)).round(3)
        self.mood = numpy.array(["bad", "fine", "good"])[(visits // 17)]
        self.labels = {"buy": self.buy, "amount": self.amount, "mood": self.mood}


@pytest.fixture(scope="session")
def people():
    return People()


@pytest.fixture(scope="session")
def numbers():
    """x [300, 4], and two labels of it."""
    random = numpy.random.default_rng(3)
    x = random.normal(size=(300, 4))
    return x, numpy.column_stack([x[:, 0] + 0.3 * x[:, 1] > 0, x[:, 0] - x[:, 2] > 0]).astype(int)
