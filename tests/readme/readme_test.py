"""What the pages show, run as it stands there: README.md from a table to answers of a server, the example of a configuration.

Usage: readme_test.py PROGRAM
"""

import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = pathlib.Path(sys.argv.pop(1)).resolve()
SECTION = "## From a table to a server"
PORT = "8080"


def commands_and_answers():
    """The commands of the section, and the JSON that it shows as their answers."""
    section = (ROOT / "README.md").read_text().split(f"{SECTION}\n")[1].split("\n## ")[0]
    commands = "\n".join(re.findall(r"```sh\n(.*?)```", section, re.DOTALL))
    return commands, [json.loads(text) for text in re.findall(r"```json\n(.*?)```", section, re.DOTALL)]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class ReadmeTest(unittest.TestCase):
    def test_a_newcomer_gets_the_answers_that_are_shown(self):
        commands, shown = commands_and_answers()
        self.assertEqual(len(shown), 2)
        with tempfile.TemporaryDirectory() as folder:
            script = f"set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n{commands}"
            done = subprocess.run(
                ["bash", "-c", script.replace(PORT, str(free_port()))], cwd=folder, capture_output=True, text=True, timeout=300,
                env=os.environ | {"PATH": f"{PROGRAM.parent}:{os.environ['PATH']}"})
        self.assertEqual(done.returncode, 0, done.stderr)
        answers = [json.loads(line) for line in done.stdout.replace('{"model_name"', '\n{"model_name"').splitlines()
                   if line.startswith('{"model_name"')]
        self.assertEqual(len(answers), len(shown), done.stdout + done.stderr)
        for answer, expected in zip(answers, shown):
            self.assert_alike(answer, expected)

    def test_the_example_of_a_configuration_trains(self):
        example = re.search(r"```toml\n(.*?)```", (ROOT / "docs/configuration.md").read_text(), re.DOTALL).group(1)
        columns = "age,price,country,item,seen,picture,shown_at,user,click,seconds,spent,topic"
        rows = (f"{i % 60 + 18},{i % 19 + 0.5},{'abc'[i % 3]},{i % 7},{i % 5}|{i % 7},{i % 4 / 4}|0.5,2024-01-{i // 20 + 1:02},{i % 9},"
                f"{i * 7 % 3 % 2},{i * 11 % 90},{i % 13},{'xyz'[i * 5 % 3]}" for i in range(400))
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "logs").mkdir()
            (folder / "logs/2024-01.csv").write_text("\n".join([columns, *rows]) + "\n")
            (folder / "example.toml").write_text(example)
            done = subprocess.run([PROGRAM, "fit", "example.toml", "--training.epochs", "1"], cwd=folder, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("grouped_auc", done.stdout)

    def assert_alike(self, answer, expected):
        """Equal but for what rounding does to training on other machines."""
        if isinstance(expected, dict):
            self.assertEqual(list(answer), list(expected))
            for name in expected:
                self.assert_alike(answer[name], expected[name])
        elif isinstance(expected, list):
            self.assertEqual(len(answer), len(expected))
            for own, other in zip(answer, expected):
                self.assert_alike(own, other)
        elif isinstance(expected, float):
            self.assertAlmostEqual(answer, expected, delta=0.25 * expected)
        else:
            self.assertEqual(answer, expected)


if __name__ == "__main__":
    unittest.main()
