"""`tf.summary`: the events are those that TensorFlow writes, and TensorBoard shows them."""

import glob
import io
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing import event_file_loader
from tensorboard.compat.proto import event_pb2

import tf2compat as tf
from tf2compat import errors

FILES = os.path.join(os.path.dirname(__file__), os.pardir, "conformance", "files")


def load(directory):
    paths = sorted(glob.glob(os.path.join(str(directory), "*tfevents*")))
    return [event_pb2.Event.FromString(record) for path in paths for record in event_file_loader.RawEventFileLoader(path).Load()]


@pytest.fixture
def writer(tmp_path):
    made = tf.summary.create_file_writer(str(tmp_path))
    yield made
    made.close()
    tf.summary.experimental.set_step(None)


def record_everything():
    tf.summary.scalar("loss", 0.5, description="the *loss*")
    with tf.name_scope("scope"):
        tf.summary.scalar("inner", 2, step=4)
    tf.summary.histogram("values", [1.0, 2.0, 2.0, 5.0], buckets=3)
    tf.summary.histogram("constant", [2.0, 2.0])
    tf.summary.histogram("empty", tf.zeros([0]))
    tf.summary.image("picture", np.arange(12, dtype=np.uint8).reshape(1, 2, 2, 3))
    tf.summary.image("gray", np.array([[[[-0.5], [0.25]], [[0.5], [2.0]]]], np.float32))
    tf.summary.audio("sound", np.linspace(-1, 1, 8).reshape(1, 8, 1).astype(np.float32), 8000)
    tf.summary.text("words", ["a", "b"])
    tf.summary.text("one", "text")
    tf.summary.write("raw", tf.constant([[1, 2]], tf.int64))


def comparable(event):
    """The event without times, and with images decoded: compressors differ."""
    event.wall_time = 0
    event.ClearField("source_metadata")
    pictures = []
    for value in event.summary.value:
        for i, text in enumerate(value.tensor.string_val):
            if text.startswith(b"\x89PNG"):
                pictures.append(np.asarray(Image.open(io.BytesIO(text))).tolist())
                value.tensor.string_val[i] = b"picture"
    return event, pictures


def test_events_equal_tensorflow(writer, tmp_path):
    with writer.as_default(step=3):
        record_everything()
    ours, theirs = load(tmp_path), load(os.path.join(FILES, "events", "x"))
    assert len(ours) == len(theirs) == 12
    for a, b in zip(ours, theirs):
        assert comparable(a) == comparable(b)


def test_steps(writer, tmp_path):
    with writer.as_default():
        with pytest.raises(ValueError, match="No step set"):
            tf.summary.scalar("a", 1.0)
        tf.summary.experimental.set_step(7)
        assert tf.summary.experimental.get_step() == 7
        tf.summary.scalar("a", 1.0)
        with writer.as_default(step=tf.Variable(9, dtype=tf.int64)):
            tf.summary.scalar("a", tf.constant(2.0))
        tf.summary.scalar("a", 3.0, step=np.int32(2))
        for bad in (1.5, "x", tf.Variable(3)):
            with pytest.raises((TypeError, ValueError)):
                tf.summary.scalar("a", 1.0, step=bad)
    assert [(e.step, e.summary.value[0].tag) for e in load(tmp_path)[1:]] == [(7, "a"), (9, "a"), (2, "a")]


def test_when_it_records(writer, tmp_path):
    assert not tf.summary.scalar("a", 1.0)
    assert not tf.summary.should_record_summaries()
    with writer.as_default(step=1):
        assert tf.summary.should_record_summaries()
        with tf.summary.record_if(False):
            assert not tf.summary.should_record_summaries()
            assert not tf.summary.scalar("no", 1.0)
        with tf.summary.record_if(lambda: tf.constant(True)):
            assert tf.summary.scalar("yes", 1.0)
        with tf.summary.record_if(tf.constant(False)):
            assert not tf.summary.write("no", lambda: pytest.fail("must not be computed"))
        with tf.summary.create_noop_writer().as_default():  # which is as if it was not there
            assert tf.summary.scalar("too", 1.0)
        tf.summary.create_noop_writer().set_as_default(step=5)
        assert tf.summary.scalar("three", 1.0) and tf.summary.experimental.get_step() == 1
    assert [e.summary.value[0].tag for e in load(tmp_path)[1:]] == ["yes", "too", "three"]


