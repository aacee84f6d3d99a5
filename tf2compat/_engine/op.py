"""The op registry: declaring an op, its fast path, its slow path.

An op is a plain function from torch tensors (NumPy arrays of bytes for strings) to torch tensors. `@op` builds its public
form once: a fast path for Tensors and Variables that goes straight to torch, and a slow path, where conversion, dtype
checks, dispatch to other tensor types, recording into a graph, device moves and error translation live.
"""

from __future__ import annotations

import contextlib
import inspect
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from . import dtypes, state
from .convert import convert_to_tensor, is_tensor_like
from .devices import accelerated
from .dtypes import DType
from .lookups import look_up
from .shapes import TensorShape
from .tensor import Tensor, wrap
from .variable import ResourceVariable, Variable

_CPU = torch.device("cpu")
__all__ = ["ANY", "ANYS", "AXES", "DTYPE", "INT", "INTS", "SHAPE", "TENSOR", "TENSORS", "VARIABLE", "VARIABLES", "Op", "op", "tensor"]


class Kind:
    """What a declared parameter accepts. Parameters that are not declared reach the op as they are."""

    __slots__ = ("what", "group", "allowed", "storages", "scalar", "sized")

    def __init__(self, what: str, group: str = "", allowed: tuple[DType, ...] | None = None, scalar: bool = False, sized: bool = False) -> None:
        self.what = what
        self.group = group
        self.allowed = allowed
        self.storages = None if allowed is None else frozenset(d.torch or np.dtype(object) for d in allowed)
        self.scalar = scalar
        #: whether generated code may give a size (`tf.shape(x)[0] + 1`) as a Python number, with which no tensor of one is made
        self.sized = sized


def tensor(*allowed: Any, group: str = "T", scalar: bool = False) -> Kind:
    """A tensor parameter. Parameters of one `group` have one dtype; `allowed` are DTypes or tuples of them.

    `scalar=True` lets the torch function take a Python number beside a tensor of the group.
    """
    flat: list[DType] = []
    for a in allowed:
        flat.extend(a if isinstance(a, tuple) else (a,))
    return Kind("tensor", group, tuple(flat) or None, scalar)


def tensors(*allowed: Any, group: str = "T") -> Kind:
    """A list of tensors of one dtype."""
    k = tensor(*allowed, group=group)
    return Kind("tensors", group, k.allowed)


#: a tensor of any dtype in group "T"
TENSOR = tensor()
#: a tensor whose dtype is bound to no other's
ANY = tensor(group="")
#: the same, of which the op wants to know the number
NUMBER = Kind("tensor", sized=True)
#: a list of tensors of one dtype, or of any
TENSORS = tensors()
ANYS = tensors(group="")
#: static values: they reach the op as Python ints, tuples of ints, a DType, a Variable
INT = Kind("int")
AXES = Kind("axes")
INTS = Kind("ints")
SHAPE = Kind("shape")
DTYPE = Kind("dtype")
VARIABLE = Kind("variable")
VARIABLES = Kind("variables")

#: every op by the dotted path of its definition
OPS: dict[str, Op] = {}

_SCALAR_FLOAT = frozenset((torch.float32, torch.float64))
_SCALAR_INT = frozenset((torch.float32, torch.float64, torch.int32, torch.int64))
#: torch has few kernels for these; where one is missing the op runs in the wider type
_WIDER = {torch.uint16: torch.int64, torch.uint32: torch.int64, torch.uint64: torch.int64, torch.float16: torch.float32,
          torch.bfloat16: torch.float32, torch.int8: torch.int32, torch.int16: torch.int32, torch.uint8: torch.int32}  # fmt: skip

# Types that never take over an op.
_PLAIN: set[type] = {
    Tensor, ResourceVariable, int, float, bool, complex, str, bytes, type(None), list, tuple, dict, np.ndarray, torch.Tensor,
    DType, TensorShape, np.float32, np.float64, np.int32, np.int64, np.bool_, range, torch.nn.Parameter, type(np.float32),
}  # fmt: skip


