"""`tf.keras.backend.rnn`: a step function along the time of its inputs."""

from __future__ import annotations

from typing import Any

import tf2compat as tf


def rnn(
    step_function: Any,
    inputs: Any,
    initial_states: Any,
    go_backwards: bool = False,
    mask: Any = None,
    constants: Any = None,
    unroll: bool = False,
    input_length: Any = None,
    time_major: bool = False,
    zero_output_for_mask: bool = False,
    return_all_outputs: bool = True,
) -> tuple[Any, Any, Any]:
    """The last output, the outputs [batch, time, ...], and the last states of `step_function(input, states)` (`tf.keras.backend.rnn`).

    `constants` follow the states that the step gets. `input_length` may be a length for each sample; steps behind it are masked.
    Without `return_all_outputs` the outputs hold the last one only. ValueError when `unroll` meets an unknown number of steps.
    """
    from ..layers._rnn_loop import rnn_loop

    first = tf.nest.flatten(inputs)[0]
    axis = 0 if time_major else 1
    if unroll and first.shape[axis] is None:
        raise ValueError("Unrolling requires a fixed number of timesteps.")
    if mask is not None:
        mask = tf.cast(mask, tf.bool)
        if len(mask.shape) == 2 and not time_major:
            pass
        elif len(mask.shape) == 3 and mask.shape[-1] == 1:
            mask = tf.squeeze(mask, -1)
    elif input_length is not None and not isinstance(input_length, int):
        lengths = tf.convert_to_tensor(input_length)
        if lengths.shape.rank:
            mask = tf.sequence_mask(lengths, tf.shape(first)[axis])
            mask = tf.transpose(mask) if time_major else mask
    fixed = list(constants) if constants is not None else []

    def step(x: Any, states: Any) -> Any:
        out, after = step_function(x, [*states, *fixed] if isinstance(states, list) else tuple(states) + tuple(fixed))
        return out, type(states)(after) if isinstance(states, (list, tuple)) and not hasattr(states, "_fields") else after

    states = initial_states if isinstance(initial_states, (list, tuple)) else [initial_states]
    last, outputs, after = rnn_loop(step, inputs, states, go_backwards, mask, time_major, zero_output_for_mask, return_all_outputs)
    if outputs is None:
        outputs = tf.nest.map_structure(lambda o: tf.expand_dims(o, axis), last)
    return last, outputs, tuple(after) if type(after) is list and not unroll else after
