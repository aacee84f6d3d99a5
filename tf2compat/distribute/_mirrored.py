"""Variables with one component for each of several replicas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tf2compat._engine.convert import convert_to_tensor
from tf2compat._engine.variable import UnreadVariable, Variable, VariableAggregation, VariableSynchronization

from . import _context
from ._values import Mirrored, PerReplica, ReduceOp


class DistributedVariable(UnreadVariable):
    """In a replica its own component; elsewhere the first, or what reading combines (`SyncOnReadVariable`).

    Assignments in a replica combine the replicas' values when there is an `aggregation`, and change its own component otherwise;
    elsewhere they change all components.
    """

    def __init__(self, strategy: Any, components: list[Variable]) -> None:
        self._components = components
        self._strategy = strategy
        self._distributed = type(self).__name__
        for c in components:
            c._container = self  # type: ignore[attr-defined]

    @property
    def _of(self) -> Any:  # type: ignore[override]
        return self._components[_context.replica_number()]

    def _resolve(self) -> Any:
        return self._of

    @property
    def values(self) -> tuple[Variable, ...]:  # type: ignore[override]
        return tuple(self._components)

    @property
    def _on_read(self) -> bool:
        return self._distributed == "SyncOnReadVariable"

    @property
    def synchronization(self) -> VariableSynchronization:
        found = self._components[0].synchronization
        return VariableSynchronization.ON_WRITE if found is VariableSynchronization.AUTO else found

    @property
    def name(self) -> str:  # type: ignore[override]
        return self._components[0].name

    @property
    def _name(self) -> str:
        return self._components[0]._name

    def __repr__(self) -> str:
        parts = ",\n".join(f"  {i}: {c!r}" for i, c in enumerate(self._components))
        return f"{self._distributed}:{{\n{parts}\n}}"

    def ref(self) -> Any:
        return Variable.ref(self)

    # --- reading -----------------------------------------------------------------------------------------------------
    def _combines(self) -> bool:
        return self._on_read and _context.get_replica_context_of(self._strategy) is None

    def _combined(self) -> Any:
        parts = [c._as_tensor() for c in self._components]
        if self.aggregation not in (VariableAggregation.SUM, VariableAggregation.MEAN):
            return parts[0]
        total = parts[0]
        for p in parts[1:]:
            total = total + p
        return total if self.aggregation is VariableAggregation.SUM else total / len(parts)

    def _as_tensor(self) -> Any:
        return self._combined() if self._combines() else self._of._as_tensor()

    def _read(self) -> Any:
        return self._combined()._t if self._combines() else self._of._read()

    def _numpy(self) -> Any:
        return self._as_tensor()._numpy()

    # --- writing -----------------------------------------------------------------------------------------------------
    def _write(self, value: Any) -> None:
        if _context.get_replica_context_of(self._strategy) is not None:
            self._of._write(value)
            return
        for c in self._components:
            c._write(value)

    def _assigned(self, method: str, value: Any, **options: Any) -> Any:
        context = _context.get_replica_context_of(self._strategy)
        act: Callable[[Any, Any], Any] = getattr(Variable, method)
        if context is not None and (self._on_read or self.aggregation is VariableAggregation.NONE):
            return act(self._of, value, **options)
        if context is not None:
            value = convert_to_tensor(value, self.dtype)
            return context.merge_call(lambda strategy, v: self._everywhere(act, self._aggregated(strategy, v)), args=(value,))
        if self._on_read:
            if method != "assign" and self.aggregation is VariableAggregation.SUM:
                raise ValueError(
                    f"SyncOnReadVariable does not support `{method}` in cross-replica context when aggregation is set to "
                    "`tf.VariableAggregation.SUM`."
                )
            if self.aggregation is VariableAggregation.SUM:
                value = convert_to_tensor(value, self.dtype) / len(self._components)
            self._everywhere(act, value)
            return self.read_value()
        return self._everywhere(act, value)

    def _aggregated(self, strategy: Any, value: Any) -> Any:
        if self.aggregation is VariableAggregation.ONLY_FIRST_REPLICA:
            return value.values[0] if isinstance(value, PerReplica) else value
        if not isinstance(value, PerReplica) and self.aggregation is VariableAggregation.SUM:
            value = PerReplica([value] * len(self._components))
        return strategy.extended._reduced(ReduceOp.from_variable_aggregation(self.aggregation), value)

    def _everywhere(self, act: Callable[[Any, Any], Any], value: Any) -> Any:
        values = value.values if isinstance(value, PerReplica) else [value] * len(self._components)
        for c, v in zip(self._components, values, strict=True):
            act(c, v)
        return Mirrored([c.read_value() for c in self._components])

    def assign(self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Any:
        """Take over `value`, see the class."""
        return self._assigned("assign", value)

    def assign_add(self, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Any:
        """Add `delta`, see the class."""
        return self._assigned("assign_add", delta)

    def assign_sub(self, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Any:
        """Subtract `delta`, see the class."""
        return self._assigned("assign_sub", delta)


class MirroredVariable(DistributedVariable):
    """The same in all replicas, unless a replica assigns without an aggregation."""


class SyncOnReadVariable(DistributedVariable):
    """Of each replica's own, combined where it is read."""


def made(strategy: Any, creator: Callable[..., Any], count: int, **kwargs: Any) -> Any:
    """A variable with a component for each replica; the replicas after the first take over what the first made."""
    context = _context.get_replica_context_of(strategy)
    shared = None if context is None else getattr(context, "_shared", None)
    if shared is not None and context._replica > 0:
        context._made += 1
        if context._made <= len(shared):
            return shared[context._made - 1]
    _context.local.stack.append((strategy, None))
    try:
        first = creator(**kwargs)
        base = first._shared_name.rpartition("/")[2]
        value = getattr(first, "_stored", first.read_value)()
        rest = [creator(**kwargs | {"initial_value": value, "name": f"{base}/replica_{i}"}) for i in range(1, count)]
    finally:
        _context.local.stack.pop()
    kind = SyncOnReadVariable if first.synchronization is VariableSynchronization.ON_READ else MirroredVariable
    found = kind(strategy, [first, *rest])
    if shared is not None:
        shared.append(found)
        context._made += 1
    return found
