"""Lowering of `break`, `continue` and `return` to flags.

Blocks of control flow become functions of their own, which cannot jump out of themselves. So `break` sets a flag that
the loop tests, and what follows is guarded by the flag. Where all paths of a branch jump, what follows moves into the
other branch instead: `if a: return x` then `return y` becomes an `if` and an `else` that both give a value.
"""

from __future__ import annotations

import ast
from typing import Any

from .context import Unsupported

__all__ = ["RETURNED", "VALUE", "lower", "name", "native_if", "op"]

#: names that converted code uses for the flag and the value of `return`; messages of staged code show them
RETURNED = "do_return"
VALUE = "retval_"

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_JUMPS = (ast.Return, ast.Break, ast.Continue)


def name(identifier: str, at: ast.AST, store: bool = False) -> ast.Name:
    return ast.copy_location(ast.Name(identifier, ast.Store() if store else ast.Load()), at)


def op(operator: str, args: list[Any], at: ast.AST) -> ast.Call:
    """`ag__.operator(*args)` at the place of `at`."""
    fn = ast.copy_location(ast.Attribute(name("ag__", at), operator, ast.Load()), at)
    return ast.copy_location(ast.Call(fn, args, []), at)


def _assign(target: str, value: Any, at: ast.AST) -> ast.Assign:
    if not isinstance(value, ast.AST):
        value = ast.copy_location(ast.Constant(value), at)
    return ast.copy_location(ast.Assign([name(target, at, True)], value), at)


def native_if(node: ast.If) -> bool:
    """Whether the condition can never be a tensor, so that a plain `if` will do."""
    return static(node.test)


_STATIC_CALLS = frozenset(("isinstance", "issubclass", "hasattr", "callable"))


def static(test: ast.expr) -> bool:
    """Whether the value of `test` is a Python bool whatever its operands are."""
    if isinstance(test, ast.Constant):
        return True
    if isinstance(test, ast.Compare):
        return all(isinstance(o, (ast.Is, ast.IsNot)) for o in test.ops)
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return static(test.operand)
    if isinstance(test, ast.BoolOp):
        return all(static(v) for v in test.values)
    return isinstance(test, ast.Call) and isinstance(test.func, ast.Name) and test.func.id in _STATIC_CALLS


def _jumps(node: ast.AST, in_loop: bool = False) -> set[str]:
    """What jumps out of `node`: "return", and "break" and "continue" of the loop around it."""
    if isinstance(node, ast.Return):
        return {"return"}
    if isinstance(node, ast.Break):
        return set() if in_loop else {"break"}
    if isinstance(node, ast.Continue):
        return set() if in_loop else {"continue"}
    if isinstance(node, (*_FUNCTIONS, ast.expr)):
        return set()
    found: set[str] = set()
    if isinstance(node, (ast.For, ast.While)):
        for child in node.body:
            found |= _jumps(child, True)
        for child in node.orelse:
            found |= _jumps(child, in_loop)
        return found
    for child in ast.iter_child_nodes(node):
        found |= _jumps(child, in_loop)
    return found


def _always(block: list[ast.stmt]) -> bool:
    """Whether every path through `block` ends in a jump."""
    for node in block:
        if isinstance(node, (*_JUMPS, ast.Raise)):
            return True
        if isinstance(node, ast.If) and node.orelse and _always(node.body) and _always(node.orelse):
            return True
        if isinstance(node, ast.With) and _always(node.body):
            return True
    return False


def _only_raises(block: list[ast.stmt]) -> bool:
    return _always(block) and not any(_jumps(n) for n in block)


