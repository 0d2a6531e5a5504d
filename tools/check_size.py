#!/usr/bin/env python3
"""Reports the lines per folder, long files and long functions of the tracked C++ and Python sources.

Usage: tools/check_size.py [ROOT]. Lists files over 400 and functions over 60 lines; exit code 1 if a file has over 450 or
a function over 80. C++ functions are found by their braces, which is approximate where the preprocessor splits one.
"""

import ast
import collections
import pathlib
import re
import subprocess
import sys

FILE_REPORT, FILE_LIMIT = 400, 450
FUNCTION_REPORT, FUNCTION_LIMIT = 60, 80

# What may hold braces that are not code: comments, raw strings, strings, characters (not digit separators), directives.
NOT_CODE = re.compile(
    r"""//[^\n]*|/\*.*?\*/|R"(?P<tag>[^(\s]*)\(.*?\)(?P=tag)"|"(?:\\.|[^"\\\n])*"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+'"""
    r"""|^[ \t]*\#(?:\\\n|[^\n])*""",
    re.DOTALL | re.MULTILINE)


def blank(match):
    return re.sub(r"[^\n]", " ", match[0])


def cpp_functions(text):
    """(name, first line, lines) of every function body that stands in a namespace or a class, lambdas included."""
    code = NOT_CODE.sub(blank, text)
    scopes = []  # of each open brace: the function's (name, first line) if it opens one, None otherwise
    head = 0
    for brace in re.finditer(r"[{};]|(?:public|private|protected):", code):
        if brace[0] == "{":
            words = code[head:brace.start()]
            is_inside = any(scope is not None for scope in scopes)
            call = re.search(r"([\w:~]+|operator\S+)\s*\(", re.sub(r"\b(?:alignas|decltype)\([^)]*\)", "", words))
            if call and not is_inside:
                start = head + len(words) - len(words.lstrip())
                scopes.append((call[1], code.count("\n", 0, start) + 1))
            else:
                scopes.append(None)
        elif brace[0] == "}" and scopes:
            scope = scopes.pop()
            if scope is not None:
                yield (*scope, code.count("\n", 0, brace.start()) + 2 - scope[1])
        head = brace.end()


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.lineno, node.end_lineno - node.lineno + 1


def sources(root):
    """Paths, relative to `root`, of the tracked files that are C++ or Python."""
    listed = subprocess.run(["git", "-C", root, "ls-files"], check=True, capture_output=True, text=True).stdout
    for name in listed.splitlines():
        path = root / name
        if path.suffix in (".cpp", ".h", ".py"):
            yield pathlib.Path(name), "cpp" if path.suffix != ".py" else "python"
        elif path.suffix == "" and path.is_file() and path.read_bytes().startswith(b"#!/usr/bin/env python3"):
            yield pathlib.Path(name), "python"


def measure(root):
    """Lines and files per folder; (lines, place, limit) of what is over the report thresholds."""
    folders, long = collections.defaultdict(lambda: [0, 0]), []
    for path, language in sources(root):
        text = (root / path).read_text()
        lines = text.count("\n")
        folder = folders["/".join(path.parts[:2]) if len(path.parts) > 2 else path.parts[0]]
        folder[0] += lines
        folder[1] += 1
        if lines > FILE_REPORT:
            long.append((lines, str(path), FILE_LIMIT))
        for name, first, length in (cpp_functions if language == "cpp" else python_functions)(text):
            if length > FUNCTION_REPORT:
                long.append((length, f"{path}:{first} {name}", FUNCTION_LIMIT))
    return folders, long


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent)
    folders, long = measure(root)
    print("  lines  files  folder")
    for folder, (lines, files) in sorted(folders.items()):
        print(f"{lines:7,}  {files:5}  {folder}")
    print(f"{sum(lines for lines, _ in folders.values()):7,}  {sum(files for _, files in folders.values()):5}  in all")
    for lines, place, limit in sorted(long, reverse=True):
        print(f"{place}: {lines} lines{f'; the limit is {limit}: split it' if lines > limit else ''}")
    sys.exit(any(lines > limit for lines, _, limit in long))


if __name__ == "__main__":
    main()
