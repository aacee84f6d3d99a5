"""The random ops whose numbers go on from call to call."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from .._engine import dtypes, philox
from .._engine.convert import convert_to_tensor
from .._engine.devices import current
from .._engine.dtypes import FLOATS, DType, as_dtype
from .._engine.op import ANY, DTYPE, INT, SHAPE, invalid, op, tensor
from .._engine.tensor import Tensor
from . import rejection
from .seeding import ExactStream, Stream, exact_stream

_FLOAT = frozenset(FLOATS)


def _floats(dtype: Any) -> DType:
    found = as_dtype(dtype)
    if found not in _FLOAT:
        raise TypeError(f"Cannot convert 0.0 to EagerTensor of dtype {found._cpp}")
    return found


def _checked(shape: Any, op_name: str) -> Any:
    for d in shape:
        if d < 0:
            raise invalid(f"Dimension {d} must be >= 0 [Op:{op_name}] name: ")
    return shape


def _check_vector(shape: Any, op_name: str) -> None:
    if isinstance(shape, int) or (isinstance(shape, Tensor) and shape.shape.rank == 0):
        raise invalid(f"shape must be a vector of {{int32,int64}}, got shape [] [Op:{op_name}] name: ")


def _plain(value: Any, number: float) -> bool:
    return type(value) in (int, float) and value == number


def _count(shape: Any) -> int:
    total = 1
    for d in shape:
        total *= d
    return total


def exact(stream: Stream, device: torch.device) -> bool:
    """Whether the stream gives TensorFlow's own numbers on the device."""
    return type(stream) is ExactStream and device.type == "cpu"


#: numbers that are drawn for each class rather than for each choice
_FEW = 256
#: blocks of the stream that TensorFlow sets aside for each number
_BLOCKS = 256


def unit(shape: Any, dtype: torch.dtype, stream: ExactStream) -> torch.Tensor:
    """Floats of [0, 1) as TensorFlow draws them."""
    n = _count(shape)
    return philox.uniform(*stream.take(n * _BLOCKS), n, dtype).reshape(shape)


def bell(shape: Any, dtype: torch.dtype, stream: ExactStream) -> torch.Tensor:
    """Normal floats of mean 0 and deviation 1 as TensorFlow draws them."""
    n = _count(shape)
    return philox.normal(*stream.take(n * _BLOCKS), n, dtype).reshape(shape)


# --- normal ----------------------------------------------------------------------------------------------------------
@op("RandomStandardNormal", stateful=True, shape=SHAPE, dtype=DTYPE)
def standard_normal(shape: Any, dtype: Any, stream: Stream, name: str | None = None) -> Any:
    """Normal numbers of mean 0 and deviation 1 from a stream."""
    device = current()
    _checked(shape, "RandomStandardNormal")
    if exact(stream, device):
        return bell(shape, dtype.torch, stream)
    return torch.randn(shape, dtype=dtype.torch, device=device, generator=stream.generator(device))


def normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = dtypes.float32, seed: Any = None, name: str | None = None
) -> Tensor:
    """Normally distributed numbers (`tf.random.normal`). `mean` and `stddev` may be tensors that broadcast to `shape`."""
    dtype = _floats(dtype)
    _check_vector(shape, "RandomStandardNormal")
    z = standard_normal(shape, dtype, exact_stream(seed, ("normal", dtype)), name)
    if not _plain(stddev, 1):
        z = z * convert_to_tensor(stddev, dtype)
    if not _plain(mean, 0):
        z = z + _parameter(mean, dtype, "mean")
    return z


@op("TruncatedNormal", stateful=True, shape=SHAPE, dtype=DTYPE)
def standard_truncated_normal(shape: Any, dtype: Any, stream: Stream, name: str | None = None) -> Any:
    """Normal numbers of mean 0 and deviation 1, those further than 2 from 0 drawn again."""
    device = current()
    if exact(stream, device):
        n = _count(_checked(shape, "TruncatedNormal"))
        return philox.truncated_normal(*stream.take(n * _BLOCKS), n, dtype.torch).reshape(shape)
    wide = torch.float64 if dtype is dtypes.float64 else torch.float32
    u = torch.rand(shape, dtype=wide, device=device, generator=stream.generator(device))
    # the inverse of the cumulative distribution, on the part of (0, 1) between -2 and 2
    edge = math.erf(2 / math.sqrt(2))
    z = torch.erfinv((u * 2 - 1) * edge) * math.sqrt(2)
    return z.clamp(-2, 2).to(dtype.torch)


