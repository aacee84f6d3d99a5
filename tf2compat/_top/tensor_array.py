"""`tf.TensorArray`: a list of tensors that loops write and read, in eager code and in graphs."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from .. import errors
from .._engine import dtypes, state
from .._engine.convert import convert_to_tensor
from .._engine.op import ANY, ANYS, DTYPE, INT, INTS, op
from .._engine.shapes import TensorShape
from .._engine.tensor import Tensor
from .._engine.unfit import Unfit

__all__ = ["TensorArray"]


class Items:
    """The elements of an array at one time. Writing gives the elements at a later time and takes the memory over.

    An older time keeps what it needs to be restored, so a loop writes without copying and yet nothing that was is lost.
    """

    __slots__ = ("items", "undo", "dynamic", "dtype", "keep", "ndim", "requires_grad")

    def __init__(self, items: list[Any] | None, dynamic: bool, dtype: dtypes.DType, keep: bool) -> None:
        self.items = items
        self.undo: Any = None
        self.dynamic, self.dtype, self.keep = dynamic, dtype, keep
        self.ndim = 0
        self.requires_grad = False

    def now(self) -> list[Any]:
        """The elements."""
        if self.items is None:
            index, old, size, later = self.undo
            items = list(later.now())[:size]
            items.extend([None] * (size - len(items)))  # what came later may have been shorter
            if index < size:
                items[index] = old
            self.items, self.undo = items, None
        return self.items  # type: ignore[return-value]

    def checked(self, index: int) -> int:
        size = len(self.now())
        if index < 0:
            raise errors.OutOfRangeError(None, None, f"Writing to negative indices (index {index}) is not allowed.")
        if index >= size and not self.dynamic:
            raise errors.OutOfRangeError(None, None, f"Tried to write to index {index} but array is not resizeable and size is: {size}")
        return index

    def write(self, index: int, value: Any) -> Items:
        self.checked(index)
        items = self.now()
        size = len(items)
        new = Items(items, self.dynamic, self.dtype, self.keep)
        if index >= size:
            items.extend([None] * (index + 1 - size))
        self.undo = (index, items[index] if index < size else None, size, new)
        self.items = None
        items[index] = value
        return new

    def pop(self) -> Items:
        """Without the last element."""
        items = self.now()
        new = Items(items, self.dynamic, self.dtype, self.keep)
        self.undo = (len(items) - 1, items[-1], len(items), new)
        self.items = None
        items.pop()
        return new

    def detach(self) -> Items:
        return self

    @property
    def shape(self) -> tuple[int, ...]:
        return ()


    def apart(self) -> Items:
        """The same elements at another time."""
        return Items(list(self.now()), self.dynamic, self.dtype, self.keep)

    def recorded(self, recorder: Any, found: Items) -> Items:
        """The elements in one piece of memory, for a loop that is recorded and gives `found`."""
        before, after = self.now(), found.now()
        made = [i for i in after if i is not None]
        if not made or not all(isinstance(i, torch.Tensor) and i.shape == made[0].shape and i.dtype is made[0].dtype for i in made):
            raise Unfit("an array whose elements are not alike, or are not there")
        if len(after) < len(before) or any(i is not None and i.requires_grad for i in before):
            raise Unfit("an array that is differentiated")
        if all(i is not None for i in before) and len(before) == len(after):
            memory = torch.stack(before)
        else:
            memory = torch.zeros((len(after), *made[0].shape), dtype=made[0].dtype)
            recorder.view(memory, "own").block.dynamic = recorder.view(memory).block.shared = True
            for place, item in zip(memory, before, strict=False):
                if item is not None:
                    place.copy_(item)
        length = torch.full((), len(before), dtype=torch.int64) if self.dynamic else None
        for t in (memory, length):
            if t is not None:
                recorder.view(t).block.shared = recorder.view(t).block.dynamic = True
        return Recorded(memory, length, self)


class Recorded(Items):
    """The elements while a region is recorded: they change in place, and nobody may look at an earlier time."""

    __slots__ = ("elements", "length", "past")

    def __init__(self, elements: Any, length: Any, like: Items) -> None:
        super().__init__(None, like.dynamic, like.dtype, like.keep)
        self.elements, self.length, self.past = elements, length, False

    def now(self) -> list[Any]:
        if self.past:
            raise Unfit("an array is used as it was before it was written")
        return list(self.elements)

    def memory(self) -> list[Any]:
        return [t for t in (self.elements, self.length) if t is not None]

    def write(self, index: Any, value: Any) -> Items:
        if self.past or value.shape != self.elements.shape[1:] or value.requires_grad:
            raise Unfit("an array is used as it was, with another shape, or differentiated")
        at = index.reshape(1).long() if isinstance(index, torch.Tensor) else torch.tensor([index])
        self.elements.index_copy_(0, at, value.unsqueeze(0))
        if self.length is not None:
            self.length.copy_(torch.maximum(self.length, at[0] + 1))
        new = Recorded(self.elements, self.length, self)
        self.past = True
        return new

    def read(self, index: Any) -> Any:
        if self.past:
            raise Unfit("an array is used as it was before it was written")
        at = index.reshape(1).long() if isinstance(index, torch.Tensor) else torch.tensor([index])
        return self.elements.index_select(0, at)[0]

    def follow(self, new: Any) -> None:
        """Look whether a body gave this array back."""
        if not isinstance(new, Recorded) or new.elements is not self.elements or new.past:
            raise Unfit("another array takes the place of one")
        self.past = False

    def recorded(self, recorder: Any, found: Items) -> Items:
        if len(found.now()) != len(self.elements):
            raise Unfit("an array grows")
        return self

    def apart(self) -> Items:
        return Items([e.clone() for e in self.now()], self.dynamic, self.dtype, self.keep)

    def after(self, recorder: Any) -> Items:
        """The array when a loop has ended."""
        if self.length is not None and not bool(self.length == len(self.elements)):
            raise Unfit("an array has another size")
        return self

    def copy_(self, found: Items) -> None:
        for place, item in zip(self.elements, found.now(), strict=True):
            place.zero_() if item is None else place.copy_(item)
        if self.length is not None:
            self.length.fill_(len(self.elements))


def _zeros(items: list[Any], dtype: dtypes.DType, dims: Any) -> Any:
    like = next((i for i in items if i is not None), None)
    if like is not None:
        return torch.zeros_like(like) if isinstance(like, torch.Tensor) else np.full(like.shape, b"", dtype=object)
    if dims is None or None in dims:
        raise ValueError("Cannot convert a partially known TensorShape <unknown> to a Tensor.")
    return torch.zeros(dims, dtype=dtype.torch) if dtype.torch is not None else np.full(dims, b"", dtype=object)


def _read(array: Items, index: int, dims: Any) -> Any:
    items = array.now()
    if not 0 <= index < len(items):
        raise errors.OutOfRangeError(None, None, f"Tried to read from index {index} but array size is: {len(items)}")
    found = items[index]
    return _zeros(items, array.dtype, dims) if found is None else found


def _stack(array: Items, dims: Any) -> Any:
    items = array.now()
    if type(array) is Recorded:
        return array.elements.clone()
    if not items:
        return torch.zeros((0, *(0 if d is None else d for d in dims or ())), dtype=array.dtype.torch)
    if any(i is None for i in items):
        zero = _zeros(items, array.dtype, dims)
        items = [zero if i is None else i for i in items]
    shapes = {tuple(i.shape) for i in items}
    if len(shapes) > 1:
        raise errors.InvalidArgumentError(
            None, None, f"Tried to stack elements of a TensorArray with different shapes: {sorted(map(list, shapes))}"
        )
    return torch.stack(_together(items)) if isinstance(items[0], torch.Tensor) else np.stack(items)


def _together(items: list[Any]) -> list[Any]:
    """Elements in one memory: a GPU's where one of them is there."""
    gpu = next((i.device for i in items if i.is_cuda), None)
    return items if gpu is None else [i.to(gpu) for i in items]


