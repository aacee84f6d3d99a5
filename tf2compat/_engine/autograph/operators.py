"""The operators that converted code calls, `ag__.…`.

Each looks at the value that decides - a condition, an iterable - and runs Python's own semantics unless the value is
symbolic, that is a tensor while a graph is being recorded. Then the recorder's control flow takes over (`staged`).
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from .calls import BUILTINS, converted_call, keywords
from .convert import artifact
from .undefined import Undefined, UndefinedReturnValue, ld, ldu, returned

__all__ = [
    "Undefined", "UndefinedReturnValue", "and_", "artifact", "assert_stmt", "chained", "converted_call", "for_stmt", "if_exp",
    "if_stmt", "keywords", "ld", "ldu", "not_", "or_", "returned", "while_stmt",
]  # fmt: skip

State = Callable[[], tuple[Any, ...]] | None
SetState = Callable[[tuple[Any, ...]], None] | None


class _Eager:
    """What the recorder of graphs supplies; without one, nothing is symbolic."""

    @staticmethod
    def is_symbolic(value: Any) -> bool:
        """Whether control flow on `value` is to be recorded rather than performed."""
        return False

    @staticmethod
    def is_iterated(value: Any) -> bool:
        """Whether a `for` over `value` is to be recorded as a loop."""
        return False


#: the recorder's control flow: `is_symbolic`, `is_iterated`, `if_stmt`, `if_exp`, `while_stmt`, `for_stmt`, `and_`, `or_`,
#: `not_`, `assert_stmt`, `probe`, and `not_a_bool`, the exception of a symbolic tensor used as a bool
staged: Any = _Eager


def _empty() -> tuple[Any, ...]:
    return ()


def _ignore(values: tuple[Any, ...]) -> None:
    return None


def if_stmt(
    cond: Any, body: Callable[[], None], orelse: Callable[[], None], get_state: State, set_state: SetState,
    symbols: tuple[str, ...], outputs: int,
) -> None:  # fmt: skip
    """`if cond: body() else: orelse()`; the first `outputs` of `symbols` are used after the statement."""
    if staged.is_symbolic(cond):
        staged.if_stmt(cond, body, orelse, get_state or _empty, set_state or _ignore, symbols, outputs)
    elif cond:
        body()
    else:
        orelse()


def if_exp(cond: Any, body: Callable[[], Any], orelse: Callable[[], Any], text: str) -> Any:
    """`body() if cond else orelse()`; `text` is the condition's source."""
    if staged.is_symbolic(cond):
        return staged.if_exp(cond, body, orelse, text)
    return body() if cond else orelse()


