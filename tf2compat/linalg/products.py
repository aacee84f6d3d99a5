"""Products of matrices and tensors."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import torch

from .._engine.convert import constant_value, operand
from .._engine.dtypes import COMPLEXES, FLOATS, INTS, as_dtype, int16, int32, int64, of
from .._engine.narrow import slow, widely
from .._engine.op import TENSORS, invalid, op, tensor
from .._engine.tensor import Tensor
from ..math.kernels import no_kernel

_FACTOR = tensor(FLOATS, int16, int32, int64, COMPLEXES)


def _flags(a: bool, b: bool, which: str) -> None:
    if a and b:
        raise ValueError(
            f"Only one of `transpose_{which}` and `adjoint_{which}` can be True. Received `transpose_{which}`={a}, `adjoint_{which}`={b}."
        )


@op("MatMul", hint=True, a=tensor(FLOATS, INTS, COMPLEXES), b=tensor(FLOATS, INTS, COMPLEXES))
def matmul(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    transpose_b: bool = False,
    adjoint_a: bool = False,
    adjoint_b: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    output_type: Any = None,
    grad_a: bool = False,
    grad_b: bool = False,
    name: str | None = None,
) -> Any:
    """Product of matrices, or of batches of them whose leading axes broadcast (`tf.linalg.matmul`).

    Operands have rank 2 or more and one dtype; the flags transpose them, or conjugate and transpose them. `output_type`
    is the dtype in which the product is formed. `a_is_sparse`, `b_is_sparse`, `grad_a` and `grad_b` are hints for kernels
    that make no difference to the result. InvalidArgumentError for shapes that do not fit.
    """
    if transpose_a or transpose_b or adjoint_a or adjoint_b:
        if transpose_a and adjoint_a:
            _flags(True, True, "a")
        if transpose_b and adjoint_b:
            _flags(True, True, "b")
        if a.ndim < 2 or b.ndim < 2:
            raise _ranks(a, b)
        if transpose_a:
            a = a.mT
        elif adjoint_a:
            a = a.mH
        if transpose_b:
            b = b.mT
        elif adjoint_b:
            b = b.mH
    elif a.ndim < 2 or b.ndim < 2:
        raise _ranks(a, b)
    if output_type is not None:
        target = as_dtype(output_type).torch
        a, b = a.to(target), b.to(target)
    elif a.dtype in _UNSUPPORTED:
        raise _no_kernel(a)
    if a.dtype is not torch.float32 and slow(a):
        return widely(torch.matmul, a, b)
    return torch.matmul(a, b)


_UNSUPPORTED = frozenset((torch.int8, torch.uint8, torch.uint16, torch.uint32, torch.uint64))


def _no_kernel(a: Any) -> Exception:
    if a.dtype is not torch.int8:
        return no_kernel("MatMul", a)
    return invalid(
        f"Value for attr 'T' of {of(a)._cpp} is not in the list of allowed values: bfloat16, half, float, double, int16, int32, int64, "
        "complex64, complex128 [Op:MatMul] name: "
    )


def dims(shape: Any) -> str:
    return "[" + ",".join(str(int(d)) for d in shape) + "]"


def _ranks(a: Any, b: Any) -> Exception:
    if max(a.ndim, b.ndim) > 2:
        which, t = (0, a) if a.ndim < 2 else (1, b)
        return invalid(f"In[{which}] ndims must be >= 2: {t.ndim}, shapes {dims(a.shape)} and {dims(b.shape)} [Op:BatchMatMulV2] name: ")
    if a.ndim != b.ndim:
        return invalid(f"In[0] and In[1] has different ndims: {dims(a.shape)} vs. {dims(b.shape)} [Op:MatMul] name: ")
    return invalid(f"In[0] and In[1] ndims must be == 2: {a.ndim} [Op:MatMul] name: ")


@matmul.diagnose
def _(a: Any, b: Any, transpose_a: bool, transpose_b: bool, adjoint_a: bool, adjoint_b: bool, *hints: Any) -> Any:
    if a.ndim < 2 or b.ndim < 2 or a.dtype in _UNSUPPORTED or (transpose_a and adjoint_a) or (transpose_b and adjoint_b):
        return None
    inner_a = a.shape[-2] if transpose_a or adjoint_a else a.shape[-1]
    inner_b = b.shape[-1] if transpose_b or adjoint_b else b.shape[-2]
    name = "MatMul" if a.ndim == b.ndim == 2 else "BatchMatMulV2"
    if inner_a == inner_b:
        return invalid(f"In[0] and In[1] must have compatible batch dimensions: {dims(a.shape)} vs. {dims(b.shape)} [Op:{name}] name: ")
    return invalid(f"Matrix size-incompatible: In[0]: {dims(a.shape)}, In[1]: {dims(b.shape)} [Op:{name}] name: ")


@op("MatVec", a=_FACTOR, b=_FACTOR)
def _matvec(a: Any, b: Any, transpose_a: bool, adjoint_a: bool, name: str | None = None) -> Any:
    if transpose_a and adjoint_a:
        _flags(True, True, "a")
    if a.ndim < 2 or b.ndim < 1:
        raise invalid(f"In[0] and In[1] has different ndims: {dims(a.shape)} vs. {dims((*b.shape, 1))} [Op:MatMul] name: ")
    if transpose_a:
        a = a.mT
    elif adjoint_a:
        a = a.mH
    return (widely(torch.matmul, a, b.unsqueeze(-1)) if slow(a) else torch.matmul(a, b.unsqueeze(-1))).squeeze(-1)


@_matvec.diagnose
def _(a: Any, b: Any, transpose_a: bool, adjoint_a: bool) -> Any:
    if a.ndim < 2 or b.ndim < 1:
        return None
    return f"Matrix size-incompatible: In[0]: {dims(a.shape)}, In[1]: {dims((*b.shape, 1))}"


def matvec(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    adjoint_a: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    name: str | None = None,
) -> Tensor:
    """Product of a matrix and a vector, or of batches of them (`tf.linalg.matvec`).

    `a` is [..., M, N], `b` [..., N]; the result is [..., M]. `a_is_sparse` and `b_is_sparse` are hints without effect.
    """
    if hasattr(type(a), "matvec"):  # a linear operator
        if transpose_a:
            raise ValueError("Transposing not supported at this time.")
        return a.matvec(b, adjoint=adjoint_a)
    return _matvec(a, b, transpose_a, adjoint_a, name)


# --- einsum --------------------------------------------------------------------------------------------------------------
@lru_cache(maxsize=1024)
def _equation(equation: str, count: int) -> str:
    """The equation without spaces, checked; torch's rules for the rest are TensorFlow's."""
    text = equation.replace(" ", "")
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    if arrow:
        body = right.replace("...", "")
        for c in body:
            if c not in left:
                raise ValueError(f"Output subscripts contain the label {c} not present in the input subscripts.")
        if len(set(body)) != len(body):
            raise ValueError(f"Output subscripts contain a label appearing more than once: {text}")
    for term in (*terms, right):
        for c in term.replace("...", ""):
            if not c.isalpha():
                raise ValueError(f"Indices have incorrect format. Received: {equation}.")
    if len(terms) != count:
        raise ValueError(f'Got {count} inputs for equation "{equation}", expecting {len(terms)}')
    return text


@op("Einsum", inputs=TENSORS)
def _einsum(inputs: Any, equation: str, name: str | None = None) -> Any:
    out = widely(torch.einsum, equation, inputs) if slow(inputs[0]) else torch.einsum(equation, inputs)
    return out if out.dtype is inputs[0].dtype else out.to(inputs[0].dtype)  # torch sums narrow integers in int64


@_einsum.diagnose
def _(inputs: Any, equation: str) -> str | None:
    sizes: dict[str, int] = {}
    for i, (term, t) in enumerate(zip(equation.partition("->")[0].split(","), inputs, strict=True)):
        named = term.replace("...", "")
        if "..." in term:
            if t.ndim < len(named):
                return f"Expected input {i} to have rank at least {len(named)} but got: {t.ndim}"
            head, _, tail = term.partition("...")
            pairs = [*zip(head, t.shape, strict=False), *zip(reversed(tail), reversed(t.shape), strict=False)]
        else:
            if t.ndim != len(named):
                return f"Expected input {i} to have rank {len(named)} but got: {t.ndim}"
            pairs = list(zip(named, t.shape, strict=True))
        for axis, (c, n) in enumerate(pairs):
            if sizes.setdefault(c, n) != n:
                return f"Expected dimension {sizes[c]} at axis {axis} of the input shaped {dims(t.shape)} but got dimension {n}"
    return None


def einsum(equation: str, *inputs: Any, **kwargs: Any) -> Tensor:
    """Sum of products as Einstein writes them: `tf.einsum("bij,bjk->bik", a, b)` (`tf.linalg.einsum`).

    Any number of tensors of one dtype, `...` for broadcast axes, repeated labels for diagonals. Keywords: `name` and
    `optimize` ("greedy", "optimal", …, an order of contraction that does not change the result).
    """
    name = kwargs.pop("name", None)
    kwargs.pop("optimize", None)
    if kwargs:
        raise TypeError(f"Invalid keyword arguments for einsum: {', '.join(kwargs)}. Valid arguments: name, optimize, greedy.")
    if len(inputs) == 1 and isinstance(inputs[0], (list, tuple)) and inputs[0] and isinstance(inputs[0][0], Tensor):
        inputs = tuple(inputs[0])
    return _einsum(list(inputs), _equation(equation, len(inputs)), name)


# --- tensordot -----------------------------------------------------------------------------------------------------------
@op("Tensordot", a=_FACTOR, b=_FACTOR)
def _tensordot(a: Any, b: Any, axes: Any, name: str | None = None) -> Any:
    return widely(torch.tensordot, a, b, axes) if slow(a) else torch.tensordot(a, b, axes)


@_tensordot.diagnose
def _(a: Any, b: Any, axes: Any) -> Any:
    left, right = (list(range(a.ndim - axes, a.ndim)), list(range(axes))) if isinstance(axes, int) else axes
    for t, used in ((a, left), (b, right)):
        for x in used:
            if not -t.ndim <= x < t.ndim:
                return invalid(f"Axis {x} is out of range for a tensor of shape {dims(t.shape)} [Op:Transpose] name: ")
    inner_a = int(np.prod([a.shape[x] for x in left], dtype=int))
    inner_b = int(np.prod([b.shape[x] for x in right], dtype=int))
    outer_a, outer_b = a.numel() // max(inner_a, 1), b.numel() // max(inner_b, 1)
    return invalid(
        f"Matrix size-incompatible: In[0]: [{outer_a},{inner_a}], In[1]: [{inner_b},{outer_b}]; "
        f"shapes {dims(a.shape)} and {dims(b.shape)} over axes {axes} [Op:MatMul] name: "
    )


def _contracted(a: Tensor, axes: Any) -> Any:
    """`axes` as an int or two lists of ints."""
    if isinstance(axes, Tensor) or hasattr(axes, "__array__"):
        value = constant_value(axes)
        if value is None:
            raise ValueError("tf2compat needs to know the axes of tensordot while it traces a function.")
        axes = np.asarray(value).tolist()
    if isinstance(axes, int):
        rank = a.shape.ndims
        if axes < 0:
            raise ValueError(f"`axes` must be at least 0. Received: {axes}.")
        if rank is not None and axes > rank:
            raise ValueError(f"`axes` must not be larger than the number of dimensions of tensor {a}.  Received {axes}, vs tensor dimensions {rank}.")
        return axes
    if len(axes) != 2:
        raise ValueError(f"`axes` must be an integer or have length 2. Received {axes}.")
    left, right = axes
    if isinstance(left, int) and isinstance(right, int):
        return [left], [right]
    left = [left] if isinstance(left, int) else [int(x) for x in left]
    right = [right] if isinstance(right, int) else [int(x) for x in right]
    if len(left) != len(right):
        raise ValueError(f"Different number of contraction axes `a` and `b`, {len(left)} != {len(right)}.")
    return left, right


def tensordot(a: Any, b: Any, axes: Any, name: str | None = None) -> Tensor:
    """Sum of products over pairs of axes of `a` and `b` (`tf.tensordot`).

    `axes` is a number n (the last n axes of `a` with the first n of `b`) or two lists of axes.
    """
    a = operand(a)
    b = operand(b, a.dtype)
    return _tensordot(a, b, _contracted(a, axes), name)


__all__ = ["einsum", "matmul", "matvec", "tensordot"]
