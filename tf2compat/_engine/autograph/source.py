"""Finding the syntax tree of a function.

A file is parsed once and its functions are found by the line that their code objects carry. That is quicker than
`inspect.getsource` and exact for lambdas: among several on one line, the one whose compiled code is the same is taken.
"""

from __future__ import annotations

import ast
import linecache
import sys
import types
from typing import Any

from .context import NoSource

__all__ = ["FunctionNode", "find"]

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


class _File:
    """A parsed file: its functions by first line, each with the name of the class around it."""

    def __init__(self, text: str, filename: str) -> None:
        self.by_line: dict[int, list[tuple[Any, str | None]]] = {}
        self._collect(ast.parse(text, filename), None)

    def _collect(self, node: ast.AST, owner: str | None) -> None:
        for child in ast.iter_child_nodes(node):
            inner = owner
            if isinstance(child, ast.ClassDef):
                inner = child.name
            elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
                line = child.lineno
                decorators = getattr(child, "decorator_list", None)
                if decorators:
                    line = min(line, decorators[0].lineno)
                self.by_line.setdefault(line, []).append((child, owner))
            self._collect(child, inner)


# by file name: (the lines that were parsed, the result); replaced when a notebook or an editor changes the lines
_files: dict[str, tuple[list[str], _File]] = {}


def _parsed(filename: str, module_globals: dict[str, Any]) -> _File:
    lines = linecache.getlines(filename, module_globals)
    if not lines:
        raise NoSource(f"the source code of {filename} is not available")
    known = _files.get(filename)
    if known is not None and known[0] is lines:
        return known[1]
    try:
        parsed = _File("".join(lines), filename)
    except SyntaxError as error:
        raise NoSource(f"the source code of {filename} cannot be parsed: {error}") from error
    _files[filename] = (lines, parsed)
    return parsed


def find(fn: types.FunctionType) -> tuple[Any, str | None]:
    """The syntax tree of `fn` and the name of the class it is written in; NoSource when there is none."""
    code = fn.__code__
    linecache.checkcache(code.co_filename)
    parsed = _parsed(code.co_filename, fn.__globals__)
    is_lambda = code.co_name == "<lambda>"
    found = [
        (node, owner)
        for node, owner in parsed.by_line.get(code.co_firstlineno, ())
        if (isinstance(node, ast.Lambda) if is_lambda else getattr(node, "name", None) == code.co_name)
    ]
    if len(found) > 1:
        found = [(node, owner) for node, owner in found if _same(node, code)] or found
        if len(found) > 1 and sys.version_info >= (3, 11) and is_lambda:  # one in another: the inner one is what is within both
            found = [f for f in found if not any(g is not f and _within(g[0], f[0]) for g in found)]
    if len(found) != 1 and not (found and is_lambda and _alike([n for n, _ in found])):
        what = "a lambda" if is_lambda else f"'{code.co_name}'"
        raise NoSource(
            f"{'several' if found else 'no'} definitions of {what} at line {code.co_firstlineno} of {code.co_filename}; "
            "the file may have changed since it was loaded"
        )
    node, owner = found[0]
    if len(_argument_names(node)) != _argument_count(code):
        raise NoSource(f"{code.co_filename} has changed since '{code.co_name}' was loaded")
    return node, owner


def _argument_count(code: types.CodeType) -> int:
    return code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & 4) + bool(code.co_flags & 8)


def _argument_names(node: Any) -> list[str]:
    a = node.args
    names = [p.arg for p in (*a.posonlyargs, *a.args, *a.kwonlyargs)]
    names += [p.arg for p in (a.vararg, a.kwarg) if p is not None]
    return names


def _same(node: Any, code: types.CodeType) -> bool:
    """Whether `node` is what `code` was compiled from."""
    if sys.version_info >= (3, 11) and isinstance(node, ast.Lambda):
        body = node.body
        found = [p for p in code.co_positions() if p[0] is not None and p[2] is not None and p[3]]
        if found:
            # offsets of code and syntax tree both count UTF-8 bytes
            first, last = min((p[0], p[2]) for p in found), max((p[1], p[3]) for p in found)
            return first >= (body.lineno, body.col_offset) and last <= (body.end_lineno, body.end_col_offset)
    names = [p.arg for p in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    if tuple(names) != code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]:
        return False
    if not isinstance(node, ast.Lambda):
        return True
    compiled = compile(ast.Expression(node), code.co_filename, "eval")
    inner = next(c for c in compiled.co_consts if isinstance(c, types.CodeType))
    return inner.co_names == code.co_names and inner.co_consts == code.co_consts


def _within(inner: Any, outer: Any) -> bool:
    return (outer.lineno, outer.col_offset) <= (inner.lineno, inner.col_offset) and (inner.end_lineno, inner.end_col_offset) <= (
        outer.end_lineno,
        outer.end_col_offset,
    )


def _alike(nodes: list[Any]) -> bool:
    return len({ast.dump(n) for n in nodes}) == 1