def while_stmt(
    test: Callable[[], Any], body: Callable[[], None], get_state: State, set_state: SetState, symbols: tuple[str, ...],
    options: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    """`while test(): body()`."""
    if staged is not _Eager:
        value = staged.probe(test)
        if staged.is_symbolic(value):
            staged.while_stmt(test, body, get_state or _empty, set_state or _ignore, symbols, options or {})
            return
        # the probe was one evaluation of the test
        if not value:
            return
        body()
        while True:
            value = test()
            try:
                go_on = bool(value)
            except staged.not_a_bool as error:
                raise NotImplementedError(_BECAME_TENSOR) from error
            if not go_on:
                return
            body()
    while test():
        body()


def for_stmt(
    iterated: Any, extra_test: Callable[[], Any] | None, body: Callable[[Any], None], get_state: State, set_state: SetState,
    symbols: tuple[str, ...], target: str, options: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    """`for target in iterated: body(target)` while `extra_test()` holds."""
    rows = getattr(type(iterated), "_tf_iterated", None)  # the rows of a ragged tensor, by number
    if rows is not None and staged is not _Eager:
        numbers, row = rows(iterated)
        if staged.is_iterated(numbers):
            given, iterated = body, numbers

            def body(number: Any) -> None:
                given(row(number))

    if staged.is_iterated(iterated):
        staged.for_stmt(iterated, extra_test, body, get_state or _empty, set_state or _ignore, symbols, target, options or {})
        return
    if extra_test is None:
        for item in iterated:
            body(item)
        return
    # a flag of an outer statement may be symbolic or set before the first round
    if not _go_on(extra_test):
        return
    for item in iterated:
        body(item)
        if not _go_on(extra_test):
            return


def _go_on(extra_test: Callable[[], Any]) -> bool:
    value = extra_test()
    if staged is _Eager:
        return bool(value)
    try:
        return bool(value)
    except staged.not_a_bool as error:
        raise NotImplementedError(_BREAK_ON_TENSOR) from error


_LIMITS = (
    "https://github.com/tensorflow/tensorflow/blob/master/tensorflow/python/autograph/g3doc/reference/limitations.md"
    "#consistency-of-control-flow-types"
)
_BECAME_TENSOR = (
    "The condition of while loop started as non-Tensor, then changed to Tensor. This may happen either because variables changed "
    "type, or when a break or return statement inside the loop depends on a Tensor condition. In both cases, changing to a TF loop "
    f"should remove the error.\nSee {_LIMITS} for more info."
)
_BREAK_ON_TENSOR = (
    "break and return statements which depend on a TF condition are not supported in Python for loops. Did you intend to make it a "
    f"TF loop?\nSee {_LIMITS} for more info."
)


def and_(*operands: Callable[[], Any]) -> Any:
    """`a and b and …`, each operand evaluated when needed."""
    value = operands[0]()
    for i, operand in enumerate(operands[1:], 1):
        if staged.is_symbolic(value):
            return staged.and_(value, operands[i] if i == len(operands) - 1 else lambda: and_(*operands[i:]))  # noqa: B023
        if not value:
            return value
        value = operand()
    return value


def or_(*operands: Callable[[], Any]) -> Any:
    """`a or b or …`, each operand evaluated when needed."""
    value = operands[0]()
    for i, operand in enumerate(operands[1:], 1):
        if staged.is_symbolic(value):
            return staged.or_(value, operands[i] if i == len(operands) - 1 else lambda: or_(*operands[i:]))  # noqa: B023
        if value:
            return value
        value = operand()
    return value


def not_(value: Any) -> Any:
    """`not value`."""
    if staged.is_symbolic(value):
        return staged.not_(value)
    return not value


def _contained(a: Any, b: Any) -> bool:
    return a in b


def _not_contained(a: Any, b: Any) -> bool:
    return a not in b


_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq, "ne": operator.ne, "lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge,
    "is_": operator.is_, "is_not": operator.is_not, "contained": _contained, "not_contained": _not_contained,
}  # fmt: skip


def chained(left: Any, *pairs: tuple[str, Callable[[], Any]]) -> Any:
    """`a < b < c`: the conjunction of the comparisons, each operand evaluated once and when needed."""
    operation, operand = pairs[0]
    right = operand()
    value = _COMPARE[operation](left, right)
    if len(pairs) == 1:
        return value
    return and_(lambda: value, lambda: chained(right, *pairs[1:]))


def assert_stmt(test: Any, message: Callable[[], Any] | None = None) -> None:
    """`assert test, message()`."""
    if staged.is_symbolic(test):
        staged.assert_stmt(test, message)
    elif __debug__ and not test:
        raise AssertionError(message()) if message is not None else AssertionError


# --- builtins --------------------------------------------------------------------------------------------------------
def _overload(builtin: Callable[..., Any], name: str) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        if args and any(staged.is_symbolic(a) or staged.is_iterated(a) for a in args):
            replaced = getattr(staged, name, None)
            if replaced is not None:
                return replaced(*args, **kwargs)
        return builtin(*args, **kwargs)

    return call


BUILTINS.update({
    abs: _overload(abs, "abs_"),
    float: _overload(float, "float_"),
    int: _overload(int, "int_"),
    len: _overload(len, "len_"),
    range: _overload(range, "range_"),
    enumerate: _overload(enumerate, "enumerate_"),
    zip: _overload(zip, "zip_"),
    map: _overload(map, "map_"),
    filter: _overload(filter, "filter_"),
    sorted: _overload(sorted, "sorted_"),
    any: _overload(any, "any_"),
    all: _overload(all, "all_"),
    next: _overload(next, "next_"),
})  # fmt: skip
