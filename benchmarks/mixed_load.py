"""Ten minutes of everything at once against `gatewise serve`; exit code 1 if any valid request failed.

    python3 benchmarks/mixed_load.py [--gatewise build/release/gatewise] [--seconds 600] [--clients 12]

Clients send valid requests of every kind (rows by name, tensors as JSON and in binary, ranking, compressed, chunked,
pipelined) and compare every answer with what `gatewise predict` says of those rows; meanwhile new versions of the model
appear and old ones go, broken ones appear, models are reloaded and unloaded; other clients send what is malformed, which
has to be refused with the right status, die amid requests and answers, or send a byte now and then. At the end: counts,
memory over time (flat after the first fifth), SIGTERM, exit code 0 expected. Runs against builds with sanitizers too,
whose reports count as failures; their memory grows by design, so give --memory-growth 1000 there.
"""

import argparse
import asyncio
import csv
import gzip
import io
import json
import os
import pathlib
import random
import shutil
import signal
import struct
import tempfile
import time

from served import Server, run

CITIES = ["Bern", "Lima", "Oslo", "Rome"]
ROWS = 400
TASKS = ["clicked", "bought", "spent"]
TOLERANCE = 1e-6  # of a probability, and relative; other instruction sets than those of the file may be used
CONFIGURATION = """
[data]
train = "train.csv"
[split]
kind = "fraction"
fractions = { train = 0.6, validation = 0.2, test = 0.2 }
[columns]
default = "ignore"
age = "numeric"
height = "numeric"
city = "categorical"
[tasks.clicked]
kind = "binary"
[tasks.bought]
kind = "binary"
[tasks.spent]
kind = "regression"
[model]
type = "mmoe"
experts = 4
expert = { units = [32, 16] }
tower = { units = [8] }
[training]
epochs = 2
[evaluation]
resamples = 20
"""
MALFORMED = [  # what is sent, and the status expected
    (b"nonsense\r\n\r\n", 400),
    (b"GET /v2 HTTP/1.1\r\n\r\n", 400),
    (b"GET /v2 HTTP/3.0\r\nHost: h\r\n\r\n", 505),
    (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999\r\n\r\n", 413),
    (b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: h\r\nLong: " + b"a" * 20000 + b"\r\n\r\n", 431),
]
MALFORMED_BODIES = [
    ("/v1/models/people:predict", b"", 400),
    ("/v1/models/people:predict", b"{\"instances\":[{\"age\":1}", 400),
    ("/v1/models/people:predict", b"{\"instances\":[{\"weight\":1}]}", 400),
    ("/v1/models/people:predict", b"{\"instances\":[{\"age\":{}}]}", 400),
    ("/v1/models/people:predict", b"[" * 5000, 400),
    ("/v1/models/people:predict", b"\xff\xfe\x00", 400),
    ("/v1/models/nobody:predict", b"{\"instances\":[{}]}", 404),
    ("/v2/models/people/infer", b"{\"inputs\":[{\"name\":\"age\",\"shape\":[2],\"datatype\":\"FP64\",\"data\":[1]}]}", 400),
    ("/v2/models/people/infer", b"{\"inputs\":[{\"name\":\"age\",\"shape\":[1],\"datatype\":\"FP16\",\"data\":[1]}]}", 400),
    ("/v2/models/people/versions/999999/infer", b"{}", 404),
]


class Failure(Exception):
    """A valid request that was not answered as it should be."""


class Client:
    """A connection that asks and reads answers."""

    def __init__(self, port: int):
        self.port = port

    async def __aenter__(self):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_):
        self.writer.close()

    def send(self, path: str, body: bytes = b"", headers: dict | None = None, method: str = "POST"):
        head = f"{method} {path} HTTP/1.1\r\nHost: load\r\n" + "".join(f"{k}: {v}\r\n" for k, v in (headers or {}).items())
        if (headers or {}).get("Transfer-Encoding") == "chunked":
            parts = [body[i:i + 100] for i in range(0, len(body), 100)]
            data = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
        else:
            head, data = head + f"Content-Length: {len(body)}\r\n", body
        self.writer.write(head.encode() + b"\r\n" + data)

    async def receive(self) -> tuple[int, bytes]:
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        return int(head[9:12]), await self.reader.readexactly(length)

    async def ask(self, *arguments, **named) -> tuple[int, bytes]:
        self.send(*arguments, **named)
        await self.writer.drain()
        return await self.receive()


class Run:
    """What all parts of a run share."""

    def __init__(self, options, folder: pathlib.Path):
        self.options, self.folder = options, folder
        self.counts: dict[str, int] = {}
        self.failures: list[str] = []
        self.memory: list[tuple[float, float]] = []
        self.variant_of_version = {"1": 0}
        self.next_version = 2
        self.end = 0.0

    def count(self, what: str):
        self.counts[what] = self.counts.get(what, 0) + 1

    def is_over(self) -> bool:
        return time.monotonic() > self.end

    def prepare(self):
        """Two models, their predictions for the same rows, and a folder of versions that begins with the first."""
        chance = random.Random(1)
        self.rows = [{"age": round(chance.uniform(20, 70), 2), "height": round(chance.gauss(170, 10), 1),
                      "city": chance.choice(CITIES)} for _ in range(ROWS)]
        with open(self.folder / "train.csv", "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["age", "height", "city", *TASKS])
            for row in self.rows * 3:
                taste = (row["age"] - 45) / 15 + (row["city"] == "Lima") + chance.gauss(0, 1)
                writer.writerow([*row.values(), int(taste > 0), int(taste + row["height"] / 10 > 18), taste])
        (self.folder / "people.toml").write_text(CONFIGURATION.replace("train.csv", str(self.folder / "train.csv")))
        self.models, self.known = [], []
        for seed in (1, 2):
            model = self.folder / f"model_{seed}"
            run(self.options.gatewise, "fit", self.folder / "people.toml", "--training.seed", seed, "--output.model", model,
                "--quiet")
            text = run(self.options.gatewise, "predict", model, self.folder / "train.csv")
            self.models.append(model)
            self.known.append([{k: float(v) for k, v in row.items()} for row in csv.DictReader(io.StringIO(text))][:ROWS])
        shutil.copytree(self.models[0], self.folder / "people/1")

    def publish(self, model: pathlib.Path, variant: int | None) -> str:
        """A new version that appears whole; `variant` None: one that is broken."""
        version = str(self.next_version)
        self.next_version += 1
        prepared = self.folder / "prepared"
        shutil.copytree(model, prepared)
        if variant is None:
            largest = max((path for path in prepared.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
            data = bytearray(largest.read_bytes())
            data[len(data) // 2] ^= 0x55
            largest.write_bytes(data)
        else:
            self.variant_of_version[version] = variant
        prepared.rename(self.folder / "people" / version)
        return version

    def check(self, version: str, places: list[int], answers: list[dict]):
        if version not in self.variant_of_version:
            raise Failure(f"version {version} answered, which is broken")
        known = self.known[self.variant_of_version[version]]
        if len(places) != len(answers):
            raise Failure(f"got {len(answers)} predictions, expected {len(places)}")
        for place, answer in zip(places, answers):
            for task in TASKS:
                if abs(answer[task] - known[place][task]) > TOLERANCE * max(1, abs(known[place][task])):
                    raise Failure(f"row {place}, {task}: got {answer[task]}, expected {known[place][task]}")


def rows_body(run: Run, places: list[int]) -> bytes:
    return json.dumps({"instances": [run.rows[place] for place in places]}).encode()


def tensors(run: Run, places: list[int], is_binary: bool) -> tuple[bytes, dict]:
    inputs, binary = [], b""
    for name, datatype in (("age", "FP64"), ("height", "FP64"), ("city", "BYTES")):
        values = [run.rows[place][name] for place in places]
        tensor = {"name": name, "shape": [len(places)], "datatype": datatype}
        if is_binary:
            part = (b"".join(struct.pack("<I", len(v)) + v.encode() for v in values) if datatype == "BYTES" else
                    struct.pack(f"<{len(values)}d", *values))
            tensor["parameters"] = {"binary_data_size": len(part)}
            binary += part
        else:
            tensor["data"] = values
        inputs.append(tensor)
    text = json.dumps({"inputs": inputs}).encode()
    return text + binary, {"Inference-Header-Content-Length": str(len(text))} if is_binary else {}


def expect_ok(status: int, body: bytes) -> dict:
    if status != 200:
        raise Failure(f"got {status}: {body[:300]!r}")
    return json.loads(body)


async def predict(run: Run, client: Client, places: list[int], headers: dict, encode=lambda body: body):
    headers = {"Content-Type": "application/json"} | headers
    answer = expect_ok(*await client.ask("/v1/models/people:predict", encode(rows_body(run, places)), headers))
    run.check(answer["model_version"], places, answer["predictions"])


async def infer(run: Run, client: Client, places: list[int], is_binary: bool):
    body, headers = tensors(run, places, is_binary)
    answer = expect_ok(*await client.ask("/v2/models/people/infer", body, headers))
    outputs = {output["name"]: output["data"] for output in answer["outputs"]}
    run.check(answer["model_version"], places, [dict(zip(TASKS, row)) for row in zip(*(outputs[task] for task in TASKS))])


async def pipeline(run: Run, client: Client, places: list[int]):
    for place in places:
        client.send("/v1/models/people:predict", rows_body(run, [place]), {"Content-Type": "application/json"})
    for place in places:
        answer = expect_ok(*await client.receive())
        run.check(answer["model_version"], [place], answer["predictions"])


async def rank(run: Run, client: Client, places: list[int]):
    """All candidates of one city; scores and order follow from the known predictions of the version that answered."""
    city = run.rows[places[0]]["city"]
    places = [place for place in places if run.rows[place]["city"] == city]
    request = {"context": {"city": city}, "score": "clicked^0.5 * bought",
               "candidates": [{"age": run.rows[place]["age"], "height": run.rows[place]["height"]} for place in places]}
    body = json.dumps(request).encode()
    answer = expect_ok(*await client.ask("/v1/models/people:rank", body, {"Content-Type": "application/json"}))
    ranked = [item["candidate"] for item in answer["ranking"]]
    if sorted(ranked) != list(range(len(places))):
        raise Failure(f"ranked {ranked} of {len(places)} candidates")
    run.check(answer["model_version"], [places[i] for i in ranked], [item["predictions"] for item in answer["ranking"]])
    scores = [item["score"] for item in answer["ranking"]]
    if scores != sorted(scores, reverse=True):
        raise Failure(f"not in order of scores: {scores}")


KINDS = {
    "one row": lambda run, client, places: predict(run, client, places[:1], {}),
    "rows": lambda run, client, places: predict(run, client, places, {}),
    "rows, gzip": lambda run, client, places: predict(run, client, places, {"Content-Encoding": "gzip"}, gzip.compress),
    "rows, chunked": lambda run, client, places: predict(run, client, places, {"Transfer-Encoding": "chunked"}),
    "rows, pipelined": pipeline,
    "tensors": lambda run, client, places: infer(run, client, places, False),
    "tensors, binary": lambda run, client, places: infer(run, client, places, True),
    "ranking": rank,
}


async def send_valid(run: Run, port: int, seed: int):
    chance = random.Random(seed)
    while not run.is_over():
        async with Client(port) as client:
            for _ in range(chance.randint(1, 200)):
                kind = chance.choice(list(KINDS))
                places = [chance.randrange(ROWS) for _ in range(chance.choice([2, 5, 50]))]
                try:
                    await asyncio.wait_for(KINDS[kind](run, client, places), 60)
                    run.count(kind)
                except (Failure, OSError, asyncio.IncompleteReadError, asyncio.TimeoutError, KeyError, ValueError) as error:
                    run.failures.append(f"{kind}: {type(error).__name__}: {error}")
                    break
                if run.is_over():
                    return


async def send_malformed(run: Run, port: int):
    chance = random.Random(100)
    while not run.is_over():
        async with Client(port) as client:
            if chance.random() < 0.5:
                data, expected = chance.choice(MALFORMED)
                client.writer.write(data)
            else:
                path, body, expected = chance.choice(MALFORMED_BODIES)
                client.send(path, body, {"Content-Type": "application/json"})
            status, text = await asyncio.wait_for(client.receive(), 60)
            if status != expected or b'"error"' not in text:
                run.failures.append(f"malformed: got {status}, expected {expected}: {text[:200]!r}")
            run.count("malformed, refused")
        await asyncio.sleep(0.01)


async def die(run: Run, port: int):
    """Ends amid a request, or before its answer, by a reset."""
    chance = random.Random(200)
    while not run.is_over():
        client = Client(port)
        await client.__aenter__()
        body = rows_body(run, [chance.randrange(ROWS) for _ in range(300)])
        client.send("/v1/models/people:predict", body, {"Content-Type": "application/json"})
        if chance.random() < 0.5:
            client.writer.write(b"POST /v1/models/people:predict HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n{")
        await asyncio.sleep(chance.choice([0, 0.001, 0.01]))
        client.writer.transport.abort()
        run.count("clients that died")
        await asyncio.sleep(0.02)


async def dawdle(run: Run, port: int):
    """Sends a byte now and then; the server has to end it."""
    while not run.is_over():
        async with Client(port) as client:
            ending = asyncio.ensure_future(client.reader.read(1))
            while not run.is_over() and not ending.done():
                client.writer.write(b"G")
                await asyncio.wait([ending], timeout=0.3)
            if ending.done():
                ending.exception()
                run.count("slow clients that were ended")
            ending.cancel()


async def change_models(run: Run, server: Server):
    chance = random.Random(300)
    versions = ["1"]
    while not run.is_over():
        await asyncio.sleep(chance.uniform(0.5, 1.5))
        if chance.random() < 0.3:
            broken = run.publish(run.models[0], None)
            await asyncio.sleep(0.7)
            shutil.rmtree(run.folder / "people" / broken)
            run.count("broken versions")
            continue
        variant = chance.randrange(2)
        versions.append(run.publish(run.models[variant], variant))
        run.count("new versions")
        if len(versions) > 3:
            shutil.rmtree(run.folder / "people" / versions.pop(0))
        if chance.random() < 0.5:
            server.process.send_signal(signal.SIGHUP)
        async with Client(server.port) as client:
            for path in ("models/people/load", "models/other/unload", "models/other/load", "index"):
                status, text = await client.ask(f"/v2/repository/{path}", b"{}")
                if status != 200:
                    run.failures.append(f"/v2/repository/{path}: {status} {text[:200]}")


async def watch_memory(run: Run, port: int):
    begin = time.monotonic()
    while not run.is_over():
        async with Client(port) as client:
            _, text = await client.ask("/metrics", method="GET")
        line = next(line for line in text.decode().split("\n") if line.startswith("process_resident_memory_bytes "))
        run.memory.append((time.monotonic() - begin, int(line.split()[1]) / 2**20))
        await asyncio.sleep(run.options.seconds / 60)


async def load(run: Run, server: Server):
    run.end = time.monotonic() + run.options.seconds
    await asyncio.gather(*(send_valid(run, server.port, seed) for seed in range(run.options.clients)),
                         send_malformed(run, server.port), die(run, server.port), dawdle(run, server.port),
                         change_models(run, server), watch_memory(run, server.port))


def judge(run: Run, server: Server, code: int) -> int:
    for what, count in sorted(run.counts.items()):
        print(f"{count:9,}  {what}")
    warm = [size for seconds, size in run.memory if seconds > run.options.seconds / 5]
    print("resident MB: " + " ".join(f"{size:.0f}" for _, size in run.memory))
    half = len(warm) // 2
    growth = max(warm[half:]) - max(warm[:half]) if half else 0.0
    print(f"growth of its maximum from the first to the second half after warm-up: {growth:.1f} MB")
    problems = [f"failed: {text}" for text in run.failures[:20]]
    problems += [f"{len(run.failures)} failures in all"] if run.failures else []
    problems += [f"memory grew by {growth:.1f} MB"] if growth > run.options.memory_growth else []
    problems += [f"exit code {code}"] if code != 0 else []
    problems += [f"no {kind} was answered" for kind in (*KINDS, "broken versions", "new versions") if kind not in run.counts]
    problems += [line.strip() for line in server.lines if "Sanitizer" in line or "runtime error" in line]
    print("\n".join(problems) if problems else "no valid request failed")
    if any("Sanitizer" in line for line in server.lines):
        print("".join(server.lines[-100:]))
    return 1 if problems else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gatewise", type=pathlib.Path, default=pathlib.Path("build/release/gatewise"))
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--clients", type=int, default=12, help="that send valid requests")
    parser.add_argument("--memory-growth", type=float, default=4, help="megabytes that are allowed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        run_of_all = Run(options, pathlib.Path(name))
        run_of_all.prepare()
        with Server(options.gatewise, "serve", run_of_all.folder / "people", f"other={run_of_all.models[1]}", "--port", 0,
                    "--poll-seconds", 0.2, "--header-seconds", 2, "--body-seconds", 2, "--idle-seconds", 5,
                    "--access-log", run_of_all.folder / "access.log", env=dict(os.environ)) as server:
            asyncio.run(load(run_of_all, server))
            return judge(run_of_all, server, server.stop())


if __name__ == "__main__":
    raise SystemExit(main())
