"""Converting functions: source, rewriting, compilation, and the cache of all that."""

from __future__ import annotations

import ast
import copy
import inspect
import linecache
import threading
import types
import weakref
from typing import Any

from .context import ConversionError, Unsupported, log
from .emit import convert_function, convert_lambda
from .source import find

__all__ = ["artifact", "convert", "is_artifact", "to_source"]

# by code object: the converted code object, or the error that says why there is none
_cache: weakref.WeakKeyDictionary[types.CodeType, types.CodeType | ConversionError] = weakref.WeakKeyDictionary()
_operators: types.CellType | None = None

_HIDDEN = "_____converted"
_NOT_CONVERTED = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


def artifact(fn: Any) -> Any:
    """Mark `fn` as code that needs no conversion (any more)."""
    try:
        # with its code: `functools.wraps` copies attributes to functions that do need conversion
        fn.__ag_code__ = getattr(fn, "__code__", None)
    except (AttributeError, TypeError):
        pass  # a bound method or an object without attributes: it will be looked at again
    return fn


def is_artifact(fn: Any) -> bool:
    """Whether `fn` came out of conversion, or was marked as needing none."""
    marked = getattr(fn, "__ag_code__", None)
    return marked is not None and marked is getattr(fn, "__code__", None)


#: Python 3.11 counts the depth of what it parses for all threads together: SystemError where two parse at once
_parsing = threading.RLock()


def convert(fn: types.FunctionType) -> types.FunctionType:
    """The converted form of a function, sharing its globals, closure and defaults; ConversionError when there is none."""
    if is_artifact(fn):
        return fn
    code = fn.__code__
    converted = _cache.get(code)
    if converted is None:
        with _parsing:
            try:
                converted = _converted_code(fn)
                log(2, f"AutoGraph converted {fn.__qualname__}:\n{to_source(fn)}")
            except RecursionError as error:
                converted = Unsupported(f"the source of '{code.co_name}' is nested too deeply: {error}")
            except ConversionError as error:
                converted = error
        _cache[code] = converted
    if isinstance(converted, ConversionError):
        raise converted.with_traceback(None)
    cells = dict(zip(code.co_freevars, fn.__closure__ or (), strict=True))
    cells["ag__"] = _operators_cell()
    try:
        closure = tuple(cells[v] for v in converted.co_freevars)
    except KeyError as missing:
        raise Unsupported(f"'{code.co_name}' refers to {missing} of a scope that is not available") from None
    new = types.FunctionType(converted, fn.__globals__, fn.__name__, fn.__defaults__, closure)
    new.__kwdefaults__ = fn.__kwdefaults__
    new.__qualname__ = fn.__qualname__
    new.__module__ = fn.__module__
    new.__doc__ = fn.__doc__
    new.__annotations__ = fn.__annotations__
    new.__wrapped__ = fn  # type: ignore[attr-defined]
    return artifact(new)


def _operators_cell() -> types.CellType:
    global _operators
    if _operators is None:
        from . import operators

        _operators = types.CellType(operators)
    return _operators


def _tree(fn: types.FunctionType) -> tuple[Any, str | None]:
    """A fresh, converted syntax tree of `fn`, and the name of the class around it."""
    if fn.__code__.co_flags & _NOT_CONVERTED:
        raise Unsupported("generators and coroutines are not supported")
    node, owner = find(fn)
    if isinstance(node, ast.Lambda):
        return convert_lambda(copy.deepcopy(node)), owner
    return convert_function(_fresh(node, fn)), owner


def _fresh(node: ast.FunctionDef, fn: types.FunctionType) -> ast.FunctionDef:
    """A copy of `node`, which conversion will change; parsing its lines anew is quicker than copying."""
    lines = linecache.getlines(fn.__code__.co_filename, fn.__globals__)[node.lineno - 1 : node.end_lineno]
    if not node.col_offset:
        tree: Any = ast.parse("".join(lines))
        first = tree.body[0]
        ast.increment_lineno(first, node.lineno - 1)
    else:
        try:
            tree = ast.parse("if 1:\n" + "".join(lines))
        except SyntaxError:  # a definition that shares its line with something else
            return copy.deepcopy(node)
        first = tree.body[0].body[0]
        ast.increment_lineno(first, node.lineno - 2)
    return first if isinstance(first, ast.FunctionDef) and first.name == node.name else copy.deepcopy(node)


def _converted_code(fn: types.FunctionType) -> types.CodeType:
    code = fn.__code__
    node, owner = _tree(fn)
    # the names around the function become parameters of a function around it, so that they are free variables again
    # (under a name that no code can mean: the function's own name may be a global that it calls)
    if isinstance(node, ast.FunctionDef):
        node.name = _HIDDEN
    outer = [v for v in code.co_freevars if v != "__class__"]
    has_class = "__class__" in code.co_freevars
    inner: ast.stmt = ast.Expr(node) if isinstance(node, ast.Lambda) else node
    if owner is not None or has_class:
        # within a class of the same name, private names are mangled and `__class__` is known
        # (mangling ignores leading underscores; with some, no name of the function can mean this class)
        inner = ast.ClassDef(name="_____" + (owner or "Class"), bases=[], keywords=[], body=[inner], decorator_list=[])
        if "type_params" in ast.ClassDef._fields:
            inner.type_params = []  # type: ignore[attr-defined]
    args = ast.arguments(
        posonlyargs=[], args=[ast.arg(v) for v in ("ag__", *outer)], kwonlyargs=[], kw_defaults=[], defaults=[]
    )
    factory = ast.FunctionDef("factory", args, [inner], [])
    if "type_params" in ast.FunctionDef._fields:
        factory.type_params = []  # type: ignore[attr-defined]
    ast.copy_location(inner, node)
    ast.copy_location(factory, node)
    module = ast.Module([factory], [])
    ast.fix_missing_locations(module)
    flags = code.co_flags & _future_flags()
    compiled = compile(module, code.co_filename, "exec", flags=flags, dont_inherit=True)
    found = _find_code(compiled, _HIDDEN if isinstance(node, ast.FunctionDef) else code.co_name, 0)
    if found is None:
        raise Unsupported(f"'{code.co_name}' is not found in its converted code")
    found = found.replace(co_name=code.co_name)
    return found.replace(co_qualname=code.co_qualname) if hasattr(code, "co_qualname") else found


def _future_flags() -> int:
    import __future__

    flags = 0
    for feature in __future__.all_feature_names:
        flags |= getattr(__future__, feature).compiler_flag
    return flags & ~inspect.CO_NESTED


def _find_code(code: types.CodeType, wanted: str, depth: int) -> types.CodeType | None:
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            if const.co_name == wanted and depth:
                return const
            if depth < 2:
                found = _find_code(const, wanted, depth + 1)
                if found is not None:
                    return found
    return None


def to_source(fn: types.FunctionType) -> str:
    """The source text of the converted function."""
    node, _ = _tree(fn)
    ast.fix_missing_locations(node)
    if isinstance(node, ast.FunctionDef):
        node.name = "tf__" + node.name
    return ast.unparse(node)
