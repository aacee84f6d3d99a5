"""WAV files: there and back, resized, and damaged."""

from __future__ import annotations

import numpy as np
import pytest

import tf2compat as tf

SOUND = np.array([[0.0, 0.5], [-1.0, 0.25], [1.5, -0.125]], "float32")


def test_there_and_back() -> None:
    audio, rate = tf.audio.decode_wav(tf.audio.encode_wav(SOUND, 8000))
    np.testing.assert_allclose(audio, SOUND.clip(-1, 32767 / 32768))
    assert rate.numpy() == 8000 and rate.dtype == tf.int32


def test_channels_and_samples_as_asked() -> None:
    audio = tf.audio.decode_wav(tf.audio.encode_wav(SOUND, 8000), desired_channels=1, desired_samples=5).audio
    assert audio.shape == (5, 1) and audio.numpy()[3:].tolist() == [[0.0], [0.0]]


def test_in_a_function() -> None:
    @tf.function
    def loud(data: tf.Tensor) -> tf.Tensor:
        return tf.reduce_max(tf.audio.decode_wav(data).audio)

    assert loud(tf.audio.encode_wav(SOUND, 8000)).numpy() == 32767 / 32768


@pytest.mark.parametrize("cut", [0, 3, 10, 30, 46])
def test_damaged(cut: int) -> None:
    whole = tf.audio.encode_wav(SOUND, 8000).numpy()
    with pytest.raises(tf.errors.InvalidArgumentError):
        tf.audio.decode_wav(whole[:cut])
