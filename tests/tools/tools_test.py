"""The scripts of tools/: each check must find the fault it is there for."""

import importlib.machinery
import importlib.util
import pathlib
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

TOOLS = pathlib.Path(__file__).resolve().parent.parent.parent / "tools"


def run_check(name, files):
    """Runs a check over a repository made of `files` (path -> text); returns (exit code, output)."""
    with tempfile.TemporaryDirectory() as folder:
        for path, text in files.items():
            file = pathlib.Path(folder, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        subprocess.run(["git", "init", "--quiet", folder], check=True)
        subprocess.run(["git", "-C", folder, "add", "--all"], check=True)
        run = subprocess.run([sys.executable, TOOLS / name, folder], capture_output=True, text=True)
        return run.returncode, run.stdout


class CheckLayers(unittest.TestCase):
    def run_with(self, source, cmake="gatewise_folder(base)\ngatewise_folder(graph PLUGINS ops)\n"):
        table = "| `base` | | errors |\n| `graph` | operations | a graph |\n"
        return run_check("check_layers.py", {"src/README.md": table, "CMakeLists.txt": cmake, **source})

    def test_an_include_of_an_earlier_folder_or_the_own_one_passes(self):
        code, _ = self.run_with({"src/graph/ops/a.cpp": '#include "base/error.h"\n#include "graph/graph.h"\n'})
        self.assertEqual(code, 0)

    def test_an_include_of_a_later_folder_is_refused(self):
        code, output = self.run_with({"src/base/a.h": '#include <vector>\n#include "graph/graph.h"\n'})
        self.assertEqual(code, 1)
        self.assertIn("a.h:2: base includes \"graph/graph.h\"", output)

    def test_an_include_that_is_no_path_from_src_is_refused(self):
        self.assertEqual(self.run_with({"src/base/a.h": '#include "error.h"\n'})[0], 1)
        self.assertEqual(self.run_with({"src/base/a.h": '#include "cli/main.h"\n'})[0], 1)

    def test_a_folder_missing_from_the_table_is_refused(self):
        self.assertEqual(self.run_with({"src/extra/a.h": "\n"})[0], 1)

    def test_another_order_in_cmake_is_refused(self):
        code, output = self.run_with({}, cmake="gatewise_folder(graph)\ngatewise_folder(base)\n")
        self.assertEqual(code, 1)
        self.assertIn("expected the order", output)


class CheckSize(unittest.TestCase):
    def test_a_file_and_a_function_at_the_limit_pass_and_one_line_more_fails(self):
        function = lambda lines: "namespace a {\nint f(int x) {\n" + "  x++;  // }\n" * (lines - 2) + "}\n}  // namespace a\n"
        self.assertEqual(run_check("check_size.py", {"src/base/a.cpp": function(80)})[0], 0)
        code, output = run_check("check_size.py", {"src/base/a.cpp": function(81)})
        self.assertEqual(code, 1)
        self.assertIn("a.cpp:2 f: 81 lines", output)
        self.assertEqual(run_check("check_size.py", {"src/base/a.h": "int a;\n" * 450})[0], 0)
        self.assertEqual(run_check("check_size.py", {"src/base/a.h": "int a;\n" * 451})[0], 1)

    def test_a_long_method_and_a_long_python_function_are_found(self):
        method = "class A {\n public:\n  void g() const {\n" + "    if (x) { y(); }\n" * 90 + "  }\n};\n"
        self.assertIn("a.h:3 g: 92 lines", run_check("check_size.py", {"src/base/a.h": method})[1])
        python = "#!/usr/bin/env python3\ndef h():\n" + "    pass\n" * 90
        self.assertIn("tools/a:2 h: 91 lines", run_check("check_size.py", {"tools/a": python})[1])


class CheckWords(unittest.TestCase):
    def test_each_fault_is_found_and_plain_text_is_not(self):
        for text in ("// TO" + "DO: later", "a stu" + "b", "Place" + "holder", "see /" + "work/x", "https://py" + "pi.org/simple"):
            code, output = run_check("check_words.py", {"a.md": f"fine\n{text}\n"})
            self.assertEqual(code, 1, text)
            self.assertIn("a.md:2:", output)
        self.assertEqual(run_check("check_words.py", {"a.md": "stu" + "bborn work/ in PyPI, framework/x\n"})[0], 0)


def load_tool(name):
    """A tool without a suffix, as a module."""
    loader = importlib.machinery.SourceFileLoader(name, str(TOOLS / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


class ChartLibrary(unittest.TestCase):
    def put(self, fetched, known):
        """Runs the tool with a stand-in for the fetched file and its checksum; (what is there afterwards, exit message)."""
        tool = load_tool("chart_library")
        tool.fetch, tool.FILE_SHA256 = (lambda: fetched), tool.sha256(known)
        with tempfile.TemporaryDirectory() as folder, unittest.mock.patch.object(sys, "argv", ["chart_library", folder]):
            try:
                tool.main()
                message = None
            except SystemExit as exit:
                message = exit.code
            return [path.read_bytes() for path in pathlib.Path(folder).iterdir()], message

    def test_the_file_is_put_there(self):
        self.assertEqual(self.put(b"chart", b"chart"), ([b"chart"], None))

    def test_another_content_is_refused_and_leaves_nothing(self):
        files, message = self.put(b"chart", b"other")
        self.assertEqual(files, [])
        self.assertIn("another content", message)


class Census(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.census = load_tool("census")

    def test_the_raw_form_becomes_a_csv_without_spaces_and_weight(self):
        fields = [f"v{i}" for i in range(42)]
        fields[24], fields[41], fields[7] = "1700.09", "50000+.", "Never married"
        data, rows, rich, single = self.census.convert((", ".join(fields) + "\n").encode())
        header, row = data.decode().splitlines()
        self.assertEqual((rows, rich, single), (1, 1, 1))
        self.assertEqual(len(header.split(",")), 41)
        self.assertNotIn("instance_weight", header)
        self.assertEqual(row.split(",")[:2] + row.split(",")[23:25], ["v0", "v1", "v23", "v25"])

    def test_a_short_line_is_refused(self):
        with self.assertRaisesRegex(SystemExit, "line 1: got 2 fields, expected 42"):
            self.census.convert(b"1, 2\n")

    def test_a_wrong_archive_leaves_nothing_behind(self):
        with tempfile.TemporaryDirectory() as folder:
            archive, target = pathlib.Path(folder, "a.tar.gz"), pathlib.Path(folder, "out")
            archive.write_bytes(b"something else")
            run = subprocess.run([sys.executable, TOOLS / "census", "--archive", archive, "--folder", target],
                                 capture_output=True, text=True)
            self.assertEqual(run.returncode, 1)
            self.assertIn("wrong content", run.stderr)
            self.assertEqual(list(target.iterdir()), [])


if __name__ == "__main__":
    unittest.main()
