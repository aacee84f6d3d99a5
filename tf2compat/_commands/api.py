"""TensorFlow's public names beside ours: which exist, and whether their parameters agree."""

from __future__ import annotations

import ast
import inspect
from typing import Any, NamedTuple

import tf2compat
from tf2compat._names import PublicName, table

#: a default that TensorFlow's listing does not spell out
_ANYTHING = "..."


class Comparison(NamedTuple):
    """One public name: whether it exists here, and whether its parameters agree (None: nothing to compare)."""

    name: PublicName
    exists: bool
    agrees: bool | None
    ours: str


def resolve(path: str) -> Any:
    """The object at a public path (`tf.math.add`); AttributeError that says whether TensorFlow has it."""
    found: Any = tf2compat
    for part in path.split(".")[1:]:
        found = getattr(found, part)
    return found


def compare(name: PublicName) -> Comparison:
    """Look one public name up, and hold its parameters' names, order and defaults against TensorFlow's."""
    try:
        found = resolve(name.path)
    except (AttributeError, ImportError):
        return Comparison(name, False, None, "")
    if name.kind not in ("function", "method", "class") or not name.signature:
        return Comparison(name, True, None, "")
    theirs = _parse(name.signature)
    if theirs is None:
        return Comparison(name, True, None, "")
    ours = [s for s in _signatures(found) if s is not None]
    if not ours:
        return Comparison(name, True, None, "")
    agrees = any(_same(theirs, _parameters(s)) for s in ours)
    return Comparison(name, True, agrees, str(ours[0]))


def compare_all() -> list[Comparison]:
    """Every public name of TensorFlow, in the order of the table."""
    return [compare(name) for name in table().values()]


def _signatures(found: Any) -> list[inspect.Signature | None]:
    if not inspect.isclass(found):
        return [_signature(found)]
    return [_signature(m) for m in (found.__init__, found.__new__) if m not in (object.__init__, object.__new__)]


def _signature(found: Any) -> inspect.Signature | None:
    try:
        return inspect.signature(found)
    except (TypeError, ValueError):
        return None


def _parse(text: str) -> list[tuple[str, str | None]] | None:
    """(name, default's source or None) of each named parameter; None where the listing knows none."""
    try:
        arguments = ast.parse(f"def f{text}: ...").body[0].args  # type: ignore[attr-defined]
    except SyntaxError:
        return None
    positional = arguments.posonlyargs + arguments.args
    defaults = [None] * (len(positional) - len(arguments.defaults)) + arguments.defaults
    found = [(a.arg, _source(d)) for a, d in zip(positional, defaults, strict=True)]
    found += [(a.arg, _source(d)) for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]
    found = [p for p in found if p[0] not in ("self", "cls") and not p[0].startswith("_")]
    if not found and arguments.vararg and arguments.kwarg:
        return None
    return found


def _source(node: ast.expr | None) -> str | None:
    return None if node is None else ast.unparse(node)


def _parameters(signature: inspect.Signature) -> list[tuple[str, Any]]:
    listed = [p for p in signature.parameters.values() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    # a parameter that begins with an underscore is private: this package's own way in
    return [(p.name, p.default) for p in listed if p.name not in ("self", "cls") and not p.name.startswith("_")]


def _same(theirs: list[tuple[str, str | None]], ours: list[tuple[str, Any]]) -> bool:
    if [name for name, _ in theirs] != [name for name, _ in ours]:
        return False
    return all(_same_default(t, o) for (_, t), (_, o) in zip(theirs, ours, strict=True))


def _same_default(theirs: str | None, ours: Any) -> bool:
    if theirs is None or ours is inspect.Parameter.empty:
        return theirs is None and ours is inspect.Parameter.empty
    if theirs == _ANYTHING:
        return True
    if isinstance(ours, tf2compat.DType):
        return theirs == f"tf.{ours.name}"
    if theirs in ("-inf", "inf"):
        return ours == float(theirs)
    try:
        value = ast.literal_eval(theirs)
    except ValueError:  # a class or an object by name
        return theirs.split("(")[0] == getattr(ours, "__name__", type(ours).__name__)
    return bool(value == ours) and isinstance(value, bool) == isinstance(ours, bool)
