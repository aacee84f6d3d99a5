"""Reads case files, runs cases on any module that calls itself ``tf`` and compares the outcomes.

The same ``run`` is used on both sides: under real TensorFlow to record, on tf2compat to replay. It
therefore uses nothing but TensorFlow's public names, NumPy and the standard library.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import linecache
import math
import os
import re
import sys
import tempfile
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
CASES = HERE / "cases"
RECORDED = HERE / "recorded"


# ------------------------------------------------------------------------------------------------
# Case files
# ------------------------------------------------------------------------------------------------


@dataclass
class Case:
    file: str
    title: str
    body: str
    inputs: str = ""
    order: int = 0
    raises: bool = False
    optional: bool = False
    tol: float | None = None
    line: int = 0

    @property
    def key(self) -> str:
        """What a recording is looked up by: an edited case has no recording and says so."""
        return self.title if self.title == self.source else f"{self.title}\n{self.source}"

    @property
    def source(self) -> str:
        mark = ("!" if self.raises else "") + ("?" if self.optional else "")
        text = f"{mark} {self.body}" if mark else self.body
        if self.inputs:
            text += f" :: {self.inputs}" if self.order == 1 else f" ::{self.order} {self.inputs}"
        return text


_TAIL = re.compile(r"^(?P<body>.*?)\s+::(?P<order>\d?)\s+(?P<inputs>.*)$", re.S)
_BLOCK = re.compile(r"^case(?P<bang>!?)\s+(?P<name>.+):$")
_EACH = re.compile(r"^each\s+(?P<var>\w+)\s+in\s+(?P<items>.+):$")


def _one_liner(file: str, text: str, tol: float | None, line: int) -> Case:
    mark = text.split(" ", 1)[0] if text[0] in "!?" else ""
    raises, optional = "!" in mark, "?" in mark
    body = text[len(mark) :].strip()
    case = Case(file, "", body, raises=raises, optional=optional, tol=tol, line=line)
    tail = _TAIL.match(body)
    if tail:
        case.body, case.inputs = tail["body"], tail["inputs"]
        case.order = int(tail["order"] or 1)
    case.title = case.source
    return case


def parse(path: Path) -> list[Case]:
    """All cases of a file, templates expanded, in order."""
    cases: list[Case] = []
    lines = path.read_text(encoding="utf-8").split("\n")
    tol: float | None = None
    i = 0
    while i < len(lines):
        start, line = i, lines[i].rstrip()
        i += 1
        if not line.strip() or line.startswith("#"):
            continue
        if line[0] == " ":
            raise SyntaxError(f"{path.name}:{start + 1}: unexpected indentation: {line!r}")
        if line.startswith("@tol "):
            tol = float(line[5:])
            continue
        while line.endswith("\\"):
            line = line[:-1].rstrip() + " " + lines[i].strip()
            i += 1
        block, each = _BLOCK.match(line), _EACH.match(line)
        if not block and not each:
            cases.append(_one_liner(path.stem, line, tol, start + 1))
            tol = None
            continue
        body: list[tuple[int, str]] = []
        while i < len(lines) and (not lines[i].strip() or lines[i].startswith(" ")):
            body.append((i + 1, lines[i]))
            i += 1
        while body and not body[-1][1].strip():
            body.pop()
        if not body:
            raise SyntaxError(f"{path.name}:{start + 1}: {line!r} has no body")
        if block:
            indent = min(len(b) - len(b.lstrip()) for _, b in body if b.strip())
            text = "\n".join(b[indent:] for _, b in body)
            cases.append(
                Case(path.stem, block["name"], text, raises=bool(block["bang"]), tol=tol, line=start + 1)
            )
        elif each:
            word = re.compile(rf"\b{each['var']}\b")
            for item in each["items"].split():
                for number, text in body:
                    text = text.strip()
                    if text and not text.startswith("#"):
                        text = word.sub(lambda _, item=item: item, text)
                        cases.append(_one_liner(path.stem, text, tol, number))
        tol = None
    seen: dict[str, int] = {}
    for case in cases:
        if case.key in seen:
            raise SyntaxError(f"{path.name}:{case.line}: case repeats line {seen[case.key]}: {case.title}")
        seen[case.key] = case.line
    return cases


def case_files() -> list[Path]:
    return sorted(CASES.glob("*.txt"))


def load_recording(stem: str) -> dict[str, Any]:
    path = RECORDED / f"{stem}.json"
    if not path.exists():
        return {}
    return json.loads(path.read_text(encoding="utf-8"))


# ------------------------------------------------------------------------------------------------
# What a case may use besides tf
# ------------------------------------------------------------------------------------------------


def namespace(tf: ModuleType) -> dict[str, Any]:
    """``tf``, ``np``, short constructors (``f32([1., 2.])``) and deterministic test data."""

    def rnd(*shape: int, seed: int = 0, low: float = -2.0, high: float = 2.0) -> np.ndarray:
        """Uniform float64 values; RandomState's stream is frozen, so both sides see the same."""
        return np.round(np.random.RandomState(seed).uniform(low, high, shape), 3)

    def rndi(*shape: int, seed: int = 0, low: int = -5, high: int = 6) -> np.ndarray:
        return np.random.RandomState(seed).randint(low, high, shape)

    def seq(*shape: int) -> np.ndarray:
        return np.arange(math.prod(shape), dtype=np.float64).reshape(shape)

    return {
        "tf": tf,
        "np": np,
        "math": math,
        "rnd": rnd,
        "rndi": rndi,
        "seq": seq,
        "inf": math.inf,
        "nan": math.nan,
        "f16": lambda v: tf.constant(v, tf.float16),
        "bf16": lambda v: tf.cast(tf.constant(v, tf.float32), tf.bfloat16),
        "f32": lambda v: tf.constant(v, tf.float32),
        "f64": lambda v: tf.constant(v, tf.float64),
        "i8": lambda v: tf.constant(v, tf.int8),
        "i16": lambda v: tf.constant(v, tf.int16),
        "i32": lambda v: tf.constant(v, tf.int32),
        "i64": lambda v: tf.constant(v, tf.int64),
        "u8": lambda v: tf.constant(v, tf.uint8),
        "u16": lambda v: tf.constant(v, tf.uint16),
        "u32": lambda v: tf.constant(v, tf.uint32),
        "u64": lambda v: tf.constant(v, tf.uint64),
        "c64": lambda v: tf.constant(v, tf.complex64),
        "c128": lambda v: tf.constant(v, tf.complex128),
        "boo": lambda v: tf.constant(v, tf.bool),
        "st": lambda v: tf.constant(v, tf.string),
    }


