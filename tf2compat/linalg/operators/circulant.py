"""Linear operators that convolve: circulant matrices in one, two and three dimensions."""

from __future__ import annotations

from typing import Any

import tf2compat as tf

from ..._engine.shapes import TensorShape
from .base import LinearOperator, rightmost
from .matrices import _hints


class _Circulant(LinearOperator):
    """F⁻¹ diag(spectrum) F for the Fourier transform F over the last axes of the spectrum."""

    _depth = 1

    def __init__(self, spectrum: Any, input_output_dtype: Any, hints: dict[str, Any], name: str) -> None:
        self._spectrum = rightmost(spectrum)
        if self._spectrum.shape.rank is not None and self._spectrum.shape.rank < self._depth:
            raise ValueError(f"Argument spectrum must have at least {self._depth} dimensions.  Found: {spectrum}")
        if hints["is_square"] is False:
            raise ValueError("A circulant operator is always square.")
        if not self._spectrum.dtype.is_complex:
            if hints["is_self_adjoint"] is False:
                raise ValueError("A real spectrum always corresponds to a self-adjoint operator.")
            hints = {**hints, "is_self_adjoint": True}
        hints["is_square"] = True
        super().__init__(
            input_output_dtype, name=name, parameters={"spectrum": spectrum, "input_output_dtype": input_output_dtype}, **hints
        )

    @property
    def spectrum(self) -> Any:
        """The eigenvalues, in the order of the transform."""
        return self._spectrum

    @property
    def block_depth(self) -> int:
        """The number of dimensions of the transform."""
        return self._depth

    @property
    def block_shape(self) -> TensorShape:
        """The lengths of the transform."""
        return self._spectrum.shape[-self._depth :]

    def block_shape_tensor(self) -> Any:
        """The lengths of the transform as a tensor."""
        return tf.shape(self._spectrum)[-self._depth :]

    def _shape(self) -> TensorShape:
        n = self.block_shape.num_elements()
        return self._spectrum.shape[: -self._depth].concatenate([n, n])

    def _complex(self) -> Any:
        if self._spectrum.dtype.is_complex:
            return tf.convert_to_tensor(self._spectrum)
        return tf.cast(self._spectrum, tf.complex128 if self._spectrum.dtype == tf.float64 else tf.complex64)

    def _forward(self, x: Any) -> Any:
        return (tf.signal.fft, tf.signal.fft2d, tf.signal.fft3d)[self._depth - 1](x)

    def _back(self, x: Any) -> Any:
        return (tf.signal.ifft, tf.signal.ifft2d, tf.signal.ifft3d)[self._depth - 1](x)

    def convolution_kernel(self, name: str = "convolution_kernel") -> Any:
        """The inverse transform of the spectrum."""
        return tf.cast(self._back(self._complex()), self.dtype)

    def _apply(self, x: Any, factor: Any) -> Any:
        """Columns [..., N, R] multiplied by `factor` in the space of the frequencies."""
        spectrum = self._complex()
        rows = tf.linalg.matrix_transpose(tf.cast(x, spectrum.dtype))  # [..., R, N]
        grid = tf.reshape(rows, tf.concat([tf.shape(rows)[:-1], self.block_shape_tensor()], 0))
        out = self._back(self._forward(grid) * tf.expand_dims(factor, -self._depth - 1))
        flat = tf.reshape(out, tf.concat([tf.shape(out)[: -self._depth], [self.domain_dimension]], 0))
        return tf.cast(tf.linalg.matrix_transpose(flat), self.dtype)

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        x = tf.linalg.adjoint(x) if adjoint_arg else x
        spectrum = self._complex()
        return self._apply(x, tf.math.conj(spectrum) if adjoint else spectrum)

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        rhs = tf.linalg.adjoint(rhs) if adjoint_arg else rhs
        spectrum = self._complex()
        return self._apply(rhs, 1.0 / (tf.math.conj(spectrum) if adjoint else spectrum))

    def _flat(self) -> Any:
        spectrum = self._complex()
        return tf.reshape(spectrum, tf.concat([tf.shape(spectrum)[: -self._depth], [self.domain_dimension]], 0))

    def _determinant(self) -> Any:
        return tf.cast(tf.reduce_prod(self._flat(), axis=-1), self.dtype)

    def _log_abs_determinant(self) -> Any:
        return tf.cast(tf.reduce_sum(tf.math.log(tf.abs(self._flat())), axis=-1), self.dtype)

    def _diag_part(self) -> Any:
        mean = tf.reduce_mean(self._flat(), axis=-1)[..., tf.newaxis]
        return tf.cast(mean * tf.ones([self.domain_dimension], mean.dtype), self.dtype)

    def _trace(self) -> Any:
        return tf.cast(tf.reduce_sum(self._flat(), axis=-1), self.dtype)

    def _eigvals(self) -> Any:
        return tf.cast(self._flat(), self.dtype)

    def _cond(self) -> Any:
        size = tf.abs(self._flat())
        return tf.reduce_max(size, axis=-1) / tf.reduce_min(size, axis=-1)

    def _inverse(self) -> Any:
        made: Any = type(self)
        return made(
            1.0 / self._spectrum, self.dtype, is_non_singular=True, is_self_adjoint=self.is_self_adjoint,
            is_positive_definite=self.is_positive_definite,
        )  # fmt: skip

    def _adjoint(self) -> Any:
        made: Any = type(self)
        return made(
            tf.math.conj(self._spectrum), self.dtype, is_non_singular=self.is_non_singular, is_self_adjoint=self.is_self_adjoint,
            is_positive_definite=self.is_positive_definite,
        )  # fmt: skip

    def assert_hermitian_spectrum(self, name: str = "assert_hermitian_spectrum") -> Any:
        """Raise InvalidArgumentError when the convolution kernel is not real up to the precision of the dtype."""
        kernel = self._back(self._complex())
        return tf.debugging.assert_near(
            tf.math.imag(kernel), tf.zeros_like(tf.math.imag(kernel)), atol=1e-4, message="Spectrum was not Hermitian"
        )


