"""`tf.signal`. Each file holds one kind of function; this one names them all."""

# ruff: noqa: F401 - the names of the package are gathered here
from __future__ import annotations

from .._names import module_getattr
from .fourier import (
    dct,
    fft,
    fft2d,
    fft3d,
    fftnd,
    fftshift,
    idct,
    ifft,
    ifft2d,
    ifft3d,
    ifftnd,
    ifftshift,
    irfft,
    irfft2d,
    irfft3d,
    irfftnd,
    rfft,
    rfft2d,
    rfft3d,
    rfftnd,
)
from .spectral import (
    frame,
    inverse_mdct,
    inverse_stft,
    inverse_stft_window_fn,
    linear_to_mel_weight_matrix,
    mdct,
    mfccs_from_log_mel_spectrograms,
    overlap_and_add,
    stft,
)
from .windows import hamming_window, hann_window, kaiser_bessel_derived_window, kaiser_window, vorbis_window

__getattr__ = module_getattr("tf.signal")