# ------------------------------------------------------------------------------------------------
# Values as JSON
# ------------------------------------------------------------------------------------------------


def _numbers(array: np.ndarray, dtype: str) -> list[Any]:
    """A flat list that JSON carries without loss (float32 as the shortest decimal that reads back)."""
    flat = np.asarray(array).ravel()
    if dtype == "string":
        return [b.decode("latin-1") if isinstance(b, bytes) else str(b) for b in flat.tolist()]
    if dtype.startswith("complex"):
        return [_short(p, dtype) for c in flat for p in (c.real, c.imag)]
    if dtype.startswith(("float", "bfloat")):
        return [_short(v, dtype) for v in flat]
    return [int(v) for v in flat]


def _short(value: Any, dtype: str) -> float:
    if dtype in ("float32", "complex64"):
        return float(str(np.float32(value)))
    return float(value)


def _array(value: np.ndarray) -> dict[str, Any]:
    dtype = value.dtype.name
    dtype = "string" if value.dtype.kind in "OSU" else dtype
    return {"np": dtype, "s": list(value.shape), "v": _numbers(value, dtype)}


def encode(value: Any, tf: ModuleType) -> Any:
    """A value or structure of values as plain JSON, dtype and shape included."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float) and type(value) is float:
        return {"float": value}
    if type(value) is complex:
        return {"complex": [value.real, value.imag]}
    if isinstance(value, bytes):
        return {"bytes": value.decode("latin-1")}
    kind = type(value).__name__
    if kind == "IndexedSlices":
        return encode(tf.convert_to_tensor(value), tf)
    if isinstance(value, tf.Variable):
        return {"variable": _tensor(tf.convert_to_tensor(value))}
    if kind == "RaggedTensor":
        return {
            "ragged": [encode(value.flat_values, tf), [encode(s, tf) for s in value.nested_row_splits]]
        }
    if kind == "SparseTensor":
        return {"sparse": [encode(v, tf) for v in (value.indices, value.values, value.dense_shape)]}
    if isinstance(value, tf.Tensor):
        return _tensor(value)
    if isinstance(value, np.ndarray | np.generic):
        return _array(np.asarray(value))
    if isinstance(value, tf.DType):
        return {"dtype": value.name}
    if isinstance(value, tf.TensorShape):
        return {"tensorshape": None if value.rank is None else value.as_list()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {"named": type(value).__name__, "fields": {n: encode(getattr(value, n), tf) for n in value._fields}}
    if isinstance(value, tuple):
        return {"tuple": [encode(v, tf) for v in value]}
    if isinstance(value, list) or kind in ("ListWrapper", "KeysView", "dict_keys"):
        return [encode(v, tf) for v in value]
    if isinstance(value, dict) or kind == "_DictWrapper":
        return {"dict": [[encode(k, tf), encode(v, tf)] for k, v in value.items()]}
    if isinstance(value, set | frozenset):
        return {"set": sorted(repr(v) for v in value)}
    if isinstance(value, slice | range) or value is Ellipsis:
        return {"repr": repr(value)}
    if isinstance(value, type):
        return {"class": value.__name__}
    return {"object": type(value).__name__}


def _tensor(value: Any) -> dict[str, Any]:
    dtype = value.dtype.name
    array = value.numpy()
    if dtype == "string":
        array = np.asarray(array, dtype=object)
    return {"t": dtype, "s": list(value.shape), "v": _numbers(array, dtype)}


# ------------------------------------------------------------------------------------------------
# Running
# ------------------------------------------------------------------------------------------------


@dataclass
class _Capture:
    out: str = ""
    err: str = ""
    files: list[Any] = field(default_factory=list)


@contextlib.contextmanager
def _captured(descriptors: bool):
    """stdout and stderr of the body; at the level of file descriptors too for what C++ prints."""
    capture = _Capture()
    out, err = io.StringIO(), io.StringIO()
    with contextlib.ExitStack() as stack:
        files = {}
        if descriptors:
            for fd in (1, 2):
                (sys.stdout if fd == 1 else sys.stderr).flush()
                saved = os.dup(fd)
                stack.callback(os.close, saved)
                files[fd] = stack.enter_context(tempfile.TemporaryFile())
                os.dup2(files[fd].fileno(), fd)
                stack.callback(os.dup2, saved, fd)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            yield capture
        texts = {}
        for fd, file in files.items():
            file.seek(0)
            texts[fd] = file.read().decode("utf-8", "replace")
        capture.out = out.getvalue() + texts.get(1, "")
        capture.err = err.getvalue() + texts.get(2, "")


def _evaluate(source: str, scope: dict[str, Any], title: str) -> Any:
    """Executes statements; the value of the last one, if it is an expression."""
    # AutoGraph asks inspect for the source of functions.
    title = f"<{title}>"
    linecache.cache[title] = (len(source), None, source.splitlines(keepends=True), title)
    tree = ast.parse(source)
    last = tree.body[-1] if tree.body else None
    if isinstance(last, ast.Expr):
        tree.body.pop()
        exec(compile(tree, title, "exec"), scope)
        return eval(compile(ast.Expression(last.value), title, "eval"), scope)
    exec(compile(tree, title, "exec"), scope)
    return None


def _weights(tensor: Any, tf: ModuleType) -> Any:
    """Uneven output gradients: with ones, a softmax' gradient would be zero however wrong it is."""
    shape = tuple(tensor.shape)
    w = (0.5 + 0.25 * (np.arange(math.prod(shape)) % 5)).reshape(shape)
    return tf.cast(tf.constant(w), tensor.dtype)


