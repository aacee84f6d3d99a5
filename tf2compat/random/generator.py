"""`tf.random.Generator`: random numbers from a state that is a variable."""

from __future__ import annotations

import secrets
from typing import Any

import numpy as np
import torch

from .._engine import dtypes
from .._engine.convert import convert_to_tensor
from .._engine.dtypes import DType, as_dtype
from .._engine.op import INT, VARIABLE, op
from .._engine.tensor import Tensor
from .._engine.trackable import AutoTrackable
from .._engine.variable import Variable
from . import stateless
from .algorithm import Algorithm, as_algorithm
from .seeding import in_rows

_SIZES = {Algorithm.PHILOX: 3, Algorithm.THREEFRY: 2}
#: words of the stream that are set aside for each number
_PER_NUMBER = 256


def _chosen(alg: Any) -> Algorithm:
    found = Algorithm.PHILOX if alg is None else as_algorithm(alg)
    return Algorithm.PHILOX if found is Algorithm.AUTO_SELECT else found


def _signed(number: int) -> int:
    number &= 2**64 - 1
    return number - 2**64 if number >= 2**63 else number


def create_rng_state(seed: Any, alg: Any) -> Tensor:
    """The state, a vector of int64, that a seed (an int of any size, or a vector) stands for (`tf.random.create_rng_state`)."""
    size = _SIZES[_chosen(alg)]
    if isinstance(seed, (int, np.integer)):
        number = int(seed)
        parts = [_signed(number >> (64 * i)) for i in range(size)]
    else:
        values = np.asarray(seed.numpy() if hasattr(seed, "numpy") else seed).reshape(-1)
        given = [_signed(int(v)) for v in values][:size]
        parts = [0] * (size - len(given)) + given
    return convert_to_tensor(parts, dtypes.int64)


@op("RngReadAndSkip", stateful=True, state=VARIABLE, count=INT)
def _read_and_skip(state: Any, count: Any, name: str | None = None) -> Any:
    """The state before; then the counter, the first 128 bits, goes on by `count` numbers."""
    storage = state._t
    if storage.device.type == "meta":
        return torch.empty_like(storage)
    before = storage.detach().clone()
    low, high, *rest = (v & (2**64 - 1) for v in before.tolist())
    counter = (low | high << 64) + count * _PER_NUMBER
    after = [_signed(counter), _signed(counter >> 64), *[_signed(v) for v in rest]]
    state._write(torch.tensor(after, dtype=torch.int64, device=storage.device))
    return before


@_read_and_skip.infer
def _(state: Any, count: Any) -> Any:
    return [(dtypes.int64, tuple(state.shape))]


