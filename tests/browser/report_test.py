#!/usr/bin/env python3
"""HTML reports in a real browser: no errors, every chart drawn, downloads, two widths, light and dark.

Usage: tests/browser/report_test.py PROGRAM [--screenshots FOLDER] [REPORT.html...]. Without reports, PROGRAM makes them:
one for every verb that writes reports, over small made-up data.
"""

import argparse
import csv
import json
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

from browser import Browser

WIDTHS = {"phone": 390, "desktop": 1280}
PROGRAM = None
REPORTS = []
SCREENSHOTS = None

# Draws what has not come into view yet, as printing does, and waits for it to be laid out.
DRAW_ALL = """(dispatchEvent(new Event("beforeprint")),
  new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true)))))"""

# Every chart's title, the number of shapes drawn with the colours of data, and texts cut by the chart's edges.
CHARTS = """[...document.querySelectorAll("figure")].map((figure) => {
  const svg = figure.querySelector(".chart svg");
  const box = svg && svg.getBoundingClientRect();
  const texts = svg ? [...svg.querySelectorAll("text")] : [];
  return {
    title: figure.querySelector("figcaption").textContent,
    shapes: svg ? svg.querySelectorAll("path").length : 0,
    texts: texts.length,
    cut: texts.filter((text) => {
      const place = text.getBoundingClientRect();
      return place.left < box.left - 1 || place.right > box.right + 1 || place.bottom > box.bottom + 1;
    }).map((text) => text.textContent),
  };
})"""

# The contrast of text on the page, as WCAG defines it.
CONTRAST = """(() => {
  const luminance = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const page = luminance(getComputedStyle(document.body).backgroundColor);
  return Math.min(...[...document.querySelectorAll("h1, .headline, .note, td, button")].map((element) => {
    const text = luminance(getComputedStyle(element).color);
    return (Math.max(text, page) + 0.05) / (Math.min(text, page) + 0.05);
  }));
})()"""


def make_reports(folder):
    """A report of every verb; the paths."""
    def run(*arguments):
        done = subprocess.run([PROGRAM, *arguments], cwd=folder, capture_output=True, text=True)
        if done.returncode:
            raise OSError(f"gatewise {' '.join(arguments)}: {done.stderr}")

    training = "[training]\nepochs = 3\nsteps_per_epoch = 30\nbatch_rows = 128\n[evaluation]\nresamples = 20\n"
    (folder / "log.toml").write_text(training + "[synthetic]\nkind = \"behaviour_log\"\nvalidation_rows = 5000\n"
                                     "test_rows = 5000\n[model]\ntype = \"mmoe\"\nexperts = 4\n")
    (folder / "pair.toml").write_text(training + "[synthetic]\nkind = \"related_tasks\"\n[model]\ntype = \"ple\"\n")
    run("fit", "log.toml", "--output", "log.model", "--report", "fit.html")
    run("compare", "pair.toml", "--architectures", "ple,mmoe,single_task,shared_bottom", "--seeds", "5", "--report",
        "compare.html")
    # Two options: as many as six trials can tell apart.
    run("tune", "pair.toml", "--tune.trials", "6", "--model.expert.dropout", "{search = true}",
        "--training.optimiser.rate", "{search = true}", "--report", "tune.html")
    run("synth", "related_tasks", "--rows", "3000", "--output", "rows.csv")
    run("fit", "rows.csv", "--labels", "y1,y2", "--model.type", "ple", "--training.epochs", "2", "--output", "rows.model")
    run("diagnose", "rows.model", "rows.csv", "--report", "diagnose.html")
    return [folder / f"{verb}.html" for verb in ("fit", "compare", "tune", "diagnose")]


