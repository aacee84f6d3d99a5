"""`tf.GradientTape` on torch autograd.

A tape decides what is a leaf. Watching a tensor replaces the torch tensor behind it by a leaf (or, inside an outer tape,
by an alias connected to the outer one); reading a trainable variable gives its leaf. The rest is torch's own recording.
When a tape stops recording, watched tensors get their former storage back, so nothing outside is recorded.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any

import numpy as np
import torch

from . import dtypes, nest, state
from .convert import convert_to_tensor
from .denormals import flushed
from .devices import accelerated
from .logs import get_logger
from .lookups import leaf_from
from .op import ANY, ANYS, entering, op, wrap_all
from .tensor import Tensor, wrap
from .variable import Variable

log = get_logger()


@functools.cache
def _leaf_references() -> int:
    """The reference count that `_let_go` sees of a leaf that only its tape and a graph hold, on this Python and torch."""
    entries = {0: (None, [(None, torch.zeros(1, requires_grad=True))])}
    graph = entries[0][1][0][1] * 2
    for _, values in entries.values():
        for _, leaf in values:
            return sys.getrefcount(leaf) + (graph.grad_fn is None)
    return 0


class UnconnectedGradients(Enum):
    """What a gradient is when nothing connects target and source (`tf.UnconnectedGradients`)."""

    NONE = "none"
    ZERO = "zero"


def leaf_of(variable: Variable) -> Any:
    """The storage of a variable as the recording tapes of this thread see it."""
    storage = variable._t
    if type(storage) is np.ndarray or not (storage.is_floating_point() or storage.is_complex()):
        return storage
    for watcher in state.local.watchers:
        watcher.setdefault(id(variable), variable)
    seen = storage
    for tape in state.local.tapes:
        seen = tape._leaf(variable, storage, seen)
    return seen


def symbolic_leaf_of(variable: Variable, read: Tensor) -> Tensor:
    """As `leaf_of` while a graph is traced: `read` is the node that reads the variable's present value."""
    for watcher in state.local.watchers:
        watcher.setdefault(id(variable), variable)
    seen = read
    if read.dtype.is_floating or read.dtype.is_complex:
        for tape in state.local.tapes:
            seen = tape._leaf(variable, read, seen)
    return seen


@contextmanager
def watching_variables() -> Iterator[Any]:
    """The variables that are read in the block while a tape records, in the order of their first use."""
    found: dict[int, Variable] = {}
    state.local.watchers.append(found)
    try:
        yield found.values()
    finally:
        state.local.watchers.remove(found)


def _differentiated(structure: Any) -> list[Any]:
    """The tensors and variables of a structure; of a tensor whose other parts say where values are, only the values."""
    out: list[Any] = []
    for leaf in nest.flatten(structure):
        values = getattr(type(leaf), "_tf_values", None)
        out += nest.flatten(leaf, expand_composites=True) if values is None else [values(leaf)]
    return out


def _packed(structure: Any, gradients: list[Any]) -> Any:
    """Gradients for `_differentiated(structure)` in its structure."""
    leaves, out, left = nest.flatten(structure), [], iter(gradients)
    for leaf in leaves:
        if hasattr(type(leaf), "_tf_values"):
            found = next(left)
            out.append(None if found is None else leaf._tf_with_values(found))
        else:
            parts = [next(left) for _ in nest.flatten(leaf, expand_composites=True)]
            out.append(nest.pack_sequence_as(leaf, parts, expand_composites=True))
    return nest.pack_sequence_as(structure, out)


class _Reader:
    """Stands in for a tape whose recording pauses: variables keep their plain values and are noticed."""

    def _watches(self, variable: Variable) -> bool:
        return False

    def _leaf(self, variable: Variable, storage: Any, seen: Any) -> Any:
        return seen


class _Watcher(_Reader):
    """Stands in for a tape where gradients are taken without one: lookups in its leaves are noticed, see `lookups`."""

    def __init__(self) -> None:
        self._seen: dict[Any, Any] = {}
        self._rows: dict[Any, list[tuple[Any, Any]]] = {}
        self._aliases: dict[int, tuple[Any, Any]] = {}


