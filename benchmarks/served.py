"""Starts servers for benchmarks and load runs, and asks them."""

import http.client
import json
import re
import signal
import subprocess
import threading


class Server:
    """A server that says "http://ADDRESS:PORT: serving ..." on standard error; ends with the `with` block."""

    def __init__(self, *command, env=None):
        self.lines = []
        self.process = subprocess.Popen([str(part) for part in command], stderr=subprocess.PIPE, text=True, env=env)
        self._listening = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._listening.wait(300)
        if self.port is None:
            self.process.kill()
            raise SystemExit(f"{command[0]}: it does not listen\n" + "".join(self.lines))

    def _read(self):
        self.port = None
        for line in self.process.stderr:
            self.lines.append(line)
            found = re.match(r"http://\S+:(\d+): serving", line)
            if found:
                self.port = int(found[1])
                self._listening.set()
        self._listening.set()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self) -> int:
        """Ends it as an operator would; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        self._reader.join()
        return code

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)


def ask(connection: http.client.HTTPConnection, path: str, body=None):
    """Status and text of the answer; POST where there is a body."""
    data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"} if data is not None else {}
    connection.request("GET" if data is None else "POST", path, data, headers)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def ask_json(connection: http.client.HTTPConnection, path: str, body=None):
    status, text = ask(connection, path, body)
    if status != 200:
        raise SystemExit(f"{path}: got {status}: {text[:500]}")
    return json.loads(text)


def run(*command) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{command[0]}: failed\n{done.stderr[-2000:]}")
    return done.stdout


def instance(features: list[dict], row: dict[str, str]) -> dict:
    """A row of a CSV file as a request has it: missing values left out, numbers as numbers."""
    values = {}
    for feature in features:
        text = row[feature["name"]]
        if text in ("", "?"):
            continue
        values[feature["name"]] = json.loads(text) if feature["type"] in ("number", "id") else text
    return values
