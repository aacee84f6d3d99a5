"""What programs of books, courses and collections of tutorials do with Keras, answered as TensorFlow answers."""

from __future__ import annotations

import numpy as np
import pytest

import tf2compat as tf

MARKS = np.array([[0, 1, 0], [1, 0, 0]], bool)
SCORES = np.array([[0.1, 0.5, 0.4], [0.2, 0.7, 0.1]], np.float32)


def test_one_hot_labels_of_bool() -> None:
    assert tf.keras.metrics.categorical_accuracy(MARKS, SCORES).numpy().tolist() == [1.0, 0.0]
    assert tf.keras.metrics.top_k_categorical_accuracy(MARKS, SCORES, k=1).numpy().tolist() == [1.0, 0.0]
    model = tf.keras.Sequential([tf.keras.layers.Dense(3, "softmax", kernel_initializer="ones", input_shape=(3,))])
    model.compile("sgd", "categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(SCORES, MARKS, epochs=2, verbose=0).history
    assert history["accuracy"] == [0.5, 1.0]
    assert history["loss"] == pytest.approx([1.0986123, 1.0960348], rel=1e-6)


@pytest.mark.parametrize("layer", [tf.keras.layers.StringLookup, tf.keras.layers.IntegerLookup, tf.keras.layers.TextVectorization])
def test_an_empty_vocabulary(layer: type) -> None:
    with pytest.raises(ValueError, match=r"Cannot set an empty vocabulary, you passed \[\]\."):
        layer(vocabulary=[])
    with pytest.raises(ValueError, match=r"Cannot set an empty vocabulary, you passed \[\]\."):
        layer().set_vocabulary([])


X, Y = np.ones((4, 3), np.float32), np.ones((4, 1), np.float32)


def model_of(outputs: str = "p", run_eagerly: bool | None = None, **given: object) -> tf.keras.Model:
    inputs = tf.keras.Input((3,))
    made = [tf.keras.layers.Dense(1, "sigmoid", name=name)(inputs) for name in outputs]
    model = tf.keras.Model(inputs, made if len(made) > 1 else made[0])
    model.compile("sgd", "mse", run_eagerly=run_eagerly, **given)
    return model


def names(model: tf.keras.Model) -> list[str]:
    return list(model.fit(X, [Y] * len(model.outputs) if len(model.outputs) > 1 else Y, verbose=0).history)


def test_metrics_by_the_names_of_classes_are_numbered_in_each_graph() -> None:
    tf.keras.backend.clear_session()
    assert names(model_of(metrics=["AUC"])) == ["loss", "auc"]
    assert names(model_of(metrics=["AUC", "Precision", "AUC"])) == ["loss", "auc", "precision", "auc_1"]
    assert names(model_of("pq", metrics=["AUC"])) == ["loss", "p_loss", "q_loss", "p_auc", "q_auc_1"]
    assert names(model_of(metrics=["AUC"], weighted_metrics=["AUC"])) == ["loss", "auc", "auc_1"]
    assert [names(model_of(run_eagerly=True, metrics=["AUC"]))[1] for _ in range(2)] == ["auc", "auc_1"]
    with pytest.raises(ValueError, match="unique names"):
        names(model_of(metrics=["Recall", tf.keras.metrics.Recall()]))


def test_metric_functions_that_are_known_by_name_alone() -> None:
    similarity = tf.keras.metrics.get("cosine_similarity")
    assert similarity.__name__ == tf.keras.metrics.get("cosine_proximity").__name__ == "cosine_similarity"
    assert float(similarity([[1.0, 2.0]], [[2.0, 1.0]])[0]) == pytest.approx(0.8)
    assert names(model_of(metrics=["cosine_similarity", "categorical_hinge"])) == ["loss", "cosine_similarity", "categorical_hinge"]
    assert not hasattr(tf.keras.metrics, "cosine_similarity")


def own(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.abs(y_true - y_pred), -1)


@pytest.mark.parametrize("suffix", [".h5", "", ".keras"])
@pytest.mark.parametrize(("outputs", "given"), [
    ("p", {"metrics": ["mae", "MSE", own, "accuracy"]}),
    ("p", {"metrics": ["mae"], "weighted_metrics": ["mse", tf.keras.metrics.Recall(name="r")]}),
    ("pq", {"metrics": ["mae"], "loss_weights": [1, 2]}),
    ("pq", {"metrics": {"p": "mae"}, "weighted_metrics": ["mse"]}),
    ("pq", {"metrics": {"p": "mae", "q": ["mse", "mape"]}}),
])  # fmt: skip
def test_metrics_keep_their_names_in_files(tmp_path, suffix: str, outputs: str, given: dict) -> None:
    model = model_of(outputs, **given)
    expected = names(model)
    for _ in range(2):
        model.save(tmp_path / f"model{suffix}")
        model = tf.keras.models.load_model(tmp_path / f"model{suffix}", custom_objects={"own": own})
        assert names(model) == expected


def test_automatic_names_do_not_avoid_chosen_ones() -> None:
    tf.keras.backend.clear_session()
    dense = tf.keras.layers.Dense
    assert [dense(1, name="dense").name, dense(1).name, dense(1).name] == ["dense", "dense", "dense_1"]
    dense(1, name="tf.__operators__.add")
    inputs = tf.keras.Input((1,))
    assert (inputs + 1.0)._keras_history.layer.name == "tf.__operators__.add_1"
    with pytest.raises(ValueError, match='"dense_2" is already the name of a layer'):
        tf.keras.Sequential([dense(1, name="dense_2"), dense(1)])


def test_a_module_that_holds_models_that_were_fitted():
    """TensorFlow's `tf.Module.variables` are those of the layers: not what `fit` counts with."""
    x, y = np.ones((8, 3), "float32"), np.ones((8, 1), "float32")
    inputs = tf.keras.Input((3,))
    for model, count in (
        (tf.keras.Sequential([tf.keras.layers.Dense(2, input_shape=(3,)), tf.keras.layers.BatchNormalization(), tf.keras.layers.Dense(1)]), 8),
        (tf.keras.Model(inputs, tf.keras.layers.Dense(1)(inputs)), 2),
    ):
        model.compile("adam", "mse", metrics=["mae"])
        model.fit(x, y, verbose=0)
        model.predict(x, verbose=0)
        module = tf.Module()
        module.net = model
        assert len(module.variables) == count and model in module.submodules
        assert {v.ref() for v in module.variables} == {v.ref() for v in model.variables}
