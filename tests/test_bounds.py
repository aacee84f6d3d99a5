"""Gradients where a value is just at a bound: the way of torch's releases before 2.14, and the one that later ones need, agree."""

from __future__ import annotations

import pytest
import torch

from tf2compat._engine import bounds


@pytest.mark.parametrize(("low", "high"), [(0.0, None), (None, 0.0), (-1.0, 1.0), (torch.tensor(0.0), None)])
@pytest.mark.parametrize("way", [bounds.clamp, bounds._apart])
def test_what_is_at_a_bound_passes_its_gradient_on(way, low, high) -> None:
    x = torch.tensor([-2.0, -1.0, -0.0, 0.0, 1.0, 2.0, float("nan")], requires_grad=True)
    y = way(x, low, high)
    torch.testing.assert_close(y.detach(), torch.clamp(x.detach(), low, high), equal_nan=True)
    (gradient,) = torch.autograd.grad(y[:-1].sum(), x)
    inside = (x >= (low if low is not None else -9.0)) & (x <= (high if high is not None else 9.0))
    assert gradient.tolist() == inside.float().tolist()


def test_tangents_pass_too() -> None:
    x = torch.tensor([-1.0, 0.0, 1.0])
    _, tangent = torch.func.jvp(lambda t: bounds._apart(t, 0.0), (x,), (torch.ones(3),))
    assert tangent.tolist() == [0.0, 1.0, 1.0]
