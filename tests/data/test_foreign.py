"""torch's and Hugging Face's data sets as pipelines, and pipelines for torch's DataLoader."""

import multiprocessing
import pickle

import numpy as np
import pytest
import torch
import torch.utils.data as torch_data

import tf2compat as tf
from tf2compat import data


class Squares(torch_data.Dataset):
    def __len__(self):
        return 10

    def __getitem__(self, i):
        if i >= 10:
            raise IndexError(i)
        return {"x": torch.full((2,), float(i)), "name": f"n{i}"}, i * i


class Counting(torch_data.IterableDataset):
    def __iter__(self):
        return iter(range(5))


def test_a_loader_is_a_pipeline_of_batches():
    loader = torch_data.DataLoader(Squares(), batch_size=4)
    found = data.from_torch(loader)
    assert found.element_spec == ({"x": tf.TensorSpec([None, 2], tf.float32), "name": tf.TensorSpec([None], tf.string)}, tf.TensorSpec([None], tf.int64))
    assert len(found) == 3
    batches = list(found.map(lambda d, y: (d["name"], y)).as_numpy_iterator())
    assert batches[-1][0].tolist() == [b"n8", b"n9"] and batches[0][1].tolist() == [0, 1, 4, 9]


def test_datasets_of_torch():
    assert [int(y) for _, y in data.from_torch(Squares())] == [i * i for i in range(10)]
    assert [int(x) for x in data.from_torch(Counting())] == list(range(5))
    rows = data.from_torch(torch_data.TensorDataset(torch.arange(6.0).reshape(6, 1), torch.arange(6)))
    assert rows._indexed() is not None and [y.numpy().tolist() for _, y in rows.batch(4)] == [[0, 1, 2, 3], [4, 5]]
    with pytest.raises(TypeError, match="DataLoader"):
        data.from_torch([1, 2])
    uneven = torch_data.DataLoader([torch.zeros(n) for n in (1, 2)], batch_size=None)
    with pytest.raises(tf.errors.InvalidArgumentError, match="output_signature"):
        list(data.from_torch(uneven))
    assert len(list(data.from_torch(uneven, tf.TensorSpec([None], tf.float32)))) == 2


def test_fit_on_a_loader():
    model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    rows = torch_data.TensorDataset(torch.rand(20, 3), torch.rand(20, 1))
    model.fit(data.from_torch(torch_data.DataLoader(rows, batch_size=5)), epochs=2, verbose=0)


def test_pipelines_for_torch():
    pipeline = tf.data.Dataset.range(10).map(lambda x: (x, tf.strings.as_string(x))).batch(4)
    batches = list(torch_data.DataLoader(data.to_torch(pipeline), batch_size=None))
    assert [b[0].tolist() for b in batches] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]] and batches[2][1] == [b"8", b"9"]
    assert len(data.to_torch(pipeline)) == 3
    again = pickle.loads(pickle.dumps(data.to_torch(tf.data.Dataset.range(3))))
    assert [int(x) for x in again] == [0, 1, 2]
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(data.to_torch(pipeline))


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="worker processes cannot be forked here")
def test_workers_share_the_elements():
    pipeline = tf.data.Dataset.range(40).shuffle(40).map(lambda x: x + 1)
    loader = torch_data.DataLoader(data.to_torch(pipeline), batch_size=None, num_workers=2, multiprocessing_context="fork")
    first, second = [int(x) for x in loader], [int(x) for x in loader]
    assert sorted(first) == sorted(second) == list(range(1, 41)) and first != second


def test_hugging_face():
    datasets = pytest.importorskip("datasets")
    rows = datasets.Dataset.from_dict({"text": ["a", "bb"], "ids": [[1], [2, 3]], "label": [0, 1]})
    found = data.from_hugging_face(rows)
    assert found.element_spec == {"text": tf.TensorSpec([], tf.string), "ids": tf.TensorSpec([None], tf.int64), "label": tf.TensorSpec([], tf.int64)}
    assert len(found) == 2
    batch = next(iter(found.padded_batch(2)))
    assert batch["ids"].numpy().tolist() == [[1, 0], [2, 3]] and batch["text"].numpy().tolist() == [b"a", b"bb"]
    numbers = datasets.Dataset.from_dict({"x": np.arange(6.0).reshape(3, 2).tolist(), "y": [0, 1, 2]})
    fixed = numbers.cast_column("x", datasets.Sequence(datasets.Value("float32"), length=2))
    plain = data.from_hugging_face(fixed)
    assert plain._indexed() is not None and next(iter(plain.batch(3)))["x"].shape == [3, 2]
    stream = rows.to_iterable_dataset()
    assert [bytes(e["text"].numpy()) for e in data.from_hugging_face(stream)] == [b"a", b"bb"]
    with pytest.raises(TypeError, match="from_hugging_face"):
        data.from_hugging_face([1])
