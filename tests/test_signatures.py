"""Every public callable has TensorFlow's parameters: names, order, defaults. What deviates is listed with its reason."""

from __future__ import annotations

import functools

import pytest

import tf2compat as tf
from tf2compat._commands import coverage, where
from tf2compat._commands.api import Comparison, compare, compare_all
from tf2compat._commands.deviations import DEVIATIONS
from tf2compat._names import NotYetSupported, PublicName, table


@functools.cache
def found() -> list[Comparison]:
    return compare_all()


def test_signatures_are_tensorflows(capsys: pytest.CaptureFixture[str]) -> None:
    compared = [c for c in found() if c.agrees is not None]
    have = sum(c.exists for c in found())
    with capsys.disabled():
        agree = sum(c.agrees is True for c in compared)
        print(f"\n{have} of {len(found())} public names exist ({have / len(found()):.1%}); {agree} of {len(compared)} signatures agree")
    different = [
        f"{c.name.path}\n  TensorFlow {c.name.signature}\n  here       {c.ours}"
        for c in compared
        if not c.agrees and c.name.path not in DEVIATIONS
    ]
    assert not different, "\n".join(different)


def test_the_list_of_deviations_is_no_longer_than_needed() -> None:
    state = {c.name.path: c.agrees for c in found()}
    assert [path for path in DEVIATIONS if state.get(path) is True] == []
    assert all(path in state for path in DEVIATIONS)


@pytest.mark.parametrize(
    ("path", "kind", "signature", "agrees"),
    [
        ("tf.add", "function", "(x, y, name=None)", True),
        ("tf.add", "function", "(x, y)", False),
        ("tf.add", "function", "(y, x, name=None)", False),
        ("tf.add", "function", "(x, y, name='add')", False),
        ("tf.zeros", "function", "(shape, dtype=tf.float32, name=None, layout=...)", True),
        ("tf.zeros", "function", "(shape, dtype=tf.int32, name=None, layout=...)", False),
        ("tf.TensorShape", "class", "(self, dims)", True),
        ("tf.Module", "class", "(self, *args, **kwargs)", None),
        ("tf.float32", "constant", "", None),
    ],
)
def test_the_comparison_itself(path: str, kind: str, signature: str, agrees: bool | None) -> None:
    assert compare(PublicName(path, kind, signature)).agrees is agrees


def test_a_missing_name_says_whether_tensorflow_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(table(), "tf.math.brand_new", PublicName("tf.math.brand_new", "function", "(x)"))
    with pytest.raises(NotYetSupported, match=r"^TensorFlow has tf.math.brand_new; tf2compat does not yet: see docs/coverage.md$"):
        _ = tf.math.brand_new
    monkeypatch.setitem(table(), "tf.brand_new", PublicName("tf.brand_new", "function", "(x)"))
    with pytest.raises(NotYetSupported, match=r"^TensorFlow has tf.brand_new; "):
        _ = tf.brand_new
    assert not hasattr(tf, "brand_new") and getattr(tf, "brand_new", None) is None


def test_a_typo_is_a_plain_attribute_error_with_a_hint() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'reduce_summ'. Did you mean: 'reduce_sum'") as caught:
        _ = tf.reduce_summ
    assert not isinstance(caught.value, NotYetSupported)
    with pytest.raises(AttributeError, match="has no attribute 'softmaxx'"):
        _ = tf.nn.softmaxx


def test_where_tells_position_torch_function_and_tests(capsys: pytest.CaptureFixture[str]) -> None:
    assert where.main(["tf.reduce_sum", "tensorflow.nn.conv2d", "GradientTape"]) == 0
    out = capsys.readouterr().out
    assert "tf2compat/math/reducing.py:" in out and "torch.sum" in out and "tf.math.reduce_sum" in out
    assert "torch.conv2d" in out and "tests/test_signatures.py:" in out
    assert where.main(["tf.no_such_name"]) == 1
    assert "no_such_name" in capsys.readouterr().err
    assert where.main([]) == 2


def test_where_tells_known_differences() -> None:
    def documented() -> None:
        """Does something (`tf.documented`).

        Differs from TensorFlow: the order of
        the results.
        """

    assert where.differences(["tf.documented"], documented) == ["the order of the results."]
    assert where.differences(["tf.Graph"], None) == [f"signature: {DEVIATIONS['tf.Graph']}"]


def test_the_coverage_page_counts_every_name_once() -> None:
    names = [c.name.path for c in found()]
    assert len(names) == len(set(names)) == len(table())
    assert coverage.namespace("tf.add") == "tf" == coverage.namespace("tf.Tensor.shape")
    assert coverage.namespace("tf.math.add") == "tf.math" and coverage.namespace("tf.keras.layers.Dense.call") == "tf.keras.layers"
    text = coverage.page(found())
    assert "| `tf.math` | " in text and "## Missing" in text