class Generator(AutoTrackable):
    """Random numbers from a state of its own (`tf.random.Generator`), kept in a variable that checkpoints save.

    Made by `from_seed`, `from_state`, `from_key_counter` or `from_non_deterministic_state`, or as a copy of another. Each
    call goes on where the last one stopped; equal states give equal numbers, which are TensorFlow's.
    """

    def __init__(self, copy_from: Generator | None = None, state: Any = None, alg: Any = None) -> None:
        if copy_from is not None:
            if state is not None or alg is not None:
                raise AssertionError("Generator takes copy_from, or state and alg, not both")
            state, alg = copy_from.state.read_value(), copy_from._alg
        elif state is None or alg is None:
            raise AssertionError("Generator needs copy_from, or state and alg")
        self._alg = _chosen(alg)
        values = convert_to_tensor(state.read_value() if isinstance(state, Variable) else state, dtypes.int64)
        size = _SIZES[self._alg]
        if not values.shape.is_compatible_with([size]):
            raise ValueError(f"Shapes {values.shape} and [{size}] are incompatible")
        self._state_var = Variable(values, dtype=dtypes.int64, trainable=False, name="StateVar")

    # --- making ------------------------------------------------------------------------------------------------------
    @classmethod
    def from_state(cls, state: Any, alg: Any) -> Generator:
        """A generator that starts at `state`, a vector of int64 (three of them for Philox)."""
        return cls(state=state, alg=alg)

    @classmethod
    def from_seed(cls, seed: Any, alg: Any = None) -> Generator:
        """A generator whose state an int, or a vector of ints, decides."""
        alg = _chosen(alg)
        return cls(state=create_rng_state(seed, alg), alg=alg)

    @classmethod
    def from_non_deterministic_state(cls, alg: Any = None) -> Generator:
        """A generator that starts at an unpredictable state."""
        alg = _chosen(alg)
        return cls(state=[_signed(secrets.randbits(64)) for _ in range(_SIZES[alg])], alg=alg)

    @classmethod
    def from_key_counter(cls, key: Any, counter: Any, alg: Any) -> Generator:
        """A generator from Philox' key, a scalar, and counter, a vector of two."""
        return cls(state=_joined(key, counter), alg=alg)

    # --- state -------------------------------------------------------------------------------------------------------
    @property
    def state(self) -> Variable:
        """The variable that holds the state: the counter's two halves, then the key."""
        return self._state_var

    @property
    def algorithm(self) -> int:
        return int(self._alg)

    @property
    def key(self) -> Tensor:
        """The key, a scalar; ValueError for algorithms without one."""
        if self._alg is not Algorithm.PHILOX:
            raise ValueError(f"Argument `algorithm` got unsupported value {self.algorithm}: only Philox has a key")
        return self._state_var[2]

    def reset(self, state: Any) -> None:
        """Go on from `state`."""
        self._state_var.assign(convert_to_tensor(state, dtypes.int64))

    def reset_from_seed(self, seed: Any) -> None:
        """Go on from the state that `seed` stands for."""
        self._state_var.assign(create_rng_state(seed, self._alg))

    def reset_from_key_counter(self, key: Any, counter: Any) -> None:
        """Go on from a key and counter."""
        self._state_var.assign(_joined(key, counter))

    def skip(self, delta: Any) -> Tensor:
        """Pass over `delta` numbers; gives the state before."""
        in_rows.ask()
        return _read_and_skip(self._state_var, delta)

    def _take(self, shape: Any) -> Tensor:
        from .._top.creation import zeros
        from .._top.shaping import size

        if isinstance(shape, (list, tuple)) and all(isinstance(d, (int, np.integer)) for d in shape):
            count: Any = int(np.prod([int(d) for d in shape], dtype=np.int64)) if shape else 1
        elif isinstance(shape, (int, np.integer)):
            count = int(shape)
        else:
            count = size(zeros(shape, dtypes.bool))
        if self._alg is not Algorithm.PHILOX:
            stateless.check_algorithm(self._alg)
        return self.skip(count)

    # --- numbers -----------------------------------------------------------------------------------------------------
    def normal(
        self, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = dtypes.float32, name: str | None = None
    ) -> Tensor:
        """Normally distributed numbers."""
        found = stateless.normal_dtype(dtype)
        return stateless._scaled(stateless.standard_normal(shape, self._take(shape), found, name), mean, stddev)

    def truncated_normal(
        self, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = dtypes.float32, name: str | None = None
    ) -> Tensor:
        """Normal numbers within two deviations of the mean."""
        found = stateless.normal_dtype(dtype)
        return stateless._scaled(stateless.standard_truncated_normal(shape, self._take(shape), found, name), mean, stddev)

    def uniform(
        self, shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = dtypes.float32, name: str | None = None
    ) -> Tensor:
        """Numbers of [minval, maxval); integers need both bounds, or neither (None)."""
        found = as_dtype(dtype)
        if found.is_integer and (minval is None) != (maxval is None):
            raise ValueError(
                f"For integer dtype {found!s}, minval and maxval must be both `None` or both non-`None`; got minval={minval} and "
                f"maxval={maxval}"
            )
        return stateless.uniform_of(shape, self._take(shape), minval, maxval, found, name)

    def uniform_full_int(self, shape: Any, dtype: Any = dtypes.uint64, name: str | None = None) -> Tensor:
        """Integers of all values of a 32 or 64 bit dtype."""
        found: DType = as_dtype(dtype)
        if found not in (dtypes.int32, dtypes.int64, dtypes.uint32, dtypes.uint64):
            raise ValueError(f"Argument `dtype` got invalid value {found!s}: it must be an integer of 32 or 64 bits.")
        return stateless.full_int(shape, self._take(shape), found, name)

    def binomial(self, shape: Any, counts: Any, probs: Any, dtype: Any = dtypes.int32, name: str | None = None) -> Tensor:
        """Binomially distributed numbers."""
        seed = self._state_seed(shape)
        return stateless.stateless_binomial(shape, seed, counts, probs, dtype, name)

    def _state_seed(self, shape: Any) -> Tensor:
        """A stateless op's seed, [2], drawn from the stream."""
        from .._top.shaping import reshape

        self._take(shape)
        return reshape(stateless.full_int([2], self._take([2]), dtypes.int64), [2])

    # --- more generators ---------------------------------------------------------------------------------------------
    def make_seeds(self, count: Any = 1) -> Tensor:
        """Seeds for stateless ops: `[2, count]` integers, a seed in each column."""
        from .._top.creation import zeros_like
        from .._top.joining import stack

        keys = stateless.full_int([count], self._take([count]), dtypes.int64)
        return stack([keys, zeros_like(keys)])

    def split(self, count: int = 1) -> list[Generator]:
        """`count` new generators that are independent of each other and of this one."""
        keys = stateless.full_int([count], self._take([count]), dtypes.int64)
        return [type(self).from_key_counter(keys[i], [0, 0], self._alg) for i in range(count)]


def _joined(key: Any, counter: Any) -> Tensor:
    from .._top.joining import concat
    from .._top.shaping import reshape

    key, counter = convert_to_tensor(key, dtypes.int64), convert_to_tensor(counter, dtypes.int64)
    key.shape.assert_has_rank(0)
    counter.shape.assert_is_compatible_with([2])
    return concat([counter, reshape(key, [1])], 0)


_global: Generator | None = None


def get_global_generator() -> Generator:
    """The process' generator, made from an unpredictable state when there is none (`tf.random.get_global_generator`)."""
    global _global
    if _global is None:
        _global = Generator.from_non_deterministic_state()
    return _global


def set_global_generator(generator: Generator) -> None:
    """Make `generator` the process' (`tf.random.set_global_generator`)."""
    global _global
    _global = generator
