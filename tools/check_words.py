#!/usr/bin/env python3
"""Refuses tracked text that must not be in the project, and scripts that cannot be run.

Usage: tools/check_words.py [ROOT]. Words that mark unfinished work, absolute paths of one machine, and addresses of
package registries (which pip and apt are set up for elsewhere); files that begin with "#!" and are not executable. Exit code
1 if any is found.
"""

import os
import pathlib
import re
import subprocess
import sys

# Written in pieces, so that this file passes its own check.
FAULTS = {
    "marks unfinished work": re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b|(?i:\b(place" r"holder|stu" r"b(bed)?)s?\b)"),
    "is a path of one machine": re.compile(r"(^|[^.\w])/(work|root|farm)/"),
    "is the address of a package registry": re.compile(
        r"\b(deb|security|files|registry|snapshot|pypi|test\.pypi)\.(org|debian|pythonhosted|npmjs|python)\b"),
}


def faults(root):
    listed = subprocess.run(["git", "-C", root, "ls-files", "-z"], check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        path = root / name
        data = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        if b"\0" in data:
            continue
        if data.startswith(b"#!") and not os.access(path, os.X_OK):
            yield f"{name}: begins with \"#!\" and is not executable"
        for number, line in enumerate(data.decode(errors="replace").splitlines(), 1):
            for reason, pattern in FAULTS.items():
                found = pattern.search(line)
                if found:
                    yield f"{name}:{number}: \"{found[0].strip()}\" {reason}"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent)
    found = list(faults(root))
    print("\n".join(found) if found else "check_words: nothing found")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
