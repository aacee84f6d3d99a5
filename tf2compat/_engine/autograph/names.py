"""Which names a piece of a function assigns and reads, and which are live around its control flow."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

__all__ = ["Flow", "assigned", "composites", "declared", "free_reads", "parameters"]

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def parameters(args: ast.arguments) -> list[str]:
    """The names of a function's parameters."""
    names = [a.arg for a in (*args.posonlyargs, *args.args, *args.kwonlyargs)]
    return names + [a.arg for a in (args.vararg, args.kwarg) if a is not None]


def _children(node: ast.AST) -> Iterable[ast.AST]:
    return ast.iter_child_nodes(node)


def assigned(nodes: Iterable[ast.AST]) -> set[str]:
    """The names that `nodes` bind in the scope they are written in."""
    out: set[str] = set()
    for node in nodes:
        _assigned(node, out, False)
    return out


def _assigned(node: ast.AST, out: set[str], in_comprehension: bool) -> None:
    if isinstance(node, ast.Name):
        if isinstance(node.ctx, (ast.Store, ast.Del)) and not in_comprehension:
            out.add(node.id)
        return
    if isinstance(node, ast.NamedExpr):
        out.add(node.target.id)
        _assigned(node.value, out, in_comprehension)
        return
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        out.add(node.name)
        return
    if isinstance(node, ast.Lambda):
        return
    if isinstance(node, ast.alias):
        out.add((node.asname or node.name).split(".")[0])
        return
    if isinstance(node, (ast.MatchAs, ast.MatchStar)) and node.name:
        out.add(node.name)
    elif isinstance(node, ast.MatchMapping) and node.rest:
        out.add(node.rest)
    inner = in_comprehension or isinstance(node, _COMPREHENSIONS)
    for child in _children(node):
        _assigned(child, out, inner)


def declared(nodes: Iterable[ast.AST], kind: type) -> set[str]:
    """The names in `global` (or `nonlocal`) statements of this scope."""
    out: set[str] = set()
    for node in nodes:
        if isinstance(node, kind):
            out.update(node.names)  # type: ignore[attr-defined]
        elif not isinstance(node, _SCOPES):
            out |= declared(_children(node), kind)
    return out


def _composite(node: ast.AST) -> set[str] | None:
    """The names that an assignable `a.b` or `a['k']` stands on; None where it is no such symbol."""
    if isinstance(node, ast.Name):
        return {node.id}
    if isinstance(node, ast.Attribute):
        return _composite(node.value)
    if isinstance(node, ast.Subscript):
        base = _composite(node.value)
        if base is None:
            return None
        if isinstance(node.slice, ast.Constant):
            return base
        if isinstance(node.slice, ast.Name):
            return base | {node.slice.id}
    return None


def composites(nodes: Iterable[ast.AST]) -> dict[str, tuple[Any, set[str]]]:
    """The attributes and items that `nodes` assign: by text, the target and the names that it stands on."""
    out: dict[str, tuple[Any, set[str]]] = {}
    for node in nodes:
        _composites(node, out)
    return out


def _composites(node: ast.AST, out: dict[str, tuple[Any, set[str]]]) -> None:
    if isinstance(node, _SCOPES):
        return
    if isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(node.ctx, ast.Store):
        base = _composite(node)
        if base is not None:
            out.setdefault(ast.unparse(node), (node, base))
    for child in _children(node):
        _composites(child, out)


def free_reads(node: ast.AST) -> set[str]:
    """The names that a function, lambda or class reads from around it."""
    if isinstance(node, ast.ClassDef):
        out: set[str] = set()
        for child in node.body:
            out |= free_reads(child) if isinstance(child, _SCOPES) else _all_reads(child)
        return out
    body = [node.body] if isinstance(node, ast.Lambda) else node.body  # type: ignore[attr-defined]
    bound = set(parameters(node.args)) | assigned(body)  # type: ignore[attr-defined]
    bound -= declared(body, ast.Nonlocal) | declared(body, ast.Global)
    out = set()
    for child in body:
        out |= _all_reads(child)
    return out - bound


def _all_reads(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Name):
        return {node.id} if isinstance(node.ctx, ast.Load) else set()
    out: set[str] = set()
    if isinstance(node, _SCOPES):
        out |= free_reads(node)
        for child in _defining(node):
            out |= _all_reads(child)
        return out
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        out.add(node.target.id)
    for child in _children(node):
        out |= _all_reads(child)
    if isinstance(node, _COMPREHENSIONS):
        for generator in node.generators:
            out -= {n.id for n in ast.walk(generator.target) if isinstance(n, ast.Name)}
    return out


