"""`tf.compat`: text, and of version 1 what works in eager code; graph mode names the TensorFlow 2 way."""

from __future__ import annotations

import pytest

import tf2compat as tf

v1 = tf.compat.v1


def test_text() -> None:
    assert tf.compat.as_bytes("é") == b"\xc3\xa9" and tf.compat.as_text(b"a") == tf.compat.as_str(b"a") == "a"
    assert tf.compat.as_str_any(1) == "1" and tf.compat.path_to_str("a") == "a"
    with pytest.raises(TypeError, match="Expected binary or unicode string, got 1"):
        tf.compat.as_bytes(1)


def test_version_2_is_the_package() -> None:
    assert tf.compat.v2 is tf


def test_eager_names() -> None:
    assert v1.to_float([1]).dtype is tf.float32 and v1.log(tf.constant(1.0)).numpy() == 0
    assert v1.get_variable("w", [2, 3]).shape == [2, 3]
    assert v1.assign(tf.Variable(1.0), 2.0).numpy() == 2
    assert v1.div(7, 2).numpy() == 3 and v1.executing_eagerly()
    v1.enable_eager_execution(), v1.enable_v2_behavior(), v1.logging.set_verbosity(v1.logging.ERROR)


def test_dimensions() -> None:
    three, unknown = v1.Dimension(3), v1.Dimension(None)
    assert three + 2 == 5 and (three * unknown).value is None and (three == unknown) is None and int(three) == 3
    assert tf.TensorShape([2, None]).dims == [v1.Dimension(2), v1.Dimension(None)] or tf.TensorShape([2, None]).dims[0] == 2
    with pytest.raises(ValueError, match="not compatible"):
        three.assert_is_compatible_with(4)


@pytest.mark.parametrize(
    ("use", "way"),
    [
        (lambda: v1.Session().run(tf.constant(1)), "tf.function"),
        (lambda: v1.placeholder(tf.float32), "arguments of a function"),
        (lambda: v1.disable_eager_execution(), "eager execution is always on"),
        (lambda: v1.variable_scope("a"), "tf.Module"),
        (lambda: v1.FIFOQueue(1, tf.float32), "tf.data"),
    ],
)
def test_graph_mode_names_the_way(use: object, way: str) -> None:
    with pytest.raises(RuntimeError, match=way):
        use()


def test_savers() -> None:
    with pytest.raises(AttributeError, match="tf.train.Checkpoint"):
        v1.train.Saver()


def test_checkpoints_are_asked_for_and_removed_as_in_version_1(tmp_path):
    train = tf.compat.v1.train
    path = tf.train.Checkpoint(v=tf.Variable(1.0)).save(str(tmp_path / "ck"))
    assert train.checkpoint_exists(path)
    assert train.checkpoint_exists(str(tmp_path))  # any file will do, as in TensorFlow
    assert not train.checkpoint_exists(str(tmp_path / "ck"))
    (written,) = train.get_checkpoint_mtimes([path, str(tmp_path / "missing")])
    assert written > 1.6e9
    train.remove_checkpoint(path)
    assert [p.name for p in tmp_path.iterdir()] == ["checkpoint"]
    assert tf.compat.v1.__version__ == tf.__version__


def test_variables_by_version_1s_arguments() -> None:
    v = v1.Variable(2.0, False, ["anywhere"], use_resource=True, expected_shape=[3], name="v")
    assert type(v) is type(tf.Variable(0.0)) and not isinstance(v, v1.Variable)
    assert not v.trainable and v.name == "v:0" and v.numpy() == 2.0
    w = v1.get_variable("w", [2], collections=["anywhere"], initializer=tf.zeros_initializer(), regularizer=tf.keras.regularizers.l2(0.1))
    assert w.name == "w:0" and (w.numpy() == 0).all()

    class Held(v1.Variable):
        def __init__(self) -> None:
            self.mine = 1

    assert isinstance(Held(), tf.Variable) and Held().mine == 1
