"""`tf.train.Checkpoint` and its relatives, against files that TensorFlow wrote."""

import collections
import gc
import logging
import os
import random
import signal
import time

import numpy as np
import pytest

import tf2compat as tf
from tf2compat import errors, train
from tf2compat._engine.trackable import AutoTrackable

FILES = os.path.join(os.path.dirname(__file__), os.pardir, "conformance", "files")
Pair = collections.namedtuple("Pair", "left right")
DTYPES = "bool uint8 int8 uint16 int16 uint32 int32 uint64 int64 float16 bfloat16 float32 float64 complex64 complex128".split()


@pytest.fixture(params=["tensorflow", "safetensors"])
def fmt(request, monkeypatch):
    monkeypatch.setenv("TF2COMPAT_CHECKPOINT_FORMAT", request.param)
    return request.param


class Tree(AutoTrackable):
    """As in tests/conformance/record_files.py, with other values."""

    def __init__(self):
        super().__init__()
        self.plain = tf.Variable([[0.0, 0.0], [0.0, 0.0]])
        self.pair = Pair(tf.Variable(0.0), "not tracked")
        self.items = [1, [tf.Variable(0, dtype=tf.int64)], {"a": tf.Variable(0.0), "z": 1}]
        self.ordered = collections.OrderedDict(q=tf.Variable([0.0]))
        self.empty_list = []
        self.shared = self.plain
        self.words = tf.Variable(["", "", ""])
        setattr(self, "odd/name.x", tf.Variable(0.0))


def like_recorded():
    typed = {name: tf.Variable(np.zeros(3), dtype=name) for name in DTYPES}
    return train.Checkpoint(tree=Tree(), typed=typed, none=tf.Variable(tf.zeros([0, 3])), step=tf.Variable(0))


def check_values(checkpoint):
    tree = checkpoint.tree
    assert tree.plain.numpy().tolist() == [[1, 2], [3, 4]]
    assert tree.shared is tree.plain
    assert (tree.pair.left.numpy(), tree.items[1][0].numpy(), tree.items[2]["a"].numpy()) == (5, 6, 7)
    assert tree.ordered["q"].numpy().tolist() == [8]
    assert tree.words.numpy().tolist() == [b"a", b"", b"b" * 300]
    assert getattr(tree, "odd/name.x").numpy() == 9
    assert all(checkpoint.typed[name].numpy().tolist() == [0, 1, 1] for name in DTYPES)
    assert checkpoint.step.numpy() == 3
    assert int(checkpoint.save_counter) == 1


def test_restores_what_tensorflow_saved():
    checkpoint = like_recorded()
    checkpoint.restore(train.latest_checkpoint(os.path.join(FILES, "tree"))).assert_consumed()
    check_values(checkpoint)


def test_keys_equal_tensorflow(fmt, tmp_path):
    recorded = train.list_variables(os.path.join(FILES, "tree"))
    assert train.list_variables(like_recorded().save(tmp_path / "ckpt")) == recorded
    reader = train.load_checkpoint(os.path.join(FILES, "tree"))
    assert reader.get_variable_to_dtype_map()["tree/items/1/0/.ATTRIBUTES/VARIABLE_VALUE"] == tf.int64
    ours, theirs = (train.CheckpointView(p) for p in (str(tmp_path / "ckpt-1"), os.path.join(FILES, "tree", "ckpt-1")))
    assert [ours.children(n) for n in ours.descendants()] == [theirs.children(n) for n in theirs.descendants()]


def test_round_trip(fmt, tmp_path):
    first = like_recorded()
    first.restore(train.latest_checkpoint(os.path.join(FILES, "tree"))).assert_consumed()
    path = first.write(tmp_path / "ckpt")
    assert path == str(tmp_path / "ckpt")
    second = like_recorded()
    second.restore(path).assert_consumed()
    check_values(second)
    assert not os.path.exists(tmp_path / "checkpoint")


