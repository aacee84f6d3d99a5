"""Labels, sequences and arrays as NumPy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np


def to_categorical(y: Any, num_classes: int | None = None, dtype: Any = "float32") -> np.ndarray:
    """Class numbers as one-hot rows (`tf.keras.utils.to_categorical`)."""
    y = np.array(y, dtype="int")
    shape = y.shape
    if shape and shape[-1] == 1 and len(shape) > 1:
        shape = tuple(shape[:-1])
    y = y.reshape(-1)
    if not num_classes:
        num_classes = int(np.max(y)) + 1
    out = np.zeros((y.shape[0], num_classes), dtype=dtype)
    out[np.arange(y.shape[0]), y] = 1
    return out.reshape((*shape, num_classes))


def to_ordinal(y: Any, num_classes: int | None = None, dtype: Any = "float32") -> np.ndarray:
    """Class k as k ones and then zeros (`tf.keras.utils.to_ordinal`)."""
    y = np.array(y, dtype="int")
    shape = y.shape
    if shape and shape[-1] == 1 and len(shape) > 1:
        shape = tuple(shape[:-1])
    y = y.reshape(-1)
    if not num_classes:
        num_classes = int(np.max(y)) + 1
    places = np.arange(num_classes - 1)
    out = np.zeros((y.shape[0], num_classes - 1), dtype=dtype)
    out[places < np.expand_dims(y, -1)] = 1
    return out.reshape((*shape, num_classes - 1))


def normalize(x: Any, axis: int = -1, order: int = 2) -> np.ndarray:
    """x divided by its norm of an order along an axis (`tf.keras.utils.normalize`)."""
    norm = np.atleast_1d(np.linalg.norm(x, order, axis))
    norm[norm == 0] = 1
    return x / np.expand_dims(norm, axis)


def pad_sequences(
    sequences: Any, maxlen: int | None = None, dtype: Any = "int32", padding: str = "pre", truncating: str = "pre", value: Any = 0.0
) -> np.ndarray:
    """Lists of different lengths as one array (`tf.keras.utils.pad_sequences`). ValueError for wrong options or shapes."""
    if not hasattr(sequences, "__len__"):
        raise ValueError("`sequences` must be iterable.")
    count = len(sequences)
    lengths = []
    sample: tuple[int, ...] = ()
    found = False
    for s in sequences:
        try:
            lengths.append(len(s))
        except TypeError as error:
            raise ValueError(f"`sequences` must be a list of iterables. Found non-iterable: {s}") from error
        if not found and len(s):
            sample = np.asarray(s).shape[1:]
            found = True
    if maxlen is None:
        maxlen = int(np.max(lengths))
    is_text = np.issubdtype(dtype, np.str_) or np.issubdtype(dtype, np.str_)
    if isinstance(value, str) and dtype is not object and not is_text:
        raise ValueError(
            f"`dtype` {dtype} is not compatible with `value`'s type: {type(value)}\nYou should set `dtype=object` for variable length strings."
        )
    out = np.full((count, maxlen, *sample), value, dtype=dtype)
    for i, s in enumerate(sequences):
        if not len(s):
            continue
        if truncating == "pre":
            part = s[-maxlen:] if maxlen else s[:0]
        elif truncating == "post":
            part = s[:maxlen]
        else:
            raise ValueError(f'Truncating type "{truncating}" not understood')
        part = np.asarray(part, dtype=dtype)
        if part.shape[1:] != sample:
            raise ValueError(
                f"Shape of sample {part.shape[1:]} of sequence at position {i} is different from expected shape {sample}"
            )
        if padding == "post":
            out[i, : len(part)] = part
        elif padding == "pre":
            out[i, -len(part) :] = part
        else:
            raise ValueError(f'Padding type "{padding}" not understood')
    return out


def set_random_seed(seed: int) -> None:
    """Seed Python's, NumPy's and TensorFlow's random numbers (`tf.keras.utils.set_random_seed`). ValueError for no integer."""
    import random as python_random

    import torch

    import tf2compat as tf

    from .._base.seeds import set_generator

    if not isinstance(seed, (int, np.integer)):
        raise ValueError(f"Expected `seed` argument to be an integer. Received: seed={seed} (of type {type(seed)})")
    python_random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(int(seed))
    tf.random.set_seed(int(seed))
    set_generator(int(seed))


def warmstart_embedding_matrix(
    base_vocabulary: Any, new_vocabulary: Any, base_embeddings: Any, new_embeddings_initializer: Any = "uniform"
) -> Any:
    """An embedding matrix for another vocabulary that keeps the rows of known words (`tf.keras.utils.warmstart_embedding_matrix`)."""
    import tf2compat as tf

    from .. import initializers

    def words(v: Any) -> list[Any]:
        if isinstance(v, str):
            with open(v, encoding="utf-8") as f:
                return [line.rstrip("\n") for line in f]
        return list(v)

    base, new = words(base_vocabulary), words(new_vocabulary)
    if len(set(base)) != len(base) or len(set(new)) != len(new):
        raise ValueError("vocabularies must not have repeated words")
    matrix = np.asarray(base_embeddings.numpy() if hasattr(base_embeddings, "numpy") else base_embeddings)
    fresh = np.array(initializers.get(new_embeddings_initializer)((len(new), matrix.shape[1]), dtype=tf.float32))
    known = {w: i for i, w in enumerate(base)}
    for i, w in enumerate(new):
        if w in known:
            fresh[i] = matrix[known[w]]
    return tf.convert_to_tensor(fresh)
