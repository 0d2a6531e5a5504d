#!/usr/bin/env python3
"""Installs the package out of a clean checkout into a fresh virtual environment, as its users do, and tries it there.

The build tools and what the package requires come from wherever pip is set up to look; with
GATEWISE_WHEEL_OFFLINE=1 those of the project's own environment are used, without isolation.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
ALLOWED = {"linux-vdso.so.1", "libstdc++.so.6", "libm.so.6", "libgcc_s.so.1", "libc.so.6", "ld-linux-x86-64.so.2",
           "ld-linux-aarch64.so.1"}

TRIAL = """
import numpy, gatewise
x = numpy.random.default_rng(1).normal(size=(200, 3))
y = numpy.column_stack([x[:, 0] > 0, x[:, 1] > 0])
model = gatewise.MultiTaskClassifier(epochs=2, threads=2).fit(x, y)
model.save("model")
assert numpy.array_equal(gatewise.load("model").predict(x), model.predict(x))
assert "echarts" in model.report().html
print(gatewise._core.__file__)
"""


def run(*command, **options):
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}:\n{done.stdout}")
    return done.stdout


class Wheel(unittest.TestCase):
    def test_installs_and_works_on_its_own(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            checkout = folder / "checkout"
            run("git", "clone", "--quiet", "--depth", "1", f"file://{ROOT}", checkout)
            # What make setup provides.
            (checkout / ".cache").mkdir()
            (checkout / ".cache/echarts").symlink_to(ROOT / ".cache/echarts")
            is_offline = os.environ.get("GATEWISE_WHEEL_OFFLINE") == "1"
            run(ROOT / ".venv/bin/python", "-m", "venv", folder / "venv")
            python = folder / "venv/bin/python"
            if is_offline:
                packages = run(ROOT / ".venv/bin/python", "-c", "import site; print(site.getsitepackages()[0])").strip()
                own = run(python, "-c", "import site; print(site.getsitepackages()[0])").strip()
                pathlib.Path(own, "project.pth").write_text(packages + "\n")
            pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            run(*pip, *(["--no-build-isolation", "--no-deps"] if is_offline else []), checkout)
            module = run(python, "-c", TRIAL, cwd=folder).strip().splitlines()[-1]
            needed = {line.split()[0].rpartition("/")[2] for line in run("ldd", module).splitlines()}
            self.assertLessEqual(needed, ALLOWED)
            package = pathlib.Path(module).parent
            for name in ("py.typed", "_core.pyi"):
                self.assertTrue((package / name).is_file(), name)


if __name__ == "__main__":
    sys.exit(unittest.main())
