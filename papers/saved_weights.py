"""Parameters and states of a saved model as NumPy arrays, for experiments that look at gates."""

import json
import pathlib
import re
import struct
import zlib

import numpy as np


def read(model):
    """{path: array of 32-bit floats} of weights.safetensors in the model directory `model`."""
    data = (pathlib.Path(model) / "weights.safetensors").read_bytes()
    header_size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + header_size])
    header.pop("__metadata__", None)
    weights = {}
    for path, entry in header.items():
        begin, end = (8 + header_size + offset for offset in entry["data_offsets"])
        weights[path] = np.frombuffer(data[begin:end], np.float32).reshape(entry["shape"])
    return weights


def write(model, changed):
    """Replaces arrays {path: array} of the model directory `model`, and seals it again (docs/model_format.md)."""
    file, manifest = (pathlib.Path(model) / name for name in ("weights.safetensors", "manifest.json"))
    data = bytearray(file.read_bytes())
    header_size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + header_size])
    for path, values in changed.items():
        begin, end = (8 + header_size + offset for offset in header[path]["data_offsets"])
        bytes_of = np.ascontiguousarray(values, np.float32).tobytes()
        if len(bytes_of) != end - begin:
            raise ValueError(f"{path}: got {len(bytes_of)} bytes, expected {end - begin}")
        data[begin:end] = bytes_of
    file.write_bytes(data)
    text = re.sub(r'("weights.safetensors": \{\s*"bytes": \d+,\s*"crc32": ")[0-9a-f]{8}',
                  rf"\g<1>{zlib.crc32(data):08x}", manifest.read_text())
    unsealed = re.sub(r'^(\{\n  "crc32": ")[0-9a-f]{8}', r"\g<1>00000000", text)
    manifest.write_text(unsealed.replace("00000000", f"{zlib.crc32(unsealed.encode()):08x}", 1))


def softmax(logits):
    shifted = np.exp(logits - logits.max(-1, keepdims=True))
    return shifted / shifted.sum(-1, keepdims=True)


def top_k_softmax(logits, k):
    """Softmax over the k largest of the last axis, 0 for the others; the first of equals is kept."""
    order = np.argsort(-logits, axis=-1, kind="stable")[..., :k]
    kept = np.full(logits.shape, -np.inf)
    np.put_along_axis(kept, order, np.take_along_axis(logits, order, -1), -1)
    return softmax(kept)


def dselect_k(codes, mixture, experts, gamma=1.0):
    """Weights over the experts of codes [.., k, bits] and mixture logits [.., k] (Hazimeh et al. 2021)."""
    t = np.clip(codes.astype(np.float64) / gamma, -0.5, 0.5)
    steps = -2 * t**3 + 1.5 * t + 0.5
    bits = codes.shape[-1]
    table = np.arange(experts)[:, None] >> np.arange(bits - 1, -1, -1) & 1
    selectors = np.where(table == 1, steps[..., None, :], 1 - steps[..., None, :]).prod(-1)
    return (softmax(mixture)[..., None] * selectors).sum(-2)
