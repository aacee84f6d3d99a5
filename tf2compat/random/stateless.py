"""The random ops that are functions of a seed: the same seed gives the same numbers, on every device."""

from __future__ import annotations

from typing import Any

import torch

from .._engine import dtypes, philox
from .._engine.convert import convert_to_tensor
from .._engine.dtypes import FLOATS, DType, as_dtype
from .._engine.op import ANY, DTYPE, INT, SHAPE, TENSOR, invalid, op, tensor
from .._engine.tensor import Tensor
from . import rejection
from .algorithm import check_algorithm

_SEED = tensor(dtypes.int32, dtypes.int64, group="")
_INTEGERS = tensor(dtypes.int32, dtypes.int64)


def count_of(shape: Any) -> int:
    total = 1
    for d in shape:
        if type(d) is int and d < 0:
            raise invalid(f"Dimension {d} must be >= 0 [Op:StatelessRandomUniformV2] name: ")
        total *= d
    return total


def _start(seed: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Key and counter words for a seed, or for the [counter, counter, key] that a `Generator` gives instead."""
    if tuple(seed.shape) == (3,):
        parts = philox.split_words(seed)
        return parts[4:], parts[:4]
    if tuple(seed.shape) != (2,):
        raise invalid(f"seed must have shape [2], not {_text(seed.shape)} [Op:StatelessRandomGetKeyCounter] name: ")
    return philox.key_and_counter(seed)


def _text(dims: Any) -> str:
    return "[" + ",".join(str(int(d)) for d in dims) + "]"


def check_seed(seed: Any) -> Tensor:
    """A stateless op's seed as a tensor of two integers."""
    t = convert_to_tensor(seed)
    if t.dtype not in (dtypes.int32, dtypes.int64):
        raise invalid(
            f"Value for attr 'Tseed' of {t.dtype._cpp} is not in the list of allowed values: int32, int64 "
            "[Op:StatelessRandomGetKeyCounter] name: "
        )
    if t.shape.rank is not None and not t.shape.is_compatible_with([2]):
        raise invalid(f"seed must have shape [2], not {_text(t.shape)} [Op:StatelessRandomGetKeyCounter] name: ")
    return t


# --- the ops ---------------------------------------------------------------------------------------------------------
@op("StatelessRandomUniformV2", shape=SHAPE, seed=_SEED, dtype=DTYPE)
def unit(shape: Any, seed: Any, dtype: Any, name: str | None = None) -> Any:
    """Floats of [0, 1)."""
    return philox.uniform(*_start(seed), count_of(shape), dtype.torch).reshape(shape)


@op("StatelessRandomUniformFullIntV2", shape=SHAPE, seed=_SEED, dtype=DTYPE)
def full_int(shape: Any, seed: Any, dtype: Any, name: str | None = None) -> Any:
    """Integers of all values of the dtype."""
    return philox.full_int(*_start(seed), count_of(shape), dtype.torch).reshape(shape)


@op("StatelessRandomUniformIntV2", shape=SHAPE, seed=_SEED, minval=_INTEGERS, maxval=_INTEGERS)
def between(shape: Any, seed: Any, minval: Any, maxval: Any, name: str | None = None) -> Any:
    """Integers of [minval, maxval)."""
    for which, t in (("minval", minval), ("maxval", maxval)):
        if t.ndim:
            raise invalid(f"{which} must be 0-D, got shape {_text(t.shape)} [Op:StatelessRandomUniformIntV2] name: ")
    if minval.device.type == "cpu" and int(minval) >= int(maxval):
        raise invalid(f"Need minval < maxval, got {int(minval)} >= {int(maxval)} [Op:StatelessRandomUniformIntV2] name: ")
    return philox.uniform_int(*_start(seed), count_of(shape), minval, maxval).reshape(shape)


@op("StatelessRandomNormalV2", shape=SHAPE, seed=_SEED, dtype=DTYPE)
def standard_normal(shape: Any, seed: Any, dtype: Any, name: str | None = None) -> Any:
    """Normal numbers of mean 0 and deviation 1."""
    return philox.normal(*_start(seed), count_of(shape), dtype.torch).reshape(shape)


@op("StatelessTruncatedNormalV2", shape=SHAPE, seed=_SEED, dtype=DTYPE)
def standard_truncated_normal(shape: Any, seed: Any, dtype: Any, name: str | None = None) -> Any:
    """Normal numbers of mean 0 and deviation 1 within (-2, 2)."""
    return philox.truncated_normal(*_start(seed), count_of(shape), dtype.torch).reshape(shape)


# --- public ----------------------------------------------------------------------------------------------------------
_UNIFORM = (
    dtypes.float16, dtypes.bfloat16, dtypes.float32, dtypes.float64, dtypes.int32, dtypes.int64, dtypes.uint32, dtypes.uint64,
)  # fmt: skip


def stateless_uniform(
    shape: Any,
    seed: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: Any = dtypes.float32,
    name: str | None = None,
    alg: Any = "auto_select",
) -> Tensor:
    """Numbers of [minval, maxval) that `seed` decides (`tf.random.stateless_uniform`).

    Integers need both bounds, or neither (None) for all values of the dtype. The numbers are TensorFlow's on a CPU.
    """
    dtype = as_dtype(dtype)
    if dtype not in _UNIFORM:
        raise ValueError(f"Argument `dtype` got invalid value {dtype!s}. Accepted dtypes are {_UNIFORM}.")
    check_algorithm(alg)
    seed = check_seed(seed)
    return uniform_of(shape, seed, minval, maxval, dtype, name)


def uniform_of(shape: Any, seed: Tensor, minval: Any, maxval: Any, dtype: DType, name: str | None) -> Tensor:
    if dtype.is_integer:
        if (minval is None) != (maxval is None):
            raise ValueError(
                f"For integer `dtype` argument {dtype!s}, argument `minval` and `maxval` must be both None or not None. Got "
                f"`minval`={minval} and `maxval`={maxval}."
            )
        if minval is None:
            return full_int(shape, seed, dtype, name)
        if dtype.is_unsigned:
            raise ValueError(
                f"Argument `dtype` got invalid value {dtype!s} when argument `minval` is not None. Please don't use unsigned integers in "
                "this case."
            )
        return between(shape, seed, convert_to_tensor(minval, dtype), convert_to_tensor(maxval, dtype), name)
    if type(minval) in (int, float) and minval == 0 and (maxval is None or (type(maxval) in (int, float) and maxval == 1)):
        return unit(shape, seed, dtype, name)
    low = convert_to_tensor(0.0 if minval is None else minval, dtype)
    high = convert_to_tensor(1.0 if maxval is None else maxval, dtype)
    return unit(shape, seed, dtype, name) * (high - low) + low


def _scaled(z: Tensor, mean: Any, stddev: Any) -> Tensor:
    if not (type(stddev) in (int, float) and stddev == 1):
        z = z * convert_to_tensor(stddev, z.dtype)
    if not (type(mean) in (int, float) and mean == 0):
        z = z + convert_to_tensor(mean, z.dtype)
    return z


def normal_dtype(dtype: Any) -> DType:
    found = as_dtype(dtype)
    if found not in FLOATS:
        raise TypeError(f"Cannot convert 0.0 to EagerTensor of dtype {found._cpp}")
    return found


def stateless_normal(
    shape: Any,
    seed: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = dtypes.float32,
    name: str | None = None,
    alg: Any = "auto_select",
) -> Tensor:
    """Normally distributed numbers that `seed` decides (`tf.random.stateless_normal`)."""
    check_algorithm(alg)
    return _scaled(standard_normal(shape, check_seed(seed), normal_dtype(dtype), name), mean, stddev)


def stateless_truncated_normal(
    shape: Any,
    seed: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = dtypes.float32,
    name: str | None = None,
    alg: Any = "auto_select",
) -> Tensor:
    """Normal numbers within two deviations of the mean that `seed` decides (`tf.random.stateless_truncated_normal`)."""
    check_algorithm(alg)
    return _scaled(standard_truncated_normal(shape, check_seed(seed), normal_dtype(dtype), name), mean, stddev)


def stateless_parameterized_truncated_normal(
    shape: Any, seed: Any, means: Any = 0.0, stddevs: Any = 1.0, minvals: Any = -2.0, maxvals: Any = 2.0, name: str | None = None
) -> Tensor:
    """Normal numbers of `means` and `stddevs` within [minvals, maxvals], which broadcast to `shape`
    (`tf.random.stateless_parameterized_truncated_normal`)."""
    given = [convert_to_tensor(v) for v in (means, stddevs, minvals, maxvals)]
    return _bounded_normal(shape, check_seed(seed), *given, name)


@op("StatelessParameterizedTruncatedNormal", shape=SHAPE, seed=_SEED, means=TENSOR, stddevs=TENSOR, minvals=TENSOR, maxvals=TENSOR)
def _bounded_normal(shape: Any, seed: Any, means: Any, stddevs: Any, minvals: Any, maxvals: Any, name: str | None = None) -> Any:
    dtype = means.dtype
    u = philox.uniform(*_start(seed), count_of(shape), torch.float64).reshape(shape)
    low = torch.special.ndtr(((minvals - means) / stddevs).double())
    high = torch.special.ndtr(((maxvals - means) / stddevs).double())
    z = torch.special.ndtri(low + u * (high - low)).to(dtype) * stddevs + means
    return torch.minimum(torch.maximum(z, minvals), maxvals)


# --- seeds -----------------------------------------------------------------------------------------------------------
def split(seed: Any, num: Any = 2, alg: Any = "auto_select") -> Tensor:
    """`num` new seeds, a matrix of two columns, out of one (`tf.random.split`)."""
    check_algorithm(alg)
    seed = check_seed(seed)
    return full_int([num, 2], seed, seed.dtype)


def fold_in(seed: Any, data: Any, alg: Any = "auto_select") -> Tensor:
    """A new seed out of a seed and an integer (`tf.random.fold_in`)."""
    from .._top.joining import stack

    check_algorithm(alg)
    data = convert_to_tensor(data)
    return stack([full_int([], check_seed(seed), data.dtype), data])


# --- other distributions ---------------------------------------------------------------------------------------------
def _uniform_doubles(seed: Any, shape: Any) -> torch.Tensor:
    return philox.uniform(*_start(seed), count_of(shape), torch.float64).reshape(shape)


def stateless_categorical(logits: Any, num_samples: Any, seed: Any, dtype: Any = dtypes.int64, name: str | None = None) -> Tensor:
    """`num_samples` classes for each row of `logits`, that `seed` decides (`tf.random.stateless_categorical`)."""
    return _categorical(logits, num_samples, check_seed(seed), dtypes.int64 if dtype is None else dtype, name)


@op("StatelessMultinomial", logits=tensor(FLOATS, group=""), num_samples=INT, seed=_SEED, dtype=DTYPE)
def _categorical(logits: Any, num_samples: Any, seed: Any, dtype: Any, name: str | None = None) -> Any:
    if logits.ndim != 2:
        raise invalid(f"logits should be a matrix, got shape {_text(logits.shape)} [Op:StatelessMultinomial] name: ")
    if num_samples < 0:
        raise invalid(f"num_samples should be non-negative, got {num_samples} [Op:StatelessMultinomial] name: ")
    if logits.shape[1] == 0:
        raise invalid("num_classes should be positive, got 0 [Op:StatelessMultinomial] name: ")
    u = _uniform_doubles(seed, (logits.shape[0], num_samples))
    edges = torch.cumsum(torch.softmax(logits.detach().double(), 1), 1)
    found = torch.searchsorted(edges, u * edges[:, -1:], right=True)
    return found.clamp(max=logits.shape[1] - 1).to(dtype.torch)


def _seeded(seed: Any) -> torch.Generator:
    """A torch generator that a seed decides, for the distributions that torch draws itself."""
    a, b = (int(v) for v in seed.tolist()[:2])
    generator = torch.Generator("cpu")
    generator.manual_seed((a * 0x9E3779B97F4A7C15 + b * 0xBF58476D1CE4E5B9 + 0x94D049BB133111EB) & (2**63 - 1))
    return generator


def _spread(parameter: Any, shape: Any, op_name: str) -> Any:
    try:
        return parameter.expand(tuple(shape))
    except RuntimeError:
        raise invalid(f"Shape passed in must end with broadcasted shape. [Op:{op_name}] name: ") from None


@op("StatelessRandomGammaV3", shape=SHAPE, seed=_SEED, alpha=tensor(FLOATS))
def _gamma(shape: Any, seed: Any, alpha: Any, name: str | None = None) -> Any:
    given, alpha = alpha, _spread(alpha, shape, "StatelessRandomGammaV3")
    if alpha.device.type == "meta":
        return torch._standard_gamma(alpha)
    device = alpha.device
    samples, alpha = _samples(shape, given, alpha)
    return rejection.gammas(*_start(seed.cpu()), alpha.cpu(), samples).reshape(tuple(shape)).to(device)


def _samples(shape: Any, given: Any, spread: Any) -> tuple[tuple[int, ...], Any]:
    """How many numbers there are for each parameter, of those that are not broadcast over all of the last axes."""
    k = len(shape) - given.ndim
    return tuple(shape[:k]), spread[(0,) * k] if count_of(shape[:k]) else given.expand(tuple(shape[k:]))


def stateless_gamma(
    shape: Any, seed: Any, alpha: Any, beta: Any = None, dtype: Any = dtypes.float32, name: str | None = None
) -> Tensor:
    """Gamma distributed numbers that `seed` decides, differentiable in `alpha` and `beta` (`tf.random.stateless_gamma`)."""
    dtype = as_dtype(dtype)
    alpha = convert_to_tensor(alpha, dtype)
    beta = convert_to_tensor(1.0 if beta is None else beta, dtype)
    from .stateful import _zeros, positive

    return positive(_gamma(shape, check_seed(seed), alpha + _zeros(beta), name) / beta)


@op("StatelessRandomPoisson", shape=SHAPE, seed=_SEED, lam=tensor(FLOATS), dtype=DTYPE)
def _poisson(shape: Any, seed: Any, lam: Any, dtype: Any, name: str | None = None) -> Any:
    rate = _spread(lam, shape, "StatelessRandomPoisson")
    if rate.device.type == "meta":
        return torch.empty(tuple(shape), dtype=dtype.torch, device="meta")
    samples, rate = _samples(shape, lam, rate)
    return rejection.poissons(*_start(seed.cpu()), rate.cpu(), samples, dtype.torch).reshape(tuple(shape)).to(lam.device)


def stateless_poisson(shape: Any, seed: Any, lam: Any, dtype: Any = dtypes.int32, name: str | None = None) -> Tensor:
    """Poisson distributed numbers that `seed` decides (`tf.random.stateless_poisson`)."""
    lam = convert_to_tensor(lam)
    if lam.dtype.is_integer:
        from .. import cast

        lam = cast(lam, dtypes.float64)
    return _poisson(shape, check_seed(seed), lam, dtype, name)


@op("StatelessRandomBinomial", shape=SHAPE, seed=_SEED, counts=tensor(FLOATS), probs=tensor(FLOATS), output_dtype=DTYPE)
def _binomial(shape: Any, seed: Any, counts: Any, probs: Any, output_dtype: Any, name: str | None = None) -> Any:
    n, p = _spread(counts, shape, "StatelessRandomBinomial"), _spread(probs, shape, "StatelessRandomBinomial")
    if n.device.type == "meta":
        return torch.empty(tuple(shape), dtype=output_dtype.torch, device="meta")
    n, p = n.detach().cpu().double().contiguous(), p.detach().cpu().double().contiguous()
    return torch.binomial(n, p, generator=_seeded(seed)).to(output_dtype.torch).to(counts.device)


def stateless_binomial(
    shape: Any, seed: Any, counts: Any, probs: Any, output_dtype: Any = dtypes.int32, name: str | None = None
) -> Tensor:
    """Binomially distributed numbers that `seed` decides (`tf.random.stateless_binomial`)."""
    probs = convert_to_tensor(probs)
    return _binomial(shape, check_seed(seed), _as(counts, probs.dtype), probs, output_dtype, name)


def _as(value: Any, dtype: DType) -> Tensor:
    from .. import cast

    t = convert_to_tensor(value, dtype_hint=dtype)
    return t if t.dtype is dtype else cast(t, dtype)


@op("StatelessShuffle", value=ANY, seed=_SEED)
def _shuffle(value: Any, seed: Any, name: str | None = None) -> Any:
    if value.ndim == 0:
        return value
    n = value.shape[0]
    order = torch.argsort(philox.full_int(*_start(seed), n, torch.int64), stable=True)
    return value[order.cpu().numpy()] if not isinstance(value, torch.Tensor) else torch.index_select(value, 0, order.to(value.device))


_shuffle.strings(_shuffle.op.fn)


def stateless_shuffle(value: Any, seed: Any, alg: Any = "auto_select", name: str | None = None) -> Tensor:
    """`value` with its first axis in an order that `seed` decides (`tf.random.experimental.stateless_shuffle`)."""
    check_algorithm(alg)
    return _shuffle(value, check_seed(seed), name)