# --- the ops of graphs -----------------------------------------------------------------------------------------------
@op("TensorListReserve", size=INT, dtype=DTYPE)
def _create(size: Any, dtype: Any, dynamic: bool, keep: bool) -> Any:
    return Items([None] * size, dynamic, dtype, keep)


@op("TensorListSetItem", array=ANY, index=INT, value=ANY)
def _write_op(array: Any, index: Any, value: Any) -> Any:
    if not isinstance(index, int) or type(array) is Recorded:
        if type(array) is not Recorded:
            raise Unfit("which element is written is known to the host alone")
        return array.write(index, value)
    if not array.dynamic and not 0 <= index < len(array.now()):
        raise errors.InvalidArgumentError(None, None, f"Trying to modify element {index} in a list with {len(array.now())} elements.")
    return array.write(index, value)


@op("TensorListGetItem", array=ANY, index=INT)
def _read_op(array: Any, index: Any, dtype: Any, dims: Any) -> Any:
    if type(array) is Recorded:
        return array.read(index)
    items = array.now()
    if not isinstance(index, int):
        if any(i is None or i.shape != items[0].shape for i in items):
            raise Unfit("which element is read is known to the host alone")
        return torch.stack(_together(items)).index_select(0, index.reshape(1).long())[0]
    if not 0 <= index < len(items):
        raise errors.InvalidArgumentError(None, None, f"Trying to access element {index} in a list with {len(items)} elements.")
    if items[index] is None and (dims is None or None in dims) and all(i is None for i in items):
        shape = TensorShape(None) if dims is None else TensorShape(list(dims))
        raise errors.InvalidArgumentError(
            None, None, f"Trying to read an uninitialized tensor but element_shape is not fully defined: {shape} and no list element is set."
        )
    return _read(array, index, dims)


