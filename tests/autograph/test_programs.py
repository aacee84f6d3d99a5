"""Converted functions behave as Python runs them: fixed programs and random ones."""

import functools
import linecache
import sys
import traceback
import types
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tf2compat._engine import autograph as ag


def converted(fn):
    return ag.convert(fn)


# --- random programs --------------------------------------------------------------------------------------------------
NAMES = ["a", "b", "c", "d"]


@st.composite
def expressions(draw, depth=2):
    kind = draw(st.integers(0, 5 if depth else 1))
    if kind == 0:
        return draw(st.sampled_from(NAMES))
    if kind == 1:
        return str(draw(st.integers(-3, 5)))
    left = draw(expressions(depth - 1))
    right = draw(expressions(depth - 1))
    if kind == 2:
        return f"({left} + {right})"
    if kind == 3:
        return f"({left} if {draw(conditions(depth - 1))} else {right})"
    if kind == 4:
        return f"({left} {draw(st.sampled_from(['and', 'or']))} {right})"
    return f"note({left})"


@st.composite
def conditions(draw, depth=1):
    kind = draw(st.integers(0, 4))
    left, right = draw(expressions(max(depth - 1, 0))), draw(expressions(max(depth - 1, 0)))
    if kind == 0:
        return f"not {left}"
    if kind == 1:
        return f"{left} < {right} <= {draw(expressions(0))}"
    if kind == 2:
        return f"({left} > 1 and {right} < 3)"
    if kind == 3:
        return f"{draw(st.sampled_from(NAMES))} is None"
    return f"{left} {draw(st.sampled_from(['<', '==', '!=', '>=']))} {right}"


@st.composite
def blocks(draw, depth, in_loop, indent):
    lines = []
    pad = "    " * indent
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.integers(0, 11))
        if kind <= 2 or depth == 0:
            name = draw(st.sampled_from(NAMES))
            operator = draw(st.sampled_from(["=", "=", "+="]))
            lines.append(f"{pad}{name} {operator} {draw(expressions())}")
        elif kind == 3:
            lines.append(f"{pad}note({draw(expressions())})")
        elif kind <= 5:
            lines.append(f"{pad}if {draw(conditions())}:")
            lines += draw(blocks(depth - 1, in_loop, indent + 1))
            if draw(st.booleans()):
                lines.append(f"{pad}elif {draw(conditions())}:")
                lines += draw(blocks(depth - 1, in_loop, indent + 1))
            if draw(st.booleans()):
                lines.append(f"{pad}else:")
                lines += draw(blocks(depth - 1, in_loop, indent + 1))
        elif kind == 6:
            lines.append(f"{pad}for {draw(st.sampled_from(NAMES))} in range({draw(st.integers(0, 4))}):")
            lines += draw(blocks(depth - 1, True, indent + 1))
            if draw(st.booleans()):
                lines.append(f"{pad}else:")
                lines += draw(blocks(depth - 1, in_loop, indent + 1))
        elif kind == 7:
            lines.append(f"{pad}while {draw(conditions())} and tick():")
            lines += draw(blocks(depth - 1, True, indent + 1))
        elif kind == 8:
            lines.append(f"{pad}try:")
            lines += draw(blocks(depth - 1, in_loop, indent + 1))
            lines.append(f"{pad}    if {draw(conditions())}: raise KeyError('k')")
            lines.append(f"{pad}except KeyError:")
            lines += draw(blocks(depth - 1, in_loop, indent + 1))
            if draw(st.booleans()):
                lines.append(f"{pad}else:")
                lines += draw(blocks(depth - 1, in_loop, indent + 1))
        elif kind == 9:
            lines.append(f"{pad}with context():")
            lines += draw(blocks(depth - 1, in_loop, indent + 1))
        elif kind == 10 and in_loop:
            lines.append(f"{pad}{draw(st.sampled_from(['break', 'continue']))}")
        else:
            lines.append(f"{pad}return {draw(expressions())}")
    return lines


