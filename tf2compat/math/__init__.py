"""`tf.math`. Each file holds one kind of function; this one names them all."""

# ruff: noqa: A004, F401 - TensorFlow's public names, gathered here
from __future__ import annotations

from .._names import module_getattr
from . import special
from .arithmetic import abs, add, divide, floordiv, floormod, multiply, negative, pow, subtract, truediv
from .bessel import bessel_i0, bessel_i0e, bessel_i1, bessel_i1e
from .binary import (
    accumulate_n,
    add_n,
    atan2,
    divide_no_nan,
    maximum,
    minimum,
    multiply_no_nan,
    nextafter,
    polyval,
    reciprocal_no_nan,
    scalar_mul,
    squared_difference,
    xdivy,
    xlog1py,
    xlogy,
)
from .comparison import (
    equal,
    greater,
    greater_equal,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    not_equal,
)
from .complexes import angle, conj, imag, real
from .counting import bincount, confusion_matrix, invert_permutation
from .elementwise import (
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atanh,
    ceil,
    cos,
    cosh,
    digamma,
    erf,
    erfc,
    erfcinv,
    erfinv,
    exp,
    expm1,
    floor,
    is_finite,
    is_inf,
    is_nan,
    lgamma,
    log,
    log1p,
    log_sigmoid,
    ndtri,
    reciprocal,
    rint,
    round,
    rsqrt,
    sigmoid,
    sign,
    sin,
    sinh,
    softplus,
    softsign,
    sqrt,
    square,
    tan,
    tanh,
)
from .gammas import betainc, igamma, igammac, lbeta, polygamma, zeta
from .ranking import approx_max_k, approx_min_k, in_top_k, top_k
from .reducing import (
    argmax,
    argmin,
    count_nonzero,
    is_non_decreasing,
    is_strictly_increasing,
    reduce_all,
    reduce_any,
    reduce_euclidean_norm,
    reduce_logsumexp,
    reduce_max,
    reduce_mean,
    reduce_min,
    reduce_prod,
    reduce_std,
    reduce_sum,
    reduce_variance,
    zero_fraction,
)
from .scanning import cumprod, cumsum, cumulative_logsumexp
from .segments import (
    segment_max,
    segment_mean,
    segment_min,
    segment_prod,
    segment_sum,
    unsorted_segment_max,
    unsorted_segment_mean,
    unsorted_segment_min,
    unsorted_segment_prod,
    unsorted_segment_sqrt_n,
    unsorted_segment_sum,
)
from .sobol import sobol_sample
from .softmaxes import l2_normalize, log_softmax, softmax

mod = floormod

__getattr__ = module_getattr("tf.math")
