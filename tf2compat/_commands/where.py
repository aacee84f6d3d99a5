"""`python -m tf2compat where tf.reduce_sum`: where a name is defined, what of torch is behind it, its differences and tests."""

from __future__ import annotations

import ast
import inspect
import os
import re
import sys
import textwrap
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

import tf2compat
from tf2compat._names import table

from .api import resolve
from .deviations import DEVIATIONS

ROOT = Path(tf2compat.__file__).resolve().parents[1]
#: how deep to follow our own functions in search of torch's
DEPTH = 4
SHOWN = 12


def main(argv: list[str]) -> int:
    """Print what is known about each name; 1 when one does not exist."""
    if not argv:
        print("usage: python -m tf2compat where tf.reduce_sum [tf.nn.relu …]", file=sys.stderr)
        return 2
    status = 0
    for given in argv:
        path = re.sub(r"^(tensorflow|tf2compat|tf)\.", "", given)
        try:
            found = resolve(f"tf.{path}")
        except AttributeError as error:
            print(f"{given}: {error}", file=sys.stderr)
            status = 1
            continue
        print(describe(f"tf.{path}", found))
    return status


def describe(path: str, found: Any) -> str:
    """The report on one public name."""
    lines = [path]
    source = _definition(found)
    lines.append(f"  defined   {_position(source) or type(found).__name__ + ', a value'}")
    op = getattr(found, "op", None)
    if op is not None and hasattr(op, "fn"):
        lines.append(f"  op        {op.name}")
    if path in table():
        lines.append(f"  TensorFlow's signature  {table()[path].signature or '(' + table()[path].kind + ')'}")
    else:
        lines.append("  not a public name of TensorFlow")
    torch_names = sorted(behind(source))
    if torch_names:
        lines.append(_wrapped("  torch     ", ", ".join(torch_names)))
    names = _aliases(path, found)
    if len(names) > 1:
        lines.append(_wrapped("  also      ", ", ".join(n for n in names if n != path)))
    for difference in differences(names, found):
        lines.append(_wrapped("  differs   ", difference))
    lines += _tests(names)
    return "\n".join(lines)


def differences(names: list[str], found: Any) -> list[str]:
    """Known differences: declared by the op, by its docstring ("Differs from TensorFlow: …"), or in its signature."""
    said = [getattr(getattr(found, "op", None), "differences", None) or ""]
    doc = inspect.getdoc(found) or ""
    said += [" ".join(m.split()) for m in re.findall(r"Differs from TensorFlow: (.+?)(?:\n\n|\Z)", doc, re.S)]
    said += [f"signature: {DEVIATIONS[n]}" for n in names if n in DEVIATIONS]
    return [s for s in said if s]


def behind(source: Any, depth: int = DEPTH, seen: set[int] | None = None) -> set[str]:
    """Dotted names of the torch functions that a definition calls, itself or through functions of this package."""
    seen = set() if seen is None else seen
    if source is None or id(source) in seen or depth == 0:
        return set()
    seen.add(id(source))
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(source)))
    except (OSError, TypeError, SyntaxError):
        return set()
    module = sys.modules.get(getattr(source, "__module__", "") or "")
    names: set[str] = set()
    for call in (n for n in ast.walk(tree) if isinstance(n, ast.Call)):
        for value in (call.func, *call.args):  # functions are passed to helpers, too
            called = _value(value, module)
            where = _torch_name(value, called, module)
            if where:
                names.add(where)
            elif callable(called) and (getattr(called, "__module__", None) or "").startswith("tf2compat") and not inspect.isclass(called):
                names |= behind(_definition(called), depth - 1, seen)
    for name in {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}:  # tables of functions, chosen from by key
        table_ = vars(module).get(name) if module is not None else None
        for value in table_.values() if isinstance(table_, dict) else ():
            if isinstance(value, types.BuiltinFunctionType) and getattr(torch, value.__name__, None) is value:
                names.add(f"torch.{value.__name__}")
    return names