def _differentiable(value: Any, tf: ModuleType) -> list[Any]:
    return [
        v
        for v in tf.nest.flatten(value)
        if isinstance(v, tf.Tensor) and (v.dtype.is_floating or v.dtype.is_complex)
    ]


#: where a machine keeps its files is nobody's business
_FOLDERS = re.compile(r"(?<![\w/.:])/(?:[\w.+-]+/)+(?=[\w.+-]+\.\w+)")


def _dense(grads: dict[str, Any], tf: ModuleType) -> dict[str, Any]:
    return {k: None if g is None else tf.convert_to_tensor(g) for k, g in grads.items()}


def _with_gradients(case: Case, scope: dict[str, Any], tf: ModuleType) -> dict[str, Any]:
    names = [t.id for s in ast.parse(case.inputs).body for t in ast.walk(s) if isinstance(t, ast.Name) and isinstance(t.ctx, ast.Store)]
    _evaluate(case.inputs, scope, "inputs")
    sources = {n: scope[n] for n in names if isinstance(scope[n], tf.Tensor | tf.Variable)}
    sources = {n: v for n, v in sources.items() if v.dtype.is_floating or v.dtype.is_complex}
    result: dict[str, Any] = {}
    with tf.GradientTape() as outer:
        outer.watch(list(sources.values()))
        with tf.GradientTape() as inner:
            inner.watch(list(sources.values()))
            value = _evaluate(case.body, scope, case.title)
        result["value"] = encode(value, tf)
        targets = _differentiable(value, tf)
        if not targets:
            return result
        grads = _dense(inner.gradient(targets, sources, [_weights(t, tf) for t in targets]), tf)
        result["grads"] = {n: encode(g, tf) for n, g in grads.items()}
    if case.order >= 2:
        targets = [g for g in grads.values() if g is not None]
        seconds = _dense(outer.gradient(targets, sources, [_weights(t, tf) for t in targets]), tf)
        result["grads2"] = {n: encode(g, tf) for n, g in seconds.items()}
    return result