def test_save_numbers_and_state_file(fmt, tmp_path):
    checkpoint = train.Checkpoint(x=tf.Variable(1.0))
    assert checkpoint.save(str(tmp_path / "a")) == str(tmp_path / "a-1")
    assert checkpoint.save(tmp_path / "a") == str(tmp_path / "a-2")
    assert (tmp_path / "checkpoint").read_text() == 'model_checkpoint_path: "a-2"\nall_model_checkpoint_paths: "a-2"\n'
    assert train.latest_checkpoint(tmp_path) == str(tmp_path / "a-2")
    assert train.latest_checkpoint(tmp_path / "nowhere") is None
    state = train.get_checkpoint_state(tmp_path)
    assert list(state.all_model_checkpoint_paths) == [str(tmp_path / "a-2")]


def test_deferred_restoration(fmt, tmp_path):
    saved = AutoTrackable()
    saved.layers = [tf.Variable(1.0), {"inner": tf.Variable([2.0, 3.0])}]
    saved.later = AutoTrackable()
    saved.later.deep = tf.Variable("text")
    path = train.Checkpoint(net=saved).save(tmp_path / "ckpt")

    net = AutoTrackable()
    net.layers = []
    status = train.Checkpoint(net=net).restore(path)
    with pytest.raises(AssertionError, match=r"Unresolved object in checkpoint \(root\).net"):
        status.assert_consumed()
    status.assert_existing_objects_matched()
    net.layers.append(tf.Variable(0.0))
    assert net.layers[0].numpy() == 1
    net.layers.append({})
    net.layers[1]["inner"] = tf.Variable([0.0, 0.0])
    assert net.layers[1]["inner"].numpy().tolist() == [2, 3]
    net.later = AutoTrackable()
    net.later.deep = tf.Variable("")
    assert net.later.deep.numpy() == b"text"
    status.assert_consumed()
    assert isinstance(net.layers, list) and isinstance(net.layers[1], dict)


def test_an_object_used_twice_is_restored_through_either_edge(fmt, tmp_path):
    shared = tf.Variable(3.0)
    path = train.Checkpoint(a=shared, b=shared).save(tmp_path / "ckpt")
    other = tf.Variable(0.0)
    train.Checkpoint(b=other).restore(path)
    assert other.numpy() == 3


def test_root(fmt, tmp_path):
    root = AutoTrackable()
    root.q = tf.Variable(2.0)
    path = train.Checkpoint(root, k=tf.Variable(3.0)).save(tmp_path / "ckpt")
    assert [name.split("/")[0] for name, _ in train.list_variables(path)] == ["_CHECKPOINTABLE_OBJECT_GRAPH", "k", "q", "save_counter"]
    assert train.CheckpointView(path).children(0) == {"q": 1, "k": 2, "root": 0, "save_counter": 3}
    with pytest.raises(ValueError, match="Cannot create a Checkpoint with keyword argument q if root.q already exists"):
        train.Checkpoint(root, q=tf.Variable(3.0))
    back = AutoTrackable()
    back.q = tf.Variable(0.0)
    k = tf.Variable(0.0)
    train.Checkpoint(back, k=k).restore(path).assert_consumed()
    assert (back.q.numpy(), k.numpy()) == (2, 3)
    alone = tf.Variable(5.0)
    path = train.Checkpoint(alone).write(tmp_path / "alone")
    assert train.list_variables(path)[0][0] == "/.ATTRIBUTES/VARIABLE_VALUE"


