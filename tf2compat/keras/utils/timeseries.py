"""`timeseries_dataset_from_array`: sliding windows of a series as a dataset."""

from __future__ import annotations

from typing import Any

import numpy as np

import tf2compat as tf


def timeseries_dataset_from_array(
    data: Any, targets: Any, sequence_length: int, sequence_stride: int = 1, sampling_rate: int = 1, batch_size: int | None = 128,
    shuffle: bool = False, seed: int | None = None, start_index: int | None = None, end_index: int | None = None,
) -> Any:  # fmt: skip
    """Windows of `data`, with the targets of the same number where given (`tf.keras.utils.timeseries_dataset_from_array`).

    ValueError for indices and sizes that do not fit.
    """
    n = len(data)
    if start_index is not None:
        if start_index < 0:
            raise ValueError(f"`start_index` must be 0 or greater. Received: start_index={start_index}")
        if start_index >= n:
            raise ValueError(f"`start_index` must be lower than the length of the data. Received: start_index={start_index}, for data of length {n}")
    if end_index is not None:
        if start_index and end_index <= start_index:
            raise ValueError(f"`end_index` must be higher than `start_index`. Received: start_index={start_index}, and end_index={end_index} ")
        if end_index >= n:
            raise ValueError(f"`end_index` must be lower than the length of the data. Received: end_index={end_index}, for data of length {n}")
        if end_index <= 0:
            raise ValueError(f"`end_index` must be higher than 0. Received: end_index={end_index}")
    for what, value in (("sampling_rate", sampling_rate), ("sequence_stride", sequence_stride)):
        if value <= 0:
            raise ValueError(f"`{what}` must be higher than 0. Received: {what}={value}")
        if value >= n:
            raise ValueError(f"`{what}` must be lower than the length of the data. Received: {what}={value}, for data of length {n}")
    start = start_index or 0
    end = n if end_index is None else end_index
    count = end - start - (sequence_length - 1) * sampling_rate
    if targets is not None:
        count = min(count, len(targets))
    positions = np.arange(0, count, sequence_stride, dtype="int64")
    if shuffle:
        seed = np.random.randint(1_000_000) if seed is None else seed
        np.random.RandomState(seed).shuffle(positions)
    values = tf.convert_to_tensor(data[start:end] if isinstance(data, (list, tuple)) else np.asarray(data)[start:end])
    offsets = tf.constant(np.arange(sequence_length, dtype="int64") * sampling_rate)
    chosen = tf.data.Dataset.from_tensor_slices(positions)
    if targets is not None:
        labels = tf.convert_to_tensor(targets if isinstance(targets, (list, tuple)) else np.asarray(targets))

        def pair(i: Any) -> Any:
            return tf.gather(values, i + offsets), tf.gather(labels, i)

        out = chosen.map(pair)
    else:
        out = chosen.map(lambda i: tf.gather(values, i + offsets))
    if batch_size is not None:
        if shuffle:
            out = out.shuffle(buffer_size=batch_size * 8, seed=seed)
        return out.batch(batch_size).prefetch(tf.data.AUTOTUNE)
    return out.shuffle(buffer_size=1024, seed=seed) if shuffle else out
