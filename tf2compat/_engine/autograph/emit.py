"""Rewriting of a function's syntax tree into calls of AutoGraph's operators.

Each block of an `if` or a loop becomes a function that shares the variables of the converted function by `nonlocal`;
the operator is given these functions, and a pair that gets and sets the variables that the statement changes. Every
node keeps its place in the source, so tracebacks and debuggers show the user's own lines.
"""

from __future__ import annotations

import ast
from typing import Any

from . import jumps
from .jumps import name, op
from .names import Flow, assigned, composites, declared, parameters

__all__ = ["convert_function", "convert_lambda"]

#: called where they stand: their result depends on the frame that calls them
_NATIVE_CALLS = frozenset(("super", "locals", "globals", "eval", "exec", "vars", "dir", "breakpoint"))
_FLAGS = frozenset(("break_", "continue_", jumps.RETURNED, jumps.VALUE))
_COMPARE = {
    ast.Eq: "eq", ast.NotEq: "ne", ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge", ast.Is: "is_", ast.IsNot: "is_not",
    ast.In: "contained", ast.NotIn: "not_contained",
}  # fmt: skip


def _binds_or_suspends(node: ast.AST) -> bool:
    """Whether an expression cannot be moved into a lambda: it binds a name or suspends the function."""
    return any(isinstance(n, (ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom)) for n in ast.walk(node))


def _lambda(body: ast.expr) -> ast.Lambda:
    args = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
    return ast.copy_location(ast.Lambda(args, body), body)


def _no_args(*names: str) -> ast.arguments:
    return ast.arguments(posonlyargs=[], args=[ast.arg(n) for n in names], kwonlyargs=[], kw_defaults=[], defaults=[])


