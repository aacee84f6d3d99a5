"""`tf.queue` in eager code, functions and threads."""

import threading

import pytest

import tf2compat as tf


def test_first_in_first_out():
    q = tf.queue.FIFOQueue(3, [tf.int32, tf.string], [[], []])
    q.enqueue([1, "a"])
    q.enqueue_many([[2, 3], ["b", "c"]])
    assert int(q.size()) == 3 and [t.numpy() for t in q.dequeue()] == [1, b"a"]
    assert [t.numpy().tolist() for t in q.dequeue_many(2)] == [[2, 3], [b"b", b"c"]]
    q.close()
    assert bool(q.is_closed())
    with pytest.raises(tf.errors.OutOfRangeError, match="insufficient elements"):
        q.dequeue()
    with pytest.raises(tf.errors.CancelledError, match="is closed"):
        q.enqueue([1, "x"])


def test_kinds_of_queues():
    q = tf.queue.PaddingFIFOQueue(10, [tf.int32], [[None]])
    q.enqueue([[1, 2]])
    q.enqueue([[1]])
    assert q.dequeue_many(2).numpy().tolist() == [[1, 2], [1, 0]]
    q = tf.queue.PriorityQueue(10, [tf.string], [[]])
    for k, v in ((3, "c"), (1, "a"), (2, "b")):
        q.enqueue([tf.constant(k, tf.int64), v])
    assert [int(q.dequeue()[0]) for _ in range(3)] == [1, 2, 3]
    q = tf.queue.RandomShuffleQueue(100, 0, tf.int32, [], seed=1)
    q.enqueue_many(tf.range(20))
    assert sorted(q.dequeue_many(20).numpy().tolist()) == list(range(20))
    q = tf.queue.FIFOQueue(3, [tf.int32, tf.string], names=["a", "b"])
    q.enqueue({"a": 1, "b": "x"})
    assert sorted(q.dequeue()) == ["a", "b"]
    with pytest.raises(ValueError, match="dictionary"):
        q.enqueue([1, "x"])


def test_threads_and_functions():
    q = tf.queue.FIFOQueue(1, tf.int32, [])

    @tf.function
    def put(x):
        q.enqueue(x)
        return q.size()

    def feed():
        for i in range(20):
            put(tf.constant(i))
        q.close()

    thread = threading.Thread(target=feed)
    thread.start()
    found = []
    while True:
        try:
            found.append(int(q.dequeue()))
        except tf.errors.OutOfRangeError:
            break
    thread.join()
    assert found == list(range(20))