def run(case: Case, tf: ModuleType) -> dict[str, Any]:
    """The outcome of a case as JSON: value, gradients and printed text, or the exception."""
    module = sys.modules["conformance_case"] = ModuleType("conformance_case")
    scope = module.__dict__
    scope.update(namespace(tf))
    with _captured("tf.print" in case.body) as capture:
        try:
            if case.inputs:
                result = _with_gradients(case, scope, tf)
            else:
                result = {"value": encode(_evaluate(case.body, scope, case.title), tf)}
        except Exception as error:
            if os.environ.get("CONFORMANCE_TRACEBACK"):
                traceback.print_exc(file=sys.__stderr__)
            names = [c.__name__ for c in type(error).__mro__]
            message = _FOLDERS.sub("", str(error))
            result = {"raises": names[: names.index("Exception")] or ["Exception"], "message": message}
    if capture.out:
        result["out"] = capture.out
    if capture.err and "tf.print" in case.body:
        result["err"] = capture.err
    return result


# ------------------------------------------------------------------------------------------------
# Comparing
# ------------------------------------------------------------------------------------------------

# (relative, absolute) by dtype: a few units in the last place of a short computation.
TOLERANCE = {
    "float64": (1e-9, 1e-10),
    "complex128": (1e-9, 1e-10),
    "float32": (2e-5, 2e-6),
    "complex64": (2e-5, 2e-6),
    "float16": (4e-3, 2e-3),
    "bfloat16": (2e-2, 1e-2),
}


def differences(expected: Any, actual: Any, tol: float | None = None, where: str = "value") -> list[str]:
    """Empty when ``actual`` conforms; else one line per difference."""
    if isinstance(expected, dict) and "s" in expected and ("t" in expected or "np" in expected) and "v" in expected and isinstance(expected["v"], list):
        return _array_differences(expected, actual, tol, where)
    if isinstance(expected, dict) and ("float" in expected or "complex" in expected):
        kind = "float" if "float" in expected else "complex"
        if not (isinstance(actual, dict) and kind in actual):
            return [f"{where}: expected a Python {kind} {expected}, got {actual}"]
        a, b = np.asarray(expected[kind]), np.asarray(actual[kind])
        same = np.allclose(b, a, rtol=tol or 2e-5, atol=tol or 2e-6, equal_nan=True)
        return [] if same else [f"{where}: expected {a}, got {b}"]
    if isinstance(expected, dict) and isinstance(actual, dict) and expected.keys() == actual.keys():
        return [
            d for k in expected for d in differences(expected[k], actual[k], tol, f"{where}.{k}")
        ]
    if isinstance(expected, list) and isinstance(actual, list):
        if len(expected) != len(actual):
            return [f"{where}: expected {len(expected)} items, got {len(actual)}: {actual}"]
        return [
            d
            for i, (e, a) in enumerate(zip(expected, actual, strict=True))
            for d in differences(e, a, tol, f"{where}[{i}]")
        ]
    if type(expected) is type(actual) and expected == actual:
        return []
    return [f"{where}: expected {expected!r}, got {actual!r}"]


def _array_differences(expected: Any, actual: Any, tol: float | None, where: str) -> list[str]:
    kind = "t" if "t" in expected else "np"
    if not isinstance(actual, dict) or kind not in actual:
        return [f"{where}: expected {expected}, got {actual}"]
    if (expected[kind], expected["s"]) != (actual[kind], actual["s"]):
        return [
            f"{where}: expected {expected[kind]}{expected['s']}, got {actual[kind]}{actual['s']}"
            f" (values {expected['v'][:8]} and {actual['v'][:8]})"
        ]
    dtype = expected[kind]
    if dtype not in TOLERANCE:
        same = expected["v"] == actual["v"]
    else:
        relative, absolute = (tol, tol) if tol else TOLERANCE[dtype]
        same = np.allclose(
            np.array(actual["v"], np.float64),
            np.array(expected["v"], np.float64),
            rtol=relative,
            atol=absolute,
            equal_nan=True,
        )
    return [] if same else [f"{where} ({dtype}): expected {expected['v']}, got {actual['v']}"]