class _Expressions(ast.NodeTransformer):
    """Calls, boolean operators and conditional expressions."""

    def __init__(self, maybe_undefined: set[str], first_parameter: str | None) -> None:
        self.maybe_undefined = maybe_undefined
        self.first_parameter = first_parameter

    def visit_Name(self, node: ast.Name) -> Any:
        if isinstance(node.ctx, ast.Load) and node.id in self.maybe_undefined:
            return op("ld", [node], node)
        return node

    def visit_Call(self, node: ast.Call) -> Any:
        if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name) and node.func.value.id == "ag__":
            self.generic_visit(node)
            return node
        if isinstance(node.func, ast.Name) and node.func.id in _NATIVE_CALLS:
            if node.func.id == "super" and not node.args and not node.keywords and self.first_parameter:
                # blocks become functions without parameters, where `super()` would find no object
                node.args = [name("__class__", node), name(self.first_parameter, node)]
                return node
            self.generic_visit(node)
            return node
        self.generic_visit(node)
        args = ast.copy_location(ast.Tuple(node.args, ast.Load()), node)
        if not node.keywords:
            return op("converted_call", [node.func, args], node)
        if any(k.arg is None for k in node.keywords):
            # `dict` rejects a keyword that is given twice, as the call would
            kwargs: ast.expr = ast.Call(name("dict", node), [], node.keywords)
            if len(node.keywords) == 1:
                kwargs = op("keywords", [node.keywords[0].value], node)
        else:
            keys: list[ast.expr | None] = [ast.copy_location(ast.Constant(k.arg), k.value) for k in node.keywords]
            kwargs = ast.Dict(keys, [k.value for k in node.keywords])
        return op("converted_call", [node.func, args, ast.copy_location(kwargs, node)], node)

    def visit_BoolOp(self, node: ast.BoolOp) -> Any:
        plain = jumps.static(node) or _binds_or_suspends(node)
        self.generic_visit(node)
        if plain:
            return node
        operator = "and_" if isinstance(node.op, ast.And) else "or_"
        return op(operator, [_lambda(v) for v in node.values], node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Any:
        plain = jumps.static(node.operand)
        self.generic_visit(node)
        if plain or not isinstance(node.op, ast.Not):
            return node
        return op("not_", [node.operand], node)

    def visit_IfExp(self, node: ast.IfExp) -> Any:
        plain = jumps.static(node.test) or _binds_or_suspends(node.body) or _binds_or_suspends(node.orelse)
        text = "" if plain else ast.unparse(node.test)
        self.generic_visit(node)
        if plain:
            return node
        return op("if_exp", [node.test, _lambda(node.body), _lambda(node.orelse), ast.Constant(text)], node)

    def visit_Compare(self, node: ast.Compare) -> Any:
        chained = len(node.ops) > 1 and not jumps.static(node) and not any(_binds_or_suspends(c) for c in node.comparators)
        self.generic_visit(node)
        if not chained:
            return node
        pairs: list[ast.expr] = []
        for o, right in zip(node.ops, node.comparators, strict=True):
            pairs.append(ast.Tuple([ast.Constant(_COMPARE[type(o)]), _lambda(right)], ast.Load()))
        return op("chained", [node.left, *pairs], node)

    def visit_Lambda(self, node: ast.Lambda) -> Any:
        if any(isinstance(n, (ast.Yield, ast.YieldFrom, ast.Await)) for n in ast.walk(node.body)):
            return node
        inner = _Expressions(self.maybe_undefined - set(parameters(node.args)) - assigned([node.body]), self.first_parameter)
        self._defaults(node.args)
        node.body = inner.visit(node.body)
        return op("artifact", [node], node)

    def _defaults(self, args: ast.arguments) -> None:
        args.defaults = [self.visit(d) for d in args.defaults]
        args.kw_defaults = [None if d is None else self.visit(d) for d in args.kw_defaults]

    def _comprehension(self, node: Any) -> Any:
        bound = {n.id for g in node.generators for n in ast.walk(g.target) if isinstance(n, ast.Name)}
        inner = _Expressions(self.maybe_undefined - bound, self.first_parameter)
        return ast.NodeTransformer.generic_visit(inner, node)

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension

    def visit_JoinedStr(self, node: ast.JoinedStr) -> Any:
        for value in node.values:
            if isinstance(value, ast.FormattedValue):
                value.value = self.visit(value.value)
        return node

    def visit_Await(self, node: ast.Await) -> Any:
        return node


def _is_generator(node: ast.AST) -> bool:
    """Whether a `def` is a generator: it yields in its own scope."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.Yield, ast.YieldFrom)):
            return True
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            continue
        if _is_generator(child):
            return True
    return False


_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
#: what the functions are called that blocks become, before a number
_BLOCKS = ("if_body", "else_body", "loop_body", "loop_test", "extra_test", "get_state", "set_state")


class _Function:
    """The conversion of one function body."""

    def __init__(self, args: ast.arguments, body: list[ast.stmt], outer_undefined: set[str]) -> None:
        self.parameters = parameters(args)
        first = [*args.posonlyargs, *args.args]
        self.globals = declared(body, ast.Global)
        self.nonlocals = declared(body, ast.Nonlocal)
        #: names of the program's own
        self.taken = {n.id for s in body for n in ast.walk(s) if isinstance(n, ast.Name)} | set(self.parameters)
        self.taken |= {n.name for s in body for n in ast.walk(s) if isinstance(n, _DEFINITIONS)}
        self.body = jumps.lower(body)
        self.flow = Flow(self.body, self.globals | self.nonlocals)
        self.count = 0
        local = assigned(self.body) - self.globals - self.nonlocals
        self.undefined = self._assigned_in_blocks(self.body) - set(self.parameters) - self.globals - self.nonlocals
        maybe = (outer_undefined - local - set(self.parameters)) | {n for n in self.undefined if not self._flag(n)}
        self.expressions = _Expressions(maybe, first[0].arg if first else None)

    @staticmethod
    def _flag(n: str) -> bool:
        return n in _FLAGS or n.startswith(("break__", "continue__"))

    def _assigned_in_blocks(self, body: list[ast.stmt]) -> set[str]:
        """The names assigned where a block becomes a function of its own."""
        out: set[str] = set()
        for node in body:
            if isinstance(node, (ast.For, ast.While)) or (isinstance(node, ast.If) and not jumps.native_if(node)):
                out |= assigned([*node.body, *node.orelse])
                out |= assigned([node.target]) if isinstance(node, ast.For) else set()
                out |= assigned([node.test]) if isinstance(node, ast.While) else set()
            elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                for _, value in ast.iter_fields(node):
                    if isinstance(value, list) and value and isinstance(value[0], (ast.stmt, ast.ExceptHandler, ast.match_case)):
                        out |= self._assigned_in_blocks(value)
        return out

    def convert(self) -> list[ast.stmt]:
        out: list[ast.stmt] = []
        at = self.body[0]
        if self.globals:
            out.append(ast.copy_location(ast.Global(sorted(self.globals)), at))
        if self.nonlocals:
            out.append(ast.copy_location(ast.Nonlocal(sorted(self.nonlocals)), at))
        if self.undefined:
            for n in sorted(self.undefined - {jumps.RETURNED, jumps.VALUE}):
                value = op("Undefined", [ast.Constant(n)], at)
                out.append(ast.copy_location(ast.Assign([name(n, at, True)], value), at))
        out.extend(self.block(self.body))
        return out

    # --- statements --------------------------------------------------------------------------------------------------
    def block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        out: list[ast.stmt] = []
        for node in body:
            out.extend(self.statement(node))
        return out or [ast.copy_location(ast.Pass(), body[0])] if body else out

    def statement(self, node: Any) -> list[ast.stmt]:
        expressions = self.expressions
        if isinstance(node, ast.If):
            return self.conditional(node)
        if isinstance(node, ast.While):
            return self.while_loop(node)
        if isinstance(node, ast.For):
            return self.for_loop(node)
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            return []
        if isinstance(node, ast.FunctionDef):
            return [self.function(node)]
        if isinstance(node, (ast.AsyncFunctionDef, ast.ClassDef)):
            return [node]
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            if node.value is None:
                return []
            new = ast.Assign([node.target], expressions.visit(node.value))
            return [ast.copy_location(new, node)]
        if isinstance(node, ast.AugAssign):
            check = []
            if isinstance(node.target, ast.Name) and node.target.id in expressions.maybe_undefined:
                check = [ast.copy_location(ast.Expr(op("ld", [name(node.target.id, node)], node)), node)]
            return [*check, expressions.visit(node)]
        if isinstance(node, ast.Delete):
            return self.delete(node)
        if isinstance(node, ast.Try) or type(node).__name__ == "TryStar":
            node.body = self.block(node.body)
            node.orelse = self.block(node.orelse)
            node.finalbody = self.block(node.finalbody)
            for handler in node.handlers:
                handler.type = handler.type and expressions.visit(handler.type)
                handler.body = self.block(handler.body)
            return [node]
        if isinstance(node, ast.With):
            node.items = [expressions.visit(i) for i in node.items]
            node.body = self.block(node.body)
            return [node]
        if isinstance(node, ast.Match):
            node.subject = expressions.visit(node.subject)
            for case in node.cases:
                case.guard = case.guard and expressions.visit(case.guard)
                case.body = self.block(case.body)
            return [node]
        if isinstance(node, ast.Assert):
            if jumps.static(node.test):
                return [expressions.visit(node)]
            args = [expressions.visit(node.test)]
            if node.msg is not None:
                args.append(_lambda(expressions.visit(node.msg)))
            return [ast.copy_location(ast.Expr(op("assert_stmt", args, node)), node)]
        return [expressions.visit(node)]

    def delete(self, node: ast.Delete) -> list[ast.stmt]:
        out: list[ast.stmt] = []
        for target in node.targets:
            if isinstance(target, ast.Name) and target.id in self.undefined:
                value = op("Undefined", [ast.Constant(target.id)], node)
                check = ast.Expr(op("ld", [name(target.id, node)], node))
                out.append(ast.copy_location(check, node))
                out.append(ast.copy_location(ast.Assign([name(target.id, node, True)], value), node))
            else:
                out.append(ast.copy_location(ast.Delete([self.expressions.visit(target)]), node))
        return out

    def function(self, node: ast.FunctionDef) -> ast.stmt:
        if _is_generator(node):
            return node
        self.expressions._defaults(node.args)
        node.decorator_list = [*node.decorator_list, ast.copy_location(ast.Attribute(name("ag__", node), "artifact", ast.Load()), node)]
        docstring = ast.get_docstring(node, clean=False) is not None
        inner = _Function(node.args, node.body, self.expressions.maybe_undefined)
        body = inner.convert()
        node.body = [node.body[0], *body] if docstring else body
        return node

    # --- control flow ------------------------------------------------------------------------------------------------
    def conditional(self, node: ast.If) -> list[ast.stmt]:
        if jumps.native_if(node):
            node.test = self.expressions.visit(node.test)
            node.body = self.block(node.body)
            node.orelse = self.block(node.orelse)
            return [node]
        changed = assigned([*node.body, *node.orelse])
        live_after = self.flow.after[id(node)]
        outputs = sorted(changed & live_after)
        inputs = sorted((changed & self.flow.before[id(node)]) - live_after)
        parts = composites([*node.body, *node.orelse])
        items = sorted(k for k, (_, base) in parts.items() if not base & changed)
        suffix = self.next()
        symbols = [*outputs, *items, *inputs]
        state = self.state(node, suffix, symbols, parts)
        body = self.define(f"if_body{suffix}", node.body, node)
        orelse = self.define(f"else_body{suffix}", node.orelse, node)
        call = op(
            "if_stmt",
            [
                self.expressions.visit(node.test), name(body.name, node), name(orelse.name, node), *self.state_names(suffix, symbols, node),
                self.texts(symbols), ast.Constant(len(outputs) + len(items)),
            ],
            node.test,
        )  # fmt: skip
        return [*state, body, orelse, ast.copy_location(ast.Expr(call), node.test)]

    def loop_symbols(self, node: Any, changed: set[str]) -> tuple[list[str], dict[str, Any]]:
        live = self.flow.after[id(node)] | self.flow.before[id(node)]
        parts = composites(node.body)
        items = sorted(k for k, (_, base) in parts.items() if not base & changed)
        return [*sorted(changed & live), *items], parts

    def options(self, node: Any) -> list[ast.expr]:
        """The loop's `set_loop_options`, taken out of its body, as a dict of thunks' values."""
        for i, statement in enumerate(node.body):
            call = statement.value if isinstance(statement, ast.Expr) else None
            if isinstance(call, ast.Call):
                called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
                if called == "set_loop_options":
                    node.body = [*node.body[:i], ast.copy_location(ast.Pass(), statement), *node.body[i + 1 :]]
                    keys: list[ast.expr | None] = [ast.Constant(k.arg) for k in call.keywords]
                    # read as they stand before the loop, where a loop variable may not be defined yet
                    plain = _Expressions(set(), None)
                    return [ast.Dict(keys, [plain.visit(k.value) for k in call.keywords])]
        return []

    def while_loop(self, node: ast.While) -> list[ast.stmt]:
        changed = assigned([node.test, *node.body])
        symbols, parts = self.loop_symbols(node, changed)
        suffix = self.next()
        options = self.options(node)
        state = self.state(node, suffix, symbols, parts)
        test_value = self.expressions.visit(node.test)
        test = self.make(f"loop_test{suffix}", _no_args(), [ast.copy_location(ast.Return(test_value), node.test)], node.test)
        body = self.define(f"loop_body{suffix}", node.body, node)
        args = [name(test.name, node), name(body.name, node), *self.state_names(suffix, symbols, node), self.texts(symbols), *options]
        call = op("while_stmt", args, node.test)
        return [*state, test, body, ast.copy_location(ast.Expr(call), node.test)]

    def for_loop(self, node: ast.For) -> list[ast.stmt]:
        changed = assigned([node.target, *node.body])
        symbols, parts = self.loop_symbols(node, changed)
        suffix = self.next()
        options = self.options(node)
        state = self.state(node, suffix, symbols, parts)
        target_text = ast.unparse(node.target)
        bind = ast.copy_location(ast.Assign([self.expressions.visit(node.target)], name("itr__", node.target)), node.target)
        body_statements = [bind, *self.block(node.body)]
        body = self.make(f"loop_body{suffix}", _no_args("itr__"), body_statements, node)
        definitions: list[ast.stmt] = [*state, body]
        stops = getattr(node, "stops", ())
        extra: ast.expr = ast.Constant(None)
        if stops:
            tests: list[ast.expr] = [op("not_", [name(s, node)], node) for s in stops]
            value = tests[0] if len(tests) == 1 else op("and_", [_lambda(t) for t in tests], node)
            test = self.make(f"extra_test{suffix}", _no_args(), [ast.copy_location(ast.Return(value), node)], node)
            definitions.append(test)
            extra = name(test.name, node)
        iterated = self.expressions.visit(node.iter)
        args = [
            iterated, extra, name(body.name, node), *self.state_names(suffix, symbols, node), self.texts(symbols),
            ast.Constant(target_text), *options,
        ]  # fmt: skip
        call = op("for_stmt", args, node.iter)
        return [*definitions, ast.copy_location(ast.Expr(call), node.iter)]

    # --- the functions that blocks become ----------------------------------------------------------------------------
    def next(self) -> str:
        while True:
            self.count += 1
            suffix = "" if self.count == 1 else f"_{self.count}"
            if not any(f"{block}{suffix}" in self.taken for block in _BLOCKS):
                return suffix

    @staticmethod
    def texts(symbols: list[str]) -> ast.expr:
        return ast.Tuple([ast.Constant(s) for s in symbols], ast.Load())

    @staticmethod
    def state_names(suffix: str, symbols: list[str], at: ast.AST) -> list[ast.expr]:
        if not symbols:
            return [ast.Constant(None), ast.Constant(None)]
        return [name(f"get_state{suffix}", at), name(f"set_state{suffix}", at)]

    def state(self, node: ast.stmt, suffix: str, symbols: list[str], parts: dict[str, Any]) -> list[ast.stmt]:
        if not symbols:
            return []
        values: list[ast.expr] = []
        targets: list[ast.expr] = []
        after: list[ast.stmt] = []
        for i, symbol in enumerate(symbols):
            if symbol in parts:
                read = ast.parse(symbol, mode="eval").body
                values.append(op("ldu", [_lambda(read), ast.Constant(symbol)], node))
                targets.append(name(f"item__{i}", node, True))
                text = f"if isinstance(item__{i}, ag__.Undefined):\n try: del {symbol}\n except (KeyError, AttributeError, IndexError): pass\n"
                after.append(ast.parse(f"{text}else: {symbol} = item__{i}").body[0])
            elif symbol in self.globals or symbol in self.nonlocals:
                values.append(op("ldu", [_lambda(name(symbol, node)), ast.Constant(symbol)], node))
                targets.append(name(symbol, node, True))
            else:
                values.append(name(symbol, node))
                targets.append(name(symbol, node, True))
        get = ast.Return(ast.Tuple(values, ast.Load()))
        put: ast.stmt = ast.Assign([ast.Tuple(targets, ast.Store())], name("values__", node))
        # parsed pieces carry places of their own; all of it belongs to the statement's line
        statements = [get, put, *after]
        for statement in statements:
            for inner in ast.walk(statement):
                if isinstance(inner, (ast.expr, ast.stmt, ast.ExceptHandler)):
                    ast.copy_location(inner, node)
        return [
            self.make(f"get_state{suffix}", _no_args(), [get], node, bind=False),
            self.make(f"set_state{suffix}", _no_args("values__"), [put, *after], node),
        ]

    def define(self, fn_name: str, body: list[ast.stmt], node: ast.stmt) -> ast.FunctionDef:
        return self.make(fn_name, _no_args(), self.block(body) or [ast.copy_location(ast.Pass(), node)], node)

    def make(self, fn_name: str, args: ast.arguments, body: list[ast.stmt], at: ast.AST, bind: bool = True) -> ast.FunctionDef:
        if bind:
            bound = assigned(body)
            outer = sorted(bound & self.globals)
            shared = sorted(bound & (self.undefined | self.nonlocals | set(self.parameters)) - self.globals)
            head: list[ast.stmt] = []
            if outer:
                head.append(ast.copy_location(ast.Global(outer), at))
            if shared:
                head.append(ast.copy_location(ast.Nonlocal(shared), at))
            body = [*head, *body]
        new = ast.FunctionDef(fn_name, args, body, [])
        if hasattr(new, "type_params") or "type_params" in ast.FunctionDef._fields:
            new.type_params = []  # type: ignore[attr-defined]
        return ast.copy_location(new, at)


def convert_function(node: ast.FunctionDef) -> ast.FunctionDef:
    """`def` with a converted body, without decorators, defaults and annotations."""
    _strip(node.args)
    body = _Function(node.args, node.body, set()).convert()
    new = ast.FunctionDef(node.name, node.args, body, [])
    if "type_params" in ast.FunctionDef._fields:
        new.type_params = []  # type: ignore[attr-defined]
    return ast.copy_location(new, node)


def convert_lambda(node: ast.Lambda) -> ast.Lambda:
    """`lambda` with a converted body, without defaults."""
    _strip(node.args)
    node.body = _Expressions(set(), None).visit(node.body)
    return node


def _strip(args: ast.arguments) -> None:
    # defaults and annotations are taken over from the function object; here they only need to be present
    args.defaults = [ast.copy_location(ast.Constant(None), d) for d in args.defaults]
    args.kw_defaults = [d if d is None else ast.copy_location(ast.Constant(None), d) for d in args.kw_defaults]
    for a in (*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg):
        if a is not None:
            a.annotation = None