@op("TensorListStack", array=ANY)
def _stack_op(array: Any, dtype: Any, dims: Any, size: Any) -> Any:
    return _stack(array, dims)


@op("TensorListLength", array=ANY)
def _size_op(array: Any) -> Any:
    return torch.tensor(len(array.now()), dtype=torch.int32)


@op("TensorListFromTensor", array=ANY, value=ANY)
def _unstack_op(array: Any, value: Any) -> Any:
    return Items(_rows(value), array.dynamic, array.dtype, array.keep)


@op("TensorListScatterIntoExistingList", array=ANY, indices=ANY, value=ANY)
def _scatter_op(array: Any, indices: Any, value: Any) -> Any:
    for i, row in zip(indices.tolist(), _rows(value), strict=True):
        array = array.write(i, row)
    return array


@op("TensorListSplit", array=ANY, value=ANY, lengths=INTS)
def _split_op(array: Any, value: Any, lengths: Any) -> Any:
    return Items(_parts(value, lengths), array.dynamic, array.dtype, array.keep)


@op("TensorListGather", array=ANY, indices=ANY)
def _gather_op(array: Any, indices: Any, dtype: Any, dims: Any) -> Any:
    rows = [_read(array, i, dims) for i in indices.tolist()]
    return torch.stack(rows) if isinstance(rows[0], torch.Tensor) else np.stack(rows)


@op("TensorListConcatV2", array=ANY)
def _concat_op(array: Any, dtype: Any, dims: Any) -> Any:
    return _concat(array, dims)


def _concat(array: Items, dims: Any) -> Any:
    items = array.now()
    zero = None if all(i is not None for i in items) else _zeros(items, array.dtype, dims)
    items = [zero if i is None else i for i in items]
    return torch.cat(_together(items)) if isinstance(items[0], torch.Tensor) else np.concatenate(items)


def _rows(value: Any) -> list[Any]:
    if isinstance(value, torch.Tensor):
        return list(value.unbind(0))
    out = []
    for i in range(value.shape[0]):
        row = value[i]
        if not isinstance(row, np.ndarray):
            box = np.empty((), dtype=object)
            box[()] = row
            row = box
        out.append(row)
    return out


def _parts(value: Any, lengths: Any) -> list[Any]:
    if sum(lengths) != value.shape[0]:
        raise errors.InvalidArgumentError(
            None, None, f"Expected sum of lengths to be equal to values.shape[0], but sum of lengths is {sum(lengths)} and value's shape "
            f"is: {list(value.shape)}"
        )  # fmt: skip
    out, at = [], 0
    for n in lengths:
        out.append(value[at : at + n])
        at += n
    return out


@op("TensorListResize", array=ANY, size=INT)
def list_resized(array: Any, size: Any) -> Any:
    """The list of a graph with `size` elements, the new ones of which are not set."""
    if type(array) is Recorded or not isinstance(size, int):
        raise Unfit("the size of an array changes")
    items = array.now()
    if size == len(items) - 1:
        return array.pop()
    return Items([*items[:size], *[None] * (size - len(items))], True, array.dtype, array.keep)