_BRACKETS = re.compile(r"(?<!\w)[\[(]((?:(?:\d+|-1|\?|None)(?:\s*,\s*|\s+|$|(?=[\])])))*)[\])]")
_DTYPES = {"float": "float32", "double": "float64", "half": "float16"}
_DTYPE_WORDS = re.compile(
    r"\b(bfloat16|float16|float32|float64|float|double|half|u?int(?:8|16|32|64)|bool|string|complex(?:64|128))\b"
)
# What a message says besides naming what was wrong: where it ran, what else would have been possible.
_NOISE = re.compile(
    r"\{\{.*?\}\}|; NodeDef:.*?(?=\[Op:|$)|All kernels registered.*|\(e\.g\. [^()]*\)|'\[N=\d.*"
    r"|\[Op:\w*\]|name: .*$|/job:\S*|input #\d+\(zero-based\)|0x[0-9a-f]+|\bdevice:\w+:\d+|(?m:name: [^\n]*$)",
    re.S,
)
#: a dtype and the shape right after it: float[2,3]
_TYPED_SHAPE = re.compile(r"\b(float|double|half|bool|string|b?float\d+|u?int\d+|complex\d+)(?=\[)")
_INTEGER = re.compile(r"(?<![\w.])-?\d+(?![\w.]*\w)")


_ALLOWED = re.compile(r"(?<=list of allowed values: )[^\n]*")


def fragments(message: str) -> tuple[set[tuple[Any, ...]], set[str], set[int]]:
    """The shapes, dtypes and integers that a message names."""
    text = _TYPED_SHAPE.sub(r"\1 ", _NOISE.sub(" ", message))
    shapes = set()
    for match in _BRACKETS.finditer(text):
        items = [p for p in re.split(r"[,\s]+", match[1]) if p]
        if len(items) > 1 and "," not in match[1]:
            continue  # values, as NumPy prints them
        if items or match[0] == "[]":
            shapes.add(tuple(None if p in ("?", "None", "-1") else int(p) for p in items))
    dtypes = {_DTYPES.get(w, w) for w in _DTYPE_WORDS.findall(text)}
    return shapes, dtypes, {int(n) for n in _INTEGER.findall(text)}


def error_differences(case: Case, expected: dict[str, Any], actual: dict[str, Any]) -> list[str]:
    """The same exception class, and a message that names the shapes and dtypes that TensorFlow's names.

    Where TensorFlow's names neither, it must name the integers of the call (an axis, a size) that TensorFlow's names.
    """
    if "raises" not in actual:
        return [f"expected {expected['raises'][0]} ({expected['message']}), got {actual}"]
    missing = [c for c in expected["raises"] if c not in actual["raises"] and not c.startswith("_")]
    if missing:
        return [
            f"expected {expected['raises']} ({expected['message']}), got {actual['raises']} ({actual['message']})"
        ]
    shapes, dtypes, integers = fragments(_ALLOWED.sub("", expected["message"]))
    our_shapes, our_dtypes, our_integers = fragments(actual["message"])
    numbers = {n for s in our_shapes for n in s} | our_integers
    lacks: list[Any] = [s for s in shapes if s not in our_shapes and s != ()]
    lacks += sorted(dtypes - our_dtypes)
    if not shapes and not dtypes:
        lacks += sorted((integers & {int(n) for n in _INTEGER.findall(case.source)}) - numbers)
    if lacks:
        return [f"the message does not name {lacks}: {actual['message']!r}; TensorFlow's: {expected['message']!r}"]
    return []


def conformance(case: Case, expected: dict[str, Any], actual: dict[str, Any]) -> list[str]:
    """All differences between a recorded outcome and ours."""
    if "raises" in expected:
        return error_differences(case, expected, actual)
    if "raises" in actual:
        return [f"raised {actual['raises'][0]}: {actual['message']}; expected {expected}"]
    found = []
    for part in ("value", "grads", "grads2", "out", "err"):
        found += differences(expected.get(part), actual.get(part), case.tol, part)
    return found
