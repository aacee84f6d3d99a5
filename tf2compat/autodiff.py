"""`tf.autodiff`: tapes and forward-mode accumulators."""

from __future__ import annotations

from typing import Any

import torch

from ._engine import nest, state
from ._engine.convert import convert_to_tensor
from ._engine.op import ANYS, op, wrap_all, wrap_here
from ._engine.tape import GradientTape, UnconnectedGradients, _tagged, _unconnected
from ._engine.tensor import Tensor
from ._engine.variable import Variable
from ._names import module_getattr

__all__ = ["ForwardAccumulator", "GradientTape"]


@op("Jvp", multi=True, stateful=True, tensors=ANYS)
def _jvp(tensors: Any, n_targets: int, n_sources: int) -> Any:
    """Targets, sources, tangents → the tangent of each target, by differentiating the vector-Jacobian product."""
    ys = tensors[:n_targets]
    xs = tensors[n_targets : n_targets + n_sources]
    ts = tensors[n_targets + n_sources :]
    again = bool(state.local.tapes)
    out: list[Any] = []
    for y in ys:
        live = [(x, t) for x, t in zip(xs, ts, strict=True) if x.requires_grad]
        if not y.requires_grad or not live:
            out.append(None)
            continue
        u = torch.zeros_like(y).detach().requires_grad_()
        vjp = torch.autograd.grad(y, [x for x, _ in live], u, create_graph=True, retain_graph=True, allow_unused=True)
        pairs = [(v, t) for v, (_, t) in zip(vjp, live, strict=True) if v is not None]
        connected = [(v, t) for v, t in pairs if v.requires_grad]
        if not connected:
            out.append(torch.zeros_like(y) if pairs else None)
            continue
        tangent = torch.autograd.grad(
            [v for v, _ in connected], u, [t for _, t in connected], create_graph=again, retain_graph=True, allow_unused=True
        )[0]
        out.append(torch.zeros_like(y) if tangent is None else tangent)
    return out


def _rows_of(tangent: Tensor, ids: Any, leaf: Tensor) -> Tensor:
    """The part of a tangent that belongs to rows looked up."""
    from tf2compat import gather, reshape, shape

    return reshape(gather(tangent, reshape(ids, [-1])), shape(leaf))


class ForwardAccumulator(GradientTape):
    """Jacobian-vector products, computed while the primal runs (`tf.autodiff.ForwardAccumulator`).

    `tangents` have the structure of `primals`. `jvp(target)` gives the tangent of a tensor computed inside, or None.
    """

    def __init__(self, primals: Any, tangents: Any) -> None:
        super().__init__(persistent=True, watch_accessed_variables=False)
        nest.assert_same_structure(primals, tangents)
        self._primals = nest.flatten(primals)
        for p in self._primals:
            if not isinstance(p, (Tensor, Variable)):
                raise ValueError(f"ForwardAccumulator needs tensors or variables as primals, got {p!r}")
        if len({id(p) for p in self._primals}) != len(self._primals):
            raise ValueError(
                "Tensor {} was specified as a primal multiple times. This may indicate an error. If it was intended, please sum the corresponding tangents."
            )
        self._tangents = [
            convert_to_tensor(t, dtype=p.dtype) for p, t in zip(self._primals, nest.flatten(tangents), strict=True)
        ]
        for p, t in zip(self._primals, self._tangents, strict=True):
            if not p.shape.is_compatible_with(t.shape):
                raise ValueError(f"The tangent of shape {t.shape} does not match the primal of shape {p.shape}")

    def __enter__(self) -> ForwardAccumulator:
        if self._recording:
            raise ValueError("Accumulator is already recording.")
        self._outer = list(state.local.tapes)
        super().__enter__()
        self.watch(self._primals)
        return self

    def jvp(self, primals: Any, unconnected_gradients: Any = UnconnectedGradients.NONE) -> Any:
        """The tangents of a structure of tensors."""
        unconnected = _unconnected(unconnected_gradients)
        # In TensorFlow tangents are computed with the primal, so whatever recorded this accumulator's program has recorded them.
        idle = [tape for tape in self._outer if not tape._recording]
        for tape in idle:
            tape._push()
        try:
            return nest.map_structure(lambda y: self._one(y, unconnected), primals)
        finally:
            for tape in reversed(idle):
                tape._pop()

    def _one(self, target: Any, unconnected: UnconnectedGradients) -> Any:
        ys = self._as_recorded(target)
        xs: list[Tensor] = []
        ts: list[Tensor] = []
        for p, t in zip(self._primals, self._tangents, strict=True):
            if p is target:
                return t
            for x in self._as_recorded(p):
                xs.append(x)
                ts.append(t)
                for leaf, ids in self._looked_up(x):
                    if isinstance(leaf, torch.Tensor):
                        leaf, ids = _tagged(leaf), wrap_here(ids)
                    xs.append(leaf)
                    ts.append(_rows_of(t, ids, leaf))
        found = None
        if ys and xs:
            tensors = [ys[-1], *xs, *ts]
            if state.local.graph is None:
                found = wrap_all(_jvp.op.call([[x._t for x in tensors], 1, len(xs)]))[0]
            else:
                found = _jvp(tensors, 1, len(xs))[0]
        if found is None and unconnected is UnconnectedGradients.ZERO:
            from tf2compat import zeros_like

            return zeros_like(target)
        return found


__getattr__ = module_getattr("tf.autodiff")