def test_errors(writer):
    with writer.as_default(step=1):
        with pytest.raises(ValueError, match=r"Expected scalar shape, saw shape: \(1,\)"):
            tf.summary.scalar("a", [1.0])
        with pytest.raises(errors.UnimplementedError, match="Cast string to float is not supported"):
            tf.summary.scalar("a", "x")
        with pytest.raises(ValueError, match="must have rank 4.  Received rank 2"):
            tf.summary.image("a", np.zeros((2, 2)))
        with pytest.raises(errors.InvalidArgumentError, match="image must have 1, 2, 3, or 4 channels, got 5"):
            tf.summary.image("a", np.zeros((1, 2, 2, 5)))
        with pytest.raises(ValueError, match="Unknown encoding: 'mp3'"):
            tf.summary.audio("a", np.zeros((1, 2, 1)), 8000, encoding="mp3")
        with pytest.raises(TypeError, match="tensor must be of type tf.string; got tf.int32"):
            tf.summary.text("a", 3)
        with pytest.raises(ValueError, match="is not tf.Graph"):
            tf.summary.graph(5)
    with pytest.raises(ValueError, match="`?logdir`? cannot be None"):
        tf.summary.create_file_writer(None)
    with pytest.raises(ValueError, match="Must enable trace before export"):
        tf.summary.trace_export("x", step=1)
    with pytest.raises(ValueError, match="Invalid argument to flush"):
        tf.summary.flush(5)


def test_a_closed_writer(writer, tmp_path):
    writer.close()
    writer.close()
    writer.flush()
    with pytest.raises(RuntimeError, match="is already closed"):
        with writer.as_default():
            pass


def test_holding_back(tmp_path):
    writer = tf.summary.create_file_writer(str(tmp_path), max_queue=3, filename_suffix=".sfx")
    with pytest.raises(ZeroDivisionError), writer.as_default():
        for step in range(4):
            assert len(load(tmp_path)) == 1
            tf.summary.scalar("a", 1.0, step=step)
        assert len(load(tmp_path)) == 5
        tf.summary.scalar("a", 1.0, step=9)
        raise ZeroDivisionError
    assert len(load(tmp_path)) == 6
    assert all(name.endswith(".sfx") for name in os.listdir(tmp_path))
    writer.close()


def test_no_directory(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(errors.OpError):
        tf.summary.create_file_writer(str(tmp_path / "file" / "x"))


def test_raw_messages(writer, tmp_path):
    from tensorboard.compat.proto import summary_pb2

    message = summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag="kept", simple_value=4.0)])
    with writer.as_default(step=2):
        assert tf.summary.experimental.write_raw_pb(message.SerializeToString())
        with pytest.raises(errors.DataLossError):
            tf.summary.experimental.write_raw_pb(b"\xff\xff")
        with tf.summary.experimental.summary_scope("q") as (tag, scope):
            assert (tag, scope) == ("q", "q/")
    assert load(tmp_path)[1].summary.value[0].simple_value == 4


def test_in_functions(writer, tmp_path):
    step = tf.Variable(0, dtype=tf.int64)

    @tf.function
    def train_step(x):
        with writer.as_default():
            tf.summary.scalar("loss", x * 2, step=step)
            tf.summary.text("note", tf.constant("hi"), step=step)
            with tf.summary.record_if(tf.equal(step % 2, 0)):
                tf.summary.histogram("even", [x, x], step=step)
        step.assign_add(1)
        return x

    for i in range(3):
        train_step(tf.constant(float(i)))
    writer.flush()
    found = [(e.step, e.summary.value[0].tag) for e in load(tmp_path)[1:]]
    assert found == [(0, "loss"), (0, "note"), (0, "even"), (1, "loss"), (1, "note"), (2, "loss"), (2, "note"), (2, "even")]
    losses = [np.frombuffer(e.summary.value[0].tensor.tensor_content, "f4")[0] for e in load(tmp_path) if e.step and "loss" in str(e)]
    assert losses == [2, 4]