@op("AddN", arrays=ANYS)
def list_sum(arrays: Any) -> Any:
    """The list of the sums of lists' elements, where one that is not set counts as zeros."""
    every = [a.now() for a in arrays]
    out: list[Any] = []
    for i in range(max(len(items) for items in every)):
        total = None
        for items in every:
            if i < len(items) and items[i] is not None:
                total = items[i] if total is None else list_sum.op.fn([total, items[i]]) if isinstance(total, Items) else total + items[i]
        out.append(total)
    return Items(out, True, arrays[0].dtype, True)


@op("ZerosLike", array=ANY)
def list_of_zeros(array: Any) -> Any:
    """The list of zeros like a list's elements."""
    items = [None if i is None else list_of_zeros.op.fn(i) if isinstance(i, Items) else torch.zeros_like(i) for i in array.now()]
    return Items(items, True, array.dtype, True)


#: the ops that write and read an element, for graphs that hold what is no TensorArray
list_written, list_element = _write_op, _read_op

_ARRAY = [(dtypes.variant, ())]
list_resized.infer(lambda array, size: _ARRAY)
list_sum.infer(lambda arrays: _ARRAY)
list_of_zeros.infer(lambda array: _ARRAY)
for _f in (_create, _write_op, _unstack_op, _scatter_op, _split_op):
    _f.infer(lambda *args: _ARRAY)
_size_op.infer(lambda array: [(dtypes.int32, ())])
_read_op.infer(lambda array, index, dtype, dims: [(dtype, dims)])
_stack_op.infer(lambda array, dtype, dims, size: [(dtype, None if dims is None else (size, *dims))])
_gather_op.infer(lambda array, indices, dtype, dims: [(dtype, None if dims is None else (indices.shape[0], *dims))])
_concat_op.infer(lambda array, dtype, dims: [(dtype, (None, *dims[1:]) if dims else None)])
for _f in (_write_op, _read_op, _stack_op, _unstack_op, _scatter_op, _split_op, _gather_op, _concat_op):
    _f.strings(_f.op.fn)


