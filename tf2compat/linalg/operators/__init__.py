"""The LinearOperator classes of `tf.linalg`."""

# ruff: noqa: F401 - the names of the package are gathered here
from __future__ import annotations

from .algebra import (
    LinearOperatorAdjoint,
    LinearOperatorComposition,
    LinearOperatorInversion,
    LinearOperatorKronecker,
    LinearOperatorLowRankUpdate,
)
from .base import LinearOperator
from .blocks import LinearOperatorBlockDiag, LinearOperatorBlockLowerTriangular
from .circulant import LinearOperatorCirculant, LinearOperatorCirculant2D, LinearOperatorCirculant3D
from .matrices import (
    LinearOperatorDiag,
    LinearOperatorFullMatrix,
    LinearOperatorHouseholder,
    LinearOperatorIdentity,
    LinearOperatorLowerTriangular,
    LinearOperatorPermutation,
    LinearOperatorScaledIdentity,
    LinearOperatorToeplitz,
    LinearOperatorTridiag,
    LinearOperatorZeros,
)