class _Lowering:
    def __init__(self) -> None:
        self.count = 0
        self.used: set[str] = set()
        self.flags: dict[str, str] = {}

    def fresh(self, kind: str) -> str:
        self.count += 1
        return f"{kind}_" if self.count == 1 else f"{kind}__{self.count}"

    def flag(self, kinds: set[str]) -> list[str]:
        return [self.flags[k] for k in ("continue", "break", "return") if k in kinds and k in self.flags]

    def not_flags(self, flags: list[str], at: ast.AST) -> ast.expr:
        self.used.update(flags)
        tests: list[ast.expr] = [ast.copy_location(ast.UnaryOp(ast.Not(), name(f, at)), at) for f in flags]
        return tests[0] if len(tests) == 1 else ast.copy_location(ast.BoolOp(ast.And(), tests), at)

    def block(self, stmts: list[ast.stmt]) -> list[ast.stmt]:
        out: list[ast.stmt] = []
        for i, node in enumerate(stmts):
            rest = stmts[i + 1 :]
            kinds = _jumps(node)
            if isinstance(node, ast.If) and kinds and rest and not (_always(node.body) and _always(node.orelse)):
                # what follows belongs to the paths that do not jump
                if _always(node.body) and not _only_raises(node.body):
                    node = self._copy(node, orelse=[*node.orelse, *rest])
                    out.extend(self.statement(node))
                    return out
                if _always(node.orelse) and not _only_raises(node.orelse):
                    node = self._copy(node, body=[*node.body, *rest])
                    out.extend(self.statement(node))
                    return out
            out.extend(self.statement(node))
            if isinstance(node, _JUMPS) or (kinds and isinstance(node, ast.If) and _always([node])):
                return out  # what follows cannot be reached
            flags = self.flag(kinds)
            if flags and rest:
                guarded = self.block(rest)
                test = self.not_flags(flags, node)
                out.append(ast.copy_location(ast.If(test, guarded, []), rest[0]))
                return out
        return out

    @staticmethod
    def _copy(node: ast.If, **changes: Any) -> ast.If:
        new = ast.If(node.test, changes.get("body", node.body), changes.get("orelse", node.orelse))
        return ast.copy_location(new, node)

    def statement(self, node: ast.stmt) -> list[ast.stmt]:
        if isinstance(node, ast.Return):
            value = node.value or ast.copy_location(ast.Constant(None), node)
            # the value first: the function has not returned when making it raises what the program catches
            return [_assign(VALUE, value, node), _assign(self.flags["return"], True, node)] if "return" in self.flags else [node]
        if isinstance(node, ast.Break):
            return [_assign(self.flags["break"], True, node)]
        if isinstance(node, ast.Continue):
            return [_assign(self.flags["continue"], True, node)]
        if isinstance(node, (ast.For, ast.While)):
            return self.loop(node)
        if isinstance(node, _FUNCTIONS):
            return [node]
        if isinstance(node, ast.If):
            return [self._copy(node, body=self.block(node.body) or [self._pass(node)], orelse=self.block(node.orelse))]
        if isinstance(node, ast.Try) or type(node).__name__ == "TryStar":
            return [self.attempt(node)]
        if isinstance(node, ast.With):
            return [ast.copy_location(ast.With(node.items, self.block(node.body) or [self._pass(node)]), node)]
        if isinstance(node, ast.Match):
            cases = [ast.match_case(c.pattern, c.guard, self.block(c.body) or [self._pass(node)]) for c in node.cases]
            return [ast.copy_location(ast.Match(node.subject, cases), node)]
        return [node]

    @staticmethod
    def _pass(at: ast.AST) -> ast.stmt:
        return ast.copy_location(ast.Pass(), at)

    def attempt(self, node: Any) -> ast.stmt:
        if any("return" in _jumps(n) or "break" in _jumps(n) for n in node.finalbody):
            raise Unsupported("'return' and 'break' inside 'finally' are not supported")
        kinds = set().union(*(_jumps(n) for n in node.body)) if node.body else set()
        orelse = self.block(node.orelse)
        flags = self.flag(kinds)
        if flags and orelse:
            orelse = [ast.copy_location(ast.If(self.not_flags(flags, node), orelse, []), node.orelse[0])]
        handlers = [
            ast.copy_location(ast.ExceptHandler(h.type, h.name, self.block(h.body) or [self._pass(h)]), h) for h in node.handlers
        ]
        body = self.block(node.body) or [self._pass(node)]
        return ast.copy_location(type(node)(body, handlers, orelse, self.block(node.finalbody)), node)

    def loop(self, node: Any) -> list[ast.stmt]:
        kinds = set().union(*(_jumps(n) for n in node.body))
        outer = {k: self.flags[k] for k in ("break", "continue") if k in self.flags}
        before: list[ast.stmt] = []
        stops: list[str] = []
        if "break" in kinds:
            self.flags["break"] = self.fresh("break")
            before.append(_assign(self.flags["break"], False, node))
            stops.append(self.flags["break"])
        if "continue" in kinds:
            self.flags["continue"] = self.fresh("continue")
        if "return" in kinds:
            stops.append(self.flags["return"])
        body = self.block(node.body)
        if "continue" in kinds:
            flag = self.flags["continue"]
            if flag in self.used:
                body.insert(0, _assign(flag, False, node.body[0]))
            else:
                body = _without(body, flag) or [self._pass(node)]
        if isinstance(node, ast.While):
            test = node.test
            if stops:
                test = ast.copy_location(ast.BoolOp(ast.And(), [self.not_flags(stops, node), test]), test)
            loop: Any = ast.While(test, body, [])
        else:
            loop = ast.For(node.target, node.iter, body, [], node.type_comment)
            loop.stops = stops
        ast.copy_location(loop, node)
        out = [*before, loop]
        own = [self.flags["break"]] if "break" in kinds else []
        for k in ("break", "continue"):
            self.flags.pop(k, None)
        self.flags.update(outer)
        if node.orelse:
            orelse = self.block(node.orelse)
            guards = own + ([self.flags["return"]] if "return" in kinds else [])
            if guards:
                orelse = [ast.copy_location(ast.If(self.not_flags(guards, node), orelse, []), node.orelse[0])]
            out.extend(orelse)
        return out


