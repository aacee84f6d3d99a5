"""A step function along the time of its inputs."""

from __future__ import annotations

from typing import Any

import tf2compat as tf


def rnn_loop(
    step: Any, inputs: Any, states: Any, backwards: bool, mask: Any, time_major: bool, zero_output: bool, sequences: bool
) -> tuple[Any, Any, Any]:
    """Run `step` along time: the last output, all outputs (None unless `sequences`), the final states."""
    flat = tf.nest.flatten(inputs)
    if not time_major:
        flat = [_swap(x) for x in flat]
        mask = None if mask is None else _swap(mask)
    length = flat[0].shape[0]
    if length is None:
        return _dynamic_loop(step, inputs, flat, states, backwards, mask, time_major, zero_output, sequences)
    found = []
    out = None
    for t in reversed(range(length)) if backwards else range(length):
        current = tf.nest.pack_sequence_as(inputs, [x[t] for x in flat]) if tf.nest.is_nested(inputs) else flat[0][t]
        new, after = step(current, states)
        if mask is not None:
            keep = mask[t]
            if out is None:
                out = tf.nest.map_structure(tf.zeros_like, new)
            held = tf.nest.map_structure(tf.zeros_like, new) if zero_output else out
            new = tf.nest.map_structure(lambda a, b, keep=keep: _where(keep, a, b), new, held)
            after = tf.nest.pack_sequence_as(
                after, [_where(keep, a, b) for a, b in zip(tf.nest.flatten(after), tf.nest.flatten(states), strict=True)]
            )
        out, states = new, after
        if sequences:
            found.append(out)
    outputs = None
    if sequences:
        outputs = tf.nest.map_structure(lambda *steps: tf.stack(steps, 0 if time_major else 1), *found)
    return out, outputs, states


def _swap(x: Any) -> Any:
    return tf.transpose(x, [1, 0, *range(2, len(x.shape))])


def _where(keep: Any, a: Any, b: Any) -> Any:
    keep = tf.cast(keep, tf.bool)
    for _ in range(len(a.shape) - len(keep.shape)):
        keep = tf.expand_dims(keep, -1)
    return tf.where(keep, a, b)


def _dynamic_loop(
    step: Any, inputs: Any, flat: Any, states: Any, backwards: bool, mask: Any, time_major: bool, zero_output: bool, sequences: bool
) -> tuple[Any, Any, Any]:
    """As `rnn_loop`, with a number of steps that is known at run time only."""
    length = tf.shape(flat[0])[0]

    def at(t: Any) -> Any:
        return tf.nest.pack_sequence_as(inputs, [tf.gather(x, t) for x in flat]) if tf.nest.is_nested(inputs) else tf.gather(flat[0], t)

    first, _ = step(at(0), states)
    flat_first = tf.nest.flatten(first)
    arrays = [tf.TensorArray(o.dtype, size=length, element_shape=o.shape) for o in flat_first] if sequences else []
    flat_states = tf.nest.flatten(states)

    def body(t: Any, last: Any, current: Any, kept: Any) -> Any:
        place = length - 1 - t if backwards else t
        packed = tf.nest.pack_sequence_as(states, list(current))
        new, after = step(at(place), packed)
        new_flat, after_flat = tf.nest.flatten(new), tf.nest.flatten(after)
        if mask is not None:
            keep = tf.gather(mask, place)
            new_flat = [_where(keep, a, tf.zeros_like(a) if zero_output else b) for a, b in zip(new_flat, last, strict=True)]
            after_flat = [_where(keep, a, b) for a, b in zip(after_flat, current, strict=True)]
        kept = tuple(array.write(t, o) for array, o in zip(kept, new_flat, strict=True)) if sequences else ()
        return t + 1, tuple(new_flat), tuple(after_flat), kept

    _, last, final, kept = tf.while_loop(
        lambda t, *_: t < length, body, (tf.constant(0), tuple(tf.zeros_like(o) for o in flat_first), tuple(flat_states), tuple(arrays))
    )
    outputs = None
    if sequences:
        stacked = [a.stack() for a in kept]
        outputs = tf.nest.pack_sequence_as(first, stacked if time_major else [_swap(s) for s in stacked])
    return tf.nest.pack_sequence_as(first, list(last)), outputs, list(tf.nest.pack_sequence_as(states, list(final)))
