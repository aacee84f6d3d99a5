"""What `fit`, `evaluate` and `predict` accept, as batches of tensors."""

from __future__ import annotations

import math
import operator
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from tf2compat._engine import nest
from tf2compat._engine.convert import convert_to_tensor
from tf2compat._engine.devices import accelerated, default, host_side, placed
from tf2compat._engine.specs import TensorSpec
from tf2compat._engine.tensor import Tensor, wrap
from tf2compat._engine.variable import Variable
from tf2compat.errors import InvalidArgumentError
from tf2compat.random.seeding import ExactStream, first_of_graph
from tf2compat.random.stateful import permutation

from .config import settings


def unpack(data: Any) -> tuple[Any, Any, Any]:
    """(x, y, sample_weight) of a batch (`tf.keras.utils.unpack_x_y_sample_weight`); ValueError for longer tuples."""
    if isinstance(data, list):
        data = tuple(data)
    if not isinstance(data, tuple):
        return data, None, None
    if len(data) == 1:
        return data[0], None, None
    if len(data) == 2:
        return data[0], data[1], None
    if len(data) == 3:
        return data[0], data[1], data[2]
    raise ValueError(f"Data is expected to be in format `x`, `(x,)`, `(x, y)`, or `(x, y, sample_weight)`, found: {data}")