class Context:
    def __enter__(self):
        return self

    def __exit__(self, *exc):
        return False


_count = 0


def function_of(text):
    global _count
    _count += 1
    filename = f"/random_program_{_count}.py"
    linecache.cache[filename] = (len(text), None, text.splitlines(True), filename)
    events = []
    ticks = []

    def note(x):
        events.append(x)
        return x

    def tick():
        ticks.append(1)
        return len(ticks) < 30

    scope = {"note": note, "tick": tick, "context": Context}
    exec(compile(text, filename, "exec"), scope)  # noqa: S102 - the text is made above
    return scope["f"], events


def outcome(fn, events, args):
    events.clear()
    try:
        return "value", fn(*args), list(events)
    except NameError:
        return "unbound", None, list(events)
    except (TypeError, KeyError) as error:
        return type(error).__name__, None, list(events)


@settings(max_examples=150, deadline=None)
@given(blocks(3, False, 1), st.tuples(st.integers(-2, 4), st.integers(-2, 4)))
def test_random_programs_run_as_python_runs_them(body, args):
    text = "def f(a, b):\n" + "\n".join(body) + "\n"
    try:
        fn, events = function_of(text)
    except SyntaxError:
        return
    expected = outcome(fn, events, args)
    fn2, events2 = function_of(text)
    assert outcome(converted(fn2), events2, args) == expected, text


# --- fixed programs ---------------------------------------------------------------------------------------------------
def test_early_return_in_nested_loops():
    def f(n):
        for i in range(n):
            for j in range(n):
                if i * j == 6:
                    return i, j
        return None

    assert [converted(f)(n) for n in range(6)] == [f(n) for n in range(6)]


def test_else_of_loops():
    def f(n):
        for i in range(5):
            if i == n:
                break
        else:
            return "none"
        while n < 10:
            n += 3
        else:
            n = -n
        return n

    assert [converted(f)(n) for n in (1, 7)] == [f(n) for n in (1, 7)]


class Base:
    def value(self, x=1, *, y=2):
        return x + y


class Derived(Base):
    def __init__(self):
        self.__secret = 5

    def value(self, x=3, *, y=4):
        if x > 2:
            return super().value(x, y=y) + self.__secret
        return super(Derived, self).value(x)  # noqa: UP008 - this form is the case


def test_methods_super_and_private_names():
    d = Derived()
    f = converted(Derived.value)
    assert f(d) == d.value() == 12
    assert f(d, 1) == d.value(1)
    assert f(d, y=9) == d.value(y=9)


def test_closures_share_their_cells():
    total = 0

    def f(x):
        nonlocal total
        if x > 0:
            total += x
        return total

    g = converted(f)
    g(3)
    f(4)
    assert total == 7 and g(0) == 7


COUNTER = 0


def bump(n):
    global COUNTER
    for i in range(n):
        if i % 2:
            COUNTER += i
    return COUNTER


def test_globals_are_written():
    converted(bump)(4)
    assert COUNTER == 4


def test_lambdas_on_one_line_are_told_apart():
    fs = [lambda x: x and 1, lambda x: x or 2, lambda x, y=3: (x and y) or 4]
    assert [converted(f)(0) for f in fs] == [0, 2, 4]
    assert [converted(f)(5) for f in fs] == [1, 5, 3]


def test_walrus_comprehensions_and_nested_functions():
    def f(xs):
        while (n := len(xs)) > 2:
            xs = xs[1:]

        def scale(v, by=n):
            return [v * k for k in range(by) if k or v]

        if (m := sum(xs)) > 3:
            return m, [scale(x) for x in xs], {k: v for k, v in zip(xs, xs, strict=True)}
        return m, n

    for xs in ([1, 2, 3, 4], [0, 1]):
        assert converted(f)(xs) == f(xs)