class GradientTape:
    """Records operations for automatic differentiation (`tf.GradientTape`).

    Trainable variables that are read inside are watched by themselves unless `watch_accessed_variables` is False; tensors
    with `watch`. A tape that is not `persistent` gives one gradient and is then released.
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self._persistent = persistent
        self._watch_accessed_variables = watch_accessed_variables
        self._recording = False
        self._session: Any = self
        self._created_eagerly = state.local.graph is None
        self._clear()

    def _clear(self) -> None:
        # id(tensor wrapper) -> (wrapper, the Tensor that is the leaf, what the wrapper was before)
        self._watched: dict[int, list[Any]] = {}
        # id(variable) -> (variable, [(storage, leaf), …]); one leaf for each value that the variable had
        self._leaves: dict[int, tuple[Variable, list[tuple[Any, Any]]]] = {}
        # leaf (id, or key of a symbolic one) -> what the next outer tape sees in its place; and the lookups in it: (leaf of the rows, row numbers)
        self._seen: dict[Any, Any] = {}
        self._rows: dict[Any, list[tuple[Any, Any]]] = {}
        # what `tf.identity` made of a leaf or of such an alias: id -> (the alias, what it is one of)
        self._aliases: dict[int, tuple[Any, Any]] = {}
        self._explicit: set[int] = set()
        self._tokens: list[Any] = []
        self._shared = False  # whether another tape recorded at the same time: torch's graph is then not ours to free
        self._used = False

    # --- recording ---------------------------------------------------------------------------------------------------
    def __enter__(self) -> GradientTape:
        self._push()
        return self

    def __exit__(self, typ: Any, value: Any, traceback: Any) -> None:
        if self._recording:
            self._pop()

    def _push(self) -> None:
        if self._recording:
            raise ValueError("Tape is still recording, This can happen if you try to re-enter an already-active tape.")
        self._recording = True
        # torch's own setting is left alone unless it would keep this tape from recording (torch.no_grad, a backward pass)
        self._restore_grad = not torch.is_grad_enabled()
        if self._restore_grad:
            torch.set_grad_enabled(True)
        # what tensors are marked with: stays the same when the outermost tape ends before the others
        outermost = state.local.tapes[0] if state.local.tapes else None
        self._session = self._tokens[-1] if outermost is None and self._tokens else getattr(outermost, "_session", outermost) or self
        state.local.tapes.append(self)
        if len(state.local.tapes) > 1:
            for tape in state.local.tapes:
                tape._shared = True
        state.tapes_changed()
        token = self._session
        if not any(t is token for t in self._tokens):
            self._tokens.append(token)
        for entry in self._watched.values():  # re-entering: watched tensors are leaves again
            wrapper, leaf, _ = entry
            entry[2] = _snapshot(wrapper)
            if type(leaf) is Tensor or type(wrapper) is not Tensor:
                wrapper._rebind(leaf)

    def _pop(self) -> None:
        if not self._recording:
            raise ValueError("Tape is not recording.")
        self._recording = False
        if self._restore_grad:
            torch.set_grad_enabled(False)
        state.local.tapes.remove(self)
        state.tapes_changed()
        for wrapper, _, before in self._watched.values():
            wrapper._rebind(before)

    def watch(self, tensor: Any) -> None:
        """Record what is done with `tensor` (a structure of tensors and variables) from now on.

        Raises ValueError for anything that is no tensor; integers are refused with a logged warning, as in TensorFlow.
        """
        for t in _differentiated(tensor):
            if isinstance(t, Variable):
                self._explicit.add(id(t))
                self._leaves.setdefault(id(t), (t, []))
                continue
            if not isinstance(t, Tensor):
                raise ValueError(f"Passed in object {t} of type {type(t).__name__}, not tf.Tensor or tf.Variable or ExtensionType.")
            if not _differentiable(t):
                log.warning("The dtype of the watched tensor must be floating (e.g. tf.float32), got %r", t.dtype)
                continue
            if id(t) in self._watched:
                continue
            before = _snapshot(t)
            if state.local.graph is not None:
                leaf = _watch(t)
                self._seen[leaf._key()] = leaf._node.args[0][0]  # type: ignore[attr-defined]
            else:
                seen = entering(t)
                leaf = wrap(leaf_from(seen))
                leaf._tape = state.token()
                self._seen[id(leaf._t)] = seen
            self._watched[id(t)] = [t, leaf, before]
            if self._recording and not (state.local.graph is not None and type(t) is Tensor):
                t._rebind(leaf)  # a graph finds the leaf of an eager tensor by itself, see Graph._own

    def _watches(self, variable: Variable) -> bool:
        """Whether reading a variable makes a leaf of this tape."""
        return (self._watch_accessed_variables and variable._trainable) or id(variable) in self._explicit or id(variable) in self._leaves

    def _leaf(self, variable: Variable, storage: Any, seen: Any) -> Any:
        """This tape's leaf of a variable whose memory is `storage`; `seen` is what the next outer tape sees."""
        found = self._leaves.get(id(variable))
        if found is None:
            if not (self._watch_accessed_variables and variable._trainable) and id(variable) not in self._explicit:
                return seen
            found = self._leaves[id(variable)] = (variable, [])
        values = found[1]
        if values and values[-1][0] is storage:
            return values[-1][1]
        if isinstance(seen, Tensor):
            leaf: Any = _watch(seen)
            self._seen[leaf._key()] = seen
        else:
            leaf = leaf_from(seen)
            self._seen[id(leaf)] = seen
        values.append((storage, leaf))
        return leaf

    def _reader(self) -> _Reader:
        return _Reader()

    @contextmanager
    def stop_recording(self) -> Iterator[None]:
        """Operations in this block are not recorded."""
        if not self._recording:
            raise RuntimeError("This tape is not recording.")
        self._pop()
        in_graph = state.local.graph is not None
        state.local.paused += in_graph
        try:
            yield
        finally:
            state.local.paused -= in_graph
            self._push()

    def reset(self) -> None:
        """Forget everything that was recorded."""
        if self._recording:
            self._pop()
            self._clear()
            self._push()
        else:
            self._clear()

    def watched_variables(self) -> tuple[Variable, ...]:
        """The variables watched, in the order of their first use."""
        return tuple(variable for variable, _ in self._leaves.values())

    # --- gradients ---------------------------------------------------------------------------------------------------
    def gradient(
        self,
        target: Any,
        sources: Any,
        output_gradients: Any = None,
        unconnected_gradients: Any = UnconnectedGradients.NONE,
    ) -> Any:
        """Gradients of the sum of `target` (a structure) with respect to each of `sources`, in their structure.

        None, or zeros with `UnconnectedGradients.ZERO`, where nothing connects them. RuntimeError when a tape that is
        not persistent is used a second time.
        """
        if target is None:
            raise TypeError(
                "Argument `target` should be a list or nested structure of Tensors, Variables or CompositeTensors to be differentiated, "
                "but received None."
            )
        self._check_usable(sources)
        unconnected = _unconnected(unconnected_gradients)
        if self._recording and not self._persistent:
            self._pop()
        targets: list[Tensor] = []
        for t in _differentiated(target):
            if isinstance(t, Variable):  # a variable as target is read here and now, by this tape
                t = self._read_target(t)
            if not isinstance(t, Tensor):
                dtypes.as_dtype(t.dtype)  # AttributeError for what is no tensor, as in TensorFlow
                t = convert_to_tensor(t)
            if not _differentiable(t):
                log.warning(
                    "The dtype of the target tensor must be floating (e.g. tf.float32) when calling GradientTape.gradient, got %r",
                    t.dtype,
                )
            targets.append(t)
        flat = _differentiated(sources)
        flat = [_composite_source(s) for s in flat]
        for s in flat:
            if isinstance(s, (Tensor, Variable)):
                if not _differentiable(s):
                    log.warning(
                        "The dtype of the source tensor must be floating (e.g. tf.float32) when calling GradientTape.gradient, got %r",
                        s.dtype,
                    )
            elif not hasattr(type(s), "_tf_op"):
                dtypes.as_dtype(s.dtype)  # AttributeError for what is no tensor, as in TensorFlow
                raise ValueError(
                    f"Passed in object {s} of type {type(s).__name__}, not tf.Tensor or tf.Variable or ExtensionType."
                )
        given = None
        if output_gradients is not None:
            given = [
                None if g is None else convert_to_tensor(g) for g in _differentiated(output_gradients)
            ]
        grads = self._gradients(targets, flat, given)
        grads = [_of_itself(s, targets, given) if g is None else g for g, s in zip(grads, flat, strict=True)]
        if not self._persistent:
            if not self._shared:
                self._let_go()
            self._clear()
            self._used = True
        if unconnected is UnconnectedGradients.ZERO:
            from tf2compat import zeros_like

            grads = [zeros_like(s) if g is None else g for g, s in zip(grads, flat, strict=True)]
        return _packed(sources, grads)

    def _let_go(self) -> None:
        """Take the variables' memory out of leaves that only a finished graph still holds.

        The loss keeps its graph, the graph its leaves, and these would make every variable copy itself on the next write.
        """
        for _, values in self._leaves.values():
            for _, leaf in values:
                if isinstance(leaf, torch.Tensor) and leaf.is_leaf and sys.getrefcount(leaf) <= _leaf_references():
                    leaf.data = leaf.new_empty(0)

    def _read_target(self, variable: Variable) -> Tensor:
        if self._recording:
            return variable._as_tensor()
        self._push()
        try:
            return variable._as_tensor()
        finally:
            self._pop()

    def _check_usable(self, sources: Any) -> None:
        if self._used:
            raise RuntimeError(
                "A non-persistent GradientTape can only be used to compute one set of gradients (or jacobians)"
            )
        if sources is None:
            raise TypeError(
                "Cannot compute gradients of `sources=None`. GradientTape.gradient expects a source or a structure of sources."
            )

    def _gradients(self, targets: list[Any], flat: list[Any], given: list[Any] | None) -> list[Any]:
        ys: list[Tensor] = []
        ws: list[Any] = []
        for i, t in enumerate(targets):
            seen = self._as_recorded(t)
            for y in seen:
                ys.append(y)
                ws.append(None if given is None else given[i])
        groups = [self._as_recorded(s) for s in flat]
        xs = [x for group in groups for x in group]
        looked = [[r for x in group for r in self._looked_up(x)] for group in groups] if self._rows else None
        if looked is not None:
            xs += [_tagged(leaf) if not isinstance(leaf, Tensor) else leaf for rows in looked for leaf, _ in rows]
        if not ys or not xs:
            return [None] * len(flat)
        tensors = [*ys, *xs, *[w for w in ws if w is not None]]
        shape = (len(ys), len(xs), [w is not None for w in ws], self._persistent or self._shared)
        if state.local.graph is None:  # straight to autograd: the slow path would detach what no tape records any more
            found = wrap_all(_gradient.op.call([[t._t for t in tensors], *shape]))
        elif all(type(t) is Tensor for t in tensors):  # recorded before this function was traced: to it, the gradients are constants
            found = [None if g is None else wrap(g.detach()) for g in _gradient.op.call([[t._t for t in tensors], *shape])]
        else:
            found = _gradient(tensors, *shape)
        out: list[Any] = []
        at = 0
        for group in groups:
            total = None
            for _ in group:
                g = found[at]
                at += 1
                total = g if total is None else total if g is None else total + g
            out.append(total)
        if looked is not None:
            from .slices import gathered

            for i, rows in enumerate(looked):
                if rows:
                    out[i] = gathered(flat[i], out[i], found[at : at + len(rows)], [ids for _, ids in rows])
                    at += len(rows)
        return out

    def _looked_up(self, leaf: Tensor) -> list[tuple[Any, Any]]:
        """The rows that were looked up in a leaf, and their numbers."""
        return self._rows.get(id(leaf._t) if type(leaf) is Tensor else leaf._key(), [])  # type: ignore[attr-defined]

    def _as_recorded(self, value: Any) -> list[Tensor]:
        """The tensors that stand for a source or target in what this tape recorded; none when it recorded nothing of it."""
        if isinstance(value, Variable):
            value = getattr(value, "_of", value)
            entry = self._leaves.get(id(value))
            if entry is None:
                return []
            if not entry[1]:  # watched, not read inside: the variable is its own target
                return []
            return [leaf if isinstance(leaf, Tensor) else _tagged(leaf) for _, leaf in entry[1]]
        watched = self._watched.get(id(value))
        if watched is not None:
            return [watched[1]]
        if not _differentiable(value):
            return []
        if any(value._tape is token for token in self._tokens):
            return [value]
        return []

    def jacobian(
        self,
        target: Any,
        sources: Any,
        unconnected_gradients: Any = UnconnectedGradients.NONE,
        parallel_iterations: int | None = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """Jacobians of `target` (one tensor): shape `target.shape + source.shape` for each of `sources`.

        `parallel_iterations` is a hint that needs no honouring; `experimental_use_pfor=False` runs row by row instead
        of vectorised (torch.vmap).
        """
        from .jacobians import jacobian

        return jacobian(self, target, sources, _unconnected(unconnected_gradients), experimental_use_pfor)

    def batch_jacobian(
        self,
        target: Any,
        source: Any,
        unconnected_gradients: Any = UnconnectedGradients.NONE,
        parallel_iterations: int | None = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """Per-example jacobians: shape `[batch] + target.shape[1:] + source.shape[1:]`."""
        from .jacobians import batch_jacobian

        return batch_jacobian(self, target, source, _unconnected(unconnected_gradients), experimental_use_pfor)


def _unconnected(value: Any) -> UnconnectedGradients:
    try:
        return UnconnectedGradients(getattr(value, "value", value))
    except ValueError:
        raise ValueError(f"Unknown value for unconnected_gradients: {value!r}") from None


def _composite_source(s: Any) -> Any:
    return s


def _tagged(storage: Any) -> Tensor:
    t = wrap(storage)
    t._tape = state.token()
    return t


def _of_itself(source: Any, targets: list[Any], given: list[Any] | None) -> Any:
    """The gradient of a target with respect to itself, which no tape needs to have seen; None when the source is no target."""
    if not isinstance(source, Tensor) or source.dtype in (dtypes.string, dtypes.variant, dtypes.bool):
        return None
    total = None
    for i, target in enumerate(targets):
        if target is source:
            from tf2compat import ones_like

            one = given[i] if given is not None and given[i] is not None else ones_like(source)
            total = one if total is None else total + one
    return total


def _differentiable(t: Any) -> bool:
    dtype = t.dtype
    return dtype.is_floating or dtype.is_complex or dtype in (dtypes.resource, dtypes.variant)


def _snapshot(t: Tensor) -> Tensor:
    """A second wrapper with the present identity of `t`, to go back to."""
    copied = object.__new__(type(t))
    for cls in type(t).__mro__:
        for slot in getattr(cls, "__slots__", ()):
            if slot not in ("__weakref__", "__dict__") and slot in _instance_slots(t, cls):
                object.__setattr__(copied, slot, getattr(t, slot))
    return copied


def _instance_slots(t: Any, cls: type) -> list[str]:
    out = []
    for slot in cls.__slots__:  # type: ignore[attr-defined]
        if slot == "__weakref__":
            continue
        try:
            cls.__dict__[slot].__get__(t)
        except AttributeError:
            continue
        out.append(slot)
    return out


@op("Watch", tensors=ANYS)
def _watch_all(tensors: Any) -> Any:
    return leaf_from(tensors[0])


def _watch(t: Tensor) -> Tensor:
    return _watch_all([t])


class _Later(torch.autograd.Function):
    """A later value of a variable, whose gradient is that of its leaf: TensorFlow's gradient by a variable is that of all reads."""

    @staticmethod
    def forward(ctx: Any, value: torch.Tensor, leaf: torch.Tensor) -> torch.Tensor:
        return value.view_as(value)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return None, grad

    @staticmethod
    def jvp(ctx: Any, value: Any, leaf: Any) -> Any:
        return leaf


@op("ReadLater", value=ANY, leaf=ANY)
def later(value: Any, leaf: Any) -> Any:
    """What a block that writes a variable reads: `value`, to the tapes around the block the variable behind `leaf`."""
    return _Later.apply(value.detach(), leaf)


def _by_torch(outputs: tuple[Any, ...], inputs: tuple[Any, ...], weights: tuple[Any, ...], keep: bool, again: bool) -> Any:
    return torch.autograd.grad(outputs, inputs, weights, retain_graph=keep, create_graph=again, allow_unused=True)


def _backward(outputs: tuple[Any, ...], inputs: tuple[Any, ...], weights: tuple[Any, ...], keep: bool, again: bool) -> Any:
    """`torch.autograd.grad` for arguments that fit together.

    What torch checks beforehand takes as long as the backward pass of a small model, and loads SymPy at the first call.
    """
    run = _by_torch if _run_engine is None or torch.overrides.has_torch_function(outputs + inputs + weights) else _by_engine
    if not accelerated() or not torch._C._is_multithreading_enabled():
        return run(outputs, inputs, weights, keep, again)
    # a GPU's part too in this thread, whose state the gradients of a program see, and which need not be waited for
    torch._C._set_multithreading_enabled(False)
    try:
        return run(outputs, inputs, weights, keep, again)
    finally:
        torch._C._set_multithreading_enabled(True)


def _by_engine(outputs: tuple[Any, ...], inputs: tuple[Any, ...], weights: tuple[Any, ...], keep: bool, again: bool) -> Any:
    with flushed():
        return _run_engine(outputs, weights, keep, again, inputs, True, accumulate_grad=False)


try:
    from torch.autograd.graph import _engine_run_backward as _run_engine
except ImportError:  # a torch that does this otherwise
    _run_engine = None  # type: ignore[assignment]


@op("SymbolicGradient", multi=True, stateful=True, tensors=ANYS)
def _gradient(tensors: Any, n_targets: int, n_sources: int, weighted: Any, keep: bool) -> Any:
    """Reverse-mode gradients by torch autograd: targets, sources, then the given output gradients, in one list."""
    ys, xs = tensors[:n_targets], tensors[n_targets : n_targets + n_sources]
    rest = iter(tensors[n_targets + n_sources :])
    outputs, weights = [], []
    for y, has_weight in zip(ys, weighted, strict=True):
        w = next(rest) if has_weight else None
        if not y.requires_grad:
            continue
        if w is not None and w.shape != y.shape:
            # where shapes are inferred, sizes that agree when the graph runs need not: they stand for open ones
            w = torch.empty_like(y) if w.is_meta and w.ndim == y.ndim else w.expand_as(y)
        outputs.append(y)
        weights.append(torch.ones_like(y) if w is None else w.to(y.device, y.dtype))
    found: list[Any] = [None] * n_sources
    live = [i for i, x in enumerate(xs) if x.requires_grad]
    if outputs and live:
        again = bool(state.local.tapes)
        keep = keep or outputs[0].device.type == "meta"  # while shapes are inferred, of a function's graph once more where it is called
        grads = _backward(tuple(outputs), tuple([xs[i] for i in live]), tuple(weights), keep or again, again)
        for i, g in zip(live, grads, strict=True):
            found[i] = g
    return found
