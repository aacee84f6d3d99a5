"""`tf.linalg`. Each file holds one kind of function; this one names them all."""

# ruff: noqa: F401 - the names of the package are gathered here
from __future__ import annotations

from .._names import module_getattr
from .._top.arithmetic import global_norm
from ..math.softmaxes import l2_normalize
from .norms import norm, normalize
from .products import einsum, matmul, matvec, tensordot

__getattr__ = module_getattr("tf.linalg")
