"""Random programs on tensors: what a traced function computes is what Python computes with numbers."""

import linecache
import warnings

from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

import tf2compat as tf

NAMES = ["a", "b", "c"]
_count = 0


@st.composite
def expressions(draw, names, depth=2, call=None):
    kind = draw(st.integers(0, 6 if depth else 1))
    if kind == 0:
        return draw(st.sampled_from(names))
    if kind == 1:
        return f"({draw(st.integers(-3, 5))} + {draw(st.sampled_from(names))})"
    left, right = draw(expressions(names, depth - 1, call)), draw(expressions(names, depth - 1, call))
    if kind == 2:
        return f"({left} + {right})"
    if kind == 3:
        return f"({left} * {right}) % 101"
    if kind == 4:
        return f"({left} - {right}) % 53"
    if kind == 5 and call:
        return f"{call}({left})"
    return f"({left} if {draw(conditions(names, depth - 1, call))} else {right})"


@st.composite
def conditions(draw, names, depth=1, call=None):
    left, right = draw(expressions(names, max(depth - 1, 0), call)), draw(expressions(names, max(depth - 1, 0), call))
    kind = draw(st.integers(0, 3))
    if kind == 0:
        return f"not ({left} < {right})"
    if kind == 1:
        return f"({left} > 1 and {right} < 30)"
    if kind == 2:
        return f"({left} % 2 == 0 or {right} > 20)"
    return f"{left} {draw(st.sampled_from(['<', '<=', '!=', '>=']))} {right}"


@st.composite
def blocks(draw, names, depth, in_loop, indent, call=None):
    pad = "    " * indent
    lines = []
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.integers(0, 8))
        if kind <= 2 or depth == 0:
            lines.append(f"{pad}{draw(st.sampled_from(names))} = {draw(expressions(names, 2, call))} % 97")
        elif kind == 3:
            lines.append(f"{pad}{draw(st.sampled_from(names))} += {draw(expressions(names, 1, call))} % 13")
        elif kind == 4:
            lines.append(f"{pad}if {draw(conditions(names, 1, call))}:")
            lines += draw(blocks(names, depth - 1, in_loop, indent + 1, call))
            if draw(st.booleans()):
                lines.append(f"{pad}elif {draw(conditions(names, 1, call))}:")
                lines += draw(blocks(names, depth - 1, in_loop, indent + 1, call))
            if draw(st.booleans()):
                lines.append(f"{pad}else:")
                lines += draw(blocks(names, depth - 1, in_loop, indent + 1, call))
        elif kind in (5, 6):
            over = draw(st.sampled_from(["span(3)", "span(n)", "items", "zip_of", "span(0)"]))
            target = "(i, j)" if over == "zip_of" else "i"
            lines.append(f"{pad}for {target} in {over}:")
            lines.append(f"{pad}    a += i")
            lines += draw(blocks(names, depth - 1, True, indent + 1, call))
        elif kind == 7:
            left = f"left{depth}"  # one counter for each depth, or an inner loop could keep an outer one going for ever
            lines += [f"{pad}{left} = n", f"{pad}while {left} > 0 and {draw(conditions(names, 1, call))}:", f"{pad}    {left} -= 1"]
            lines += draw(blocks(names, depth - 1, True, indent + 1, call))
        elif in_loop:
            lines.append(f"{pad}if {draw(conditions(names, 1, call))}:")
            lines.append(f"{pad}    {draw(st.sampled_from(['break', 'continue', f'return {names[0]} + 7, {names[1]}, {names[2]}']))}")
    return lines or [f"{pad}pass"]


@st.composite
def programs(draw):
    lines = ["def f(a, b, n):", "    c = a + 1"]
    call = None
    if draw(st.booleans()):
        call = "g"
        lines += ["    def g(x):", f"        if {draw(conditions(['x', 'a']))}:", f"            x = {draw(expressions(['x', 'b'], 1))} % 31"]
        lines += [f"        return x + {draw(st.integers(0, 3))}"]
    lines += draw(blocks(NAMES, 2, False, 1, call))
    if draw(st.booleans()):  # returns in branches
        lines += [f"    if {draw(conditions(NAMES, 1, call))}:", f"        return {draw(expressions(NAMES, 1, call))} + 1, b, c"]
    lines.append("    return a + 0, b, c")
    return "\n".join(lines) + "\n"


def run(text, args, traced):
    global _count
    _count += 1
    filename = f"/staged_program_{_count}.py"
    linecache.cache[filename] = (len(text), None, text.splitlines(True), filename)
    items = [2, 5, 1]
    scope = {"span": range, "items": items, "zip_of": list(zip(items, items, strict=True))}
    if traced:
        dataset = tf.data.Dataset.from_tensor_slices(tf.constant(items))
        scope = {"span": tf.range, "items": dataset, "zip_of": tf.data.Dataset.zip((dataset, dataset))}
    exec(compile(text, filename, "exec"), scope)  # noqa: S102 - the text is made above
    if not traced:
        return scope["f"](*args)
    return tuple(int(v) for v in tf.function(scope["f"])(*[tf.constant(a) for a in args]))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(programs(), st.tuples(st.integers(-2, 9), st.integers(-2, 9), st.integers(0, 4)))
def test_random_programs_on_tensors_compute_what_python_computes(text, args):
    expected = run(text, args, False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            got = run(text, args, True)
        except NotImplementedError as error:  # TensorFlow refuses the same ones
            assert "a return statement cannot be placed inside this TensorFlow loop" in str(error)
            reject()
    assert got == tuple(expected), text


def test_ragged_and_sparse_tensors_may_change_shape_where_loop_options_say_so() -> None:
    @tf.function
    def ragged(n):
        r = tf.ragged.constant([[1, 2], [3]])
        i = 0
        while i < n:
            tf.autograph.experimental.set_loop_options(shape_invariants=[(r, tf.RaggedTensorSpec([None, None], tf.int32))])
            r = tf.concat([r, tf.ragged.constant([[7]])], 0)
            i += 1
        return r

    @tf.function
    def sparse(n):
        s = tf.sparse.from_dense([[1, 2], [3, 0]])
        for _ in n:
            tf.autograph.experimental.set_loop_options(shape_invariants=[(s, tf.TensorShape([None, None]))])
            s = tf.sparse.concat(0, [s, tf.sparse.from_dense([[1, 2]])])
        return tf.sparse.to_dense(s)

    assert ragged(tf.constant(2)).to_list() == [[1, 2], [3], [7], [7]]
    assert sparse(tf.constant([3, 4])).numpy().tolist() == [[1, 2], [3, 0], [1, 2], [1, 2]]