def test_graphs(writer, tmp_path):
    from tensorboard.compat.proto import config_pb2, graph_pb2

    @tf.function
    def f(x):
        return tf.matmul(x, x) + 1.0

    graph = f.get_concrete_function(tf.zeros([2, 2])).graph
    with writer.as_default(step=1):
        assert tf.summary.graph(graph)
        tf.summary.trace_on(graph=True, profiler=True, profiler_outdir=str(tmp_path / "prof"))
        f(tf.zeros([2, 2]))
        tf.summary.trace_export("traced")
        f(tf.zeros([2, 2]))
        with pytest.raises(ValueError, match="Must enable trace"):
            tf.summary.trace_export("traced")
    events = load(tmp_path)
    plain = graph_pb2.GraphDef.FromString(events[1].graph_def)
    by_op = {node.op: node for node in plain.node}
    assert list(by_op["AddV2"].input)[0] == by_op["MatMul"].name
    value = events[2].summary.value[0]
    assert value.metadata.plugin_data.plugin_name == "graph_run_metadata_graph"
    run = config_pb2.RunMetadata.FromString(value.tensor.string_val[0])
    assert {node.op for node in run.function_graphs[0].pre_optimization_graph.node} >= {"MatMul", "AddV2"}
    assert glob.glob(str(tmp_path / "prof" / "plugins" / "profile" / "*" / "*.pt.trace.json"))


def test_histogram_of_many_values_is_cheap(writer):
    with writer.as_default(step=0):
        start = time.time()
        tf.summary.histogram("h", np.random.default_rng(0).normal(size=1_000_000))
        assert time.time() - start < 2


def test_killed_programs_leave_readable_files(tmp_path):
    code = (
        "import os, sys, tf2compat as tf\n"
        "w = tf.summary.create_file_writer(sys.argv[1], max_queue=0)\n"
        "with w.as_default():\n"
        "    for i in range(50): tf.summary.scalar('a', i, step=i)\n"
        "    os._exit(1)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert len(load(tmp_path)) == 51


def fetch(port, path):
    with urllib.request.urlopen(f"http://localhost:{port}/data/plugin/{path}", timeout=10) as answer:
        return answer.read()


def test_tensorboard_shows_them(tmp_path):
    writer = tf.summary.create_file_writer(str(tmp_path / "run"))
    with writer.as_default(step=3):
        record_everything()
    writer.close()
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "tensorboard.main", "--logdir", str(tmp_path), "--port", str(port), "--load_fast", "false"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.time() + 60
        tags = {}
        while time.time() < deadline and "run" not in tags:
            time.sleep(0.5)
            try:
                tags = json.loads(fetch(port, "scalars/tags"))
            except OSError:
                continue
        assert set(tags["run"]) == {"loss", "scope/inner"}
        assert json.loads(fetch(port, "scalars/scalars?run=run&tag=loss"))[0][1:] == [3, 0.5]
        assert set(json.loads(fetch(port, "histograms/tags"))["run"]) == {"values", "constant", "empty"}
        assert set(json.loads(fetch(port, "images/tags"))["run"]) == {"picture", "gray"}
        assert set(json.loads(fetch(port, "audio/tags"))["run"]) == {"sound"}
        assert set(json.loads(fetch(port, "text/tags"))["run"]) == {"words", "one"}
        shown = json.loads(fetch(port, "images/images?run=run&tag=picture&sample=0"))[0]
        picture = Image.open(io.BytesIO(fetch(port, "images/individualImage?" + shown["query"])))
        assert np.asarray(picture).tolist() == np.arange(12).reshape(2, 2, 3).tolist()
    finally:
        server.kill()
        server.wait()


def test_a_writer_that_a_function_enters_is_flushed_when_it_runs(tmp_path, writer):
    @tf.function
    def step(x):
        with writer.as_default():
            tf.summary.write("tag", x, step=12, metadata=b"")

    for n in (1, 2):
        step(tf.constant([n]))
        assert len(load(tmp_path)) == 1 + n
