"""Sobol's sequence."""

from __future__ import annotations

from typing import Any

import torch

from .._engine.devices import current
from .._engine.dtypes import as_dtype, float32, float64
from .._engine.op import DTYPE, INT, invalid, op


@op("SobolSample", dim=INT, num_results=INT, skip=INT, dtype=DTYPE)
def sobol_sample(dim: Any, num_results: Any, skip: Any = 0, dtype: Any = float32, name: str | None = None) -> Any:
    """`num_results` points of Sobol's sequence in the unit cube of `dim` dimensions, from point `skip` on (`tf.math.sobol_sample`).

    The result is [num_results, dim] of float32 or float64.
    """
    if dim < 1 or dim > torch.quasirandom.SobolEngine.MAXDIM:
        raise invalid(f"dim must be in [1, {torch.quasirandom.SobolEngine.MAXDIM}]; got {dim} [Op:SobolSample] name: ")
    if num_results < 1:
        raise invalid(f"num_results must be greater than zero, got {num_results} [Op:SobolSample] name: ")
    if skip < 0:
        raise invalid(f"skip must be non-negative, got {skip} [Op:SobolSample] name: ")
    if dtype not in (float32, float64):
        raise invalid(f"Value for attr 'dtype' of {as_dtype(dtype)._cpp} is not in the list of allowed values: float, double [Op:SobolSample] name: ")
    engine = torch.quasirandom.SobolEngine(dim)
    if skip + 1:
        engine.fast_forward(skip + 1)  # torch's sequence begins with the origin
    return engine.draw(num_results, dtype=dtype.torch).to(current())


__all__ = ["sobol_sample"]
