"""`to_torch` and `from_torch`: shared weights, training on either side."""

import numpy as np
import pytest
import torch

import tf2compat as tf
from tf2compat import from_torch, to_torch

X = torch.linspace(-1, 1, 48).reshape(16, 3) ** 3
Y = X.sum(1, keepdim=True)


def keras_model():
    layers = tf.keras.layers
    return tf.keras.Sequential([layers.Dense(4, activation="tanh", input_shape=(3,)), layers.BatchNormalization(), layers.Dense(1)])


def torch_net():
    return torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.BatchNorm1d(8), torch.nn.Tanh(), torch.nn.Linear(8, 1))


@pytest.mark.host
def test_a_keras_model_trains_in_torch():
    model = keras_model()
    module = to_torch(model)
    assert {name for name, _ in module.named_buffers()} == {"batch_normalization_moving_mean", "batch_normalization_moving_variance"} or len(
        list(module.named_buffers())
    ) == 2
    optimizer = torch.optim.Adam(module.parameters(), lr=0.05)
    losses = []
    for _ in range(40):
        optimizer.zero_grad()
        loss = ((module(X) - Y) ** 2).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 4
    module.eval()
    np.testing.assert_allclose(module(X).detach().numpy(), model(X.numpy(), training=False).numpy(), rtol=1e-5, atol=1e-6)
    assert model.layers[1].moving_mean.numpy().any()


@pytest.mark.host
def test_assignments_reach_the_other_side():
    model = keras_model()
    module = to_torch(model)
    model.weights[0].assign(tf.zeros_like(model.weights[0]))
    assert not next(module.parameters()).detach().numpy().any()
    with torch.no_grad():
        next(module.parameters()).fill_(3.0)
    assert (model.weights[0].numpy() == 3).all()
    model.compile("sgd", "mse")
    model.fit(X.numpy(), Y.numpy(), epochs=1, verbose=0)
    np.testing.assert_array_equal(next(module.parameters()).detach().numpy(), model.weights[0].numpy())


@pytest.mark.host
def test_state_dict_to_safetensors(tmp_path):
    safetensors = pytest.importorskip("safetensors.torch")
    module = to_torch(keras_model())
    safetensors.save_file(module.state_dict(), tmp_path / "x.safetensors")
    other = to_torch(keras_model())
    names = list(module.state_dict())
    loaded = safetensors.load_file(tmp_path / "x.safetensors")
    other.load_state_dict(dict(zip(other.state_dict(), (loaded[n] for n in names))))
    other.eval(), module.eval()
    np.testing.assert_allclose(other(X).detach().numpy(), module(X).detach().numpy(), rtol=1e-6)


def test_a_tf_module():
    class Scale(tf.Module):
        def __init__(self):
            super().__init__()
            self.w = tf.Variable([2.0])

        def __call__(self, x):
            return x * self.w

    module = to_torch(Scale())
    out = module(torch.tensor([3.0]))
    out.sum().backward()
    assert out.item() == 6 and next(module.parameters()).grad.item() == 3


@pytest.mark.host
def test_a_torch_module_in_keras(tmp_path):
    net = torch_net()
    layer = from_torch(net, name="wrapped")
    assert [v.shape.as_list() for v in layer.trainable_variables][:2] == [[8, 3], [8]]
    model = tf.keras.Sequential([tf.keras.Input((3,)), layer, tf.keras.layers.Dense(1)])
    model.compile(tf.keras.optimizers.Adam(0.05), "mse")
    history = model.fit(X.numpy(), Y.numpy(), epochs=20, verbose=0).history["loss"]
    assert history[-1] < history[0] / 2
    np.testing.assert_array_equal(net[0].weight.detach().numpy(), layer.trainable_variables[0].numpy())
    assert net[1].running_mean.any()
    net.eval()
    np.testing.assert_allclose(net(X).detach().numpy(), layer(X.numpy(), training=False).numpy(), rtol=1e-5, atol=1e-6)
    path = tf.train.Checkpoint(layer=layer).write(str(tmp_path / "x"))
    with torch.no_grad():
        net[0].weight.zero_()
    tf.train.Checkpoint(layer=layer).read(path).assert_consumed()
    assert net[0].weight.any()
    with pytest.raises(NotImplementedError, match="the torch module is Python code"):
        layer.get_config()


def test_a_torch_module_in_functions():
    layer = from_torch(torch_net())

    @tf.function
    def step(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((layer(x, training=True) - y) ** 2)
        gradients = tape.gradient(loss, layer.trainable_variables)
        for variable, gradient in zip(layer.trainable_variables, gradients):
            variable.assign_sub(gradient * 0.1)
        return loss

    losses = [float(step(tf.constant(X.numpy()), tf.constant(Y.numpy()))) for _ in range(10)]
    assert losses[-1] < losses[0]
    assert step.experimental_get_tracing_count() == 1


def test_wrong_things():
    with pytest.raises(TypeError, match="takes a torch.nn.Module, not int"):
        from_torch(5)
    with pytest.raises(TypeError, match="to_torch takes"):
        to_torch(5)
    with pytest.raises(ValueError, match="has no weights yet"):
        to_torch(tf.keras.layers.Dense(2))