def test_match_statement():
    def f(x):
        for item in x:
            match item:
                case [a, b] if a > 0:
                    return a + b
                case {"k": v}:
                    if v:
                        continue
                    return "zero"
                case _:
                    break
        return "end"

    for x in ([[1, 2]], [{"k": 1}, [3, 4]], [{"k": 0}], [7, [1, 1]], []):
        assert converted(f)(x) == f(x)


def test_exceptions_finally_and_with():
    log = []

    class Quiet:
        def __enter__(self):
            log.append("in")

        def __exit__(self, kind, value, trace):
            log.append("out")
            return kind is KeyError

    def f(n):
        for i in range(n):
            with Quiet():
                if i == 1:
                    raise KeyError
                if i == 2:
                    return "two"
            try:
                if i == 0:
                    continue
                log.append(i)
            finally:
                log.append("finally")
        return "end"

    for n in range(4):
        log.clear()
        expected = f(n), list(log)
        log.clear()
        assert (converted(f)(n), list(log)) == expected


def test_unbound_local():
    def f(x):
        if x:
            y = 1
        return y

    assert converted(f)(True) == 1
    with pytest.raises(UnboundLocalError, match="y"):
        converted(f)(False)

    def g(x):
        for y in range(3):
            pass
        del y
        return y  # noqa: F821

    with pytest.raises(UnboundLocalError):
        converted(g)(1)


def test_duplicate_keyword_is_rejected():
    def f(**kw):
        if kw:
            return dict(a=1, **kw)
        return {}

    with pytest.raises(TypeError):
        converted(f)(a=2)
    assert converted(f)(b=2) == {"a": 1, "b": 2}


def test_calls_convert_the_users_functions_only():
    seen = []

    def inner(x):
        seen.append(sys._getframe().f_code)
        if x > 1:
            return inner(x - 1)
        return x

    def f(x):
        return functools.partial(inner, x)()

    assert converted(f)(3) == 1
    assert len(seen) == 3
    assert all(code is not inner.__code__ for code in seen)
    assert ag.function_for(traceback.format_exc) is traceback.format_exc


def test_callable_objects_are_converted():
    class Call:
        def __call__(self, x):
            self.code = sys._getframe().f_code
            if x:
                return "yes"
            return "no"

    c = Call()

    def f(x):
        return c(x)

    assert converted(f)(1) == "yes"
    assert c.code is not Call.__call__.__code__


def test_generators_run_as_they_are():
    def gen(n):
        for i in range(n):
            if i:
                yield i

    def f(n):
        def inner(m):
            for i in range(m):
                yield i * 2

        return [*gen(n), *inner(n)]

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert converted(f)(3) == f(3)


def test_traceback_shows_the_users_lines():
    def f(x):
        y = 2
        for i in range(3):
            if i == 1:
                y = x / (i - 1)
        return y

    with pytest.raises(ZeroDivisionError) as caught:
        converted(f)(1)
    frames = traceback.extract_tb(caught.value.__traceback__)
    assert frames[-1].filename == __file__
    assert frames[-1].line == "y = x / (i - 1)"


def test_without_source_it_runs_as_it_is_and_says_so():
    scope = {"__name__": "__main__"}
    exec(compile("def f(x):\n    return 1 if x else 2\n", "<stdin>", "exec"), scope)  # noqa: S102
    with pytest.warns(RuntimeWarning, match="could not transform .* will run it as-is"):
        assert ag.function_for(scope["f"]) is scope["f"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ag.function_for(scope["f"])


def test_conversion_is_cached_by_code():
    def make(k):
        def f(x):
            if x:
                return k
            return -k

        return f

    one, two = converted(make(1)), converted(make(2))
    assert one.__code__ is two.__code__
    assert (one(1), two(0)) == (1, -2)
    assert isinstance(one, types.FunctionType)


def test_wraps_does_not_hide_a_function():
    def plain(x):
        return x

    marked = ag.artifact(plain)

    @functools.wraps(marked)
    def wrapper(x):
        if x:
            return marked(x)
        return 0

    assert ag.is_artifact(marked)
    assert not ag.is_artifact(wrapper)
    assert converted(wrapper)(2) == 2
