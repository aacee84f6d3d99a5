"""`tf.test`: a TestCase that compares tensors, and helpers for tests."""

from __future__ import annotations

import contextlib
import functools
import re
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from absl.testing import absltest

from .. import errors
from .._engine import dtypes, nest
from .._engine.convert import convert_to_tensor
from .._engine.tensor import Tensor
from .._names import module_getattr
from . import experimental

__all__ = [
    "Benchmark", "TestCase", "assert_equal_graph_def", "benchmark_config", "compute_gradient", "create_local_cluster",
    "disable_with_predicate", "experimental", "gpu_device_name", "is_built_with_cuda", "is_built_with_gpu_support",
    "is_built_with_rocm", "is_built_with_xla", "is_cpu_target_available", "is_gpu_available", "main", "with_eager_op_as_function",
]  # fmt: skip

_LOW = ("float16", "bfloat16")


def _array(value: Any) -> np.ndarray:
    if hasattr(value, "numpy") and not isinstance(value, np.ndarray):
        return np.asarray(value.numpy())
    if isinstance(value, (list, tuple)) and any(isinstance(v, Tensor) or hasattr(v, "numpy") for v in nest.flatten(value)):
        return np.array([_array(v) for v in value])
    return np.asarray(value)


def _comparable(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Texts of both as bytes, where one holds bytes."""
    if x.dtype.kind == y.dtype.kind or not {x.dtype.kind, y.dtype.kind} <= set("USO"):
        return x, y

    def encoded(a: np.ndarray) -> np.ndarray:
        out = np.empty(a.shape, dtype=object)
        out.flat = [v.encode() if isinstance(v, str) else v for v in a.reshape(-1).tolist()]
        return out

    return encoded(x), encoded(y)


def _is_ragged(value: Any) -> bool:
    return hasattr(value, "nested_row_splits")


def _rows(value: Any) -> Any:
    """Nested lists with the values of a tensor, ragged or not."""
    if _is_ragged(value):
        return value.to_list()
    if isinstance(value, (list, tuple)):
        return [_rows(v) for v in value]
    return _array(value).tolist() if isinstance(value, np.ndarray) or hasattr(value, "numpy") else value


class _EagerSession:
    """What `with self.cached_session() as sess` gives where there are no sessions."""

    def __init__(self, case: TestCase) -> None:
        self._case = case

    def run(self, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None) -> Any:
        """The NumPy values of a structure of tensors. RuntimeError where something is fed."""
        if feed_dict:
            raise RuntimeError("Graph mode is disabled, so tensors cannot be fed: sess.run() of an eager test takes values alone")
        return self._case.evaluate(fetches)


class TestCase(absltest.TestCase):
    """`unittest` with assertions on tensors and structures of them (`tf.test.TestCase`)."""

    def setUp(self) -> None:  # noqa: N802
        super().setUp()
        self._threads: list[Any] = []
        from .. import random

        random.set_seed(87654321)
        np.random.seed(87654321 % 2**32)

    def get_temp_dir(self) -> str:
        """A directory of this test's own."""
        if not hasattr(self, "_temp_dir"):
            from absl import flags

            if flags.FLAGS.is_parsed():
                self._temp_dir = self.create_tempdir().full_path
            else:  # a runner such as pytest, which does not parse absl's flags
                self._temp_dir = tempfile.mkdtemp(prefix=f"{type(self).__name__}.")
                self.addCleanup(shutil.rmtree, self._temp_dir, ignore_errors=True)
        return self._temp_dir

    def evaluate(self, tensors: Any) -> Any:
        """The NumPy values of a structure of tensors; of functions, those of what they return."""
        from ..compat.v1.values import value_of

        return nest.map_structure(lambda t: self.evaluate(t()) if callable(t) and not hasattr(t, "numpy") else value_of(t), tensors)

    def evaluate_if_both_tensors(self, a: Any, b: Any) -> tuple[Any, Any]:
        if isinstance(a, Tensor) and isinstance(b, Tensor):
            return self.evaluate(a), self.evaluate(b)
        return a, b

    @contextlib.contextmanager
    def session(self, graph: Any = None, config: Any = None, use_gpu: bool = True, force_gpu: bool = False) -> Iterator[Any]:
        """A stand-in for a session, as eager tests have it: its `run` gives the values of tensors; it has nothing to feed."""
        yield _EagerSession(self)

    cached_session = session

    @contextlib.contextmanager
    def test_session(self, graph: Any = None, config: Any = None, use_gpu: bool = True, force_gpu: bool = False) -> Iterator[Any]:
        """The older name of `session`; unittest takes it for a test and is told that it is none."""
        if self.id().endswith(".test_session"):
            self.skipTest("Not a test.")
        yield None

    @contextlib.contextmanager
    def captureWritesToStream(self, stream: Any) -> Iterator[Any]:  # noqa: N802
        """Collect what is written to sys.stdout or sys.stderr; `.contents()` gives it."""
        import io
        import sys

        buffer = io.StringIO()

        class _Captured:
            def contents(self) -> str:
                return buffer.getvalue()

        redirect = contextlib.redirect_stdout(buffer) if stream is sys.stdout else contextlib.redirect_stderr(buffer)
        with redirect:
            yield _Captured()

    def checkedThread(self, target: Callable[..., Any], args: Any = None, kwargs: Any = None) -> Any:  # noqa: N802
        """A thread whose exceptions fail the test at `join()`."""
        case = self

        class _Checked(threading.Thread):
            error: BaseException | None = None

            def run(self) -> None:
                try:
                    target(*(args or ()), **(kwargs or {}))
                except BaseException as error:  # noqa: BLE001 - reported at join
                    self.error = error

            def join(self, timeout: float | None = None) -> None:
                super().join(timeout)
                if self.error is not None:
                    case.fail(f"Error in checkedThread: {self.error}")

        return _Checked()

    # What test cases of other libraries override and call, by TensorFlow's own names.
    def _GetNdArray(self, a: Any) -> np.ndarray:  # noqa: N802
        """A tensor or anything like an array as an array."""
        return a if isinstance(a, np.ndarray) else _array(self.evaluate(a) if isinstance(a, Tensor) else a)

    def assertStartsWith(self, actual: str, expected_start: str, msg: str | None = None) -> None:  # noqa: N802
        if not actual.startswith(expected_start):
            self.fail(f"{f'{msg}: ' if msg else ''}{actual!r} does not start with {expected_start!r}")

    # --- tensors -----------------------------------------------------------------------------------------------------
    def assertAllEqual(self, a: Any, b: Any, msg: str | None = None) -> None:  # noqa: N802
        """Fails unless both have the same shape and values; NaNs are equal. Ragged tensors have the same rows."""
        if _is_ragged(a) or _is_ragged(b):
            self._ragged_alike(a, b, msg, lambda x, y: self.assertEqual(x, y, msg))
            return
        x, y = _array(a), _array(b)
        head = f"{msg}. " if msg else ""
        self.assertEqual(x.shape, y.shape, f"{head}Shape mismatch: expected {x.shape}, got {y.shape}.")
        x, y = _comparable(x, y)
        same = x == y
        if x.dtype.kind in "fc" or x.dtype.name in _LOW:
            same = np.logical_or(same, np.logical_and(x != x, y != y))
        if not np.all(same):
            where = np.argwhere(~np.asarray(same))
            self.fail(
                f"{head}not equal at indices {where[:10].tolist()}\nnot equal lhs = {x[~np.asarray(same)][:10]!r}\n"
                f"not equal rhs = {y[~np.asarray(same)][:10]!r}"
            )

    def assertNotAllEqual(self, a: Any, b: Any, msg: str | None = None) -> None:  # noqa: N802
        try:
            self.assertAllEqual(a, b)
        except AssertionError:
            return
        self.fail(f"{msg or ''}. The two values are equal at all elements.")

    def assertAllClose(self, a: Any, b: Any, rtol: float = 1e-6, atol: float = 1e-6, msg: str | None = None) -> None:  # noqa: N802
        """Fails unless |a - b| <= atol + rtol * |b|, through nested structures."""
        if _is_ragged(a) or _is_ragged(b):
            self._ragged_alike(a, b, msg, lambda x, y: self._close(x, y, rtol, atol, msg, ()))
            return
        self._close(a, b, rtol, atol, msg, ())

    def _ragged_alike(self, a: Any, b: Any, msg: str | None, compare: Callable[[Any, Any], None]) -> None:
        compare(_rows(a), _rows(b))
        if not isinstance(a, (list, tuple)) and not isinstance(b, (list, tuple)):
            self.assertEqual(getattr(a, "ragged_rank", 0), getattr(b, "ragged_rank", 0), msg)

    def _close(self, a: Any, b: Any, rtol: float, atol: float, msg: str | None, path: tuple[Any, ...]) -> None:
        if hasattr(a, "_asdict"):
            a = a._asdict()
        if hasattr(b, "_asdict"):
            b = b._asdict()
        if isinstance(a, dict) != isinstance(b, dict):
            self.fail(f"Can't compare dict to non-dict, {_at(path)}: {a!r} vs {b!r}. {msg or ''}")
        if isinstance(a, dict):
            self.assertCountEqual(a.keys(), b.keys(), f"mismatched keys {_at(path)}. {msg or ''}")
            for k in a:
                self._close(a[k], b[k], rtol, atol, msg, (*path, k))
            return
        if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
            try:
                x, y = _array(a), _array(b)
                if x.dtype.kind != "O" and y.dtype.kind != "O":
                    self._close_arrays(x, y, rtol, atol, msg, path)
                    return
            except (ValueError, TypeError):
                pass  # ragged lists are compared element by element
            self.assertEqual(len(a), len(b), f"Mismatched length {_at(path)}. {msg or ''}")
            for i, (x, y) in enumerate(zip(a, b, strict=True)):
                self._close(x, y, rtol, atol, msg, (*path, i))
            return
        self._close_arrays(_array(a), _array(b), rtol, atol, msg, path)

    def _close_arrays(self, x: np.ndarray, y: np.ndarray, rtol: float, atol: float, msg: Any, path: Any) -> None:
        if x.dtype.name in _LOW or y.dtype.name in _LOW:
            rtol, atol = max(rtol, 1e-2), max(atol, 1e-2)
            x, y = x.astype(np.float32), y.astype(np.float32)
        self.assertEqual(x.shape, y.shape, f"Shape mismatch {_at(path)}: expected {x.shape}, got {y.shape}. {msg or ''}")
        try:
            np.testing.assert_allclose(x, y, rtol=rtol, atol=atol, equal_nan=True)
        except AssertionError as error:
            self.fail(f"Mismatched value {_at(path)}. {msg or ''}{error}")

    def assertAllCloseAccordingToType(  # noqa: N802
        self,
        a: Any,
        b: Any,
        rtol: float = 1e-6,
        atol: float = 1e-6,
        float_rtol: float = 1e-6,
        float_atol: float = 1e-6,
        half_rtol: float = 1e-3,
        half_atol: float = 1e-3,
        bfloat16_rtol: float = 1e-2,
        bfloat16_atol: float = 1e-2,
        msg: str | None = None,
    ) -> None:
        """As `assertAllClose`, with tolerances by dtype."""
        x, y = _array(a), _array(b)
        names = {x.dtype.name, y.dtype.name}
        if names & {"float32", "complex64"}:
            rtol, atol = max(rtol, float_rtol), max(atol, float_atol)
        if "float16" in names:
            rtol, atol = max(rtol, half_rtol), max(atol, half_atol)
        if "bfloat16" in names:
            rtol, atol = max(rtol, bfloat16_rtol), max(atol, bfloat16_atol)
        self.assertEqual(x.shape, y.shape, f"Shape mismatch: expected {x.shape}, got {y.shape}. {msg or ''}")
        wide = np.complex128 if "complex64" in names or "complex128" in names else np.float64
        np.testing.assert_allclose(x.astype(wide), y.astype(wide), rtol=rtol, atol=atol, err_msg=msg or "")

    def assertNotAllClose(self, a: Any, b: Any, rtol: float = 1e-6, atol: float = 1e-6, msg: str | None = None) -> None:  # noqa: N802
        try:
            self.assertAllClose(a, b, rtol, atol)
        except AssertionError:
            return
        self.fail(f"{msg or ''}. The two values are close at all elements.")

    def assertAllGreater(self, a: Any, comparison_target: Any) -> None:  # noqa: N802
        x = _array(a)
        self.assertTrue(bool(np.all(x > comparison_target)), f"minimum {x.min()} is not greater than {comparison_target}")

    def assertAllLess(self, a: Any, comparison_target: Any) -> None:  # noqa: N802
        x = _array(a)
        self.assertTrue(bool(np.all(x < comparison_target)), f"maximum {x.max()} is not less than {comparison_target}")

    def assertAllGreaterEqual(self, a: Any, comparison_target: Any) -> None:  # noqa: N802
        x = _array(a)
        self.assertTrue(bool(np.all(x >= comparison_target)), f"minimum {x.min()} is less than {comparison_target}")

    def assertAllLessEqual(self, a: Any, comparison_target: Any) -> None:  # noqa: N802
        x = _array(a)
        self.assertTrue(bool(np.all(x <= comparison_target)), f"maximum {x.max()} is greater than {comparison_target}")

    def assertAllInRange(  # noqa: N802
        self,
        target: Any,
        lower_bound: Any,
        upper_bound: Any,
        open_lower_bound: bool = False,
        open_upper_bound: bool = False,
    ) -> None:
        x = _array(target)
        if x.dtype.kind not in "iufb" and x.dtype.name not in _LOW:
            raise AssertionError(f"The value of {target} does not have an ordered numeric type, instead it has type: {x.dtype}")
        low = x <= lower_bound if open_lower_bound else x < lower_bound
        high = x >= upper_bound if open_upper_bound else x > upper_bound
        bad = np.logical_or(np.logical_or(low, high), x != x)
        if np.any(bad):
            left, right = "(" if open_lower_bound else "[", ")" if open_upper_bound else "]"
            self.fail(f"{x[bad][:10]!r} at {np.argwhere(bad)[:10].tolist()} is not in {left}{lower_bound}, {upper_bound}{right}")

    def assertAllInSet(self, target: Any, expected_set: Any) -> None:  # noqa: N802
        x = _array(target)
        bad = np.setdiff1d(np.unique(x), list(expected_set))
        if bad.size:
            raise AssertionError(f"{bad.size} unique element(s) are not in the set {expected_set}: {bad[:5]}")

    def assertShapeEqual(self, input_a: Any, input_b: Any, msg: str | None = None) -> None:  # noqa: N802
        self.assertEqual(tuple(input_a.shape), tuple(input_b.shape), msg)

    def assertDTypeEqual(self, target: Any, expected_dtype: Any) -> None:  # noqa: N802
        found = dtypes.as_dtype(_array(target).dtype)
        self.assertEqual(found, dtypes.as_dtype(expected_dtype))

    def assertDeviceEqual(self, device1: str, device2: str, msg: str | None = None) -> None:  # noqa: N802
        from .._engine.devices import parse

        self.assertEqual(parse(device1), parse(device2), msg)

    def assertNear(self, f1: float, f2: float, err: float, msg: str | None = None) -> None:  # noqa: N802
        self.assertTrue(f1 == f2 or abs(f1 - f2) <= err, f"{f1:f} != {f2:f} +/- {err:f} {msg or ''}")

    def assertArrayNear(self, farray1: Any, farray2: Any, err: float, msg: str | None = None) -> None:  # noqa: N802
        self.assertEqual(len(farray1), len(farray2), msg)
        for f1, f2 in zip(farray1, farray2, strict=True):
            self.assertNear(float(f1), float(f2), err, msg)

    def assertNDArrayNear(self, ndarray1: Any, ndarray2: Any, err: float, msg: str | None = None) -> None:  # noqa: N802
        self.assertTrue(np.linalg.norm(np.asarray(ndarray1) - np.asarray(ndarray2)) < err, msg)

    # --- errors, protos ----------------------------------------------------------------------------------------------
    @contextlib.contextmanager
    def assertRaisesWithPredicateMatch(self, exception_type: Any, expected_err_re_or_predicate: Any) -> Iterator[Any]:  # noqa: N802
        """Fails unless the block raises `exception_type` whose text matches, or satisfies, the second argument."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - the point of the assertion
            if not isinstance(error, exception_type):
                raise
            text = error.message if isinstance(error, errors.OpError) else str(error)
            good = (
                expected_err_re_or_predicate(error)
                if callable(expected_err_re_or_predicate)
                else re.search(expected_err_re_or_predicate, text)
            )
            if not good:
                raise AssertionError(f"Exception of type {type(error)}: {text}") from error
        else:
            self.fail(f"{getattr(exception_type, '__name__', exception_type)} not raised")

    def assertRaisesOpError(self, expected_err_re_or_predicate: Any) -> Any:  # noqa: N802
        return self.assertRaisesWithPredicateMatch(errors.OpError, expected_err_re_or_predicate)

    def assertRaisesIncompatibleShapesError(self, exception_type: Any = errors.InvalidArgumentError) -> Any:  # noqa: N802
        return self.assertRaisesWithPredicateMatch(
            exception_type, r"Incompatible shapes|Dimensions must be equal|required broadcastable shapes"
        )

    def assertProtoEquals(  # noqa: N802
        self, expected_message_maybe_ascii: Any, validate_message: Any, msg: str | None = None, relative_tolerance: float | None = None
    ) -> None:
        if relative_tolerance is not None:
            raise NotImplementedError("assertProtoEquals of tf2compat compares exactly; relative_tolerance is not supported")
        expected = expected_message_maybe_ascii
        if isinstance(expected, (str, bytes)):
            from google.protobuf import text_format

            expected = text_format.Parse(expected, type(validate_message)())
        self.assertEqual(expected, validate_message, msg)

    def assertProtoEqualsVersion(  # noqa: N802
        self, expected: Any, actual: Any, producer: int = 2474, min_consumer: int = 0, msg: str | None = None
    ) -> None:
        """As `assertProtoEquals`, of a graph whose text `expected` leaves its versions out."""
        self.assertProtoEquals(f"versions {{ producer: {producer} min_consumer: {min_consumer} }};\n{expected}", actual, msg=msg)


def _at(path: tuple[Any, ...]) -> str:
    return "at the root" if not path else "at " + "".join(f"[{p!r}]" for p in path)


class Benchmark(absltest.TestCase):
    """Base class of benchmarks; run their `benchmark*` methods yourself (`tf.test.Benchmark`)."""

    def report_benchmark(
        self, iters: int | None = None, cpu_time: float | None = None, wall_time: float | None = None, throughput: float | None = None,
        extras: Any = None, name: str | None = None, metrics: Any = None,
    ) -> None:  # fmt: skip
        """Print one result."""
        given = {"iters": iters, "cpu_time": cpu_time, "wall_time": wall_time, "throughput": throughput, "extras": extras, "metrics": metrics}
        print(f"{name or type(self).__name__}:", {k: v for k, v in given.items() if v is not None})


def benchmark_config() -> None:
    """None: eager benchmarks need no session configuration."""


def main(argv: Any = None) -> None:
    """Run the tests of the calling file (`tf.test.main`)."""
    absltest.main(argv=argv)


def is_gpu_available(cuda_only: bool = False, min_cuda_compute_capability: Any = None) -> bool:
    """Whether torch sees a GPU of at least the given compute capability."""
    if not torch.cuda.is_available() or (cuda_only and torch.version.cuda is None):
        return False
    if min_cuda_compute_capability is None:
        return True
    return any(torch.cuda.get_device_capability(i) >= tuple(min_cuda_compute_capability) for i in range(torch.cuda.device_count()))


def gpu_device_name() -> str:
    """"/device:GPU:0", or "" without a GPU."""
    return "/device:GPU:0" if torch.cuda.is_available() else ""


def is_built_with_cuda() -> bool:
    return torch.version.cuda is not None


def is_built_with_rocm() -> bool:
    return torch.version.hip is not None


def is_built_with_gpu_support() -> bool:
    return is_built_with_cuda() or is_built_with_rocm()


def is_built_with_xla() -> bool:
    return False


def is_cpu_target_available(target: str) -> bool:
    return target in ("x86_64", "aarch64")


def create_local_cluster(
    num_workers: int, num_ps: int, protocol: str = "grpc", worker_config: Any = None, ps_config: Any = None
) -> Any:
    """TensorFlow's clusters are not supported: raises UnimplementedError."""
    raise errors.UnimplementedError(None, None, "tf.test.create_local_cluster is not supported; use torch.distributed.")


def assert_equal_graph_def(expected: Any, actual: Any) -> None:
    """Fails unless two GraphDef protos are equal."""
    if expected != actual:
        raise AssertionError(f"GraphDefs differ:\n{expected}\n---\n{actual}")


def _reals(value: np.ndarray) -> np.ndarray:
    """The numbers of an array, real and imaginary parts in turn."""
    flat = np.ascontiguousarray(value).reshape(-1)
    return flat.view(flat.real.dtype) if np.iscomplexobj(flat) else flat


def _real_size(t: Any) -> int:
    return int(np.prod(t.shape.as_list())) * (2 if t.dtype.is_complex else 1)


def _seeds(y: Any) -> Iterator[Tensor]:
    """An output gradient for each real and imaginary part of `y`."""
    for j in range(_real_size(y)):
        seed = np.zeros(int(np.prod(y.shape.as_list())), y.dtype.as_numpy_dtype)
        _reals(seed)[j] = 1
        yield convert_to_tensor(seed.reshape(y.shape.as_list()))


def compute_gradient(f: Callable[..., Any], x: Any, delta: float | None = None) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
    """Jacobians of `f` with respect to each of `x`: by the tape, and by central differences of width `delta`.

    A complex number takes two rows or columns, of its real and its imaginary part (`tf.test.compute_gradient`).
    """
    from .. import GradientTape, reshape

    if not isinstance(x, (list, tuple)):
        raise ValueError("`x` must be a list or tuple of values convertible to a Tensor (arguments to `f`), not a " + str(type(x)))
    xs = [convert_to_tensor(v) for v in x]
    theoretical, numerical = [], []
    for i, xi in enumerate(xs):
        whole = xi.dtype.is_complex
        if delta is None:
            eps = torch.finfo(xi.dtype.real_dtype.torch).eps
            step = 1.0 / 1024 if eps > 1e-8 else 2.0**-10
        else:
            step = delta
        with GradientTape(persistent=True) as tape:
            tape.watch(xi)
            y = f(*xs)
        if y.dtype.is_complex or whole:  # of each real and imaginary part
            jacobian = [tape.gradient(y, xi, output_gradients=seed) for seed in _seeds(y)]
        else:
            found = tape.jacobian(y, xi)
            jacobian = [] if found is None else list(reshape(found, [_real_size(y), -1]))
        size_y, size_x = _real_size(y), _real_size(xi)
        theoretical.append(np.zeros((size_y, size_x), xi.dtype.real_dtype.as_numpy_dtype))
        for j, row in enumerate(jacobian):
            if row is not None:
                theoretical[-1][j] = _reals(row.numpy())
        base = xi.numpy() if xi.shape.rank else np.asarray(xi.numpy())
        columns = np.zeros((size_y, size_x), theoretical[-1].dtype)
        for j in range(size_x):
            shifted = [np.array(base, copy=True) for _ in range(2)]
            shifts = 1j * step if whole and j % 2 else step
            shifted[0].reshape(-1)[j // 2 if whole else j] += shifts
            shifted[1].reshape(-1)[j // 2 if whole else j] -= shifts
            ys = [_reals(_array(f(*[convert_to_tensor(s) if k == i else v for k, v in enumerate(xs)]))) for s in shifted]
            columns[:, j] = (ys[0] - ys[1]) / (2 * step)
        numerical.append(columns)
    return tuple(theoretical), tuple(numerical)


def disable_with_predicate(pred: Callable[[], bool], skip_message: str) -> Callable[..., Any]:
    """Decorator: skip the test when `pred()`."""

    def decorate(func: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(func)
        def wrapper(self: Any, *args: Any, **kwargs: Any) -> Any:
            if pred():
                self.skipTest(skip_message)
            return func(self, *args, **kwargs)

        return wrapper

    return decorate


def with_eager_op_as_function(cls: Any = None, only_as_function: bool = False) -> Any:
    """The decorated class as it is: ops do not run as functions here."""
    return cls if cls is not None else (lambda c: c)


__getattr__ = module_getattr("tf.test")
