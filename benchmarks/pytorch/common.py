"""What every contestant shares: options, timing, the check of the answer, and one JSON line per configuration."""

import argparse
import gc
import json
import pathlib
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from safetensors.numpy import save_file

CHECK_STEPS = 20
CHECK_TOLERANCE = 1e-3


@dataclass
class Timing:
    """Wall and processor seconds per step, one value per repeat. Processor time tells how busy the machine was besides."""

    seconds: list[float]
    processor_seconds: list[float]
    steps_per_repeat: int

    def as_fields(self, rows: int) -> dict:
        median = statistics.median(self.seconds)
        return {
            "seconds_per_step": {"median": median, "min": min(self.seconds), "max": max(self.seconds)},
            "processor_seconds_per_step": statistics.median(self.processor_seconds),
            "rows_per_second": rows / median,
            "repeats": len(self.seconds),
            "steps_per_repeat": self.steps_per_repeat,
        }


def parse_options(description: str, batches: list[int], variants: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variants", nargs="+", default=variants, choices=variants)
    parser.add_argument("--batches", nargs="+", type=int, default=batches)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=1.0, help="length of one repeat")
    parser.add_argument("--dump", type=pathlib.Path, help="write initial weights and data here (safetensors) and stop")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    return options


def dump(path: pathlib.Path, tensors: dict[str, np.ndarray]) -> None:
    save_file({name: np.ascontiguousarray(value) for name, value in tensors.items()}, path)


def measure(step: Callable[[int], object], repeats: int, seconds: float) -> Timing:
    """Times repeats of about `seconds` each, after warm-up; step takes the number of the step."""
    count, elapsed = 1, 0.0
    while True:
        elapsed, _ = time_steps(step, count)
        if elapsed >= 0.25 * seconds:
            break
        count *= 2
    steps = max(1, round(count * seconds / elapsed))
    time_steps(step, max(1, steps // 4))
    gc.collect()
    gc.disable()
    times = [time_steps(step, steps) for _ in range(repeats)]
    gc.enable()
    return Timing([wall / steps for wall, _ in times], [processor / steps for _, processor in times], steps)


def time_steps(step: Callable[[int], object], count: int) -> tuple[float, float]:
    """Wall and processor seconds of so many steps."""
    start, processor_start = time.perf_counter(), time.process_time()
    for index in range(count):
        step(index)
    return time.perf_counter() - start, time.process_time() - processor_start


class WrongAnswer(RuntimeError):
    """A contestant that computes something else must not be timed."""


def check_answer(variant: str, loss: float, expected: float) -> None:
    if not abs(loss - expected) <= CHECK_TOLERANCE * abs(expected):
        raise WrongAnswer(f"{variant}: wrong loss after {CHECK_STEPS} steps; got {loss}, expected {expected}")


def batches_of(size: int, *pools: torch.Tensor) -> list[tuple[torch.Tensor, ...]]:
    """Consecutive batches of the pool; step s uses batch s modulo their number."""
    count = len(pools[0]) // size
    return [tuple(pool[i * size : (i + 1) * size].contiguous() for pool in pools) for i in range(count)]


def emit(**fields) -> None:
    fields |= {"torch": torch.__version__, "processor": processor_name()}
    print(json.dumps(fields), flush=True)


def processor_name() -> str:
    for line in _lines_of(pathlib.Path("/proc/cpuinfo")):
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def _lines_of(path: pathlib.Path) -> Iterator[str]:
    if path.exists():
        yield from path.read_text().splitlines()