def truncated_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = dtypes.float32, seed: Any = None, name: str | None = None
) -> Tensor:
    """Normal numbers within two deviations of the mean (`tf.random.truncated_normal`)."""
    dtype = _floats(dtype)
    _check_vector(shape, "TruncatedNormal")
    z = standard_truncated_normal(shape, dtype, exact_stream(seed, ("truncated", dtype)), name)
    if not _plain(stddev, 1):
        z = z * convert_to_tensor(stddev, dtype)
    if not _plain(mean, 0):
        z = z + _parameter(mean, dtype, "mean")
    return z


# --- uniform ---------------------------------------------------------------------------------------------------------
@op("RandomUniform", stateful=True, shape=SHAPE, dtype=DTYPE)
def standard_uniform(shape: Any, dtype: Any, stream: Stream, name: str | None = None) -> Any:
    """Numbers of [0, 1) from a stream."""
    device = current()
    _checked(shape, "RandomUniform")
    if exact(stream, device):
        return unit(shape, dtype.torch, stream)
    return torch.rand(shape, dtype=dtype.torch, device=device, generator=stream.generator(device))


@op("RandomUniformInt", stateful=True, shape=SHAPE, minval=tensor(dtypes.int32, dtypes.int64), maxval=tensor(dtypes.int32, dtypes.int64))
def uniform_int(shape: Any, minval: Any, maxval: Any, stream: Stream, name: str | None = None) -> Any:
    """Integers of [minval, maxval) from a stream."""
    if minval.ndim or maxval.ndim:
        which, t = ("minval", minval) if minval.ndim else ("maxval", maxval)
        raise invalid(f"{which} must be 0-D, got shape {list(t.shape)} [Op:RandomUniformInt] name: ")
    device = current()
    if minval.device.type == "meta":
        return torch.empty(shape, dtype=minval.dtype, device="meta")
    low, high = int(minval), int(maxval)
    if low >= high:
        raise invalid(f"Need minval < maxval, got {low} >= {high} [Op:RandomUniformInt] name: ")
    if exact(stream, device):
        n = _count(_checked(shape, "RandomUniformInt"))
        return philox.uniform_int(*stream.take(n * _BLOCKS), n, minval, maxval).reshape(shape)
    return torch.randint(low, high, shape, dtype=minval.dtype, device=device, generator=stream.generator(device))


def uniform(
    shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = dtypes.float32, seed: Any = None, name: str | None = None
) -> Tensor:
    """Numbers of [minval, maxval), floats or integers (`tf.random.uniform`).

    `maxval` is 1 for floats and must be given for integers (ValueError). Bounds of floats may be tensors that broadcast.
    """
    dtype = as_dtype(dtype)
    if dtype not in (dtypes.float16, dtypes.bfloat16, dtypes.float32, dtypes.float64, dtypes.int32, dtypes.int64):
        accepted = (dtypes.float16, dtypes.bfloat16, dtypes.float32, dtypes.float64, dtypes.int32, dtypes.int64)
        raise ValueError(f"Argument `dtype` got invalid value {dtype!s}. Accepted dtypes are {accepted}.")
    _check_vector(shape, "RandomUniform")
    if maxval is None:
        if dtype.is_integer:
            raise ValueError(f"Must specify maxval for integer dtype {dtype!r}")
        maxval = 1
    if dtype.is_integer:
        low, high = convert_to_tensor(minval, dtype), convert_to_tensor(maxval, dtype)
        return uniform_int(shape, low, high, exact_stream(seed, ("int", dtype)), name)
    u = standard_uniform(shape, dtype, exact_stream(seed, ("uniform", dtype)), name)
    unit = _plain(maxval, 1)
    if _plain(minval, 0):
        return u if unit else u * convert_to_tensor(maxval, dtype)
    low, high = convert_to_tensor(minval, dtype), convert_to_tensor(maxval, dtype)
    return u * (high - low) + low


# --- gamma, poisson --------------------------------------------------------------------------------------------------
@op("RandomGamma", stateful=True, shape=SHAPE, alpha=tensor(FLOATS))
def _gamma(shape: Any, alpha: Any, stream: Stream, name: str | None = None) -> Any:
    if exact(stream, alpha.device):
        n = _number_of(shape)
        return rejection.gammas(*stream.take(n * alpha.numel() * _BLOCKS), alpha, tuple(shape))  # type: ignore[attr-defined]
    wanted = alpha.expand((*shape, *alpha.shape))
    wide = wanted if wanted.dtype is torch.float64 else wanted.float()
    return torch._standard_gamma(wide, generator=stream.generator(alpha.device)).to(alpha.dtype)