class TensorArray:
    """A list of tensors of one dtype that is written and read by index (`tf.TensorArray`).

    `size` elements, more with `dynamic_size`. In a graph every writing method gives the array after it, and the one
    before stays what it was. With `clear_after_read` (the default in eager code) an element can be read once.
    """

    _ag_iterated = True

    def __init__(
        self,
        dtype: Any,
        size: Any = None,
        dynamic_size: bool | None = None,
        clear_after_read: bool | None = None,
        tensor_array_name: str | None = None,
        handle: Any = None,
        flow: Any = None,
        infer_shape: bool = True,
        element_shape: Any = None,
        colocate_with_first_write_call: bool = True,
        name: str | None = None,
    ) -> None:
        if handle is not None:
            raise ValueError("TensorArray: `handle` belongs to TensorFlow 1 and is not supported")
        self._dtype = dtypes.as_dtype(dtype)
        self._dynamic = bool(dynamic_size)
        self._clear = True if clear_after_read is None else bool(clear_after_read)
        self._infer = bool(infer_shape)
        self._shape = TensorShape(element_shape)
        self._size_hint: Any = None
        self._cleared: set[int] = set()
        self._items: list[Any] | None = None
        self._flow: Any = None
        if flow is not None:
            self._flow = flow
            return
        if size is None:
            size = 0
        if state.local.graph is not None:
            self._flow = _create(size, self._dtype, self._dynamic, not self._clear)
            if isinstance(size, int) and not self._dynamic:
                self._size_hint = size
        else:
            self._items = [None] * int(size)

    # --- as a part of structures -------------------------------------------------------------------------------------
    def _tf_components(self) -> list[Any]:
        return [self._tensor()]

    def _tf_from_components(self, components: list[Any]) -> TensorArray:
        return self._with(components[0])

    def _tf_either(self, other: Any) -> TensorArray:
        """This array or the other, in which a branch may not have written yet."""
        if self._shape.rank is None and isinstance(other, TensorArray) and other._shape.rank is not None:
            new = self._with(self._flow)
            new._shape = other._shape
            return new
        return self

    @property
    def _type_spec(self) -> Any:
        from .._engine.specs import TensorArraySpec

        return TensorArraySpec(self._shape, self._dtype, self._dynamic, self._infer)

    def _tf_static(self) -> Any:
        """What a trace depends on beside the components."""
        shape = None if self._shape.rank is None else tuple(self._shape.as_list())
        return self._dtype, shape, self._dynamic, self._clear, self._infer

    def _tensor(self) -> Any:
        """The array as one tensor of dtype variant in the graph being traced."""
        if self._flow is None:
            graph = state.local.graph
            if graph is None:
                raise NotImplementedError("an eager tf.TensorArray has no tensor form; pass its stack()")
            flow = _create(len(self._items or ()), self._dtype, self._dynamic, not self._clear)
            for i, item in enumerate(self._items or ()):
                if item is not None:
                    flow = _write_op(flow, i, item)
            self._flow = flow
        return self._flow

    def _with(self, flow: Any) -> TensorArray:
        new = TensorArray.__new__(TensorArray)
        new.__dict__.update(self.__dict__)
        new._flow, new._items, new._cleared = flow, None, set()
        return new

    @property
    def _graph_mode(self) -> bool:
        return self._flow is not None or state.local.graph is not None

    # --- description -------------------------------------------------------------------------------------------------
    @property
    def dtype(self) -> dtypes.DType:
        return self._dtype

    @property
    def element_shape(self) -> TensorShape:
        return self._shape

    @property
    def dynamic_size(self) -> bool:
        return self._dynamic

    @property
    def handle(self) -> Any:
        return None

    @property
    def flow(self) -> Any:
        return self._flow if self._flow is not None else convert_to_tensor(0)

    def _dims(self) -> Any:
        return None if self._shape.rank is None else tuple(self._shape.as_list())

    def _note(self, shape: TensorShape) -> TensorShape:
        """Check an element's shape against the others', and remember it."""
        if not self._shape.is_compatible_with(shape):
            raise ValueError(f"Incompatible shape for value ({shape}), expected ({self._shape})")
        return self._shape.merge_with(shape) if self._infer else self._shape

    def _element(self, value: Any) -> Tensor:
        t = convert_to_tensor(value, dtype_hint=self._dtype)
        if t.dtype is not self._dtype:
            raise errors.InvalidArgumentError(
                None, None, f"TensorArray dtype is {self._dtype.name} but Op is trying to write dtype {t.dtype.name}"
            )
        return t

    # --- writing -----------------------------------------------------------------------------------------------------
    def write(self, index: Any, value: Any, name: str | None = None) -> TensorArray:
        """Set an element; gives the array after it. OutOfRangeError for an index outside of it."""
        t = self._element(value)
        shape = self._note(t.shape)
        if self._graph_mode:
            new = self._with(_write_op(self._tensor(), index, t))
            new._shape = shape
            return new
        items = self._items
        assert items is not None
        i = Items(items, self._dynamic, self._dtype, True).checked(int(index))
        if i >= len(items):
            items.extend([None] * (i + 1 - len(items)))
        items[i] = t
        self._shape = shape
        self._cleared.discard(i)
        return self

    def unstack(self, value: Any, name: str | None = None) -> TensorArray:
        """Take the slices of `value` along its first axis as the elements."""
        t = self._element(value)
        if t.shape.rank == 0:
            raise ValueError("TensorArray.unstack needs a value of rank 1 or more, got a scalar")
        shape = self._note(t.shape[1:] if t.shape.rank is not None else TensorShape(None))
        if self._graph_mode:
            new = self._with(_unstack_op(self._tensor(), t))
            new._shape = shape
            new._size_hint = None if t.shape.rank is None else t.shape[0]
            return new
        from .joining import unstack

        self._items = list(unstack(t))
        self._shape = shape
        self._cleared.clear()
        return self

    def scatter(self, indices: Any, value: Any, name: str | None = None) -> TensorArray:
        """Set the elements at `indices` to the slices of `value`."""
        t = self._element(value)
        shape = self._note(t.shape[1:] if t.shape.rank is not None else TensorShape(None))
        if self._graph_mode:
            new = self._with(_scatter_op(self._tensor(), convert_to_tensor(indices), t))
            new._shape = shape
            return new
        from .joining import unstack

        for i, row in zip(np.asarray(indices).reshape(-1).tolist(), unstack(t), strict=True):
            self.write(i, row)
        return self

    def split(self, value: Any, lengths: Any, name: str | None = None) -> TensorArray:
        """Take consecutive pieces of `value`, of the given lengths, as the elements."""
        t = self._element(value)
        if self._infer and isinstance(lengths, (list, tuple)) and len(set(lengths)) == 1 and t.shape.rank:
            self._shape = self._note(TensorShape([lengths[0]]).concatenate(t.shape[1:]))
        if self._graph_mode:
            return self._with(_split_op(self._tensor(), t, lengths))
        sizes = [int(n) for n in np.asarray(lengths).reshape(-1)]
        if sum(sizes) != t.shape[0]:
            _parts(t._t, sizes)
        self._items = [t[sum(sizes[:i]) : sum(sizes[: i + 1])] for i in range(len(sizes))]
        self._cleared.clear()
        return self

    # --- reading -----------------------------------------------------------------------------------------------------
    def read(self, index: Any, name: str | None = None) -> Tensor:
        """The element at `index`; zeros where none was written. OutOfRangeError outside of the array."""
        if self._graph_mode:
            return _read_op(self._tensor(), index, self._dtype, self._dims())
        items = self._items
        assert items is not None
        i = int(index)
        if not 0 <= i < len(items):
            raise errors.OutOfRangeError(None, None, f"Tried to read from index {i} but array size is: {len(items)} ")
        found = items[i]
        if found is None:
            if i in self._cleared:
                raise errors.InvalidArgumentError(
                    None, None, f"Could not read index {i} twice because it was cleared after a previous read (perhaps try setting "
                    "clear_after_read = false?)"
                )  # fmt: skip
            found = self._zero()
        if self._clear:
            items[i] = None
            self._cleared.add(i)
        return found

    def _zero(self) -> Tensor:
        from .creation import zeros

        if self._shape.rank is None or not self._shape.is_fully_defined():
            raise ValueError(f"Cannot convert a partially known TensorShape {self._shape} to a Tensor.")
        return zeros(self._shape, self._dtype)

    def stack(self, name: str | None = None) -> Tensor:
        """All elements, stacked on a new first axis."""
        if self._graph_mode:
            return _stack_op(self._tensor(), self._dtype, self._dims(), self._size_hint)
        from .creation import zeros
        from .joining import stack

        if not self._items:
            return zeros([0, *(0 if d is None else d for d in self._dims() or ())], self._dtype)
        full = [self._zero() if i is None else i for i in self._items]
        if self._clear:
            self._cleared.update(range(len(full)))
            self._items = [None] * len(full)
        return stack(full)

    def gather(self, indices: Any, name: str | None = None) -> Tensor:
        """The elements at `indices`, stacked."""
        if self._graph_mode:
            return _gather_op(self._tensor(), convert_to_tensor(indices), self._dtype, self._dims())
        from .joining import stack

        return stack([self.read(i) for i in np.asarray(indices).reshape(-1).tolist()])

    def concat(self, name: str | None = None) -> Tensor:
        """All elements, joined along their first axis."""
        if self._graph_mode:
            return _concat_op(self._tensor(), self._dtype, self._dims())
        from .joining import concat

        return concat([self._zero() if i is None else i for i in self._items or ()], 0)

    def size(self, name: str | None = None) -> Tensor:
        """The number of elements, an int32 scalar."""
        if self._graph_mode:
            return _size_op(self._tensor())
        return convert_to_tensor(len(self._items or ()))

    # --- the rest ----------------------------------------------------------------------------------------------------
    def identity(self) -> TensorArray:
        """The same array."""
        return self

    def grad(self, source: Any, flow: Any = None, name: str | None = None) -> Any:
        """Gradients come from `tf.GradientTape`: NotImplementedError, as in TensorFlow 2."""
        raise NotImplementedError("TensorArray.grad is not supported: use tf.GradientTape")

    def close(self, name: str | None = None) -> None:
        """Forget the elements."""
        if self._items is not None:
            self._items = []

    def __len__(self) -> int:
        if self._graph_mode:
            raise TypeError("len is not well defined for a TensorArray in a graph; use size()")
        return len(self._items or ())

    def __repr__(self) -> str:
        return f"<tf.TensorArray dtype={self._dtype.name} element_shape={self._shape}>"

