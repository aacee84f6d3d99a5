"""`tf.nn.isotonic_regression`."""

from __future__ import annotations

import collections
from typing import Any

import torch

from .._engine.dtypes import FLOATS, int32
from .._engine.op import op, tensor

IsotonicRegression = collections.namedtuple("IsotonicRegression", ["output", "segments"])


@op("IsotonicSegments", inputs=tensor(FLOATS))
def _segments(inputs: Any) -> Any:
    """For each row the number of its element's block in the non-increasing least-squares fit (pool adjacent violators)."""
    if inputs.device.type == "meta":
        return torch.empty(inputs.shape, dtype=torch.int32, device="meta")
    rows = inputs.detach().double().cpu().reshape(-1, inputs.shape[-1]).tolist()
    found = []
    for row in rows:
        blocks: list[list[float]] = []  # [sum, count]
        for v in row:
            blocks.append([v, 1])
            while len(blocks) > 1 and blocks[-2][0] * blocks[-1][1] <= blocks[-1][0] * blocks[-2][1]:
                total, count = blocks.pop()
                blocks[-1][0] += total
                blocks[-1][1] += count
        found.append([i for i, (_, count) in enumerate(blocks) for _ in range(int(count))])
    return torch.tensor(found, dtype=torch.int32, device=inputs.device).reshape(inputs.shape)


@op("IsotonicMeans", inputs=tensor(FLOATS), segments=tensor(int32, group="S"))
def _means(inputs: Any, segments: Any) -> Any:
    index = segments.long()
    total = torch.zeros_like(inputs).scatter_add(-1, index, inputs)
    count = torch.zeros_like(inputs).scatter_add(-1, index, torch.ones_like(inputs))
    return (total / count.clamp(min=1)).gather(-1, index)


def isotonic_regression(inputs: Any, decreasing: bool = True, axis: int = -1) -> IsotonicRegression:
    """The non-increasing (or non-decreasing) sequence closest to `inputs` along `axis`, and its blocks.

    `tf.nn.isotonic_regression`: a named tuple of `output` and int32 `segments`.
    """
    import tf2compat as tf

    inputs = tf.convert_to_tensor(inputs)
    if inputs.dtype.is_integer:
        inputs = tf.cast(inputs, tf.float64 if inputs.dtype.size >= 8 else tf.float32)
    rank = inputs.shape.rank
    last = axis in (-1, rank - 1)
    if not last:
        order = [i for i in range(rank) if i != axis % rank] + [axis % rank]
        back = [order.index(i) for i in range(rank)]
        inputs = tf.transpose(inputs, order)
    signed = inputs if decreasing else -inputs
    segments = _segments(signed)
    output = _means(signed, segments)
    output = output if decreasing else -output
    if not last:
        output, segments = tf.transpose(output, back), tf.transpose(segments, back)
    return IsotonicRegression(output, segments)


