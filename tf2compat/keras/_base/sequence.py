"""`tf.keras.utils.Sequence`: a data set as a list of batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


class Sequence:
    """Base of data sets with `__len__` batches and `__getitem__(index)` (`tf.keras.utils.Sequence`)."""

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError

    def on_epoch_end(self) -> None:
        """Called after each epoch."""

    def __iter__(self) -> Iterator[Any]:
        for i in range(len(self)):
            yield self[i]