def _torch_name(node: ast.expr, value: Any, module: types.ModuleType | None) -> str:
    """`torch.sum` for an expression that names a torch function, under whatever alias; else nothing."""
    if value is None or not callable(value) or isinstance(value, type):
        return ""
    if isinstance(node, ast.Attribute):
        owner = _value(node.value, module)
        if isinstance(owner, types.ModuleType) and owner.__name__.split(".")[0] == "torch":
            return f"{owner.__name__}.{node.attr}"
        if isinstance(owner, type) and owner.__module__.split(".")[0] == "torch":
            return f"{owner.__module__}.{owner.__qualname__}.{node.attr}"
    elif isinstance(node, ast.Name) and (getattr(value, "__module__", None) or "").split(".")[0] == "torch":
        return f"{value.__module__}.{value.__name__}"
    return ""


def _value(node: ast.expr, module: types.ModuleType | None) -> Any:
    """What a dotted name means in a module, without running anything."""
    if isinstance(node, ast.Name):
        return vars(module).get(node.id) if module is not None else None
    if isinstance(node, ast.Attribute):
        owner = _value(node.value, module)
        return vars(owner).get(node.attr) if isinstance(owner, (types.ModuleType, type)) else None
    return None


def _definition(found: Any) -> Any:
    """The function or class whose source says what `found` does."""
    op = getattr(found, "op", None)
    if op is not None and hasattr(op, "fn"):
        return op.fn
    if isinstance(found, property):
        found = found.fget
    if callable(found) and not isinstance(found, type):
        found = inspect.unwrap(found)
        if not isinstance(found, (types.FunctionType, types.MethodType)):
            found = type(found)
    return found if isinstance(found, (type, types.ModuleType, types.FunctionType, types.MethodType)) else None


def _position(source: Any) -> str:
    try:
        file = inspect.getsourcefile(source) or ""
        line = 1 if isinstance(source, types.ModuleType) else inspect.getsourcelines(source)[1]
    except (OSError, TypeError):
        return ""
    return f"{_short(Path(file))}:{line}"


def _short(path: Path) -> str:
    try:
        return str(path.resolve().relative_to(ROOT))
    except ValueError:
        return str(path)


def _aliases(path: str, found: Any) -> list[str]:
    """All public paths of this very object."""
    last = path.rsplit(".", 1)[-1]
    names = [path]
    for other in table():
        if other != path and other.rsplit(".", 1)[-1] == last:
            try:
                if resolve(other) is found:
                    names.append(other)
            except (AttributeError, ImportError):
                continue
    return names


def _tests(names: list[str]) -> list[str]:
    folder = ROOT / "tests"
    if not folder.is_dir():
        return ["  tests     not part of this installation"]
    pattern = re.compile(r"(?<![\w.])(" + "|".join(re.escape(n) for n in names) + r")(?!\w)")
    hits = [f"{_short(file)}:{number}" for file in _test_files(folder) for number in _lines(file, pattern)]
    if not hits:
        return ["  tests     none mentions it by name"]
    shown = [f"{'  tests     ' if i == 0 else ' ' * 12}{hit}" for i, hit in enumerate(hits[:SHOWN])]
    return shown + ([f"{' ' * 12}… and {len(hits) - SHOWN} more"] if len(hits) > SHOWN else [])


def _test_files(folder: Path) -> Iterator[Path]:
    for base, folders, files in os.walk(folder):
        folders.sort()
        yield from (Path(base) / f for f in sorted(files) if f.endswith((".py", ".txt")))


def _lines(file: Path, pattern: re.Pattern[str]) -> Iterator[int]:
    text = file.read_text(encoding="utf-8", errors="replace")
    if pattern.search(text):
        yield from (n for n, line in enumerate(text.splitlines(), 1) if pattern.search(line))


def _wrapped(label: str, text: str) -> str:
    return textwrap.fill(text, 120, initial_indent=label, subsequent_indent=" " * 12, break_long_words=False)