class Reports(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.reports = REPORTS or make_reports(pathlib.Path(cls.folder.name))
        cls.browser = Browser()

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()
        cls.folder.cleanup()

    def in_every_way(self, check):
        """Calls check(name, width, is_dark) with each report open at each width, in light and dark."""
        for report in self.reports:
            for name, width in WIDTHS.items():
                for is_dark in (False, True):
                    with self.subTest(report=report.name, width=width, dark=is_dark):
                        self.browser.open(report, width, is_dark)
                        self.assertTrue(self.browser.run(DRAW_ALL))
                        check(f"{report.stem}-{name}-{'dark' if is_dark else 'light'}", width, is_dark)

    def test_every_chart_is_drawn_without_errors_or_cut_labels(self):
        def check(name, width, is_dark):
            charts = self.browser.run(CHARTS)
            self.assertGreater(len(charts), 0)
            for chart in charts:
                self.assertGreater(chart["shapes"], 4, chart)
                self.assertGreater(chart["texts"], 2, chart)
                self.assertEqual(chart["cut"], [], chart)
            self.assertEqual(self.browser.messages, [])
            self.assertEqual(self.browser.requests, [self.browser.run("location.href")])
            self.assertLessEqual(self.browser.run("document.documentElement.scrollWidth"), width, "it scrolls sideways")
            if SCREENSHOTS:
                self.browser.screenshot(SCREENSHOTS / f"{name}.png")

        self.in_every_way(check)

    def test_text_can_be_read_in_light_and_dark_and_the_switch_changes_both_page_and_charts(self):
        chart_colour = "document.querySelector('.chart svg rect').getAttribute('fill')"

        def check(name, width, is_dark):
            self.assertEqual(self.browser.run("document.documentElement.dataset.theme"), "dark" if is_dark else "light")
            self.assertGreater(self.browser.run(CONTRAST), 4.5)
            before = self.browser.run(chart_colour)
            self.browser.click("#theme-switch")
            self.assertEqual(self.browser.run("document.documentElement.dataset.theme"), "light" if is_dark else "dark")
            self.assertGreater(self.browser.run(CONTRAST), 4.5)
            self.assertNotEqual(self.browser.run(chart_colour), before)
            self.assertEqual(self.browser.messages, [])

        self.in_every_way(check)

    def download(self, folder, selector):
        """The bytes of the file that comes of clicking. Chromium drops downloads of a page beyond 10 a second."""
        time.sleep(0.11)
        self.browser.click(selector)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            files = [path for path in folder.iterdir() if path.suffix != ".crdownload"]
            if files and files[0].stat().st_size > 0:
                content = files[0].read_bytes()
                files[0].unlink()
                return content
            self.browser.run("new Promise((done) => setTimeout(() => done(true), 20))")
        self.fail(f"{selector}: no file came")

    def test_every_figure_and_table_hands_out_its_data(self):
        for report in self.reports:
            self.browser.open(report, 1280)
            sections = self.browser.run("JSON.parse(document.getElementById('sections').textContent)")
            with tempfile.TemporaryDirectory() as name, self.subTest(report=report.name):
                folder = pathlib.Path(name)
                self.browser.keep_downloads(folder)
                result = json.loads(self.download(folder, "#download-result"))
                self.assertEqual(result, self.browser.run("JSON.parse(document.getElementById('result').textContent)"))
                for i, section in enumerate(sections):
                    for j, block in enumerate(section["blocks"]):
                        items = [(f"block-{i}-{j}", block)] if block["kind"] == "table" else [
                            (f"block-{i}-{j}-{k}", figure) for k, figure in enumerate(block.get("figures", []))]
                        for place, item in items:
                            self.check_downloads(folder, place, item)
                self.assertEqual(self.browser.messages, [])

    def check_downloads(self, folder, place, item):
        button = lambda form: f"#{place} [data-format={form}]"
        rows = list(csv.reader(self.download(folder, button("CSV")).decode().splitlines(keepends=True)))
        self.assertEqual(rows[0], item["data"]["columns"])
        self.assertEqual(len(rows), len(item["data"]["rows"]) + 1)
        self.assertEqual(json.loads(self.download(folder, button("JSON"))), item)
        if item["kind"] != "table":
            self.assertIn(b"<svg", self.download(folder, button("SVG")))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--screenshots", type=pathlib.Path)
    parser.add_argument("reports", nargs="*", type=pathlib.Path)
    options = parser.parse_args()
    PROGRAM, SCREENSHOTS, REPORTS = str(pathlib.Path(options.program).resolve()), options.screenshots, options.reports
    if SCREENSHOTS:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    unittest.main(argv=sys.argv[:1], verbosity=2)