@_gamma.infer
def _(shape: Any, alpha: Any, stream: Stream) -> Any:
    # torch before 2.12 has no meta kernel of it, and a trial run would draw
    return [(dtypes.of(alpha), (*shape, *alpha.shape))] if type(shape) is tuple else NotImplemented


def gamma(
    shape: Any, alpha: Any, beta: Any = None, dtype: Any = dtypes.float32, seed: Any = None, name: str | None = None
) -> Tensor:
    """Gamma distributed numbers, `shape` of them for each of `alpha` and `beta` (`tf.random.gamma`).

    The result's shape is `shape` and then what `alpha` and `beta` broadcast to; it is differentiable in both.
    """
    dtype = as_dtype(dtype)
    if not dtype.is_floating:
        raise ValueError(f"data type {dtype.as_numpy_dtype} not inexact")
    alpha = _parameter(alpha, dtype, "alpha")
    beta = convert_to_tensor(1.0, dtype) if beta is None else _parameter(beta, dtype, "beta")
    sample = _gamma(shape, alpha + _zeros(beta), exact_stream(seed, ("gamma", dtype)), name)
    return positive(sample / beta)


def positive(t: Tensor) -> Tensor:
    """Numbers that are not below the smallest normal one of their dtype."""
    from ..math import maximum

    return maximum(float(torch.finfo(t.dtype.torch).tiny), t)


def _zeros(t: Tensor) -> Tensor:
    from .._top.creation import zeros_like

    return zeros_like(t)


def _number_of(shape: Any) -> int:
    total = 1
    for d in shape:
        total *= d
    return total


def _parameter(value: Any, dtype: DType, what: str) -> Tensor:
    found = getattr(value, "dtype", None)
    if isinstance(found, DType) and found is not dtype:
        raise ValueError(f"{what}: Tensor conversion requested dtype {dtype.name} for Tensor with dtype {found.name}: {value!r}")
    return convert_to_tensor(value, dtype)


@op("RandomPoissonV2", stateful=True, shape=SHAPE, rate=tensor(FLOATS, dtypes.int32, dtypes.int64), dtype=DTYPE)
def _poisson(shape: Any, rate: Any, dtype: Any, stream: Stream, name: str | None = None) -> Any:
    if rate.device.type == "meta":
        return torch.empty((*shape, *rate.shape), dtype=dtype.torch, device="meta")
    if exact(stream, rate.device):
        n = _number_of(shape)
        return rejection.poissons(*stream.take(n * rate.numel() * _BLOCKS), rate, tuple(shape), dtype.torch)  # type: ignore[attr-defined]
    wide = rate.detach().double().expand((*shape, *rate.shape))
    return torch.poisson(wide, generator=stream.generator(rate.device)).to(dtype.torch)


def poisson(shape: Any, lam: Any, dtype: Any = dtypes.float32, seed: Any = None, name: str | None = None) -> Tensor:
    """Poisson distributed numbers, `shape` of them for each of `lam` (`tf.random.poisson`)."""
    rate, dtype = convert_to_tensor(lam, dtype_hint=dtypes.float32), as_dtype(dtype)
    return _poisson(shape, rate, dtype, exact_stream(seed, ("poisson", rate.dtype, dtype)), name)


# --- choices ---------------------------------------------------------------------------------------------------------
@op("Multinomial", stateful=True, logits=tensor(FLOATS), num_samples=INT, dtype=DTYPE)
def _categorical(logits: Any, num_samples: Any, dtype: Any, stream: Stream, name: str | None = None) -> Any:
    if logits.ndim != 2:
        raise invalid(f"logits should be a matrix, got shape {list(logits.shape)} [Op:Multinomial] name: ")
    if num_samples < 0:
        raise invalid(f"num_samples should be non-negative, got {num_samples} [Op:Multinomial] name: ")
    rows, classes = logits.shape
    if classes == 0:
        raise invalid("num_classes should be positive, got 0 [Op:Multinomial] name: ")
    if rows == 0 or num_samples == 0 or logits.device.type == "meta":
        return torch.empty((rows, num_samples), dtype=dtype.torch, device=logits.device)
    wide = logits.detach().double()
    if exact(stream, logits.device):
        return _drawn(wide.numpy(), num_samples, stream).to(dtype.torch)
    if rows * num_samples * classes <= _FEW and logits.device.type == "cpu":  # the largest of logits with noise, in half as many operations
        noise = torch.empty((rows, num_samples, classes), dtype=torch.float64).exponential_(generator=stream.generator(logits.device))
        return (wide.unsqueeze(1) - noise.log_()).argmax(2).to(dtype.torch)
    edges = torch.cumsum(torch.softmax(wide, 1), 1)
    u = torch.rand((rows, num_samples), dtype=torch.float64, device=logits.device, generator=stream.generator(logits.device))
    found = torch.searchsorted(edges, u * edges[:, -1:], right=True)
    return found.clamp(max=classes - 1).to(dtype.torch)


