"""`tf.random.experimental`."""

# ruff: noqa: F401 - the names of the module are gathered here
from __future__ import annotations

from .._names import module_getattr
from .algorithm import Algorithm
from .generator import Generator, create_rng_state, get_global_generator, set_global_generator
from .shuffling import index_shuffle
from .stateless import fold_in as stateless_fold_in
from .stateless import split as stateless_split
from .stateless import stateless_shuffle

__getattr__ = module_getattr("tf.random.experimental")
