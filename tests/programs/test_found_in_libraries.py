"""What TensorFlow libraries do that programs seldom do: found by running their own tests."""

import tf2compat as tf


def test_modules_of_one_name_are_numbered_in_a_graph_only():
    assert [tf.Module("badger").name_scope.name for _ in range(2)] == ["badger/", "badger/"]
    seen = []

    @tf.function
    def f():
        seen.extend(tf.Module("badger").name_scope.name for _ in range(2))

    f()
    assert seen == ["badger/", "badger_1/"]