def _drawn(logits: np.ndarray, num_samples: int, stream: ExactStream) -> torch.Tensor:
    """The classes that TensorFlow draws; its numbers follow one another through the rows."""
    rows, classes = logits.shape
    whole = -(-num_samples // 4) * 4
    u = philox.uniform(*stream.take(2 * rows * whole * _BLOCKS), rows * num_samples, torch.float64).reshape(rows, num_samples).numpy()
    finite = np.isfinite(logits)
    top = np.max(logits, axis=1, initial=-np.inf, where=finite, keepdims=True)
    with np.errstate(invalid="ignore", over="ignore"):
        edges = np.cumsum(np.where(finite, np.exp(logits - top), 0.0), axis=1)
    found = np.stack([np.searchsorted(e, v * e[-1], side="right") for e, v in zip(edges, u, strict=True)])
    return torch.from_numpy(np.minimum(found, classes - 1))


def categorical(logits: Any, num_samples: Any, dtype: Any = None, seed: Any = None, name: str | None = None) -> Tensor:
    """`num_samples` classes for each row of unnormalised log-probabilities `logits` (`tf.random.categorical`)."""
    logits = convert_to_tensor(logits)
    if logits.dtype not in _FLOAT:
        from ..errors import NotFoundError

        raise NotFoundError(
            None, None, f"Could not find device for node: Multinomial[T={logits.dtype.name}, shape={logits.shape}]: the logits must be "
            "floating point [Op:Multinomial] name: "
        )  # fmt: skip
    kind = dtypes.int64 if dtype is None else as_dtype(dtype)
    return _categorical(logits, num_samples, kind, exact_stream(seed, ("categorical", kind, logits.dtype)), name)


@op("RandomShuffle", stateful=True, value=ANY)
def _shuffle(value: Any, stream: Stream, name: str | None = None) -> Any:
    if value.ndim == 0:
        return value
    n = value.shape[0]
    if current().type == "meta":  # asked for the shape alone: the stream stays where it is
        return value if isinstance(value, np.ndarray) else torch.empty_like(value, device="meta")
    if isinstance(value, np.ndarray):
        if type(stream) is ExactStream:
            return value[permutation(stream, n).numpy()]
        return value[torch.randperm(n, generator=stream.generator(torch.device("cpu"))).numpy()]
    if exact(stream, value.device):
        return torch.index_select(value, 0, permutation(stream, n))
    order = torch.randperm(n, device=value.device, generator=stream.generator(value.device))
    return torch.index_select(value, 0, order)


def permutation(stream: ExactStream, n: int) -> torch.Tensor:
    """Fisher's and Yates' shuffle with the words of a stream."""
    if n < 2:
        return torch.arange(n)
    drawn = philox.words(*stream.take(-(-(n - 1) // 4)), n - 1).numpy()
    place = np.arange(n - 1)
    return torch.from_numpy(_swapped(place + drawn % (n - place)))


def _swapped(partners: np.ndarray) -> np.ndarray:
    """What exchanging places 0, 1, 2 … of a range, each with its partner further on, leaves of it.

    Place p holds, when its turn comes, what the last earlier step with partner p brought there; that is what the place of that step
    held, and so on. These chains are short, and all are followed at once.
    """
    n = len(partners) + 1
    steps = np.argsort(partners, kind="stable")
    again = partners[steps[1:]] == partners[steps[:-1]]
    earlier = np.full(n, -1)  # the step before with the same partner
    earlier[steps[1:][again]] = steps[:-1][again]
    last = np.full(n, -1)
    ends = np.append(~again, True)
    last[partners[steps[ends]]] = steps[ends]
    held = np.where(last == np.arange(n), earlier, last)
    held = np.where(held < 0, np.arange(n), held)
    while True:
        further = held[held]
        if np.array_equal(further, held):
            break
        held = further
    out = np.empty(n, dtype=np.int64)
    out[:-1] = np.where(earlier[:-1] < 0, partners, held[earlier[:-1]])
    out[-1] = held[-1]
    return out


_shuffle.strings(_shuffle.op.fn)


def shuffle(value: Any, seed: Any = None, name: str | None = None) -> Tensor:
    """`value` with its first axis in random order (`tf.random.shuffle`)."""
    value = convert_to_tensor(value)
    return _shuffle(value, exact_stream(seed, ("shuffle", value.dtype)), name)