def _without(block: list[ast.stmt], flag: str) -> list[ast.stmt]:
    """The block without assignments to a flag that nobody reads."""

    class Strip(ast.NodeTransformer):
        def visit_Assign(self, node: ast.Assign) -> Any:
            target = node.targets[0]
            if isinstance(target, ast.Name) and target.id == flag:
                return ast.copy_location(ast.Pass(), node)
            return node

        def visit_FunctionDef(self, node: Any) -> Any:
            return node

        visit_Lambda = visit_ClassDef = visit_AsyncFunctionDef = visit_FunctionDef

    return [Strip().visit(n) for n in block]


def _nested_return(block: list[ast.stmt], inside: bool = False) -> bool:
    """Whether some `return` sits where a block will become a function of its own."""
    for node in block:
        if isinstance(node, ast.Return):
            if inside:
                return True
        elif isinstance(node, (ast.For, ast.While)) or (isinstance(node, ast.If) and not native_if(node)):
            if any("return" in _jumps(n) for n in (*node.body, *node.orelse)):
                return True
        elif isinstance(node, _FUNCTIONS):
            continue
        elif isinstance(node, ast.If):
            if _nested_return(node.body) or _nested_return(node.orelse):
                return True
        elif isinstance(node, ast.Match):
            if any(_nested_return(c.body) for c in node.cases):
                return True
        elif isinstance(node, ast.With):
            if _nested_return(node.body):
                return True
        elif isinstance(node, ast.Try) or type(node).__name__ == "TryStar":
            blocks = [node.body, node.orelse, node.finalbody, *(h.body for h in node.handlers)]
            if any(_nested_return(b) for b in blocks):
                return True
    return False


def lower(body: list[ast.stmt]) -> list[ast.stmt]:
    """The body of a function without jumps out of blocks that become functions."""
    lowering = _Lowering()
    if not _nested_return(body):
        return _Partial().block(body)
    lowering.flags["return"] = RETURNED
    at = body[0]
    start = [_assign(RETURNED, False, at), _assign(VALUE, op("UndefinedReturnValue", [], at), at)]
    lowered = lowering.block(body)
    end = ast.copy_location(ast.Return(op("returned", [name(VALUE, body[-1])], body[-1])), body[-1])
    return [*start, *lowered, end]


class _Partial(_Lowering):
    """Lowering where every `return` may stay: only loops have jumps to lower."""

    def block(self, stmts: list[ast.stmt]) -> list[ast.stmt]:
        if "break" in self.flags or "continue" in self.flags:
            return super().block(stmts)
        out: list[ast.stmt] = []
        for node in stmts:
            out.extend(self.statement(node))
        return out
