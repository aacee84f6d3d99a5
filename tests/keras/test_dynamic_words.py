"""DynamicLookup, DynamicEmbedding and the callback that gives rows to other words; what is expected was recorded from Keras 2."""

import numpy as np
import pytest

import tf2compat as tf

k = tf.keras
WORDS = ["apple", "banana", "cherry", "grape", "juice"]
BATCHES = [
    (["apple", "banana", "cherry"], [0, 1, 2], [*WORDS, "unk"], [1, 1, 1, 0, 0, -1]),
    (["apple", "banana", "mango"], [0, 1, 5], [*WORDS, "mango"], [2, 2, 1, 0, 0, 1]),
    (["fig", "date", "date"], [5, 5, 5], ["apple", "banana", "cherry", "mango", "date", "fig"], [2, 2, 1, 1, 1, 1]),
    (["banana", "jackfruit", "honeydew"], [1, 5, 5], ["apple", "banana", "date", "fig", "honeydew", "jackfruit"], [2, 3, 1, 1, 1, 1]),
    (["banana", "apple", "jackfruit"], [1, 0, 5], ["apple", "banana", "date", "fig", "honeydew", "jackfruit"], [3, 4, 1, 1, 1, 2]),
]


@pytest.mark.parametrize("traced", [False, True])
def test_words_are_counted(traced):
    layer = k.layers.experimental.DynamicLookup(5, tf.constant(WORDS))
    assert [v.name for v in layer.variables] == ["vocabulary_table_keys:0", "vocabulary_table_values:0"]
    call = tf.function(layer) if traced else layer
    if traced:
        layer.build(None)
    for words, numbers, keys, counts in BATCHES:
        out = call(tf.constant(words))
        assert out.dtype == tf.int64 and out.numpy().tolist() == numbers
        assert [w.decode() for w in layer.vocabulary_table_keys.numpy()] == keys
        assert layer.vocabulary_table_values.numpy().tolist() == counts
    assert [w.decode() for w in layer.get_top_vocabulary(3).numpy()] == ["banana", "apple", "jackfruit"]
    assert [w.decode() for w in layer.get_vocabulary().numpy()] == WORDS
    before = layer.vocabulary_table_values.numpy().tolist()
    assert layer(tf.constant([[["apple", "kiwi"]]]), learn_vocab=False).numpy().tolist() == [[[0, 5]]]
    assert layer.vocabulary_table_values.numpy().tolist() == before


def test_kinds_of_words_and_configs():
    for dtype in (tf.string, tf.int32, tf.int64):
        layer = k.layers.experimental.DynamicLookup(5, dtype)
        layer(tf.constant(["a"]) if dtype == tf.string else tf.constant([1], dtype), learn_vocab=False)
        assert layer.get_vocabulary().dtype == dtype and layer.get_vocabulary().shape == [5]
    layer = k.layers.experimental.DynamicLookup(2, tf.constant([7, 9]), name="d")
    assert layer.get_config() == {
        "name": "d", "trainable": True, "dtype": "float32", "vocabulary_size": 2, "initial_vocabulary": [7, 9], "eviction_policy": "LFU",
    }  # fmt: skip
    assert k.layers.experimental.DynamicLookup.from_config(layer.get_config())(tf.constant([9, 8])).numpy().tolist() == [1, 2]
    with pytest.raises(ValueError, match="must be one of the following: tf.string, tf.int32, tf.int64"):
        k.layers.experimental.DynamicLookup(5, tf.float32)
    with pytest.raises(ValueError, match="LRU eviction policy is currently unsupported"):
        k.layers.experimental.DynamicLookup(2, tf.int32, eviction_policy="LRU")


def embedding_model() -> k.Model:
    layer = k.layers.experimental.DynamicEmbedding(5, 2, tf.constant(list("abcde")), input_length=5, name="dynamic_embedding")
    m = k.Sequential([layer, k.layers.Flatten(), k.layers.Dense(3, activation="softmax")])
    m.compile("adam", "sparse_categorical_crossentropy")
    return m


DATA = np.array([list("ajcde"), list("ahijb"), list("ihcje")])
LABELS = np.array([0, 1, 2])


def test_the_most_frequent_words_get_rows():
    m = embedding_model()
    update = k.callbacks.experimental.UpdateEmbeddingCallback(m.layers[0], interval=1000)
    m.fit(DATA, LABELS, epochs=2, batch_size=1, verbose=0, callbacks=[update])
    layer = m.layers[0]
    assert [w.decode() for w in layer.get_vocabulary().numpy()] == list("abcde")
    rows = {w.decode(): r for w, r in zip(layer.get_vocabulary().numpy(), layer.embedding_layer.embeddings.numpy(), strict=False)}
    update.on_interval()
    words = [w.decode() for w in layer.get_vocabulary().numpy()]
    assert set(words) != set("abcde") and layer.embedding_layer.embeddings.shape == [6, 2]
    for word, row in zip(words, layer.embedding_layer.embeddings.numpy(), strict=False):
        if word in rows:
            np.testing.assert_array_equal(row, rows[word])
    forgotten = [v for v in m.optimizer.variables if "dynamic_embedding" in v.name]
    assert forgotten and all(not v.numpy().any() for v in forgotten)
    m.fit(DATA, LABELS, epochs=1, batch_size=1, verbose=0)


def test_the_callback_s_thread():
    m = embedding_model()
    with k.callbacks.experimental.UpdateEmbeddingCallback(m.layers[0], interval=0.01) as update:
        m.fit(DATA, LABELS, epochs=3, batch_size=1, verbose=0, callbacks=[update])
    update.thread.join(5)
    assert not update.is_alive()
    assert {w.decode() for w in m.layers[0].get_vocabulary().numpy()} != set("abcde")


def test_saved(tmp_path):
    m = embedding_model()
    m.fit(DATA, LABELS, epochs=1, verbose=0)
    m.layers[0].update_embeddings(None)
    m.save(tmp_path / "m", save_format="tf")
    loaded = k.models.load_model(tmp_path / "m")
    found = loaded.get_layer("dynamic_embedding").dynamic_lookup_layer.vocabulary
    assert found.numpy().tolist() == m.layers[0].get_vocabulary().numpy().tolist()
    np.testing.assert_array_equal(loaded.predict(DATA, verbose=0), m.predict(DATA, verbose=0))