def pack(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """The tuple that `unpack` takes apart (`tf.keras.utils.pack_x_y_sample_weight`)."""
    if y is None:
        return x if not nest.is_nested(x) else (x,)
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def _is_frame(x: Any) -> bool:
    return type(x).__module__.startswith("pandas")


def to_tensor(x: Any) -> Any:
    """A tensor of an array; floats become `floatx`, as Keras feeds them."""
    if isinstance(x, Tensor) or hasattr(type(x), "_tf_components"):
        return x
    if isinstance(x, Variable):
        return x.value()
    if isinstance(x, torch.Tensor):
        return convert_to_tensor(x)
    if _is_frame(x):
        x = x.to_numpy()
    if hasattr(x, "tocoo"):
        return _sparse(x)
    if not isinstance(x, np.ndarray):
        x = np.asarray(x)
    if x.dtype.kind == "f" and x.dtype.name != settings.floatx:
        x = x.astype(settings.floatx)
    return convert_to_tensor(x)


def _sparse(x: Any) -> Any:
    """The SparseTensor of one of SciPy's sparse matrices, its floats in `floatx`."""
    from tf2compat import SparseTensor

    found = x.tocoo()
    order = np.lexsort((found.col, found.row))
    values = found.data[order]
    if values.dtype.kind == "f":
        values = values.astype(settings.floatx)
    return SparseTensor(np.stack([found.row[order], found.col[order]], 1).astype("int64"), values, found.shape)


def is_arrays(x: Any) -> bool:
    """Whether a value is (a structure of) arrays that hold all samples."""
    flat = nest.flatten(x)
    return bool(flat) and all(
        isinstance(v, (np.ndarray, Tensor, Variable, torch.Tensor, np.generic)) or _is_frame(v) or hasattr(v, "tocoo")
        or (hasattr(v, "__array__") and hasattr(v, "shape") and hasattr(v, "dtype")) or hasattr(v, "_tf_rows")
        for v in flat if v is not None
    )  # fmt: skip


def _is_scalars(x: Any) -> bool:
    flat = nest.flatten(x)
    return bool(flat) and all(isinstance(v, (int, float, str, bytes, bool)) for v in flat)


def _size(x: Any) -> int:
    if hasattr(x, "_tf_rows"):  # ragged, sparse, a batchable extension type
        return int(x._tf_rows())
    return int(x.shape[0]) if x.shape.rank else 0


def check_cardinality(data: Any) -> None:
    """ValueError unless x, y and the weights are of equally many samples."""
    sizes = {_size(v) for v in nest.flatten(data) if v is not None}
    if len(sizes) > 1:
        shown = "Data cardinality is ambiguous:\n"
        for label, part in zip(("x", "y", "sample_weight"), data, strict=False):
            if part is not None:
                found = ", ".join(str(_size(v)) for v in nest.flatten(part) if v is not None)
                shown += f"  {label} sizes: {found}\n"
        raise ValueError(shown + "Make sure all arrays contain the same number of samples.")


class Arrays:
    """Batches of arrays that hold all samples. Shuffled anew in each epoch where asked for."""

    def __init__(self, data: tuple[Any, ...], batch_size: int | None, shuffle: Any, steps: int | None = None) -> None:
        self.data = nest.map_structure(lambda v: None if v is None else to_tensor(v), _kept(data))
        flat = [v for v in nest.flatten(self.data) if v is not None]
        for v in flat:
            if not hasattr(v, "_tf_rows") and v.shape.rank == 0:
                raise ValueError(f"Data cardinality is ambiguous: a scalar was given where samples are needed: {v!r}")
        check_cardinality(self.data)
        self.n = _size(flat[0])
        if self.n == 0:
            raise ValueError("Expected input data to be non-empty.")
        if batch_size is None:
            batch_size = int(math.ceil(self.n / steps)) if steps else 32
        self.batch_size = operator.index(batch_size)
        if self.batch_size < 1:
            raise ValueError(f"Expected batch_size to be positive. Received is {batch_size}.")
        self.steps = int(math.ceil(self.n / self.batch_size))
        self.shuffle = shuffle
        self.flat = flat
        # where a global seed decides, the order is the one of the function that shuffles in Keras: the first random op of its graph
        self._numbers = first_of_graph() if shuffle and shuffle != "batch" else None

    def __iter__(self) -> Iterator[Any]:
        n, size = self.n, self.batch_size
        order = None
        if self.shuffle == "batch":
            starts = torch.randperm(n // size).tolist() + ([n // size] if n % size else [])
        else:
            starts = list(range(self.steps))
            if self.shuffle:
                order = permutation(self._numbers, n) if isinstance(self._numbers, ExactStream) else torch.randperm(n)
                if accelerated():  # the rows' numbers are where the rows are
                    where = next((v._t.device for v in self.flat if isinstance(getattr(v, "_t", None), torch.Tensor)), order.device)
                    order = order.to(where)
        whole: Any = self.data
        if len(whole) == 1:  # a step is given inputs alone as they are, several of them as a tuple in a tuple
            whole = (tuple(whole[0]),) if type(whole[0]) in (list, tuple) else whole[0]
        if n <= size and order is None:
            for _ in starts:
                yield whole
            return
        single = type(whole) is tuple and len(whole) == 2 and isinstance(whole[0], Tensor) and isinstance(whole[1], Tensor)
        for i in starts:
            a, b = i * size, min(n, (i + 1) * size)
            if order is None:
                if single and not accelerated() and type(whole[0]._t) is type(whole[1]._t) is torch.Tensor:
                    yield wrap(whole[0]._t[a:b]), wrap(whole[1]._t[a:b])
                else:
                    yield nest.map_structure(lambda v, a=a, b=b: None if v is None else _part(v, slice(a, b)), whole)
            else:
                index = order[a:b]
                if single and type(whole[0]._t) is type(whole[1]._t) is torch.Tensor and whole[0]._t.device.type == "cpu":
                    yield wrap(whole[0]._t.index_select(0, index)), wrap(whole[1]._t.index_select(0, index))
                else:
                    yield nest.map_structure(lambda v, index=index: None if v is None else _part(v, index), whole)


def _part(v: Any, which: Any) -> Any:
    if hasattr(type(v), "_tf_components"):
        return v._tf_take(which if isinstance(which, slice) else which.cpu())
    t = v._t
    if isinstance(t, np.ndarray):
        return wrap(t[which if isinstance(which, slice) else which.cpu().numpy()])
    return placed(wrap(t[which] if isinstance(which, slice) else t.index_select(0, which.to(t.device))))


def _kept(data: Any) -> Any:
    """Arrays that would fill a GPU's memory stay in the host's; their batches move."""
    if not accelerated():
        return data
    free = torch.cuda.mem_get_info(default())[0]
    wanted = sum(int(getattr(v, "nbytes", 0)) for v in nest.flatten(data) if isinstance(v, np.ndarray))
    if wanted <= free // 4:
        return data
    with host_side():
        return nest.map_structure(lambda v: to_tensor(v) if isinstance(v, np.ndarray) else v, data)


class Batches:
    """Batches of a dataset, loader, generator or `Sequence`; `steps` is None where their number is not known.

    `endless` ones begin again with every epoch, however many steps it has.
    """

    def __init__(self, source: Any, steps: int | None, again: bool, convert: bool = True, endless: bool = False) -> None:
        self.endless = endless
        self.source = source
        self.steps = steps
        self.again = again
        self.convert = convert
        self.element_spec = getattr(source, "element_spec", None)

    def __iter__(self) -> Iterator[Any]:
        for batch in self.source:
            yield nest.map_structure(_batch_tensor, tuple(batch) if isinstance(batch, list) else batch) if self.convert else batch


def _batch_tensor(v: Any) -> Any:
    return placed(v if v is None or isinstance(v, Tensor) else to_tensor(v))


def _spec(v: Any) -> Any:
    """The spec of batches such as this one, of any size; None of what is no array."""
    if not isinstance(v, (np.ndarray, Tensor)) or not len(v.shape):
        return None
    dtype = v.dtype if isinstance(v, Tensor) else settings.floatx if v.dtype.kind == "f" else v.dtype.name
    return TensorSpec([None, *list(v.shape)[1:]], dtype)


class _FromSequence:
    """A `Sequence`, in order or shuffled: once, or by workers again and again with its `on_epoch_end` in between."""

    def __init__(self, sequence: Any, shuffle: bool, again: bool) -> None:
        self.sequence = sequence
        self.shuffle = shuffle
        self.again = again
        # Keras looks at a batch first, which draws from the generators of random numbers that the sequence uses, and makes the weights then
        first = sequence[0] if len(sequence) else None
        self.element_spec = nest.map_structure(_spec, tuple(first)) if isinstance(first, (list, tuple)) else None

    def __iter__(self) -> Iterator[Any]:
        n = len(self.sequence)
        while n:
            order = list(range(n))
            if self.shuffle:
                random.shuffle(order)  # Python's, as Keras does
            for i in order:
                yield self.sequence[i]
            if not self.again:
                return
            self.sequence.on_epoch_end()


def _ahead(source: Any, workers: int, queue_size: int) -> Any:
    """Batches made ahead of time by a thread."""
    if workers <= 1:  # one worker gains nothing over the calling thread
        return source
    from .prefetch import Prefetched

    return Prefetched(source, queue_size)


def batches_of(
    x: Any, y: Any = None, sample_weight: Any = None, batch_size: int | None = None, steps: int | None = None, shuffle: Any = False,
    workers: int = 1, max_queue_size: int = 10,
) -> Any:  # fmt: skip
    """An iterable of batches with `steps`, for anything Keras accepts as data. ValueError for what it does not."""
    from .sequence import Sequence

    if hasattr(x, "dataset_fn") and hasattr(x, "input_options"):  # a DatasetCreator
        from tf2compat.distribute import InputContext

        x = x(InputContext())
    if isinstance(x, Sequence) or _is_torch_loader(x) or _is_dataset(x) or _is_generator(x):
        what = "`keras.utils.Sequence`" if isinstance(x, Sequence) else "dataset" if _is_dataset(x) else "python generator"
        if y is not None:
            raise ValueError(f"`y` argument is not supported when using {what} as input.")
        if sample_weight is not None:
            raise ValueError(f"`sample_weight` argument is not supported when using {what} as input.")
    if isinstance(x, Sequence):
        source = _FromSequence(x, bool(shuffle), workers > 1)
        found = Batches(_ahead(source, workers, max_queue_size), len(x), True, endless=True)
        found.element_spec = source.element_spec
        return found
    if _is_dataset(x):
        return Batches(x, _cardinality(x), True, convert=False)
    if _is_torch_loader(x):
        try:
            known: int | None = len(x)
        except TypeError:
            known = None
        return Batches(x, known, True)
    if _is_generator(x):
        return Batches(x, None, False)
    parts = (x, y) if sample_weight is None else (x, y, sample_weight)
    if y is None and sample_weight is None:
        parts = (x,)
    if not all(p is None or is_arrays(p) for p in parts):
        if all(p is None or is_arrays(p) or _is_scalars(p) for p in parts):
            parts = tuple(p if p is None or is_arrays(p) else _lists(p) for p in parts)
        else:
            raise ValueError(
                f"Failed to find data adapter that can handle input: {_kind(x)}, {_kind(y)}"
            )
    return Arrays(parts, batch_size, shuffle, steps)


def inputs_of(batches: Any) -> Any:
    """The inputs, or their specs, of which `batches` gives parts; None where only a batch could tell."""
    inner = getattr(batches, "inner", batches)
    if isinstance(inner, Arrays):
        return inner.data[0]
    spec = getattr(inner, "element_spec", None)
    if isinstance(spec, tuple) and spec:
        spec = spec[0]
    return spec if hasattr(spec, "shape") and hasattr(spec, "dtype") else None


def sizes_vary(batches: Any) -> bool:
    """Whether batches differ in size, as far as Keras knows: those of arrays where the last one is smaller, of datasets by what they say."""
    inner = getattr(batches, "inner", batches)
    if isinstance(inner, Arrays):
        return bool(inner.n % inner.batch_size)
    source = getattr(inner, "source", None)
    if not _is_dataset(source):
        return True
    shapes = [getattr(spec, "shape", None) for spec in nest.flatten(source.element_spec)]
    return any(s is not None and s.rank and s[0] is None for s in shapes)


def _lists(value: Any) -> Any:
    """Lists of numbers are one array; lists of such lists are several, as Keras has it."""
    if isinstance(value, (list, tuple)) and value and isinstance(value[0], (list, tuple)) and len({len(v) for v in value}) == 1:
        return np.asarray(value)
    if isinstance(value, dict):
        return {k: _lists(v) for k, v in value.items()}
    return np.asarray(value)


def _kind(x: Any) -> str:
    if x is None:
        return str(type(None))
    if isinstance(x, (list, tuple)) and x:
        return f"(<class '{type(x).__name__}'> containing values of types {{{', '.join(sorted({_kind(v) for v in x}))!r}}})"
    return str(type(x))


def _is_dataset(x: Any) -> bool:
    return hasattr(x, "element_spec") and hasattr(x, "__iter__") and not isinstance(x, Tensor)


def _is_torch_loader(x: Any) -> bool:
    return isinstance(x, torch.utils.data.DataLoader)


def _is_generator(x: Any) -> bool:
    return hasattr(x, "__next__") and hasattr(x, "__iter__") or hasattr(x, "next")


def _cardinality(dataset: Any) -> int | None:
    found = getattr(dataset, "cardinality", None)
    if found is None:
        return None
    n = int(found() if callable(found) else found)
    return None if n == -2 else math.inf if n == -1 else n  # type: ignore[return-value]


def split(arrays: Any, fraction: float) -> tuple[Any, Any]:
    """Arrays without their last part, and that part. ValueError when either would be empty."""
    flat = [v for v in nest.flatten(arrays) if v is not None]
    whole = [type(v) for v in flat if not is_arrays(v) or hasattr(v, "tocoo") or hasattr(type(v), "_tf_components")]
    if whole:
        raise ValueError(f"`validation_split` is only supported for Tensors or NumPy arrays, found following types in the input: {whole}")
    n = len(flat[0])
    at = int(math.floor(n * (1.0 - fraction)))
    if at == 0 or at == n:
        raise ValueError(
            f"Training data contains {n} samples, which is not sufficient to split it into a validation and training set as specified by "
            f"`validation_split={fraction}`. Either provide more data, or a different value for the `validation_split` argument."
        )

    def cut(a: int, b: int | None) -> Any:
        return nest.map_structure(lambda v: None if v is None else (v.iloc[a:b] if _is_frame(v) else v[a:b]), arrays)

    return cut(0, at), cut(at, None)


def with_class_weights(batches: Any, class_weight: dict[int, float]) -> Any:
    """Batches whose samples are weighted by their class. ValueError unless the classes are 0, 1, …"""
    ids = sorted(class_weight)
    if ids != list(range(len(ids))):
        raise ValueError(
            f"Expected `class_weight` to be a dict with keys from 0 to one less than the number of classes, found {class_weight}"
        )
    table = torch.tensor([float(class_weight[i]) for i in ids])

    def weigh(batch: Any) -> Any:
        x, y, sw = unpack(batch)
        if nest.is_nested(y):
            raise ValueError("`class_weight` is only supported for Models with a single output.")
        t = y._t
        if t.ndim >= 2:
            classes = t.argmax(-1) if t.shape[-1] > 1 else t.squeeze(-1)
        else:
            classes = t
        index = (classes.round() if classes.is_floating_point() else classes).to(torch.int64)
        outside = index[(index < 0) | (index >= len(ids))]
        if outside.numel():
            at = int((index.reshape(-1) == outside[0]).nonzero()[0, 0])
            raise InvalidArgumentError(None, None, f"indices[{at}] = {int(outside[0])} is not in [0, {len(ids)}): class_weight={class_weight}")
        weights = table.to(t.device)[index]
        if sw is not None:
            own = sw._t.to(weights.dtype)
            weights = weights * own.reshape(*own.shape, *[1] * (weights.ndim - own.ndim))
        return x, y, wrap(weights)

    return _Mapped(batches, weigh)


class _Mapped:
    def __init__(self, inner: Any, fn: Any) -> None:
        self.inner, self.fn = inner, fn
        self.steps = inner.steps
        self.again = getattr(inner, "again", True)
        self.endless = getattr(inner, "endless", False)

    def __iter__(self) -> Iterator[Any]:
        for batch in self.inner:
            yield self.fn(batch)