def test_errors(fmt, tmp_path):
    path = train.Checkpoint(a=tf.Variable([1.0, 2.0]), b=tf.Variable(1.0), c=tf.Variable(1)).save(tmp_path / "y")
    with pytest.raises(ValueError, match=r"Received incompatible tensor with shape \(2,\) when attempting to restore variable with shape \(3,\)"):
        train.Checkpoint(a=tf.Variable([0.0] * 3)).restore(path)
    with pytest.raises(errors.InvalidArgumentError, match="expected dtype float does not equal original dtype int32"):
        train.Checkpoint(c=tf.Variable(0.0)).restore(path)
    with pytest.raises(AssertionError, match=r"Found 1 Python objects that were not bound to checkpointed values"):
        train.Checkpoint(a=tf.Variable([1.0, 2.0]), z=tf.Variable(1.0)).restore(path).assert_existing_objects_matched()
    with pytest.raises(AssertionError, match="Nothing except the root object matched"):
        train.Checkpoint(zz=tf.Variable(1.0)).read(path).assert_nontrivial_match()
    with pytest.raises(errors.NotFoundError, match="(?s)Failed to find any matching files for .*double-check"):
        train.Checkpoint(a=tf.Variable(1.0)).restore(str(tmp_path / "none"))
    with pytest.raises(errors.DataLossError, match="Is a directory"):
        train.Checkpoint(a=tf.Variable(1.0)).read(str(tmp_path))
    with pytest.raises(AssertionError, match="No checkpoint specified"):
        train.Checkpoint(a=tf.Variable(1.0)).restore(None).assert_consumed()
    with pytest.raises(TypeError, match="Expected binary or unicode string, got 5"):
        train.Checkpoint(a=tf.Variable(1.0)).restore(5)
    with pytest.raises(ValueError, match="was expecting b to be a trackable object"):
        train.Checkpoint(b=5)
    with pytest.raises(errors.NotFoundError, match="Key q not found in checkpoint"):
        train.load_variable(path, "q")
    with pytest.raises(ValueError, match="non-string key"):
        train.Checkpoint(d={1: tf.Variable(1.0)}).write(tmp_path / "bad")
    with pytest.raises(ValueError, match="Unknown checkpoint format 'pickle'"):
        train.CheckpointOptions(experimental_format="pickle")


def test_all_or_nothing(fmt, tmp_path):
    def make(value):
        return train.Checkpoint(a=tf.Variable([value] * 100), b=tf.Variable([value] * 100))

    path = make(1.0).write(tmp_path / "ckpt")
    file = next(str(p) for p in tmp_path.iterdir() if p.suffix != ".index")
    with open(file, "rb+") as f:
        content = f.read()
        ones = np.ones(100, np.float32).tobytes()
        f.seek(content.rindex(ones) + 17)
        f.write(b"\x44")
    target = make(0.0)
    with pytest.raises(errors.DataLossError, match=r"'[ab]/\.ATTRIBUTES/VARIABLE_VALUE'"):
        target.read(path)
    assert not target.a.numpy().any() and not target.b.numpy().any()
    path = train.Checkpoint(a=tf.Variable([1.0]), b=tf.Variable([1.0])).write(tmp_path / "other")
    target = train.Checkpoint(a=tf.Variable([0.0]), b=tf.Variable([0.0, 0.0]))
    with pytest.raises(ValueError, match="incompatible"):
        target.read(path)
    assert target.a.numpy() == 0


def test_options_choose_the_format(tmp_path):
    checkpoint = train.Checkpoint(x=tf.Variable(4.0))
    for name, suffix in (("tensorflow", ".index"), ("safetensors", ".safetensors")):
        path = checkpoint.write(tmp_path / "ckpt", train.CheckpointOptions(experimental_format=name))
        assert os.path.exists(path + suffix)
        x = tf.Variable(0.0)
        train.Checkpoint(x=x).read(path).assert_consumed()
        assert x.numpy() == 4
    assert sorted(os.listdir(tmp_path)) == ["ckpt.safetensors"]


def test_partial_restore_warns_unless_expected(fmt, tmp_path, caplog):
    path = train.Checkpoint(a=tf.Variable(1.0), b=tf.Variable(2.0)).write(tmp_path / "ckpt")
    logging.getLogger("tensorflow").propagate = True
    caplog.set_level(logging.WARNING, "tensorflow")  # an earlier test may have asked for less
    for expect in (True, False):
        gc.collect()  # what earlier tests left
        caplog.clear()
        checkpoint = train.Checkpoint(a=tf.Variable(0.0))
        status = checkpoint.read(path)
        if expect:
            status.expect_partial()
        del status, checkpoint
        gc.collect()
        assert ("(root).b" in caplog.text) is not expect


