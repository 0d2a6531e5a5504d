#!/usr/bin/env python3
"""`gatewise serve` as Triton's own client sees it, and its bits beside those of `gatewise predict`.

Usage: tests/server/triton_test.py PROGRAM [unittest options]. Needs tritonclient[http]; skipped without it.
"""

import csv
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.error
import urllib.request

try:
    import numpy as np
    import tritonclient.http as client
    from tritonclient.utils import InferenceServerException
except ImportError:
    client = None

PROGRAM = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else "gatewise"

CONFIGURATION = """
data = {{ train = ["{folder}/people.csv"] }}
split = {{ kind = "fraction", fractions = {{ train = 0.8, validation = 0.2 }} }}
model = {{ type = "mmoe", experts = 2 }}
training = {{ epochs = 1, threads = 1, seed = {seed} }}
[columns]
age = {{ role = "numeric", missing_indicator = true }}
city = {{ role = "categorical" }}
seen = {{ role = "bag" }}
[tasks]
click = {{}}
grade = {{ kind = "multiclass" }}
"""


def write_people(path):
    rows = random.Random(1)
    with open(path, "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["age", "city", "seen", "click", "grade"])
        for row in range(300):
            age = "" if row % 7 == 0 else rows.randint(18, 80)
            seen = "|".join(str(rows.randint(1, 9)) for _ in range(row % 4))
            city = rows.choice(["Bern", "Köln", "Wien"])
            table.writerow([age, city, seen, int(rows.random() < 0.4), rows.choice("abc")])


def gatewise(*arguments):
    return subprocess.run([PROGRAM, *arguments], check=True, capture_output=True, text=True).stdout


def fit(folder, output, seed=1):
    (folder / "people.toml").write_text(CONFIGURATION.format(folder=folder, seed=seed))
    gatewise("fit", str(folder / "people.toml"), "--output", str(output), "--quiet")


@unittest.skipIf(client is None, "tritonclient[http] is not installed")
class TritonClient(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp())
        write_people(cls.folder / "people.csv")
        (cls.folder / "people").mkdir()
        fit(cls.folder, cls.folder / "people" / "1")
        cls.server = subprocess.Popen(
            [PROGRAM, "serve", str(cls.folder / "people"), "--port", "0", "--workers", "2", "--poll-seconds", "3600"],
            stderr=subprocess.PIPE, text=True)
        cls.url = None
        for line in cls.server.stderr:
            if "http://" in line:
                cls.url = line[line.index("http://") + 7:].split(": ")[0].split()[0].rstrip("/:")
                break
        cls.triton = client.InferenceServerClient(cls.url)
        with open(cls.folder / "people.csv", newline="") as file:
            cls.rows = list(csv.DictReader(file))[:50]
        lines = gatewise("predict", str(cls.folder / "people" / "1"), str(cls.folder / "people.csv")).splitlines()
        cls.predicted = np.array([[float(value) for value in line.split(",")] for line in lines[1:51]], np.float32)

    @classmethod
    def tearDownClass(cls):
        cls.triton.close()
        cls.server.terminate()
        cls.server.communicate()
        assert cls.server.returncode == 0, cls.server.returncode
        shutil.rmtree(cls.folder)

    def tensors(self, binary):
        ages = np.array([float(row["age"] or "nan") for row in self.rows])
        texts = {name: np.array([row[name] for row in self.rows], object) for name in ("city", "seen")}
        age = client.InferInput("age", [50], "FP64" if binary else "BYTES")
        if binary:
            age.set_data_from_numpy(ages)
        else:
            age.set_data_from_numpy(np.array([row["age"] for row in self.rows], object), binary_data=False)
        inputs = [age]
        for name, values in texts.items():
            inputs.append(client.InferInput(name, [50], "BYTES"))
            inputs[-1].set_data_from_numpy(values, binary_data=binary)
        return inputs

    def assert_predictions(self, result):
        self.assertTrue(np.array_equal(result.as_numpy("click"), self.predicted[:, :1]))
        self.assertTrue(np.array_equal(result.as_numpy("grade"), self.predicted[:, 1:]))

    def ask(self, path, body):
        request = urllib.request.Request(f"http://{self.url}{path}", json.dumps(body).encode(),
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as response:
            return json.load(response)

    def test_health_and_metadata(self):
        self.assertTrue(self.triton.is_server_live())
        self.assertTrue(self.triton.is_server_ready())
        self.assertTrue(self.triton.is_model_ready("people"))
        self.assertTrue(self.triton.is_model_ready("people", "1"))
        self.assertFalse(self.triton.is_model_ready("people", "9"))
        self.assertFalse(self.triton.is_model_ready("nobody"))
        self.assertEqual(self.triton.get_server_metadata()["name"], "gatewise")
        metadata = self.triton.get_model_metadata("people")
        self.assertEqual({tensor["name"]: (tensor["datatype"], tensor["shape"]) for tensor in metadata["inputs"]},
                         {"age": ("FP64", [-1]), "city": ("BYTES", [-1]), "seen": ("UINT64", [-1, -1])})
        self.assertEqual([tensor["shape"] for tensor in metadata["outputs"]], [[-1, 1], [-1, 3]])
        self.assertEqual(self.triton.get_model_config("people")["output"][1]["dims"], [3])

    def test_predictions_have_the_bits_of_the_command_line(self):
        for binary in (True, False):
            self.assert_predictions(self.triton.infer("people", self.tensors(binary), request_id="7"))
            outputs = [client.InferRequestedOutput("grade", binary_data=binary),
                       client.InferRequestedOutput("click", binary_data=not binary)]
            result = self.triton.infer("people", self.tensors(binary), model_version="1", outputs=outputs)
            self.assert_predictions(result)
        rows = [{name: row[name] for name in ("age", "city", "seen")} for row in self.rows]
        answer = self.ask("/v1/models/people:predict", {"instances": rows})
        wanted = [[row["click"], *row["grade"].values()] for row in answer["predictions"]]
        self.assertTrue(np.array_equal(np.array(wanted, np.float32), self.predicted))
        example = json.loads(gatewise("describe", str(self.folder / "people" / "1"), "--request"))
        self.assertEqual(len(self.ask("/v1/models/people:predict", example)["predictions"]), len(example["instances"]))

    def test_compressed_requests(self):
        for algorithm in ("gzip", "deflate"):
            self.assert_predictions(
                self.triton.infer("people", self.tensors(True), request_compression_algorithm=algorithm))

    def test_asynchronous_requests(self):
        with client.InferenceServerClient(self.url, concurrency=4) as triton:
            asked = [triton.async_infer("people", self.tensors(True)) for _ in range(20)]
            for one in asked:
                self.assert_predictions(one.get_result())

    def test_repository_and_statistics(self):
        self.assertEqual(self.triton.get_model_repository_index(),
                         [{"name": "people", "version": "1", "state": "READY", "reason": ""}])
        self.triton.unload_model("people")
        self.assertFalse(self.triton.is_model_ready("people"))
        with self.assertRaisesRegex(InferenceServerException, "is not loaded"):
            self.triton.infer("people", self.tensors(True))
        self.triton.load_model("people")
        self.assert_predictions(self.triton.infer("people", self.tensors(True)))
        stats = self.triton.get_inference_statistics("people")["model_stats"][0]
        self.assertEqual(stats["inference_count"], 50)
        with self.assertRaisesRegex(InferenceServerException, "not supported"):
            self.triton.load_model("people", config="{}")

    def test_what_is_not_offered_says_so(self):
        for call in (self.triton.get_system_shared_memory_status, self.triton.get_cuda_shared_memory_status,
                     self.triton.get_trace_settings, self.triton.get_log_settings,
                     lambda: self.triton.register_system_shared_memory("a", "/a", 8)):
            with self.assertRaisesRegex(InferenceServerException, "not offered"):
                call()
        region = client.InferInput("age", [1], "FP64")
        region.set_shared_memory("a", 8)
        with self.assertRaisesRegex(InferenceServerException, "shared memory is not offered"):
            self.triton.infer("people", [region])
        with self.assertRaisesRegex(InferenceServerException, "no model \"peopl\". Did you mean \"people\""):
            self.triton.get_model_metadata("peopl")

    def test_faults_name_the_field(self):
        with self.assertRaises(urllib.error.HTTPError) as raised:
            self.ask("/v1/models/people:predict", {"instances": [{}, {"agee": 1}]})
        with raised.exception as error:
            self.assertEqual(error.code, 400)
            self.assertIn("row 2: the model has no feature \"agee\"", json.load(error)["error"])


if __name__ == "__main__":
    unittest.main()