class Op:
    """A declared op. `name` is TensorFlow's op name, `fn` the torch implementation, `public` what users call."""

    __slots__ = (
        "name", "key", "fn", "params", "kinds", "n", "has_name", "defaults", "multi", "elementwise", "stateful", "string_fn",
        "diagnose_fn", "infer_fn", "wrong_dtype_fn", "draw_fn", "hint", "prepare_fn", "public", "differences", "groups", "singles",
        "targets",
        "rows_fn",
    )  # fmt: skip

    def __init__(self, name: str, fn: Callable[..., Any], kinds: dict[str, Kind], multi: bool, elementwise: bool, stateful: bool, hint: bool = False, rows: Callable[..., bool] | None = None) -> None:
        self.name = name
        self.rows_fn = rows
        self.key = f"{fn.__module__}.{fn.__qualname__}"
        self.fn = fn
        code = inspect.unwrap(fn).__code__
        names = code.co_varnames[: code.co_argcount]
        self.has_name = bool(names) and names[-1] == "name"
        self.params = names[:-1] if self.has_name else names
        self.n = len(self.params)
        unknown = set(kinds) - set(self.params)
        if unknown:
            raise TypeError(f"op {name} declares {sorted(unknown)}, which {fn.__qualname__} does not have")
        self.kinds = tuple(kinds.get(p) for p in self.params)
        self.defaults = inspect.unwrap(fn).__defaults__ or ()
        self.multi = multi
        self.elementwise = elementwise
        self.stateful = stateful
        self.hint = hint
        self.wrong_dtype_fn: Callable[..., Exception] | None = None
        self.string_fn: Callable[..., Any] | None = None
        self.diagnose_fn: Callable[..., Any] | None = None
        self.infer_fn: Callable[..., Any] | None = None
        self.prepare_fn: Callable[..., Any] | None = None
        self.draw_fn: Callable[..., Any] | None = None
        self.differences: str | None = None
        #: functions of the user's that take over for arguments of some types: gets the arguments, NotImplemented if none fits
        self.targets: Callable[[tuple[Any, ...]], Any] | None = None
        self.groups: dict[str, list[int]] = {}
        for i, k in enumerate(self.kinds):
            if k is not None and k.what in ("tensor", "tensors"):
                self.groups.setdefault(k.group, []).append(i)

    def __repr__(self) -> str:
        return f"<op {self.name}: {self.key}>"

    # --- the slow path -----------------------------------------------------------------------------------------------
    def slow(self, *args: Any) -> Any:
        """Everything that the fast path does not do. `args` in the signature's order, the name last."""
        if state.PROMOTION is not None:
            taken = state.PROMOTION(self, args)
            if taken is not NotImplemented:
                return taken
        return self.slow_plain(*args)

    def slow_plain(self, *args: Any) -> Any:
        """As `slow`, without conversion between dtypes."""
        for a in args:
            t = type(a)
            if t not in _PLAIN:
                taken = self._dispatch(a, args)
                if taken is not NotImplemented:
                    return taken
            elif (t is list or t is tuple) and a:
                for b in a:
                    if type(b) not in _PLAIN:
                        taken = self._dispatch(b, args)
                        if taken is not NotImplemented:
                            return taken
        name = args[-1] if self.has_name else None
        if self.prepare_fn is not None:
            args = self.prepare_fn(*args[: self.n])
        bound = self.bind(args)
        graph = state.local.graph
        if graph is not None:
            return graph.record(self, bound, name, args)
        return self.run(bound)

    def _dispatch(self, value: Any, args: tuple[Any, ...]) -> Any:
        """Let a value of another tensor type (ragged, sparse, symbolic Keras) perform the op itself."""
        if self.targets is not None:
            taken = self.targets(args)
            if taken is not NotImplemented:
                return taken
        handler = getattr(type(value), "_tf_op", None)
        if handler is None:
            return NotImplemented
        return handler(value, self, args)

    def bind(self, args: tuple[Any, ...]) -> list[Any]:
        """The arguments in their declared forms: Tensors of agreeing dtypes, ints, DTypes."""
        bound = list(args[: self.n])
        for group, positions in self.groups.items():
            self._bind_group(group, positions, bound)
        for i, kind in enumerate(self.kinds):
            if kind is not None and kind.group == "" and kind.what not in ("tensor", "tensors"):
                if bound[i] is None and kind.what in ("ints", "shape") and self._default(i) is not None and self.fn.__name__[0] != "_":
                    raise ValueError(f"Attempt to convert a value (None) with an unsupported type ({type(None)}) to a Tensor.")
                bound[i] = _STATIC[kind.what](self, self.params[i], bound[i])
        return bound

    def _default(self, i: int) -> Any:
        offset = i - (self.n + self.has_name - len(self.defaults))
        return self.defaults[offset] if offset >= 0 else _REQUIRED

    def _bind_group(self, group: str, positions: list[int], bound: list[Any]) -> None:
        entries: list[tuple[int, int, Any]] = []  # (position, index within a list or -1, value)
        for i in positions:
            value = bound[i]
            if self.kinds[i].what == "tensors":  # type: ignore[union-attr]
                if not isinstance(value, (list, tuple)):
                    if isinstance(value, (Tensor, np.ndarray, torch.Tensor)) and getattr(value, "ndim", 0):
                        value = list(value)
                    else:
                        raise TypeError(f"Expected list for '{self.params[i]}' argument to '{self.name}' Op, not {value!r}.")
                bound[i] = list(value)
                entries.extend((i, j, v) for j, v in enumerate(value))
            elif value is None and self._default(i) is None:
                continue
            else:
                entries.append((i, -1, value))
        if not entries:
            return
        dtype: DType | None = None
        only = self.kinds[positions[0]].allowed  # type: ignore[union-attr]
        if group and only is not None and len(only) == 1:
            dtype = only[0]
        elif group:
            for _, _, v in entries:
                if is_tensor_like(v):
                    dtype = dtypes.as_dtype(v.dtype) if not isinstance(v, Tensor) else v.dtype
                    break
        refused: tuple[Any, DType] | None = None
        for order, (i, j, v) in enumerate(entries):
            kind = self.kinds[i]
            if is_tensor_like(v):
                t = convert_to_tensor(v)
            elif dtype is not None:
                try:
                    t = convert_to_tensor(v, dtype_hint=dtype) if self.hint else convert_to_tensor(v, dtype)
                except TypeError:
                    if self.wrong_dtype_fn is None:
                        raise
                    raise self.wrong_dtype_fn(dtype, convert_to_tensor(v).dtype) from None
            else:
                t = self._first(v, kind)
            if group:
                if dtype is None:
                    dtype = t.dtype
                elif t.dtype is not dtype:
                    if self.wrong_dtype_fn is not None:
                        raise self.wrong_dtype_fn(dtype, t.dtype)
                    if state.local.graph is not None:
                        raise TypeError(
                            f"Input '{self.params[i]}' of '{self.name}' Op has type {t.dtype.name} that does not match type {dtype.name} of "
                            f"argument '{self.params[entries[0][0]]}'."
                        )
                    raise self.error(
                        f"cannot compute {self.name} as input #{order}(zero-based) was expected to be a {dtype._cpp} tensor "
                        f"but is a {t.dtype._cpp} tensor"
                    )
            if j < 0:
                bound[i] = t
            else:
                bound[i][j] = t
            if refused is None and kind.allowed is not None and t.dtype not in kind.allowed:  # type: ignore[union-attr]
                refused = (kind, t.dtype)
        if refused is not None:  # after all conversions, whose failures come first in TensorFlow
            if self.wrong_dtype_fn is not None:
                raise self.wrong_dtype_fn(None, refused[1])
            raise self._not_allowed(*refused)

    def _first(self, value: Any, kind: Kind | None) -> Tensor:
        fixed = kind.allowed[0] if kind is not None and kind.allowed is not None and len(kind.allowed) == 1 else None
        return convert_to_tensor(value, fixed)

    def _not_allowed(self, kind: Kind, dtype: DType) -> Exception:
        listed = ", ".join(sorted(d._cpp for d in kind.allowed or ()))
        return self.error(f"Value for attr '{kind.group or 'T'}' of {dtype._cpp} is not in the list of allowed values: {listed}")

    # --- running -----------------------------------------------------------------------------------------------------
    def run(self, bound: list[Any]) -> Any:
        """Run eagerly on bound arguments; a Tensor, or the structure that the op returns."""
        args: list[Any] = []
        strings = False
        for i, value in enumerate(bound):
            kind = self.kinds[i]
            if kind is not None and kind.what == "tensor" and value is not None:
                value = entering(value)
                strings = strings or type(value) is np.ndarray
            elif kind is not None and kind.what == "tensors":
                value = [entering(v) for v in value]
                strings = strings or any(type(v) is np.ndarray for v in value)
            args.append(value)
        if state.local.device is not None:
            args = _moved(args, state.local.device)
        results = self.call(args, strings) if self.rows_fn is None else self._look_up(args, strings)
        for observer in state.OBSERVERS:
            observer(self, args, results)
        return wrap_all(results)

    def _look_up(self, args: list[Any], strings: bool) -> Any:
        if strings or not args[0].requires_grad:
            return self.call(args, strings)
        assert self.rows_fn is not None
        return look_up(lambda *given: self.call(list(given)), self.rows_fn, *args)

    def call(self, args: list[Any], strings: bool = False) -> Any:
        """The implementation on torch tensors, with fallbacks and errors in TensorFlow's terms."""
        fn: Callable[..., Any] = self.fn
        if strings:
            if self.string_fn is None:
                raise self.unimplemented("string", args)
            fn = self.string_fn
            if accelerated():
                args = _moved(args, _CPU)
        try:
            return fn(*args)
        except Exception as error:  # noqa: BLE001 - every torch failure is translated
            caught = error
        if not strings:
            retried = self._retry(args, caught)
            if retried is not NotImplemented:
                return retried
        raise self.translate(caught, args).with_traceback(caught.__traceback__) from None

    def hosting(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        """`fn`, which works on arrays of the host, for tensors from anywhere."""
        return lambda *args, **kwargs: fn(*_moved(list(args), _CPU), **kwargs)

    def forgiving(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        """`fn`, one of the op's implementations, that brings tensors of several devices together as an eager call does."""

        def call(*args: Any, **kwargs: Any) -> Any:
            try:
                return fn(*args, **kwargs)
            except (RuntimeError, NotImplementedError, TypeError) as error:
                retried = self._retry(list(args), error)
                if retried is NotImplemented:
                    raise
                return retried

        return call

    def _retry(self, args: list[Any], error: Exception) -> Any:
        text = str(error)
        if isinstance(error, RuntimeError) and _meeting(text):
            from .devices import current

            kept = [v._t.device for a in args for v in (a if isinstance(a, (list, tuple)) else [a]) if isinstance(v, Variable) and isinstance(v._t, torch.Tensor)]
            found = kept or [a.device for a in _torch_leaves(args) if a.device.type != "cpu"]
            target = found[0] if found else current()
            if all(a.device == target for a in _torch_leaves(args)):
                return NotImplemented
            return self.call(_moved(args, target))
        if isinstance(error, (NotImplementedError, RuntimeError)) and ("not implemented for" in text or "Promotion for" in text):
            narrow = next((a.dtype for a in _torch_leaves(args) if a.dtype in _WIDER), None)
            if narrow is not None:
                wide = _WIDER[narrow]
                try:
                    out = self.fn(*_map_torch(args, lambda t: t.to(wide) if t.dtype is narrow else t))
                    return _map_torch(out, lambda t: t.to(narrow) if t.dtype is wide else t)
                except Exception:  # noqa: BLE001, S110 - the first error is the one to report
                    pass
        if isinstance(error, (NotImplementedError, RuntimeError, TypeError)) and _on_host_only(text):
            device = next((a.device for a in _torch_leaves(args) if a.device.type != "cpu"), None)
            if device is not None:  # the host computes what the device has no kernel for, as TensorFlow places it
                try:
                    return _map_torch(self.call(_moved(args, _CPU)), lambda t: t.to(device))
                except Exception:  # noqa: BLE001 - the first error is the one to report
                    return NotImplemented
        return NotImplemented

    # --- errors ------------------------------------------------------------------------------------------------------
    def error(self, message: str) -> Exception:
        """An InvalidArgumentError of this op."""
        from tf2compat.errors import InvalidArgumentError

        return InvalidArgumentError(None, None, f"{message} [Op:{self.name}] name: ")

    def unimplemented(self, what: str, args: Any) -> Exception:
        from tf2compat.errors import InvalidArgumentError

        return InvalidArgumentError(
            None, None, f"Value for attr 'T' of {what} is not in the list of allowed values: {self.name} has no {what} kernel "
            f"(inputs: {describe(args)}) [Op:{self.name}] name: "
        )  # fmt: skip

    def translate(self, error: Exception, args: list[Any]) -> Exception:
        """A torch failure as the exception that TensorFlow raises, naming the shapes and dtypes involved."""
        from tf2compat import errors

        if type(error).__module__.partition(".")[0] not in _RAISERS or isinstance(error, TimeoutError):
            return error  # of the program's, as a handler of signals raises it in the middle of an op
        if isinstance(error, (errors.OpError, TypeError, ValueError, KeyError, AttributeError, AssertionError)) or type(error) is LookupError:
            if not isinstance(error, errors.OpError) and self.diagnose_fn is not None:
                found = self._diagnosed(args)
                if found is not None:
                    return found
            return error
        found = self._diagnosed(args)
        if found is not None:
            return found
        message = str(error).strip().split("\n")[0]
        if isinstance(error, torch.OutOfMemoryError) or "not enough memory" in message:
            return errors.ResourceExhaustedError(None, None, f"OOM when running {self.name} on {describe(args)}: {message}")
        if self.elementwise:
            shapes = [list(a.shape) for a in _torch_leaves(args)]
            if len(shapes) == 2 and not _broadcastable(*shapes):
                return self.error(f"Incompatible shapes: {_dims(shapes[0])} vs. {_dims(shapes[1])}")
        if isinstance(error, NotImplementedError) or "not implemented for" in message:
            return errors.UnimplementedError(None, None, f"{message}; inputs: {describe(args)} [Op:{self.name}] name: ")
        return self.error(f"{message}; inputs: {describe(args)}")

    def _diagnosed(self, args: list[Any]) -> Exception | None:
        if self.diagnose_fn is None:
            return None
        try:
            found = self.diagnose_fn(*args)
        except Exception as raised:  # noqa: BLE001 - a diagnosis may raise its finding
            return raised
        if isinstance(found, str):
            return self.error(found)
        return found


_REQUIRED = object()
#: whose exceptions an op's failure is told by
_RAISERS = frozenset({"builtins", "torch", "numpy", __package__.partition(".")[0]})


def entering(t: Tensor) -> Any:
    """The storage of a tensor on its way into an op; history of tapes that no longer record stays outside."""
    s = t._t
    if type(t) is not Tensor:
        outside = getattr(t, "_leaked", None)
        if outside is not None:
            raise outside()
    if type(s) is not np.ndarray and s.requires_grad and t._tape is not state.token():
        return s.detach()
    return s


def wrap_all(out: Any) -> Any:
    """Tensors around every storage of a result."""
    if isinstance(out, (torch.Tensor, np.ndarray)):
        return wrap_here(out)
    if isinstance(out, tuple):
        inner = [wrap_all(o) for o in out]
        return type(out)(*inner) if hasattr(out, "_fields") else tuple(inner)
    if isinstance(out, list):
        return [wrap_all(o) for o in out]
    return out


def wrap_here(storage: Any) -> Tensor:
    t = wrap(storage)
    t._tape = state.token()
    return t


def _torch_leaves(args: Any) -> list[torch.Tensor]:
    out: list[torch.Tensor] = []
    for a in args:
        if isinstance(a, torch.Tensor):
            out.append(a)
        elif isinstance(a, (list, tuple)):
            out.extend(_torch_leaves(a))
    return out


def _map_torch(value: Any, fn: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    if isinstance(value, torch.Tensor):
        return fn(value)
    if isinstance(value, list):
        return [_map_torch(v, fn) for v in value]
    if isinstance(value, tuple):
        inner = [_map_torch(v, fn) for v in value]
        return type(value)(*inner) if hasattr(value, "_fields") else tuple(inner)
    return value


def _meeting(text: str) -> bool:
    """Whether torch says that tensors of several devices met."""
    return "same device" in text or "same GPU device" in text or ("should be the same" in text and "cuda" in text)


def _on_host_only(text: str) -> bool:
    """Whether torch says that an operation, or a dtype of it, or NumPy, works in the host's memory only."""
    return any(said in text for said in ("not implemented for '", "from the 'CUDA' backend", "convert cuda"))


def _moved(args: list[Any], device: torch.device) -> list[Any]:
    return _map_torch(args, lambda t: t if t.device == device else t.to(device))


def _dims(shape: Any) -> str:
    return "[" + ",".join(str(int(d)) for d in shape) + "]"


def _broadcastable(a: Any, b: Any) -> bool:
    return all(p == q or p == 1 or q == 1 for p, q in zip(reversed(a), reversed(b), strict=False))


def describe(args: Any) -> str:
    """Dtype and shape of each tensor among the arguments, for messages."""
    parts = []
    for a in args:
        if isinstance(a, (torch.Tensor, np.ndarray)):
            parts.append(f"{dtypes.of(a)._cpp}{_dims(a.shape)}")
        elif isinstance(a, (list, tuple)) and any(isinstance(x, (torch.Tensor, np.ndarray)) for x in a):
            parts.append(f"[{describe(a)}]")
    return ", ".join(parts)


# --- static parameters -----------------------------------------------------------------------------------------------
def _symbolic(value: Any) -> bool:
    return isinstance(value, Tensor) and type(value) is not Tensor


def _as_int(owner: Op, param: str, value: Any) -> Any:
    if value is None or type(value) is int:
        return value
    if not isinstance(value, Tensor) and hasattr(type(value), "_tf_storage"):
        value = value._as_tensor()
    if _symbolic(value):
        static = value._static_value()
        return value if static is None else int(static)
    if isinstance(value, (str, bytes)):
        raise owner.error("Value for attr 'Tidx' of string is not in the list of allowed values: int32, int64")
    if isinstance(value, (float, np.floating)):
        raise TypeError(f"Cannot convert {value!r} to EagerTensor of dtype int32")
    if isinstance(value, (list, tuple)):
        _refuse_mixed(value)
        if len(value) == 1:
            if isinstance(value[0], (float, np.floating)):
                raise _no_int(owner, param, "float")
            return _as_int(owner, param, value[0])
        raise owner.error(f"{param} must be a scalar, but received tensor of shape {_dims(np.shape(value))}")
    if isinstance(value, (Tensor, torch.Tensor, np.ndarray)):
        array = np.asarray(value)
        if array.dtype.kind not in "iu":
            raise _no_int(owner, param, dtypes.as_dtype(array.dtype)._cpp)
        if array.size == 1:
            return int(array.reshape(-1)[0])
        raise owner.error(f"{param} must be a scalar, but received tensor of shape {_dims(np.shape(value))}")
    try:
        return value.__index__()
    except (AttributeError, TypeError):
        inner = getattr(value, "value", None)
        if isinstance(inner, int):
            return inner
        raise ValueError(f"Attempt to convert a value ({value!r}) with an unsupported type ({type(value)}) to a Tensor.") from None


def _no_int(owner: Op, param: str, found: str) -> Exception:
    return owner.error(f"Value for attr 'T{param}' of {found} is not in the list of allowed values: int32, int64")


def _refuse_mixed(values: Any) -> None:
    if len({isinstance(v, (str, bytes)) for v in values}) == 2:
        raise ValueError("Can't convert Python sequence with mixed types to Tensor.")


def _as_ints(owner: Op, param: str, value: Any) -> Any:
    """A tuple of ints (elements may be symbolic), a symbolic vector, or None."""
    if value is None:
        return None
    if _symbolic(value):
        static = value._static_value()
        if static is not None:
            return tuple(int(v) for v in np.reshape(static, -1))
        parts = _elements(value)
        return value if parts is None else tuple([_as_int(owner, param, v) for v in parts])
    if isinstance(value, TensorShape):
        if not value.is_fully_defined():
            if value.rank is None:
                raise ValueError(f"Cannot convert an unknown TensorShape to the '{param}' of {owner.name}.")
            raise ValueError(f"Cannot convert a partially known TensorShape {value} to a Tensor.")
        return tuple(value.as_list())
    if hasattr(type(value), "_tf_storage"):
        value = value._as_tensor()
        if _symbolic(value):
            return value
    if isinstance(value, (Tensor, torch.Tensor, np.ndarray, np.generic)):
        array = np.asarray(value._numpy() if isinstance(value, Tensor) else value)
        if array.dtype.kind not in "iu":
            if array.size == 0:
                return ()
            raise _no_int(owner, param, dtypes.as_dtype(array.dtype)._cpp)
        return tuple(int(v) for v in array.reshape(-1))
    what = owner.kinds[owner.params.index(param)].what  # type: ignore[union-attr]
    if isinstance(value, (list, tuple, range)):
        out: list[Any] = []
        if not isinstance(value, range):
            _refuse_mixed(value)
        for v in value:
            if isinstance(v, (list, tuple)) and what == "shape":
                raise owner.error(f"{param} must be a vector, got shape {_dims(np.shape(value))}")
            if isinstance(v, (list, tuple)):  # nested constants such as paddings keep their rows
                out.append(_as_ints(owner, param, v))
            else:
                if isinstance(v, (float, np.floating, str, bytes)):
                    raise _no_ints(owner, param, value, "string" if isinstance(v, (str, bytes)) else "float")
                if v is None:
                    raise ValueError(f"Attempt to convert a value ({None}) with an unsupported type ({type(None)}) to a Tensor.")
                out.append(_as_int(owner, param, _whole(v)))
        return tuple(out)
    if isinstance(value, (float, np.floating)) and owner.stateful:
        raise _no_int(owner, param, "float")
    if isinstance(value, (str, bytes)) and what == "shape" and not owner.groups and not owner.stateful:
        raise TypeError(f"Cannot convert {value!r} to EagerTensor of dtype int32")
    return (_as_int(owner, param, value),)


def _whole(value: Any) -> Any:
    """A tensor of a floating dtype in a list of ints is cast, as TensorFlow does when it packs the list; numbers are not."""
    if hasattr(type(value), "_tf_storage"):
        value = value._as_tensor()
    if isinstance(value, Tensor) and value.dtype.is_floating:
        known = value._static_value() if _symbolic(value) else value._numpy()
        if known is not None and not known.shape:
            return int(known)  # so that shapes stay known in functions

        from .. import cast

        return cast(value, dtypes.int32)
    return value


def _elements(value: Any) -> list[Any] | None:
    """The scalars that a symbolic vector was made of, by stacking or concatenating; some of them may be known."""
    if not isinstance(value, Tensor):
        return None
    if not _symbolic(value):
        return list(value._numpy().tolist()) if value._t.ndim == 1 else None
    static = value._static_value()
    if static is not None:
        return static.tolist() if static.ndim == 1 else None
    node = value._node
    if node.op is None or value.shape.rank != 1:
        return None
    if node.op.name == "Pack":
        return list(node.args[0])
    if node.op.name == "ConcatV2":
        pieces = [_elements(v) for v in node.args[0]]
        return None if any(p is None for p in pieces) else [v for p in pieces for v in p]  # type: ignore[union-attr]
    return None


def _no_ints(owner: Op, param: str, value: Any, found: str) -> Exception:
    """What TensorFlow raises for numbers that are no integers: an op without tensors is a function that converts its shape."""
    if not owner.groups and not owner.stateful:
        return TypeError(f"Cannot convert {value!r} to EagerTensor of dtype int32")
    return _no_int(owner, param, found)


def _as_axes(owner: Op, param: str, value: Any) -> Any:
    if value is None or type(value) is int:
        return value
    if _symbolic(value):
        static = value._static_value()
        if static is None:
            return value
        value = static
    if isinstance(value, (list, tuple, range)) or np.ndim(value):
        return _as_ints(owner, param, value)
    return _as_int(owner, param, value)


def _as_dtype(owner: Op, param: str, value: Any) -> DType | None:
    return None if value is None else dtypes.as_dtype(value)


def _as_variable(owner: Op, param: str, value: Any) -> Any:
    if isinstance(value, Variable):
        return value._resolve()
    raise TypeError(f"'{param}' of {owner.name} must be a tf.Variable, got {value!r}")


def _as_variables(owner: Op, param: str, value: Any) -> Any:
    return [_as_variable(owner, param, v) for v in value]


_STATIC: dict[str, Callable[[Op, str, Any], Any]] = {
    "int": _as_int, "ints": _as_ints, "axes": _as_axes, "shape": _as_ints, "dtype": _as_dtype, "variable": _as_variable,
    "variables": _as_variables,
}  # fmt: skip


# --- the fast path ---------------------------------------------------------------------------------------------------
def _fast_list(values: Any, token: Any) -> list[Any] | None:
    """The storages of a list of current Tensors of one dtype, else None."""
    t = type(values)
    if (t is not list and t is not tuple) or not values:
        return None
    out = []
    dtype = None
    for v in values:
        if type(v) is Tensor:
            s = v._t
            if v._tape is not token and (type(s) is np.ndarray or s.requires_grad):
                return None
        elif type(v) is ResourceVariable:
            s = v._t if token is None else v._read()
        else:
            return None
        if dtype is None:
            dtype = s.dtype
        elif s.dtype is not dtype:
            return None
        out.append(s)
    return out


def _fast_ints(value: Any) -> tuple[int, ...] | None:
    t = type(value)
    if t is int:
        return (value,)
    if t is list or t is tuple:
        for v in value:
            if type(v) is not int:
                return None
        return tuple(value)
    return None


_makers: dict[Any, Callable[..., Any]] = {}
_FAST_ENV = (Tensor, ResourceVariable, object.__new__, _fast_list, _fast_ints, DType, wrap_all, torch.tensor, _SCALAR_FLOAT, _SCALAR_INT, np.ndarray, look_up)
_ENV_NAMES = "Tensor, Variable, new, fast_list, fast_ints, DType, wrap_all, torch_tensor, SCALAR_FLOAT, SCALAR_INT, ndarray, look_up"


def _source(o: Op) -> str:
    """Python source of a maker of the op's public form (`dataclasses` builds `__init__` the same way)."""
    names = list(o.params) + (["name"] if o.has_name else [])
    slow = f"slow({', '.join(names)})" if names else "slow()"
    body: list[str] = []
    leaders: dict[str, str] = {}
    passed: list[str] = []
    for i, (p, k) in enumerate(zip(o.params, o.kinds, strict=True)):
        optional = o._default(i) is None
        if k is None or k.what in ("variable", "variables"):
            passed.append(p)
            if k is not None and k.what == "variable":
                body.append(f"if type({p}) is not Variable: return {slow}")
            elif k is not None:
                body.append(f"if type({p}) is not list: return {slow}")
            continue
        v = f"{p}_"
        passed.append(v)
        if k.what == "tensor":
            body += [
                f"ty = type({p})",
                "if ty is Tensor:",
                f"    {v} = {p}._t",
                f"    if {p}._tape is not token and (type({v}) is ndarray or {v}.requires_grad): return {slow}",
                f"elif ty is Variable: {v} = {p}._t if token is None else {p}._read()",
            ]
            if optional:
                body.append(f"elif {p} is None: {v} = None")
            lead = leaders.get(k.group) if k.group else None
            plain_check = True
            if k.scalar and lead is not None:
                body += [
                    "elif ty is float:",
                    f"    if {lead}.dtype not in SCALAR_FLOAT: return {slow}",
                    f"    {v} = {p}",
                    "elif ty is int:",
                    f"    if {lead}.dtype not in SCALAR_INT or not -2147483648 <= {p} <= 2147483647: return {slow}",
                    f"    {v} = {p}",
                ]
                plain_check = False
            elif k.scalar:
                other = next(q for q, kk in zip(o.params, o.kinds, strict=True) if q != p and kk is not None and kk.scalar)
                body += [
                    f"elif ty is float and type({other}) is Tensor and {other}._t.dtype in SCALAR_FLOAT: "
                    f"{v} = torch_tensor({p}, dtype={other}._t.dtype, device={other}._t.device)"
                ]
            body.append(f"else: return {slow}")
            if k.allowed is None and not k.scalar:  # strings have implementations of their own
                body.append(f"if type({v}) is ndarray: return {slow}")
            check = []
            if lead is not None:
                if plain_check:
                    check.append(f"{v}.dtype is not {lead}.dtype")
                else:
                    check.append(f"(ty is Tensor or ty is Variable) and {v}.dtype is not {lead}.dtype")
            elif k.allowed is not None:
                check.append(f"{v}.dtype not in A{i}")
            for c in check:
                guard = f"{v} is not None and " if optional else ""
                body.append(f"if {guard}{c}: return {slow}")
            if k.group and lead is None and not optional:
                leaders[k.group] = v
        elif k.what == "tensors":
            if not k.group:
                body.append(f"return {slow}")
                break
            body += [f"{v} = fast_list({p}, token)", f"if {v} is None or type({v}[0]) is ndarray: return {slow}"]
            lead = leaders.get(k.group)
            if lead is not None:
                body.append(f"if {v}[0].dtype is not {lead}.dtype: return {slow}")
            else:
                if k.allowed is not None:
                    body.append(f"if {v}[0].dtype not in A{i}: return {slow}")
                leaders[k.group] = f"{v}[0]"
        elif k.what == "int":
            none = f"{p} is not None and " if optional else ""
            body += [f"if {none}type({p}) is not int: return {slow}", f"{v} = {p}"]
        elif k.what == "axes":
            body += [
                f"if {p} is None or type({p}) is int: {v} = {p}",
                "else:",
                f"    {v} = fast_ints({p})",
                f"    if {v} is None: return {slow}",
            ]
        elif k.what in ("ints", "shape"):
            none = f"{p} is not None and " if optional else ""
            body += [f"{v} = fast_ints({p})", f"if {none}{v} is None: return {slow}"]
        elif k.what == "dtype":
            none = f"{p} is not None and " if optional else ""
            body += [f"if {none}type({p}) is not DType: return {slow}", f"{v} = {p}"]
    reachable = not (body and body[-1] == f"return {slow}")
    lines = [f"def make(impl, slow, {_ENV_NAMES}, allowed, rows):"]
    lines += [f"    A{i} = allowed[{i}]" for i, k in enumerate(o.kinds) if k is not None and k.allowed is not None]
    lines.append(f"    def public({', '.join(names)}):")
    if reachable:
        lines += ["        token = GATE", "        if token is not SLOW:"]
        lines += ["            " + b for b in body]
        lines.append("            try:")
        call = f"impl({', '.join(passed)})"
        if o.rows_fn is not None:
            call += f" if not {passed[0]}.requires_grad else look_up(impl, rows, {', '.join(passed)})"
        if o.multi:
            lines.append(f"                return wrap_all({call})")
        else:
            lines += [
                "                r = new(Tensor)",
                f"                r._t = {call}",
                "                r._tape = token",
                "                return r",
            ]
        lines += ["            except Exception: pass  # the slow path finds out what is wrong, and says it"]
    lines.append(f"        return {slow}")
    lines.append("    return public")
    return "\n".join(lines)


def _maker(o: Op) -> Callable[..., Any]:
    key = (o.params, o.has_name, o.multi, o.rows_fn is not None, tuple(
        None if k is None else (k.what, k.group, k.allowed is not None, k.scalar, o._default(i) is None) for i, k in enumerate(o.kinds)
    ))  # fmt: skip
    found = _makers.get(key)
    if found is None:
        space: dict[str, Any] = {}
        exec(compile(_source(o), f"<tf2compat op {o.name}>", "exec"), state.__dict__, space)
        found = _makers[key] = space["make"]
    return found


def _public(o: Op, slow: Callable[..., Any]) -> Any:
    """An op's function with its fast path, and `slow` for what that does not do."""
    return _maker(o)(o.fn, slow, *_FAST_ENV, [None if k is None else k.storages for k in o.kinds], o.rows_fn)


class op:
    """Declare an op: `@op("AddV2", x=tensor(NUMBERS), y=tensor(NUMBERS))` above its torch implementation.

    The keyword arguments declare parameters by kind; the others, such as `keepdims`, arrive as the caller gave them.
    `multi`: the result is a tuple or list. `elementwise`: a mismatch of shapes is a failed broadcast. `stateful`: the
    result differs from call to call, or there is an effect; a graph never merges or drops it. `hint`: a Python value that
    the group's dtype cannot hold keeps its own, and is then a mismatch between tensors. `rows`: whether a call with these arguments
    looks up whole rows of its first argument by the numbers in its second, see `lookups`.
    """

    def __init__(
        self, name: str, *, multi: bool = False, elementwise: bool = False, stateful: bool = False, hint: bool = False,
        rows: Callable[..., bool] | None = None, **kinds: Kind,
    ) -> None:  # fmt: skip
        self.rows = rows
        self.name, self.multi, self.elementwise, self.stateful, self.hint, self.kinds = name, multi, elementwise, stateful, hint, kinds

    def __call__(self, fn: Callable[..., Any]) -> Any:
        o = Op(self.name, fn, self.kinds, self.multi, self.elementwise, self.stateful, self.hint, self.rows)
        OPS[o.key] = o
        public = _public(o, o.slow)
        public.__defaults__ = inspect.unwrap(fn).__defaults__
        public.__name__ = fn.__name__
        public.__qualname__ = fn.__qualname__
        public.__module__ = fn.__module__
        public.__doc__ = fn.__doc__
        public.__wrapped__ = fn
        public.op = o
        public.strings = _setter(public, "string_fn")
        public.diagnose = _setter(public, "diagnose_fn")
        public.infer = _setter(public, "infer_fn")
        public.wrong_dtype = _setter(public, "wrong_dtype_fn")
        public.prepare = _setter(public, "prepare_fn")
        public.draws = _setter(public, "draw_fn")
        o.public = public
        return public


def or_reflected(work: Callable[..., Any], reflected: str) -> Callable[..., Any]:
    """`work` of two operands, or what the second, where it is no tensor, says in its method `reflected` when `work` cannot take it."""

    def either(*args: Any) -> Any:
        try:
            return work(*args)
        except (TypeError, ValueError):
            other = args[1]
            if type(other) in _PLAIN or not hasattr(type(other), reflected):
                raise
            found = NotImplemented
            with contextlib.suppress(TypeError, ValueError):  # what the first operand says is more informative
                found = getattr(other, reflected)(args[0])
            if found is NotImplemented:
                raise
            return found

    return either


def as_operator(public: Any, reflected: str) -> Callable[..., Any]:
    """An op of two tensors as the operator whose other half is `reflected`. Its fast path is the op's."""
    o = public.op
    made = _public(o, or_reflected(o.slow, reflected))
    for key in ("__defaults__", "__name__", "__qualname__", "__module__", "__doc__", "op"):
        setattr(made, key, getattr(public, key))
    return made


def _setter(public: types.FunctionType, attribute: str) -> Callable[[Callable[..., Any]], Any]:
    """`@add.strings`, `@add.diagnose`, `@add.infer`, `@add.prepare`, `@add.wrong_dtype`, `@add.draws`: further parts of a declared op.

    `prepare` gets the caller's arguments (without the name) on the slow path and gives them back in the form that the
    declaration expects. `strings` is the implementation on NumPy arrays of bytes; `diagnose` gets the arguments of a failed call and returns a
    message, an exception or None; `infer` gives [(dtype, shape), …] where torch's meta tensors cannot tell; `wrong_dtype`
    makes the exception for a dtype that differs from the group's (or None: that is not allowed) where it is not the usual one.
    `draws`, of a random op, gets the arguments as a graph holds them, and a function that finds the size of an open dimension, and
    takes the op apart for the compiler: the op that draws and its arguments, the draw's (dtype, dims), the op that needs the draw, and
    a function from the draw to that op's arguments; or None.
    """

    def attach(fn: Callable[..., Any]) -> Any:
        setattr(public.op, attribute, fn)  # type: ignore[attr-defined]
        return public

    return attach


def invalid(message: str) -> Exception:
    """An InvalidArgumentError to raise inside an op's implementation."""
    from tf2compat.errors import InvalidArgumentError

    return InvalidArgumentError(None, None, message)
