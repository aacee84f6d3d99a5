"""`tensorflow.python.tpu.…`: what libraries import from there and use without a TPU as well."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["SequentialEmbeddingContext", "StreamingFilesDataset", "TpuContext", "get_tpu_context", "tpu_shard_context"]


class TpuContext(threading.local):
    """How many shards a computation on TPUs has: None outside of one."""

    def __init__(self) -> None:
        self._shards: int | None = None

    @property
    def number_of_shards(self) -> int | None:
        return self._shards

    def set_number_of_shards(self, number_of_shards: int | None) -> None:
        self._shards = number_of_shards


_context = TpuContext()


def get_tpu_context() -> TpuContext:
    """This thread's context."""
    return _context


@contextlib.contextmanager
def tpu_shard_context(number_of_shards: int) -> Iterator[None]:
    """Tells the code inside of `number_of_shards` shards."""
    if _context.number_of_shards is not None:
        raise NotImplementedError("tpu_shard_context cannot be nested.")
    _context.set_number_of_shards(number_of_shards)
    try:
        yield
    finally:
        _context.set_number_of_shards(None)


class SequentialEmbeddingContext(contextlib.nullcontext[None]):
    """A block whose TPU embeddings are looked up one step after the other, as they are without TPUs."""


def StreamingFilesDataset(
    files: Any,
    filetype: str | Callable[[Any], Any] | None = None,
    file_reader_job: str | None = None,
    worker_job: str | None = None,
    num_epochs: int | None = None,
    filename_shuffle_buffer_size: int | bool | None = None,
    num_parallel_reads: int | None = None,
    batch_transfer_size: int | bool | None = None,
    sloppy: bool = True,
) -> Any:
    """The records of many files, read several at a time, without end unless `num_epochs` says how often.

    Args:
      files: a pattern, or a dataset of file names.
      filetype: 'tfrecord' (the default), 'textline', or a function from a file name to a dataset.
      file_reader_job, worker_job: None, or a name by which this process is known: 'localhost', 'coordinator' or 'worker'.
      num_epochs: how often all files are read; None repeats them.
      filename_shuffle_buffer_size: how many names are shuffled at a time (4096); 0 or False keeps their order.
      num_parallel_reads: how many files are read at a time (8).
      batch_transfer_size: how many records TensorFlow sends at a time between hosts; records stay in this process.
      sloppy: whether records may come in another order than file by file in turns.

    Raises:
      ValueError: for another `filetype` or kind of `files`.
      NotImplementedError: for a job of another process.
    """
    import tf2compat as tf

    for argument, job in (("file_reader_job", file_reader_job), ("worker_job", worker_job)):
        if job not in (None, "localhost", "coordinator", "worker"):
            raise NotImplementedError(f"StreamingFilesDataset: {argument}={job!r} is not supported by tf2compat, which reads in this process")
    readers: dict[str, Callable[[Any], Any]] = {"tfrecord": tf.data.TFRecordDataset, "textline": tf.data.TextLineDataset}
    filetype = "tfrecord" if filetype is None else filetype
    if isinstance(filetype, str) and filetype not in readers:
        raise ValueError(f"Unexpected filetype. Received: {filetype}. Expected one of {list(readers)}")
    if not isinstance(filetype, str) and not callable(filetype):
        raise ValueError(f"Argument `filetype` should be a string or a callable. Received: {filetype} of type {type(filetype)}.")
    if isinstance(files, str):
        names = tf.data.Dataset.list_files(files)
    elif isinstance(files, tf.data.Dataset):
        names = files
    else:
        raise ValueError(f"Argument `files` should be a string or a `tf.data.Dataset` instance. Received: {files}")
    shuffled = 4096 if filename_shuffle_buffer_size is None else int(filename_shuffle_buffer_size)
    if shuffled:
        names = names.shuffle(shuffled)
    read = readers[filetype] if isinstance(filetype, str) else filetype
    records = names.interleave(read, cycle_length=num_parallel_reads or 8, deterministic=not sloppy)
    return records.repeat(num_epochs).prefetch(1)
