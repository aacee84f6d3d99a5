"""`tf.train.ClusterSpec` and `tf.train.Coordinator`."""

import threading

import pytest

import tf2compat as tf
from tf2compat import train


def test_a_cluster_spec() -> None:
    c = train.ClusterSpec({"worker": ["a:1", "b:2"], "ps": {1: "z:3"}})
    assert repr(c) == "ClusterSpec({'ps': {1: 'z:3'}, 'worker': ['a:1', 'b:2']})"
    assert c.jobs == ["worker", "ps"] and c.num_tasks("worker") == 2 and c.task_indices("ps") == [1]
    assert c.task_address("ps", 1) == "z:3" and c.job_tasks("ps") == [None, "z:3"]
    assert train.ClusterSpec(c) == c == train.ClusterSpec(c.as_cluster_def()) and c != train.ClusterSpec({}) and not train.ClusterSpec({})
    assert [job.name for job in c.as_cluster_def().job] == ["ps", "worker"]
    assert train.ServerDef(cluster=c.as_cluster_def(), job_name="ps", task_index=1).cluster.job[0].tasks[1] == "z:3"
    with pytest.raises(ValueError, match="No such job in cluster: 'foo'"):
        c.num_tasks("foo")
    with pytest.raises(ValueError, match="No task with index 0 in job 'ps'"):
        c.task_address("ps", 0)
    with pytest.raises(TypeError, match="tasks for job 'a' must be a list or a dictionary"):
        train.ClusterSpec({"a": 3})
    with pytest.raises(TypeError, match="`cluster` must be a dictionary"):
        train.ClusterSpec(3)


def test_a_coordinator_stops_its_threads_and_raises_what_they_raised() -> None:
    coordinator = train.Coordinator()
    rounds = []

    def work(n):
        with coordinator.stop_on_exception():
            while not coordinator.should_stop():
                rounds.append(n)
                if len(rounds) > 20:
                    raise ArithmeticError("enough")

    threads = [threading.Thread(target=work, args=(i,)) for i in range(3)]
    for t in threads:
        t.start()
    with pytest.raises(ArithmeticError, match="enough"):
        coordinator.join(threads)
    assert coordinator.joined and not any(t.is_alive() for t in threads)
    clean = train.Coordinator()
    clean.request_stop(tf.errors.OutOfRangeError(None, None, "end"))
    clean.join([])
    release = threading.Event()
    stuck = threading.Thread(target=release.wait, name="stuck", daemon=True)
    stuck.start()
    clean = train.Coordinator()
    clean.request_stop()
    with pytest.raises(RuntimeError, match="Coordinator stopped with threads still running: stuck"):
        clean.join([stuck], stop_grace_period_secs=0.01)
    release.set()
