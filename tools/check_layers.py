#!/usr/bin/env python3
"""Checks the layers of src: a folder includes only itself and folders above it in the table of src/README.md.

Usage: tools/check_layers.py [ROOT]. Also checks that every folder of src is in the table and that CMakeLists.txt names
the folders in the same order, because linking "up to a folder" relies on it, and that no two headers name a type alike. Exit code 1 if anything is wrong.
"""

import pathlib
import re
import sys


def table_order(readme):
    return re.findall(r"^\| `(\w+)` \|", readme.read_text(), re.MULTILINE)


def include_faults(source, order):
    """Messages for the includes of every file under the folder `source`."""
    for path in sorted(source.rglob("*")):
        if path.suffix not in (".h", ".cpp"):
            continue
        folder = path.relative_to(source).parts[0]
        if folder not in order:
            yield f"{path}: folder \"{folder}\" is not in the table of {source / 'README.md'}"
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            include = re.match(r'\s*#\s*include\s*"([^"]*)"', line)
            if not include:
                continue
            target = include[1].split("/")[0]
            if target not in order:
                yield f"{path}:{number}: \"{include[1]}\" is not a path from src that begins with a folder of the table"
            elif order.index(target) > order.index(folder):
                yield f"{path}:{number}: {folder} includes \"{include[1]}\"; {target} comes after {folder}"


def name_faults(source):
    """Messages for types of one name in several headers: all link into one program, where a name has one meaning."""
    seen = {}
    for path in sorted(source.rglob("*.h")):
        for name in re.findall(r"^(?:struct|class|enum class) (\w+)\b(?!<|::)[^;]*?\{", path.read_text(), re.MULTILINE):
            if name in seen and seen[name] != path:
                yield f"{path}: a type \"{name}\" is in {seen[name]} too; call one of them otherwise"
            seen[name] = path


def cmake_faults(cmake, order):
    known = []
    for folder in re.findall(r"^gatewise_folder\((\w+)", cmake.read_text(), re.MULTILINE):
        if folder not in order:
            yield f"{cmake}: folder \"{folder}\" is not in the table of src/README.md"
        else:
            known.append(folder)
    if known != sorted(known, key=order.index):
        yield f"{cmake}: got the folders {' '.join(known)}, expected the order of the table of src/README.md"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent)
    order = table_order(root / "src/README.md")
    if not order:
        sys.exit(f"check_layers: {root / 'src/README.md'} has no table of folders")
    faults = [*include_faults(root / "src", order), *name_faults(root / "src"), *cmake_faults(root / "CMakeLists.txt", order)]
    print("\n".join(faults) if faults else f"check_layers: {len(order)} folders in order")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
