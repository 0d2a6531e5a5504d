#!/usr/bin/env python3
"""Multi-MNIST as Parquet files: two handwritten digits laid over each other, one label for each.

Usage: papers/dselect_k/make_multi_mnist.py FOLDER_OF_MNIST OUTPUT_FOLDER [--train 100000] [--validation 20000] [--test 20000]

FOLDER_OF_MNIST holds train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte,
plain or with .gz or .xz. One digit is moved 4 pixels up and left, the other 4 down and right, which keeps the 20 x 20 box of
each inside 28 x 28; a pixel is the larger of both, from 0 to 1. Training pairs are drawn from the first 50,000 training
images, validation pairs from the other 10,000, test pairs from the test images. Columns: pixels (784 numbers), left, right.
Needs NumPy and PyArrow.
"""

import argparse
import gzip
import lzma
import pathlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet

SHIFT = 4
SEEDS = {"train": 1, "validation": 2, "test": 3}


def read_idx(folder, name):
    for suffix, open_file in (("", open), (".gz", gzip.open), (".xz", lzma.open)):
        path = folder / (name + suffix)
        if path.exists():
            with open_file(path, "rb") as file:
                data = file.read()
            dimensions = data[3]
            shape = np.frombuffer(data, ">i4", dimensions, 4)
            return np.frombuffer(data, np.uint8, offset=4 + 4 * dimensions).reshape(shape)
    raise SystemExit(f"{folder / name}: no such file, plain or with .gz or .xz")


def overlay(images, labels, pairs, generator):
    """(pixels [pairs, 784], left labels, right labels) of pairs drawn with replacement."""
    left, right = generator.integers(0, len(images), (2, pairs))
    size = images.shape[1]
    canvas = np.zeros((pairs, size, size), np.uint8)
    canvas[:, :-SHIFT, :-SHIFT] = images[left][:, SHIFT:, SHIFT:]
    moved = canvas[:, SHIFT:, SHIFT:]
    np.maximum(moved, images[right][:, :-SHIFT, :-SHIFT], out=moved)
    return canvas.reshape(pairs, -1).astype(np.float32) / 255, labels[left], labels[right]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mnist", type=pathlib.Path)
    parser.add_argument("output", type=pathlib.Path)
    for part, pairs in (("train", 100000), ("validation", 20000), ("test", 20000)):
        parser.add_argument(f"--{part}", type=int, default=pairs, help=f"pairs of {part}")
    arguments = parser.parse_args()
    digits = {part: (read_idx(arguments.mnist, f"{part}-images-idx3-ubyte"),
                     read_idx(arguments.mnist, f"{part}-labels-idx1-ubyte")) for part in ("train", "t10k")}
    (train, train_labels), test = digits["train"], digits["t10k"]
    sources = {"train": (train[:50000], train_labels[:50000]), "validation": (train[50000:], train_labels[50000:]),
               "test": test}
    arguments.output.mkdir(parents=True, exist_ok=True)
    for part, (images, labels) in sources.items():
        pixels, left, right = overlay(images, labels, getattr(arguments, part), np.random.default_rng(SEEDS[part]))
        lists = pa.FixedSizeListArray.from_arrays(pa.array(pixels.ravel()), pixels.shape[1])
        table = pa.table({"pixels": lists, "left": left.astype(np.int64), "right": right.astype(np.int64)})
        pyarrow.parquet.write_table(table, arguments.output / f"{part}.parquet")
        print(f"{arguments.output / part}.parquet: {len(left)} pairs")


if __name__ == "__main__":
    main()
