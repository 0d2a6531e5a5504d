"""Measures `gatewise serve` on loopback beside the same HTTP front with nothing behind it, and writes Markdown.

    .venv/bin/python benchmarks/server.py --census DIRECTORY [--model MODEL] [--seconds 5] [--rounds 3]

Both servers and the load generator (h2load, HTTP/1.1, 64 connections, one thread) share the cores of the machine. Every
round loads both, in turns, with one row of the Census-Income table per request as JSON; the empty server gets the same
requests and sends as many bytes. Answers are compared with those of `gatewise predict` before anything is timed.
Then: latency at half the rate that was reached, and a ranking request of 1,000 candidates. DIRECTORY holds train.csv
and test.csv; without --model, examples/census_income.toml is trained first.
"""

import argparse
import csv
import datetime
import io
import json
import os
import pathlib
import platform
import re
import statistics
import tempfile
import time

from served import Server, ask_json, instance, run

HERE = pathlib.Path(__file__).parent
CONNECTIONS = 64
WANTED_RATE = 15000  # requests per second
CANDIDATES = 1000
CHECKED_ROWS = 200
TOLERANCE = 1e-6
# Of a ranking request: what is known of the person; the rest differs by candidate.
CANDIDATE_FEATURES = ["detailed_industry_recode", "detailed_occupation_recode", "major_industry_code",
                      "major_occupation_code", "wage_per_hour", "weeks_worked_in_year", "capital_gains"]


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gatewise", type=pathlib.Path, default=pathlib.Path("build/release/gatewise"))
    parser.add_argument("--empty", type=pathlib.Path, default=pathlib.Path("build/benchmarks/benchmarks/bench_empty_server"))
    parser.add_argument("--census", type=pathlib.Path, required=True, help="directory of train.csv and test.csv")
    parser.add_argument("--model", type=pathlib.Path, help="trained on it")
    parser.add_argument("--seconds", type=int, default=5, help="of one measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=pathlib.Path, help="Markdown file; standard output without it")
    return parser.parse_args()


def trained_model(options, folder: pathlib.Path) -> pathlib.Path:
    if options.model:
        return options.model
    model = folder / "census"
    run(options.gatewise, "fit", HERE.parent / "examples/census_income.toml", "--data.train", options.census / "train.csv",
        "--data.test", options.census / "test.csv", "--output.model", model, "--quiet")
    return model


def check_answers(options, model, connection, features, rows: list[dict]) -> None:
    """Of the server beside those of the command line."""
    with tempfile.NamedTemporaryFile("w", suffix=".csv", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
        file.flush()
        expected = list(csv.DictReader(io.StringIO(run(options.gatewise, "predict", model, file.name))))
    worst = 0.0
    for row, known in zip(rows, expected, strict=True):
        answer = ask_json(connection, "/v1/models/census:predict", {"instances": [instance(features, row)]})
        worst = max(worst, *(abs(answer["predictions"][0][task] - float(value)) for task, value in known.items()))
    if worst > TOLERANCE:
        raise SystemExit(f"answers differ from those of gatewise predict by {worst}")


def load(server: Server, path: str, body: pathlib.Path, seconds: int, rate: float | None = None) -> dict:
    """Requests per second, and latencies in milliseconds where a rate is given."""
    with tempfile.NamedTemporaryFile() as log:
        command = ["h2load", "--h1", "-c", CONNECTIONS, "-t", 1, "-D", seconds, "--warm-up-time", 1, "-d", body,
                   "-H", "content-type: application/json"]
        if rate:
            command += [f"--rps={rate / CONNECTIONS:.2f}", f"--log-file={log.name}"]
        text = run(*command, server.url(path))
        lines = pathlib.Path(log.name).read_text().split("\n")[:-1]
    failed = re.search(r"(\d+) failed, (\d+) errored, (\d+) timeout", text)
    statuses = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", text)
    if not failed or not statuses or any(int(n) for n in (*failed.groups(), *statuses.groups()[1:])):
        raise SystemExit(f"h2load: requests failed\n{text}")
    result = {"rate": float(re.search(r"finished in [^,]+, ([\d.]+) req/s", text)[1])}
    if rate:
        latencies = sorted(int(line.split("\t")[2]) / 1000 for line in lines)
        result |= {"p50": latencies[len(latencies) // 2], "p99": latencies[int(len(latencies) * 0.99)]}
    return result


def steady(options, server: Server, path: str, body: pathlib.Path, rate: float) -> dict:
    """Of the rounds at this rate the one with the shortest waits: others may have used the machine in the rest."""
    rounds = [load(server, path, body, options.seconds, rate) for _ in range(options.rounds)]
    return min(rounds, key=lambda result: result["p99"])


def rank(connection, features, rows: list[dict], repeats: int = 300) -> dict:
    """Milliseconds of a ranking request, sent by a client that waits for each answer."""
    request = {
        "context": {name: value for name, value in instance(features, rows[0]).items() if name not in CANDIDATE_FEATURES},
        "candidates": [{name: value for name, value in instance(features, row).items() if name in CANDIDATE_FEATURES}
                       for row in rows[:CANDIDATES]],
        "score": "income^0.5 * never_married",
        "top": 10,
    }
    body = json.dumps(request).encode()
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        ask_json(connection, "/v1/models/census:rank", body)
        times.append((time.perf_counter() - begin) * 1000)
    times.sort()
    return {"p50": times[repeats // 2], "p99": times[int(repeats * 0.99)], "bytes": len(body)}


def report(options, real, empty, wanted, half, ranking, body_bytes) -> str:
    best_real, best_empty = max(real), max(empty)
    shares = [a / b for a, b in zip(real, empty)]
    lines = [
        "# The server under load", "",
        f"Written by `benchmarks/server.py` on {datetime.date.today()}: {platform.processor() or platform.machine()}, "
        f"{os.cpu_count()} cores for server and load generator together, {CONNECTIONS} connections, HTTP/1.1 on loopback, "
        f"{options.rounds} rounds of {options.seconds} s. One row of the Census-Income table per request, "
        f"{body_bytes:,} bytes of JSON.", "",
        "| | measured | wanted |", "| --- | --- | --- |",
        f"| requests/s, best and median round | {best_real:,.0f}, {statistics.median(real):,.0f} | at least {WANTED_RATE:,} |",
        f"| the same front without a model | {best_empty:,.0f}, {statistics.median(empty):,.0f} | |",
        f"| share of it, best and median round | {max(shares):.0%}, {statistics.median(shares):.0%} | at least 70 % |",
        f"| at half the wanted rate ({wanted['rate']:,.0f}/s): p50, p99 | {wanted['p50']:.2f} ms, {wanted['p99']:.2f} ms "
        "| p99 under 5 ms |",
        f"| at half the rate reached ({half['rate']:,.0f}/s): p50, p99 | {half['p50']:.2f} ms, {half['p99']:.2f} ms | |",
        f"| a ranking request of {CANDIDATES:,} candidates ({ranking['bytes']:,} bytes): p50, p99 "
        f"| {ranking['p50']:.2f} ms, {ranking['p99']:.2f} ms | under 3 ms |",
    ]
    lines += ["", "Rounds alternate between both servers; the share is of each round. Waits are those of the round with the shortest p99, for",
              "others may have used the machine in the rest."]
    return "\n".join(lines) + "\n"


def main() -> None:
    options = parse_options()
    with open(options.census / "test.csv", newline="") as file:
        rows = [row for row, _ in zip(csv.DictReader(file), range(CANDIDATES))]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        model = trained_model(options, folder)
        with Server(options.gatewise, "serve", f"census={model}", "--port", 0) as server:
            connection = server.connect()
            features = ask_json(connection, "/v1/models/census")["features"]
            check_answers(options, model, connection, features, rows[:CHECKED_ROWS])
            body = folder / "body.json"
            body.write_text(json.dumps({"instances": [instance(features, rows[0])]}))
            path = "/v1/models/census:predict"
            answer = json.dumps(ask_json(connection, path, body.read_bytes()), separators=(",", ":"))
            real, empty = [], []
            with Server(options.empty, "--port", 0, "--body", answer) as nothing:
                for _ in range(options.rounds):
                    empty.append(load(nothing, path, body, options.seconds)["rate"])
                    real.append(load(server, path, body, options.seconds)["rate"])
            wanted = steady(options, server, path, body, WANTED_RATE / 2)
            half = steady(options, server, path, body, max(real) / 2)
            connection.close()  # the server has ended it if the load took longer than its idle time; asking opens it again
            ranking = rank(connection, features, rows)
            connection.close()
        text = report(options, real, empty, wanted, half, ranking, body.stat().st_size)
    if options.output:
        options.output.write_text(text)
    else:
        print(text)


if __name__ == "__main__":
    main()
