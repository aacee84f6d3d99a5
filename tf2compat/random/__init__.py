"""`tf.random`: seeds, random numbers that go on from call to call, stateless ones, and generators."""

# ruff: noqa: F401 - the names of the package are gathered here
from __future__ import annotations

from typing import Any

from .._names import module_getattr
from . import experimental
from .algorithm import Algorithm
from .generator import Generator, create_rng_state, get_global_generator, set_global_generator
from .seeding import set_seed
from .stateful import categorical, gamma, normal, poisson, shuffle, truncated_normal, uniform
from .stateless import (
    fold_in,
    split,
    stateless_binomial,
    stateless_categorical,
    stateless_gamma,
    stateless_normal,
    stateless_parameterized_truncated_normal,
    stateless_poisson,
    stateless_truncated_normal,
    stateless_uniform,
)

_missing = module_getattr("tf.random")


def __getattr__(name: str) -> Any:
    """The candidate samplers live in `nn/sampling.py`, which itself draws from this package."""
    if name in ("all_candidate_sampler", "fixed_unigram_candidate_sampler", "learned_unigram_candidate_sampler", "log_uniform_candidate_sampler", "uniform_candidate_sampler"):
        from ..nn import sampling

        return getattr(sampling, name)
    return _missing(name)
