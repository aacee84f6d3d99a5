"""`tf.profiler.experimental`, and what grappler's debug_stripper takes away."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import tf2compat as tf

profiler = tf.profiler.experimental


def test_a_profile_has_the_spans_and_ops(tmp_path: Path) -> None:
    profiler.start(str(tmp_path), options=profiler.ProfilerOptions(host_tracer_level=2))
    with pytest.raises(tf.errors.AlreadyExistsError, match="Another profiler is running"):
        profiler.start(str(tmp_path))
    with profiler.Trace("step", step_num=3):
        tf.matmul(tf.ones([4, 4]), tf.ones([4, 4]))
    profiler.stop()
    (found,) = (tmp_path / "plugins" / "profile").glob("*/*.json")
    names = {event.get("name") for event in json.loads(found.read_text())["traceEvents"]}
    assert {"step", "aten::mm"} <= names
    with pytest.raises(tf.errors.UnavailableError, match="No profiler is running"):
        profiler.stop()


def test_a_profile_of_a_block(tmp_path: Path) -> None:
    with profiler.Profile(str(tmp_path)):
        tf.ones([2]) + 1.0
    assert list((tmp_path / "plugins" / "profile").glob("*/*.json"))


def test_debug_stripper() -> None:
    def function() -> tf.types.experimental.GenericFunction:
        @tf.function
        def f(x: tf.Tensor) -> tf.Tensor:
            tf.debugging.assert_less(x, 3.0)
            return tf.debugging.check_numerics(x, "bad") + 1.0

        return f

    with pytest.raises(tf.errors.InvalidArgumentError):
        function()(tf.constant(float("inf")))
    tf.config.optimizer.set_experimental_options({"debug_stripper": True})
    try:
        assert function()(tf.constant(float("inf"))).numpy() == float("inf")
    finally:
        tf.config.optimizer.set_experimental_options({"debug_stripper": False})
