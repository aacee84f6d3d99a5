"""Tensors share memory with torch and NumPy in both directions."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch

import tf2compat as tf


@pytest.mark.host
def test_from_torch_and_back() -> None:
    source = torch.arange(6.0).reshape(2, 3)
    tensor = tf.convert_to_tensor(source)
    assert tensor.torch().data_ptr() == source.data_ptr()
    assert tf.experimental.dlpack.from_dlpack(tf.experimental.dlpack.to_dlpack(tensor)).torch().data_ptr() == source.data_ptr()
    assert torch.from_dlpack(tensor).data_ptr() == source.data_ptr()


@pytest.mark.host
def test_from_numpy_and_back() -> None:
    source = np.arange(6.0, dtype=np.float32).reshape(2, 3)
    tensor = tf.convert_to_tensor(source)
    assert tensor.torch().data_ptr() == source.ctypes.data
    view = np.asarray(tensor)
    assert view.ctypes.data == source.ctypes.data
    assert not view.flags.writeable  # tensors do not change
    assert tensor.numpy().ctypes.data != source.ctypes.data  # a copy of the program's own, as in TensorFlow


def test_constants_and_variables_copy() -> None:
    source = np.ones(3, np.float32)
    constant, variable = tf.constant(source), tf.Variable(source)
    source[:] = 5
    assert constant.numpy().tolist() == variable.numpy().tolist() == [1, 1, 1]


def test_functions_of_torch_and_numpy_take_tensors() -> None:
    tensor = tf.constant([-1.0, 2.0])
    assert torch.relu(tensor).tolist() == [0.0, 2.0]
    assert torch.stack([tensor, tensor]).shape == (2, 2)
    assert np.abs(tensor).tolist() == [1.0, 2.0]
    assert (tensor + torch.ones(2)).numpy().tolist() == (torch.ones(2).numpy() + tensor).numpy().tolist() == [0.0, 3.0]


def test_torchs_graph_stays_torchs() -> None:
    weight = torch.ones(2, requires_grad=True)
    assert not (tf.convert_to_tensor(weight) * 2.0).torch().requires_grad
    (torch.ones(2) * weight).sum().backward()
    assert weight.grad is not None and weight.grad.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("value", [[1.5, 2.0], ["a", "b"], [True], 3, [[1, 2]]])
def test_copies_and_pickles(value: object) -> None:
    tensor = tf.constant(value)
    assert copy.copy(tensor) is tensor and copy.deepcopy(tensor) is tensor
    again = pickle.loads(pickle.dumps(tensor))
    assert again.dtype is tensor.dtype and again.numpy().tolist() == tensor.numpy().tolist()
    variable = tf.Variable(value, name="v")
    for other in (copy.deepcopy(variable), pickle.loads(pickle.dumps(variable))):
        assert other is not variable and other.name == "v:0" and other.numpy().tolist() == variable.numpy().tolist()