class LinearOperatorCirculant(_Circulant):
    """The circulant operator with a spectrum [..., N] (`tf.linalg.LinearOperatorCirculant`)."""

    def __init__(
        self, spectrum: Any, input_output_dtype: Any = tf.complex64, is_non_singular: Any = None, is_self_adjoint: Any = None,
        is_positive_definite: Any = None, is_square: Any = True, name: str = "LinearOperatorCirculant",
    ) -> None:  # fmt: skip
        super().__init__(spectrum, input_output_dtype, _hints(is_non_singular, is_self_adjoint, is_positive_definite, is_square), name)


class LinearOperatorCirculant2D(_Circulant):
    """The block circulant operator with a spectrum [..., M, N] (`tf.linalg.LinearOperatorCirculant2D`)."""

    _depth = 2

    def __init__(
        self, spectrum: Any, input_output_dtype: Any = tf.complex64, is_non_singular: Any = None, is_self_adjoint: Any = None,
        is_positive_definite: Any = None, is_square: Any = True, name: str = "LinearOperatorCirculant2D",
    ) -> None:  # fmt: skip
        super().__init__(spectrum, input_output_dtype, _hints(is_non_singular, is_self_adjoint, is_positive_definite, is_square), name)


class LinearOperatorCirculant3D(_Circulant):
    """The nested block circulant operator with a spectrum [..., L, M, N] (`tf.linalg.LinearOperatorCirculant3D`)."""

    _depth = 3

    def __init__(
        self, spectrum: Any, input_output_dtype: Any = tf.complex64, is_non_singular: Any = None, is_self_adjoint: Any = None,
        is_positive_definite: Any = None, is_square: Any = True, name: str = "LinearOperatorCirculant3D",
    ) -> None:  # fmt: skip
        super().__init__(spectrum, input_output_dtype, _hints(is_non_singular, is_self_adjoint, is_positive_definite, is_square), name)


__all__ = ["LinearOperatorCirculant", "LinearOperatorCirculant2D", "LinearOperatorCirculant3D"]
