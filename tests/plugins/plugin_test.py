"""Plug-ins out of the tree: built as others would, used by every verb, not needed by the models they made.

Usage: plugin_test.py BUILD, with the build tree of a program that is built. The example is built in BUILD/plugin_example
against the package that cmake --install gives.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
PLACE = BUILD / "plugin_example"
PLUGIN = PLACE / "build" / "normalised.so"
CONFIGURATION = """
[data]
train = "train.csv"
[tasks.y1]
kind = "regression"
[tasks.y2]
kind = "regression"
[model]
type = "mmoe"
experts = 3
expert = {units = [8]}
gate = {type = "normalised", temperature = 0.5}
[training]
epochs = 2
threads = 1
[split]
kind = "fraction"
fractions = {train = 0.8, test = 0.2}
"""


def build_example():
    """Installs headers and package, and builds the example against them; only what changed is done again."""
    subprocess.run(["cmake", "--install", BUILD, "--prefix", PLACE / "prefix", "--component", "plugins"], check=True,
                   stdout=subprocess.DEVNULL)
    package = next((PLACE / "prefix").glob("lib*/**/gatewise-config.cmake")).parent
    configure = ["cmake", "-S", ROOT / "examples/plugin", "-B", PLACE / "build", f"-Dgatewise_DIR={package}",
                 "-DCMAKE_BUILD_TYPE=Release", *os.environ.get("GATEWISE_PLUGIN_CMAKE_OPTIONS", "").split()]
    for command in (configure, ["cmake", "--build", PLACE / "build"]):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"the example plug-in cannot be built:\n{done.stdout}{done.stderr}")


class PluginTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.place = pathlib.Path(cls.folder.name)
        for name in ("train", "new"):
            cls.run_gatewise(["synth", "related_tasks", "--rows", "600", "--dimension", "6", "--output", f"{name}.csv"])
        (cls.place / "model.toml").write_text(CONFIGURATION)
        cls.run_gatewise(["fit", "model.toml", "--plugin", PLUGIN, "--output", "made.model", "--quiet"])

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def run_gatewise(cls, arguments, code=0):
        done = subprocess.run([BUILD / "gatewise", *arguments], cwd=cls.place, capture_output=True, text=True)
        if done.returncode != code:
            raise AssertionError(f"gatewise {arguments}: got exit code {done.returncode}, expected {code}\n{done.stderr}")
        return done.stdout if code == 0 else done.stderr

    def test_its_parts_are_described_like_those_of_the_tree(self):
        described = json.loads(self.run_gatewise(["describe", "normalised", f"--plugin={PLUGIN}", "--json"]))
        options = {option["name"]: option for option in described["gate"]["options"]}
        self.assertEqual(options["temperature"]["default"], 1.0)
        self.assertEqual(options["temperature"]["limits"], "above 0")
        self.assertIn("architecture", self.run_gatewise(["describe", "shared_and_own", "--plugin", PLUGIN]))
        self.assertIn("Did you mean", self.run_gatewise(["describe", "normalised"], code=2))

    def test_its_options_are_checked(self):
        message = self.run_gatewise(["fit", "model.toml", "--plugin", PLUGIN, "--model.gate.temperature", "0"], code=2)
        self.assertIn("model.gate.temperature: got 0, expected above 0", message)

    def test_the_model_does_not_need_it(self):
        with_plugin = self.run_gatewise(["predict", "made.model", "new.csv", "--plugin", PLUGIN])
        self.assertEqual(self.run_gatewise(["predict", "made.model", "new.csv"]), with_plugin)
        self.assertEqual(with_plugin.count("\n"), 601)
        self.run_gatewise(["evaluate", "made.model", "new.csv"])
        self.run_gatewise(["describe", "made.model"])
        diagnosed = json.loads(self.run_gatewise(["diagnose", "made.model", "new.csv", "--no-single", "--json"]))
        self.assertEqual(len(diagnosed["levels"][0]["gates"]), 2)
        self.run_gatewise(["export", "made.model", "--onnx", "made.onnx"])

    def test_a_configuration_loads_what_it_names(self):
        named = self.place / "named.toml"
        named.write_text(f"plugins = [\"{PLUGIN}\"]\n" + CONFIGURATION)
        self.run_gatewise(["compare", "named.toml", "--architectures", "mmoe,shared_and_own", "--seeds", "1", "--quiet"])
        written = self.run_gatewise(["describe", "named.toml"])
        self.assertTrue(written.startswith(f"plugins = [\"{PLUGIN}\"]\n"), written)
        named.write_text("plugins = \"one.so\"\n" + CONFIGURATION)
        self.assertIn("plugins: got \"one.so\", expected a list of texts", self.run_gatewise(["describe", "named.toml"], code=2))

    def test_a_journal_holds_no_results_of_another_plugin(self):
        other = self.place / "other.so"
        other.write_bytes(PLUGIN.read_bytes())

        def known_runs():
            done = subprocess.run([BUILD / "gatewise", "compare", "model.toml", "--plugin", other, "--seeds", "1", "--journal",
                                   "other.journal"], cwd=self.place, capture_output=True, text=True, check=True)
            return "1 of 1 runs were in" in done.stderr

        self.assertFalse(known_runs())
        self.assertTrue(known_runs())
        other.write_bytes(PLUGIN.read_bytes() + b"\0")
        self.assertFalse(known_runs())

    def test_reading_a_model_runs_nothing_that_it_names(self):
        gone = self.place / "gone.so"
        shutil.copy(PLUGIN, gone)
        (self.place / "gone.toml").write_text(f"plugins = [\"{gone}\"]\n" + CONFIGURATION)
        self.run_gatewise(["fit", "gone.toml", "--output", "gone.model", "--quiet"])
        self.assertIn(str(gone), self.run_gatewise(["describe", "gone.model"]))
        gone.unlink()
        self.assertEqual(self.run_gatewise(["predict", "gone.model", "new.csv"]),
                         self.run_gatewise(["predict", "made.model", "new.csv"]))
        self.run_gatewise(["evaluate", "gone.model", "new.csv"])
        self.assertIn("gone.so: the plug-in cannot be read", self.run_gatewise(["describe", "gone.toml"], code=2))

    def test_every_verb_takes_it(self):
        verbs = re.findall(r"^  ([a-z]+) ", self.run_gatewise(["--help"]), re.MULTILINE)
        self.assertGreaterEqual(len(verbs), 9, verbs)
        for verb in verbs:
            message = self.run_gatewise([verb, "--plugin", "missing.so"], code=2)
            self.assertIn("missing.so: the plug-in cannot be read", message)
        self.assertIn("got no value", self.run_gatewise(["fit", "--plugin"], code=2))

    def test_what_does_not_fit_is_refused_before_it_runs(self):
        mark = b"Gatewise plug-in made for gatewise "
        content = PLUGIN.read_bytes()
        self.assertEqual(content.count(mark), 1)
        other = self.place / "other.so"
        other.write_bytes(content.replace(mark, mark[:-1] + b"-"))
        message = self.run_gatewise(["describe", "--plugin", other], code=2)
        self.assertIn("made for another build of Gatewise; got gatewise-", message)
        self.assertIn("expected gatewise ", message)
        other.write_text("no library")
        self.assertIn("this is no plug-in", self.run_gatewise(["describe", "--plugin", other], code=2))
        other.write_bytes(mark + self.stamp(content) + b"\0")
        self.assertIn("cannot be loaded", self.run_gatewise(["describe", "--plugin", other], code=2))

    @staticmethod
    def stamp(content):
        mark = b"Gatewise plug-in made for "
        return content[content.index(mark) + len(b"Gatewise plug-in made for gatewise "):].split(b"\0")[0]

    def test_a_name_that_is_taken_is_refused(self):
        shutil.copy(PLUGIN, self.place / "copy.so")
        message = self.run_gatewise(["describe", "--plugin", PLUGIN, "--plugin", "copy.so"], code=2)
        self.assertIn("copy.so: the plug-in cannot be used: \"normalised\" is registered twice", message)
        self.run_gatewise(["describe", "--plugin", PLUGIN, "--plugin", PLUGIN])


if __name__ == "__main__":
    build_example()
    unittest.main()
