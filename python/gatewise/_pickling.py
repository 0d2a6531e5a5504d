"""Models as the bytes of their files, which pickles hold."""

import pathlib
import tempfile

from . import _core


def files_of(model):
    """{path: bytes} of the model directory."""
    with tempfile.TemporaryDirectory(prefix="gatewise") as folder:
        root = pathlib.Path(folder, "model")
        model.save(str(root))
        return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def model_of(files):
    with tempfile.TemporaryDirectory(prefix="gatewise") as folder:
        root = pathlib.Path(folder, "model")
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return _core.Model.load(str(root))