def test_manager(fmt, tmp_path):
    step = tf.Variable(0, dtype=tf.int64)
    checkpoint = train.Checkpoint(step=step)
    called = []
    manager = train.CheckpointManager(checkpoint, tmp_path, max_to_keep=2, init_fn=lambda: called.append(1))
    assert manager.restore_or_initialize() is None and called == [1]
    for _ in range(4):
        step.assign_add(1)
        manager.save()
    assert [os.path.basename(p) for p in manager.checkpoints] == ["ckpt-3", "ckpt-4"]
    assert {name.split(".")[0] for name in os.listdir(tmp_path)} == {"checkpoint", "ckpt-3", "ckpt-4"}
    again = train.CheckpointManager(train.Checkpoint(step=tf.Variable(0, dtype=tf.int64)), str(tmp_path), 2)
    assert again.checkpoints == manager.checkpoints
    assert again.restore_or_initialize() == str(tmp_path / "ckpt-4") == again.latest_checkpoint
    assert int(again.checkpoint.step) == 4
    assert manager.save(checkpoint_number=77).endswith("ckpt-77")
    for bad in (0, -1):
        with pytest.raises(ValueError, match=f"Expected a positive integer or `None` for `max_to_keep`, got {bad}"):
            train.CheckpointManager(checkpoint, tmp_path, max_to_keep=bad)
    with pytest.raises(ValueError, match="`step_counter` should be passed"):
        train.CheckpointManager(checkpoint, tmp_path, 2, checkpoint_interval=3)


def test_manager_interval_and_keeping(fmt, tmp_path, monkeypatch):
    step = tf.Variable(0)
    manager = train.CheckpointManager(train.Checkpoint(step=step), tmp_path, 1, step_counter=step, checkpoint_interval=3)
    saved = []
    for _ in range(8):
        saved.append(manager.save() is not None)
        step.assign_add(1)
    assert saved == [True, False, False, True, False, False, True, False]
    now = [time.time()]
    monkeypatch.setattr(time, "time", lambda: now[0])
    keeping = train.CheckpointManager(train.Checkpoint(step=step), tmp_path / "k", 1, keep_checkpoint_every_n_hours=2)
    for _ in range(6):
        now[0] += 3600
        keeping.save()
    kept = {name.split(".")[0] for name in os.listdir(tmp_path / "k")}
    assert kept == {"checkpoint", "ckpt-2", "ckpt-4", "ckpt-6"}


def test_async(fmt, tmp_path):
    x = tf.Variable([1.0] * 1000)
    checkpoint = train.Checkpoint(x=x)
    path = checkpoint.save(tmp_path / "ckpt", train.CheckpointOptions(enable_async=True))
    x.assign([2.0] * 1000)
    checkpoint.sync()
    assert train.load_variable(path, "x/.ATTRIBUTES/VARIABLE_VALUE").tolist() == [1.0] * 1000
    assert train.latest_checkpoint(tmp_path) == path
    os.makedirs(tmp_path / "is_a_directory-2.safetensors")
    os.makedirs(tmp_path / "is_a_directory-2.index")
    checkpoint.save(tmp_path / "is_a_directory", train.CheckpointOptions(enable_async=True))
    with pytest.raises(errors.OpError):
        checkpoint.sync()
    checkpoint.sync()


def test_python_state_and_callbacks(fmt, tmp_path):
    class State(train.experimental.PythonState):
        text = "saved"

        def serialize(self):
            return self.text

        def deserialize(self, value):
            self.text = value.decode()

    state = State()
    written = []
    options = train.CheckpointOptions(experimental_write_callbacks=[written.append, lambda: written.append("called")])
    path = train.Checkpoint(state=state).write(tmp_path / "ckpt", options)
    assert written == [path, "called"]
    state.text = "changed"
    train.Checkpoint(state=state).read(path).assert_consumed()
    assert state.text == "saved"
    assert "state/.ATTRIBUTES/py_state" in dict(train.list_variables(path))