def _defining(node: Any) -> list[ast.AST]:
    """The parts of a definition that are evaluated where it stands."""
    if isinstance(node, ast.ClassDef):
        return [*node.bases, *node.keywords, *node.decorator_list]
    return [*node.args.defaults, *(d for d in node.args.kw_defaults if d is not None), *getattr(node, "decorator_list", ())]


class Flow:
    """Live names before and after each `if` and loop of a function whose jumps are lowered.

    A name is live where its present value may be read later. A function that closes over names keeps them live for
    as long as its own name is.
    """

    def __init__(self, body: list[ast.stmt], outer: set[str]) -> None:
        self.before: dict[int, set[str]] = {}
        self.after: dict[int, set[str]] = {}
        self.closures: dict[str, set[str]] = {}
        self._reads: dict[int, set[str]] = {}
        self._find_closures(body)
        # what the function shares with others may be read when it is over
        self.block(body, set(outer), set(), set(outer))

    def _find_closures(self, body: Iterable[ast.AST]) -> None:
        for node in body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                self.closures.setdefault(node.name, set()).update(free_reads(node))
            elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        self.closures.setdefault(target.id, set()).update(free_reads(node.value))
            elif isinstance(node, (ast.stmt, ast.ExceptHandler, ast.match_case)):
                self._find_closures(_children(node))

    def reads(self, *nodes: ast.AST | None) -> set[str]:
        out: set[str] = set()
        for node in nodes:
            if node is None:
                continue
            found = self._reads.get(id(node))
            if found is None:
                found = _all_reads(node)
                pending = [n for n in found if n in self.closures]
                while pending:
                    new = self.closures[pending.pop()] - found
                    found |= new
                    pending.extend(n for n in new if n in self.closures)
                self._reads[id(node)] = found
            out |= found
        return out

    def block(self, body: list[ast.stmt], live: set[str], raising: set[str], final: set[str]) -> set[str]:
        """What is live before `body`; `live` after it, `raising` where an exception goes, `final` at the return."""
        for node in reversed(body):
            live = self.statement(node, live | raising, raising, final)
        return live

    def statement(self, node: Any, live: set[str], raising: set[str], final: set[str]) -> set[str]:
        if isinstance(node, ast.Return):
            return self.reads(node.value) | final | raising
        if isinstance(node, ast.Raise):
            return self.reads(node.exc, node.cause) | final | raising
        if isinstance(node, ast.If):
            self.after[id(node)] = self.after.get(id(node), set()) | live
            before = self.block(node.body, live, raising, final) | self.block(node.orelse, live, raising, final)
            before |= self.reads(node.test)
            self.before[id(node)] = self.before.get(id(node), set()) | before
            return before
        if isinstance(node, (ast.While, ast.For)):
            self.after[id(node)] = self.after.get(id(node), set()) | live
            test = self.reads(node.test) if isinstance(node, ast.While) else set(getattr(node, "stops", ()))
            head = live | test
            while True:
                inner = self.block(node.body, head, raising, final)
                if isinstance(node, ast.For):
                    inner -= assigned([node.target])
                    inner |= self.reads(node.target)
                if inner <= head:
                    break
                head = head | inner
            self.before[id(node)] = self.before.get(id(node), set()) | head
            return head | (self.reads(node.iter) if isinstance(node, ast.For) else set())
        if isinstance(node, ast.Try) or type(node).__name__ == "TryStar":
            after = self.block(node.finalbody, live, raising, final)
            caught = set(after) if node.finalbody else set()
            for handler in node.handlers:
                caught |= self.block(handler.body, after, raising | caught, final) | self.reads(handler.type)
            normal = self.block(node.orelse, after, raising | caught, final)
            return self.block(node.body, normal, raising | caught, final | caught)
        if isinstance(node, ast.With):
            live = self.block(node.body, live, raising, final)
            for item in reversed(node.items):
                if item.optional_vars is not None:
                    live = (live - assigned([item.optional_vars])) | self.reads(item.optional_vars)
                live = live | self.reads(item.context_expr)
            return live
        if isinstance(node, ast.Match):
            before = set(live)
            for case in node.cases:
                inner = self.block(case.body, live, raising, final) - assigned([case.pattern])
                before |= inner | self.reads(case.pattern, case.guard)
            return before | self.reads(node.subject)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            return (live - {node.name}) | self.reads(*_defining(node))
        return (live - assigned([node])) | self.reads(node)
