"""papers/experiment.py: widths, intervals and paired differences against values known otherwise."""

import math
import pathlib
import sys
import tempfile
import tomllib
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "papers"))
import experiment  # noqa: E402


class Configurations(unittest.TestCase):
    def test_options_take_their_place_in_the_tables(self):
        given = {"model": {"type": "mmoe", "expert": {"units": [16]}}, "training": {"epochs": 3}}
        options = ["--model.type", "omoe", "--model.expert.units", "[8]", "--model.gate.bias", "true", "--split.seed", "4"]
        self.assertEqual(experiment.with_options(given, options), {
            "model": {"type": "omoe", "expert": {"units": [8]}, "gate": {"bias": True}},
            "training": {"epochs": 3},
            "split": {"seed": 4},
        })
        self.assertEqual(given["model"]["type"], "mmoe")

    def test_tables_are_written_as_toml(self):
        tables = {"columns": {"PM2.5": {"role": "numeric"}, "age": "numeric"}, "x": {"a": [1, {"d": 2}], "b": True, "c": 1e-3}}
        self.assertEqual(tomllib.loads(experiment.toml_text(tables)), tables)


class Statistics(unittest.TestCase):
    def test_quantiles_of_student_agree_with_tables(self):
        tables = ((1, 12.7062), (2, 4.3027), (3, 3.1824), (4, 2.7764), (5, 2.5706), (9, 2.2622), (19, 2.0930), (1000, 1.9623))
        for degrees, quantile in tables:
            self.assertAlmostEqual(experiment.student_t(degrees), quantile, delta=0.0001)

    def test_paired_differences_forget_what_seeds_share(self):
        mean, error = experiment.paired([101, 203, 302], [100, 200, 300])
        self.assertAlmostEqual(mean, 2)
        self.assertAlmostEqual(error, 1 / math.sqrt(3))
        self.assertTrue(experiment.is_noise((2, 1 / math.sqrt(3)), 3))
        self.assertFalse(experiment.is_noise((2, 0.1), 10))

    def test_an_interval_is_around_the_mean(self):
        mean, half = experiment.mean_interval([float(i) for i in range(10)])
        self.assertAlmostEqual(mean, 4.5)
        self.assertAlmostEqual(half, 2.2622 * math.sqrt(55 / 6) / math.sqrt(10), delta=2e-3)


class Runs(unittest.TestCase):
    def test_a_kept_run_is_not_computed_again(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            first = experiment.cached(folder, "run", lambda: {"loss": 0.5})
            second = experiment.cached(folder, "run", lambda: self.fail("computed again"))
        self.assertEqual(first, second)

    def test_a_failed_run_ends_the_others(self):
        def fail():
            raise RuntimeError("failed")

        with self.assertRaises(RuntimeError):
            experiment.run_all(1, {"bad": fail, "other": lambda: 1})


if __name__ == "__main__":
    unittest.main()