def test_restores_by_names_without_a_tree(tmp_path):
    small = tf.Variable(tf.zeros([6, 4]), name="scope/small")
    missing = tf.Variable(1.0, name="missing")
    status = train.Checkpoint(v=small).restore(os.path.join(FILES, "partitioned", "model"))
    status.assert_consumed()
    assert small.numpy().tolist() == np.arange(24.0).reshape(6, 4).tolist()
    with pytest.raises(AssertionError, match="missing"):
        train.Checkpoint(v=small, w=missing).restore(os.path.join(FILES, "partitioned", "model")).assert_consumed()


def test_moving_average():
    v = tf.Variable([1.0, 2.0])
    average = train.ExponentialMovingAverage(0.9)
    average.apply([v])
    v.assign([2.0, 4.0])
    average.apply([v])
    assert np.allclose(average.average(v).numpy(), [1.1, 2.2])
    corrected = train.ExponentialMovingAverage(0.5, zero_debias=True)
    corrected.apply([v])
    assert np.allclose(corrected.average(v).numpy(), [2.0, 4.0])


def test_a_module_copies_and_pickles_with_its_edges():
    import copy
    import pickle

    tree = Tree()
    for other in (copy.deepcopy(tree), pickle.loads(pickle.dumps(tree)), copy.copy(tree)):
        other.new = tf.Variable(1.0)
        assert "new" in other._trackable_children() and "new" not in tree._trackable_children()
        assert set(tree._trackable_children()) < set(other._trackable_children())


def save_forever(directory):
    x = [tf.Variable(tf.zeros([20000])) for _ in range(4)]
    manager = train.CheckpointManager(train.Checkpoint(x=x), directory, max_to_keep=2)
    manager.restore_or_initialize()
    while True:
        for v in x:
            v.assign_add(tf.ones([20000]))
        manager.save()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process")
def test_killed_while_saving(fmt, tmp_path):
    """At whatever moment the process dies, the latest checkpoint is whole, and the next run leaves no debris."""
    rng = random.Random(1)
    values = 0
    for _ in range(int(os.environ.get("TF2COMPAT_KILLS", "10"))):
        child = os.fork()
        if child == 0:
            try:
                save_forever(tmp_path)
            finally:
                os._exit(1)
        time.sleep(0.01 + rng.random() * 0.1)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        path = train.latest_checkpoint(tmp_path)
        if path is None:
            continue
        x = [tf.Variable(tf.zeros([20000])) for _ in range(4)]
        train.Checkpoint(x=x).restore(path).assert_consumed()
        found = {float(value) for v in x for value in np.unique(v.numpy())}
        assert len(found) == 1 and found.pop() >= values
        values = float(x[0].numpy()[0])
    manager = train.CheckpointManager(train.Checkpoint(x=[tf.Variable(tf.zeros([20000])) for _ in range(4)]), tmp_path, max_to_keep=1)
    manager.restore_or_initialize()
    manager.save()
    assert not [name for name in os.listdir(tmp_path) if name.endswith("tmp")]


def write_forever(path, value):
    x = [tf.Variable(tf.fill([5000], value)) for _ in range(3)]
    while True:
        train.Checkpoint(x=x).write(path)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process")
def test_two_processes_write_what_a_third_reads(fmt, tmp_path):
    """Whoever reads has all of one of the checkpoints that were written to a path, or is told that its files do not belong together."""
    path, children, whole = str(tmp_path / "shared"), [], 0
    for value in (1.0, 2.0):
        child = os.fork()
        if child == 0:
            try:
                write_forever(path, value)
            finally:
                os._exit(1)
        children.append(child)
    try:
        end = time.monotonic() + 3
        while time.monotonic() < end:
            x = [tf.Variable(tf.zeros([5000])) for _ in range(3)]
            try:
                train.Checkpoint(x=x).read(path).assert_consumed()
            except (tf.errors.NotFoundError, tf.errors.DataLossError):
                assert all(not v.numpy().any() for v in x)  # nothing has changed
                continue
            found = {float(value) for v in x for value in np.unique(v.numpy())}
            assert found in ({1.0}, {2.0})
            whole += 1
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    assert whole > 0
