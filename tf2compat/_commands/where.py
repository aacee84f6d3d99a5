"""`python -m tf2compat where tf.reduce_sum`: where a name is defined, and what runs behind it."""

from __future__ import annotations

import ast
import inspect
import re
import sys
import textwrap
from pathlib import Path
from typing import Any

import tf2compat
from tf2compat import _names


def resolve(path: str) -> Any:
    """The object behind a dotted path that begins with `tf.`; AttributeError says what is missing."""
    found: Any = tf2compat
    for part in path.removeprefix("tf.").removeprefix("tensorflow.").split("."):
        found = getattr(found, part)
    return found


def implementation(obj: Any) -> Any:
    """The function that does the work: what an op wraps, what a decorator wraps."""
    declared = getattr(obj, "op", None)
    if declared is not None and hasattr(declared, "fn"):
        return declared.fn
    return inspect.unwrap(obj) if callable(obj) else obj


def torch_functions(fn: Any) -> list[str]:
    """The names under `torch.` that a function's source mentions."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(fn)))
    except (OSError, TypeError, SyntaxError):
        return []
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            text = ast.unparse(node)
            if re.match(r"(torch|F)\.[\w.]+$", text):
                names.add(text.replace("F.", "torch.nn.functional.", 1) if text.startswith("F.") else text)
    return sorted(n for n in names if not any(o != n and o.startswith(n + ".") for o in names))


def tests_of(path: str, root: Path) -> list[str]:
    """The test files that mention the name."""
    short = path.removeprefix("tf.")
    pattern = re.compile(rf"\b(tf|tensorflow)\.{re.escape(short)}\b")
    folder = root / "tests"
    files = [*folder.rglob("*.py"), *folder.rglob("cases/*.txt")] if folder.is_dir() else []
    return sorted(str(f.relative_to(root)) for f in files if pattern.search(f.read_text(encoding="utf-8", errors="ignore")))


def main(argv: list[str]) -> int:
    """Print file and line, the torch functions behind, known differences, tests."""
    if not argv or argv[0] in ("-h", "--help"):
        print("usage: python -m tf2compat where tf.NAME …")
        return 2
    status = 0
    for path in argv:
        path = path if path.startswith("tf.") else "tf." + path.removeprefix("tensorflow.")
        try:
            obj = resolve(path)
        except AttributeError as error:
            print(f"{path}: {error}", file=sys.stderr)
            status = 1
            continue
        fn = implementation(obj)
        try:
            file, line = inspect.getsourcefile(fn), inspect.getsourcelines(fn)[1]
            print(f"{path}\n  defined in   {file}:{line}")
        except (OSError, TypeError):
            print(f"{path}\n  a value: {obj!r}")
            continue
        declared = getattr(obj, "op", None)
        if declared is not None and hasattr(declared, "fn"):
            print(f"  op           {declared.name}")
            if declared.differences:
                print(f"  differences  {declared.differences}")
        used = torch_functions(fn)
        if used:
            print(f"  runs         {', '.join(used)}")
        known = _names.table().get(path)
        if known is not None and known.signature:
            print(f"  TensorFlow   {path}{known.signature}")
        tests = tests_of(path, Path(tf2compat.__file__).resolve().parent.parent)
        print(f"  tests        {', '.join(tests) if tests else 'none names it'}")
    return status
