"""What a loop, a tape and a variable keep alive, and what torch sees of it."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import torch

import tf2compat as tf
from tf2compat._engine.origins import origin


def live_tensors() -> int:
    gc.collect()
    return sum(isinstance(o, torch.Tensor) or type(o) is tf.Tensor for o in gc.get_objects())


def growth(step: Callable[[], None], steps: int) -> tuple[int, int]:
    """(allocated Python blocks, live tensors) gained between a warm loop and its end."""
    for _ in range(100):
        step()
    gc.collect()
    tensors, blocks = live_tensors(), sys.getallocatedblocks()
    for _ in range(steps):
        step()
    gc.collect()
    return sys.getallocatedblocks() - blocks, live_tensors() - tensors


def test_a_running_total_outside_tapes_is_flat() -> None:
    state = {"total": tf.constant(0.0)}
    loss = tf.constant(0.5)

    def step() -> None:
        state["total"] = state["total"] + loss

    blocks, tensors = growth(step, 20_000)
    assert tensors <= 0
    assert blocks < 200
    assert float(state["total"]) == pytest.approx(20_100 * 0.5)


def test_a_running_total_of_taped_losses_is_flat() -> None:
    state = {"total": tf.constant(0.0)}
    w = tf.Variable(1.0)

    def step() -> None:
        with tf.GradientTape() as tape:
            loss = w * 0.5
        tape.gradient(loss, w)
        state["total"] = state["total"] + loss

    blocks, tensors = growth(step, 20_000)
    assert tensors <= 0
    assert blocks < 200
    assert not state["total"].torch().requires_grad


def test_a_running_total_inside_tapes_is_flat() -> None:
    state = {"total": tf.constant(0.0)}
    w = tf.Variable(1.0)

    def step() -> None:
        with tf.GradientTape() as tape:
            loss = w * 0.5
            state["total"] = state["total"] + loss
        tape.gradient(loss, w)

    blocks, tensors = growth(step, 20_000)
    assert tensors <= 1
    assert blocks < 200


def test_training_steps_are_flat() -> None:
    w, b = tf.Variable(tf.ones([4, 2])), tf.Variable(tf.zeros([2]))
    x = tf.ones([8, 4])

    def step() -> None:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((tf.matmul(x, w) + b) ** 2)
        for variable, gradient in zip((w, b), tape.gradient(loss, [w, b]), strict=True):
            variable.assign_sub(0.01 * gradient)

    blocks, tensors = growth(step, 2_000)
    assert tensors <= 0
    assert blocks < 1_000


def test_exceptions_keep_nothing() -> None:
    a, b = tf.ones([2]), tf.ones([3])

    def step() -> None:
        with pytest.raises(tf.errors.InvalidArgumentError):
            a + b
        with pytest.raises(ValueError), tf.GradientTape() as tape:
            tape.watch(a)
            raise ValueError

    blocks, tensors = growth(step, 500)
    assert tensors <= 0
    assert blocks < 500


def test_what_a_tape_recorded_goes_with_the_tape() -> None:
    x = tf.Variable(tf.ones([8]))
    with tf.GradientTape(persistent=True) as tape:
        y = tf.exp(x) * 3.0
        z = tf.reduce_sum(y)
    middle = weakref.ref(y.torch())
    del y
    tape.gradient(z, x)
    del tape, z
    gc.collect()
    assert middle() is None


def test_a_used_tape_keeps_no_activations() -> None:
    x = tf.Variable(tf.ones([8]))
    with tf.GradientTape() as tape:
        y = tf.exp(x)
        z = tf.reduce_sum(y * y)
    kept = weakref.ref(y.torch())
    tape.gradient(z, x)
    del y
    gc.collect()
    assert kept() is None, "the tape still holds what it recorded"


def test_variables_go_with_their_last_reference() -> None:
    v = tf.Variable(tf.ones([4]))
    storage = weakref.ref(v)
    with tf.GradientTape() as tape:
        y = v * 2.0
    gradient = tape.gradient(y, v)
    optimizer_like = {v.ref(): gradient}
    assert storage() is not None
    optimizer_like.clear()
    del v, y, tape
    gc.collect()
    assert storage() is None


def test_variables_without_cycles_go_without_the_collector() -> None:
    gc.disable()
    try:
        v = tf.Variable(tf.ones([4]))
        gone = weakref.ref(v)
        v.assign_add(tf.ones([4]))
        w = v + 1.0
        del v
        assert gone() is None
        assert w.shape == [4]
    finally:
        gc.enable()


def test_persistent_tape_after_apply_gradients_answers_at_recorded_values() -> None:
    x, w = tf.Variable(3.0), tf.Variable([1.0, 2.0])
    optimizer = tf.keras.optimizers.SGD(0.5)
    with tf.GradientTape(persistent=True) as tape:
        y = x**3 * tf.reduce_sum(w * w)
    before = [g.numpy() for g in tape.gradient(y, [x, w])]
    for _ in range(3):
        optimizer.apply_gradients(zip(tape.gradient(y, [x, w]), [x, w], strict=True))
    after = [g.numpy() for g in tape.gradient(y, [x, w])]
    assert before[0] == after[0] == 135.0
    assert before[1].tolist() == after[1].tolist() == [54.0, 108.0]
    assert x.numpy() == 3.0 - 3 * 0.5 * 135.0


def test_read_values_do_not_follow_assignments() -> None:
    v = tf.Variable([1.0, 2.0])
    with tf.GradientTape() as tape:
        read = tf.identity(v)
        square = read * read
        v.assign([10.0, 20.0])
    v.assign_add([1.0, 1.0])
    assert read.numpy().tolist() == [1.0, 2.0]
    assert tape.gradient(square, v).numpy().tolist() == [2.0, 4.0]
    assert v.numpy().tolist() == [11.0, 21.0]


@pytest.mark.parametrize("enabled", [True, False])
def test_torch_keeps_its_own_grad_mode(enabled: bool) -> None:
    v = tf.Variable(2.0)
    with torch.set_grad_enabled(enabled):
        assert torch.is_grad_enabled() is enabled
        tf.constant(1.0) + 2.0
        assert torch.is_grad_enabled() is enabled
        with tf.GradientTape() as tape:
            y = v * v
            # A tape that is opened under torch.no_grad records all the same, and sets that mode aside until it closes.
            assert torch.is_grad_enabled()
        assert tape.gradient(y, v).numpy() == 4.0
        assert torch.is_grad_enabled() is enabled
        with pytest.raises(tf.errors.InvalidArgumentError):
            tf.ones([2]) + tf.ones([3])
        assert torch.is_grad_enabled() is enabled


def test_a_tape_in_torch_no_grad_records_all_the_same() -> None:
    v = tf.Variable(3.0)
    with torch.no_grad(), tf.GradientTape() as tape:
        y = v * v
    assert tape.gradient(y, v).numpy() == 6.0


def test_torch_autograd_beside_a_tape() -> None:
    p = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    v = tf.Variable([3.0, 4.0])
    with tf.GradientTape() as tape:
        ours = tf.reduce_sum(v * v)
        theirs = (p * p).sum()
    theirs.backward()
    assert p.grad is not None and p.grad.tolist() == [2.0, 4.0]
    assert tape.gradient(ours, v).numpy().tolist() == [6.0, 8.0]


def test_results_outside_tapes_never_require_grad() -> None:
    v = tf.Variable([1.0])
    p = torch.ones(1, requires_grad=True)
    for result in (v * 2.0, tf.convert_to_tensor(v), tf.identity(v), v + v, tf.convert_to_tensor(p) + 1.0, v[0], tf.reshape(v, [1, 1])):
        assert not result.torch().requires_grad


@pytest.mark.parametrize("kind", ["function", "step", "pipeline", "model"])
def test_what_is_traced_goes_with_its_owner(kind: str) -> None:
    """Functions, and the variables that they use, do not outlive the last reference to them."""

    def made() -> tuple[weakref.ref, weakref.ref]:
        v = tf.Variable(tf.ones([4, 4]))
        x = tf.ones([8, 4])
        if kind == "function":
            f = tf.function(lambda a: tf.matmul(a, v))
            f(x), f(x)
        elif kind == "step":
            optimizer = tf.keras.optimizers.SGD()

            @tf.function
            def f(a):
                with tf.GradientTape() as tape:
                    loss = tf.reduce_sum(tf.matmul(a, v) ** 2)
                optimizer.apply_gradients([(tape.gradient(loss, v), v)])

            f(x), f(x)
        elif kind == "pipeline":
            f = tf.data.Dataset.from_tensor_slices(x).map(lambda row: row * v[0, 0]).batch(2)
            list(f)
        else:
            f = tf.keras.Sequential([tf.keras.layers.Dense(2)])
            f.compile("adam", "mse", metrics=["mae"])
            f.fit(x, tf.ones([8, 2]), epochs=2, verbose=0)
            v = f.weights[0]
        return weakref.ref(f), weakref.ref(v)

    found = made()
    gc.collect()
    assert [ref() for ref in found] == [None, None]


_FAULTS = """
import resource
import tf2compat as tf
x = tf.ones([3, 4_000_000])
for _ in range(3):
    x + x
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    x + x
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not hasattr(os, "confstr") or "glibc" not in (os.confstr("CS_GNU_LIBC_VERSION") or ""), reason="another C library")  # type: ignore[attr-defined, unused-ignore]
@pytest.mark.parametrize(("settings", "kept"), [({}, True), ({"MALLOC_TRIM_THRESHOLD_": "131072"}, False)])
def test_freed_memory_is_used_again_without_asking_the_system(settings: dict[str, str], kept: bool) -> None:
    """48 MB are 12,000 pages that the system would have to clear each time."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("MALLOC_", "GLIBC_"))} | {"CUDA_VISIBLE_DEVICES": ""} | settings
    done = subprocess.run([sys.executable, "-c", _FAULTS], env=env, capture_output=True, text=True, check=True)
    assert (int(done.stdout) < 10_000) is kept


def test_a_function_of_open_sizes_with_dropout_is_freed() -> None:
    def once() -> Any:
        v = tf.Variable(tf.ones([4, 4]))

        @tf.function(input_signature=[tf.TensorSpec([None, None, 4])])
        def f(x):
            return tf.nn.dropout(x @ v, 0.5)[:, : tf.shape(x)[1]]

        f(tf.ones([2, 3, 4]))
        graph = f.get_concrete_function().graph
        assert origin(graph, graph.inputs[0], 1)[1:] == (1, 0)
        return weakref.ref(v)

    held = once()
    gc.collect()
    assert held() is None
