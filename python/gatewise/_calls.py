"""What the core calls while a model trains."""

import sys


def epoch_call(calls, progress):
    """What the core calls after an epoch, or None."""
    if not callable(progress) and progress:
        calls.append(lambda record: print("\r\x1b[K" * sys.stderr.isatty() + record["text"], file=sys.stderr))
    if not calls:
        return None

    def call(record):
        ends = [bool(one(record)) for one in calls]
        return any(ends)

    return call


def progress_call(progress):
    if not callable(progress) and progress and sys.stderr.isatty():
        return lambda told: print("\r\x1b[K" + told["text"], end="", file=sys.stderr, flush=True)
    return progress if callable(progress) else None
