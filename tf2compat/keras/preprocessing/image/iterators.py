"""Batches of images by index: an endless iterator and a `Sequence` at once."""

from __future__ import annotations

import os
import threading
import warnings
from typing import Any

import numpy as np

from ..._base.sequence import Sequence
from ...utils.images import array_to_img


class Iterator(Sequence):
    """Base of the iterators over `n` images (`tf.keras.preprocessing.image.Iterator`).

    Subclasses define `_get_batches_of_transformed_samples(index_array)`. Order and transformations draw from `np.random`, which
    is seeded with `seed` plus the number of batches so far where a seed is given.
    """

    white_list_formats = ("png", "jpg", "jpeg", "bmp", "ppm", "tif", "tiff")

    def __init__(self, n: int, batch_size: int, shuffle: bool, seed: int | None) -> None:
        self.n = n
        self.batch_size = batch_size
        self.seed = seed
        self.shuffle = shuffle
        self.batch_index = 0
        self.total_batches_seen = 0
        self.lock = threading.Lock()
        self.index_array: Any = None
        self.index_generator = self._flow_index()

    def _set_index_array(self) -> None:
        self.index_array = np.random.permutation(self.n) if self.shuffle else np.arange(self.n)

    def _seed(self) -> None:
        if self.seed is not None:
            np.random.seed(self.seed + self.total_batches_seen)

    def __getitem__(self, idx: int) -> Any:
        """Batch number `idx`; ValueError behind the last."""
        if idx >= len(self):
            raise ValueError(f"Asked to retrieve element {idx}, but the Sequence has length {len(self)}")
        self._seed()
        self.total_batches_seen += 1
        if self.index_array is None:
            self._set_index_array()
        return self._get_batches_of_transformed_samples(self.index_array[self.batch_size * idx : self.batch_size * (idx + 1)])

    def __len__(self) -> int:
        return (self.n + self.batch_size - 1) // self.batch_size

    def on_epoch_end(self) -> None:
        """Draw a new order."""
        self._set_index_array()

    def reset(self) -> None:
        """Begin with the first batch again."""
        self.batch_index = 0

    def _flow_index(self) -> Any:
        self.reset()
        while True:
            self._seed()
            if self.batch_index == 0:
                self._set_index_array()
            start = self.batch_index * self.batch_size % self.n if self.n else 0
            self.batch_index = self.batch_index + 1 if self.n > start + self.batch_size else 0
            self.total_batches_seen += 1
            yield self.index_array[start : start + self.batch_size]

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        return self.next()

    def next(self) -> Any:
        """The next batch, without end."""
        with self.lock:
            chosen = next(self.index_generator)
        return self._get_batches_of_transformed_samples(chosen)

    def _get_batches_of_transformed_samples(self, index_array: Any) -> Any:
        raise NotImplementedError

    def _save(self, batch: Any, index_array: Any, most: float) -> None:
        """Write the images of a batch where the user wants to see them."""
        for x, j in zip(batch, index_array, strict=True):
            name = f"{self.save_prefix}_{j}_{np.random.randint(most)}.{self.save_format}"  # type: ignore[attr-defined]
            array_to_img(x, self.data_format, scale=True).save(os.path.join(self.save_to_dir, name))  # type: ignore[attr-defined]


class NumpyArrayIterator(Iterator):
    """Batches of an array `[n, rows, columns, channels]`, each image transformed (`tf.keras.preprocessing.image.NumpyArrayIterator`).

    `x` may be a pair of the images and further inputs. ValueError for lengths that differ, another rank, or a split that leaves
    classes out of a subset.
    """

    def __init__(
        self,
        x: Any,
        y: Any,
        image_data_generator: Any,
        batch_size: int = 32,
        shuffle: bool = False,
        sample_weight: Any = None,
        seed: int | None = None,
        data_format: str | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        ignore_class_split: bool = False,
        dtype: Any = None,
    ) -> None:
        from ... import backend

        data_format = data_format or backend.image_data_format()
        self.dtype = dtype or backend.floatx()
        others: list[Any] = []
        if isinstance(x, (tuple, list)):
            others = [np.asarray(o) for o in (x[1] if isinstance(x[1], list) else [x[1]])]
            x = x[0]
            for other in others:
                if len(x) != len(other):
                    raise ValueError(
                        "All of the arrays in `x` should have the same length. Found a pair with: "
                        f"len(x[0]) = {len(x)}, len(x[?]) = {len(other)}"
                    )
        for name, value in (("`y` (labels)", y), ("`sample_weight`", sample_weight)):
            if value is not None and len(x) != len(value):
                label = "y" if value is y else "sample_weight"
                raise ValueError(
                    f"`x` (images tensor) and {name} should have the same length. Found: x.shape = {np.asarray(x).shape}, "
                    f"{label}.shape = {np.asarray(value).shape}"
                )
        if subset is not None:
            if subset not in ("training", "validation"):
                raise ValueError("Invalid subset name:", subset, '; expected "training" or "validation".')
            at = int(len(x) * image_data_generator._validation_split)
            if y is not None and not ignore_class_split and not np.array_equal(np.unique(y[:at]), np.unique(y[at:])):
                raise ValueError(
                    "Training and validation subsets have different number of classes after the split. If your numpy arrays are sorted by "
                    "the label, you might want to shuffle them."
                )
            part = slice(None, at) if subset == "validation" else slice(at, None)
            x, others = x[part], [o[part] for o in others]
            y = None if y is None else y[part]
        self.x = np.asarray(x, dtype=self.dtype)
        self.x_misc = others
        if self.x.ndim != 4:
            raise ValueError("Input data in `NumpyArrayIterator` should have rank 4. You passed an array with shape", self.x.shape)
        axis = 3 if data_format == "channels_last" else 1
        if self.x.shape[axis] not in (1, 3, 4):
            warnings.warn(
                f'NumpyArrayIterator is set to use the data format convention "{data_format}" (channels on axis {axis}), i.e. expected '
                f"either 1, 3, or 4 channels on axis {axis}. However, it was passed an array with shape {self.x.shape} "
                f"({self.x.shape[axis]} channels).",
                stacklevel=2,
            )
        self.y = None if y is None else np.asarray(y)
        self.sample_weight = None if sample_weight is None else np.asarray(sample_weight)
        self.image_data_generator = image_data_generator
        self.data_format = data_format
        self.save_to_dir = save_to_dir
        self.save_prefix = save_prefix
        self.save_format = save_format
        super().__init__(self.x.shape[0], batch_size, shuffle, seed)

    def _get_batches_of_transformed_samples(self, index_array: Any) -> Any:
        batch = np.zeros((len(index_array), *self.x.shape[1:]), dtype=self.dtype)
        make = self.image_data_generator
        for i, j in enumerate(index_array):
            x = self.x[j]
            params = make.get_random_transform(x.shape)
            batch[i] = make.standardize(make.apply_transform(x.astype(self.dtype), params))
        if self.save_to_dir:
            self._save(batch, index_array, 1e4)
        inputs: Any = [batch, *(o[index_array] for o in self.x_misc)] if self.x_misc else batch
        if self.y is None:
            return inputs
        if self.sample_weight is None:
            return inputs, self.y[index_array]
        return inputs, self.y[index_array], self.sample_weight[index_array]
