"""Sources and transformations of `tf.data.experimental`."""

import sqlite3

import numpy as np
import pytest

import tf2compat as tf

E = tf.data.experimental


@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('a,b,c\n1,2.5,x\n3,,"y,""z"\n5,1e3,"two\nlines"\n')
    return str(path)


def test_csv_dataset(rows):
    found = E.CsvDataset(rows, [tf.int32, [7.0], tf.string], header=True)
    assert found.element_spec == (tf.TensorSpec([], tf.int32), tf.TensorSpec([], tf.float32), tf.TensorSpec([], tf.string))
    assert list(found.as_numpy_iterator()) == [(1, 2.5, b"x"), (3, 7.0, b'y,"z'), (5, 1000.0, b"two\nlines")]
    assert list(E.CsvDataset(rows, [tf.string], header=True, select_cols=[2]).as_numpy_iterator())[0] == (b"x",)
    assert list(E.CsvDataset(rows, [tf.int32], header=True, exclude_cols=[1, 2]).as_numpy_iterator())[0] == (1,)
    for defaults, header, message in (
        ([tf.int32, tf.float32, tf.string], True, "Field 1 is required but missing in record!"),
        ([tf.int32, tf.float32, tf.string], False, "Field 0 in record is not a valid int32: a"),
        ([tf.int32, tf.float32], True, "Expect 2 fields but have more in record"),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            list(E.CsvDataset(rows, defaults, header=header))


def test_make_csv_dataset(rows, tmp_path):
    batches = list(E.make_csv_dataset(rows, 2, label_name="c", num_epochs=1, shuffle=False).as_numpy_iterator())
    assert list(batches[0][0]) == ["a", "b"] and batches[0][0]["b"].tolist() == [2.5, 0.0] and batches[1][1].tolist() == [b"two\nlines"]
    endless = E.make_csv_dataset(rows, 2)
    assert endless.element_spec["b"] == tf.TensorSpec([2], tf.float32)
    assert len(list(endless.take(5))) == 5
    few = E.make_csv_dataset(rows, 3, select_columns=["a"], num_epochs=1, shuffle=False, column_defaults=[tf.int64])
    assert next(iter(few))["a"].numpy().tolist() == [1, 3, 5]
    with pytest.raises(ValueError, match="No files match"):
        E.make_csv_dataset(str(tmp_path / "no*"), 2)
    with pytest.raises(ValueError, match="label_name"):
        E.make_csv_dataset(rows, 2, label_name="q")


def test_sql(tmp_path):
    path = str(tmp_path / "s.db")
    base = sqlite3.connect(path)
    base.execute("create table t(a int, b real, c text)")
    base.executemany("insert into t values(?,?,?)", [(1, 2.5, "x"), (2, None, None)])
    base.commit()
    base.close()
    kinds = (tf.int32, tf.float64, tf.string)
    assert list(E.SqlDataset("sqlite", path, "select a,b,c from t", kinds).as_numpy_iterator()) == [(1, 2.5, b"x"), (2, 0.0, b"")]
    with pytest.raises(tf.errors.InvalidArgumentError, match="number of columns"):
        list(E.SqlDataset("sqlite", path, "select a from t", kinds))
    with pytest.raises(tf.errors.UnknownError, match="no such column: q"):
        list(E.SqlDataset("sqlite", path, "select q from t", (tf.int32,)))
    with pytest.raises(tf.errors.UnknownError):
        list(E.SqlDataset("sqlite", path, "delete from t", (tf.int32,)))


def test_batched_features(tmp_path):
    path = str(tmp_path / "r")
    with tf.io.TFRecordWriter(path) as writer:
        for i in range(5):
            feature = {"x": tf.train.Feature(float_list=tf.train.FloatList(value=[i, i])), "y": tf.train.Feature(int64_list=tf.train.Int64List(value=[i]))}
            writer.write(tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString())
    spec = {"x": tf.io.FixedLenFeature([2], tf.float32), "y": tf.io.FixedLenFeature([], tf.int64)}
    found = list(E.make_batched_features_dataset(path, 2, spec, label_key="y", num_epochs=1, shuffle=False).as_numpy_iterator())
    assert [y.tolist() for _, y in found] == [[0, 1], [2, 3], [4]] and found[2][0]["x"].tolist() == [[4.0, 4.0]]
    again = tf.data.TFRecordDataset(path).batch(5).apply(E.parse_example_dataset(spec, 2))
    assert next(iter(again))["y"].numpy().tolist() == list(range(5))
    E.TFRecordWriter(path).write(tf.data.Dataset.from_tensor_slices(["a", "b"]))
    assert list(tf.data.TFRecordDataset(path).as_numpy_iterator()) == [b"a", b"b"]
    with pytest.raises(TypeError, match="scalar `tf.string`"):
        E.TFRecordWriter(path).write(tf.data.Dataset.range(3))


def test_reducers_and_padding():
    reducer = E.Reducer(lambda k: (k, tf.constant(0, tf.int64)), lambda s, x: (s[0], s[1] + x), lambda a, b: (a, b))
    found = tf.data.Dataset.range(10).apply(E.group_by_reducer(lambda x: (x * 7) % 4, reducer))
    assert list(found.as_numpy_iterator()) == [(0, 12), (1, 10), (2, 8), (3, 15)]
    padded = tf.data.Dataset.range(3).map(lambda x: {"a": x}).apply(E.pad_to_cardinality(5))
    assert [(int(e["a"]), bool(e["valid"])) for e in padded] == [(0, True), (1, True), (2, True), (0, False), (0, False)] and len(padded) == 5


def test_tables_of_datasets():
    words = tf.data.Dataset.from_tensor_slices(["x", "y"])
    assert E.index_table_from_dataset(words).lookup(tf.constant(["y", "q"])).numpy().tolist() == [1, -1]
    pairs = tf.data.Dataset.zip((words, tf.data.Dataset.range(5, 7)))
    table = E.table_from_dataset(pairs, num_oov_buckets=2)
    assert int(table.lookup(tf.constant(["y"]))[0]) == 6 and int(table.size()) == 4
    table = tf.lookup.StaticHashTable(E.DatasetInitializer(pairs), -1)
    assert table.lookup(tf.constant(["x", "q"])).numpy().tolist() == [5, -1] and table.resource_handle.dtype == tf.resource


def test_variants_and_debugging(monkeypatch):
    d = E.from_variant(E.to_variant(tf.data.Dataset.range(3)), tf.TensorSpec([], tf.int64))
    assert list(d.as_numpy_iterator()) == [0, 1, 2]
    from tf2compat.data import functions

    monkeypatch.setattr(functions, "_debugging", False)
    E.enable_debug_mode()
    seen = []
    assert [int(x) for x in tf.data.Dataset.range(3).map(lambda x: seen.append(1) or x + 1, 2)] == [1, 2, 3]
    assert len(seen) == 4  # once for the spec


def test_tables_in_checkpoints(tmp_path):
    def tables():
        return (
            tf.lookup.experimental.MutableHashTable(tf.string, tf.float32, [0.0, 0.0]),
            tf.lookup.experimental.DenseHashTable(tf.int64, tf.int64, -1, -10, -11),
        )

    a, b = tables()
    a.insert(["x", "y"], [[1.0, 2.0], [3.0, 4.0]])
    b.insert_or_assign([5], [6])
    path = tf.train.Checkpoint(a=a, b=b).save(str(tmp_path / "c"))
    names = dict(tf.train.list_variables(path))
    assert names["a/.ATTRIBUTES/table-keys"] == [2] and names["a/.ATTRIBUTES/table-values"] == [2, 2]
    a, b = tables()
    tf.train.Checkpoint(a=a, b=b).restore(path).assert_consumed()
    assert a.lookup(tf.constant(["y", "q"])).numpy().tolist() == [[3, 4], [0, 0]] and b.lookup([5, 7]).numpy().tolist() == [6, -1]
    with pytest.raises(tf.errors.InvalidArgumentError, match="empty_key"):
        b.insert([-10], [3])
    b.erase([5])
    assert int(b.size()) == 0 and np.asarray(b.export()[0]).shape == (0,)
