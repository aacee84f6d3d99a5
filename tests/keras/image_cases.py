"""Cases of `tf.keras.preprocessing.image`: the same seeds on both sides. Run under TensorFlow, this file records the answers."""

from __future__ import annotations

import json
import os
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np

RECORDED = Path(__file__).parent / "recorded" / "preprocessing_image.json"


def answers(tf: Any) -> dict[str, Any]:
    """Of each case: shape, dtype, sum and some values of what comes out; names; errors."""
    import pandas as pd
    from PIL import Image

    warnings.simplefilter("ignore")
    I = tf.keras.preprocessing.image
    rs = np.random.RandomState(3)
    x = rs.uniform(0, 255, (12, 9, 11, 3)).astype("float32")
    y = np.arange(12) % 3
    out = {}

    def rec(name, a):
        a = np.asarray(a)
        out[name] = [
            list(a.shape),
            str(a.dtype),
            float(np.float64(a).sum()),
            [float(v) for v in np.float64(a).ravel()[:: max(1, a.size // 5)][:5]],
        ]

    def run(name, gen, n=3, **kw):
        it = gen.flow(x.copy(), y, batch_size=5, seed=7, **kw)
        for i in range(n):
            a, b = next(it)
            rec(f"{name}{i}", a)
            rec(f"{name}{i}y", b)
        it2 = gen.flow(x.copy(), y, batch_size=5, seed=7, **kw)
        a, b = it2[1]
        rec(name + "get", a)
        rec(name + "gety", b)

    G = I.ImageDataGenerator
    run("plain", G())
    run("rot", G(rotation_range=30, fill_mode="reflect"))
    run("shift", G(width_shift_range=0.2, height_shift_range=[-2, 1], fill_mode="constant", cval=5.0))
    run("shift2", G(width_shift_range=3, height_shift_range=0.3, fill_mode="wrap"))
    run(
        "all",
        G(
            rotation_range=20,
            width_shift_range=0.1,
            height_shift_range=0.1,
            shear_range=10.0,
            zoom_range=0.2,
            channel_shift_range=20.0,
            horizontal_flip=True,
            vertical_flip=True,
            brightness_range=(0.5, 1.5),
            rescale=1 / 255.0,
        ),
    )
    run("zoom", G(zoom_range=(0.5, 1.5), interpolation_order=3))
    run("samp", G(samplewise_center=True, samplewise_std_normalization=True))
    g = G(featurewise_center=True, featurewise_std_normalization=True, rescale=0.5)
    g.fit(x, augment=True, rounds=2, seed=1)
    rec("mean", g.mean)
    rec("std", g.std)
    run("feat", g)
    g = G(zca_whitening=True)
    g.fit(x[:, :4, :4], seed=1)
    rec("zca", abs(g.flow(x[:, :4, :4], batch_size=2, seed=1)[0]))
    g = G(validation_split=0.25, horizontal_flip=True)
    run("val", g, n=1, subset="training", ignore_class_split=True)
    g = G(preprocessing_function=lambda v: v * 2, dtype="float64")
    run("pre", g)
    it = G(rotation_range=5).flow((x, [y, y * 2.0]), y, batch_size=4, seed=2, sample_weight=np.arange(12.0))
    a = next(it)
    rec("m0", a[0][0])
    rec("m1", a[0][1])
    rec("m2", a[0][2])
    rec("my", a[1])
    rec("mw", a[2])
    np.random.seed(5)
    img = x[0]
    for n in "random_rotation random_shear".split():
        rec(n, getattr(I, n)(img, 25, row_axis=0, col_axis=1, channel_axis=2))
    rec("rshift", I.random_shift(img, 0.2, 0.3, 0, 1, 2))
    rec("rzoom", I.random_zoom(img, (0.7, 1.2), 0, 1, 2, fill_mode="constant"))
    rec("rcs", I.random_channel_shift(img, 50, 2))
    rec("rb", I.random_brightness(img, (0.2, 1.4)))
    rec("rb2", I.random_brightness(img / 255 * 3 - 1, (0.2, 1.4), scale=False))
    rec("cf", I.apply_affine_transform(img.transpose(2, 0, 1), theta=10, zx=0.8, order=0))
    rec("acs", I.apply_channel_shift(img, 30, 2))
    d = tempfile.mkdtemp()
    for c in ("cats", "dogs", "owls"):
        os.makedirs(os.path.join(d, c, "deep"))
        for i in range(4):
            Image.fromarray(rs.randint(0, 255, (12 + i, 16, 3)).astype("uint8")).save(
                os.path.join(d, c, "deep" if i == 3 else "", f"{i}.png")
            )
    for mode in ("categorical", "sparse", "binary", "input", None):
        for color in ("rgb", "grayscale", "rgba"):
            it = G(horizontal_flip=True, validation_split=0.3).flow_from_directory(
                d,
                target_size=(8, 6),
                color_mode=color,
                class_mode=mode,
                batch_size=5,
                seed=4,
                subset=None if color == "rgb" else "training" if color == "rgba" else "validation",
                interpolation="bilinear",
            )
            b = next(it)
            b = b if isinstance(b, tuple) else (b,)
            for i, v in enumerate(b):
                rec(f"dir{mode}{color}{i}", v)
    rec("keep", next(G().flow_from_directory(d, target_size=(8, 6), keep_aspect_ratio=True, shuffle=False))[0])
    out["names"] = [it.filenames, it.class_indices, it.classes.tolist(), it.samples, it.num_classes, it.image_shape]
    df = pd.DataFrame(
        {
            "f": [f"{c}/{i}.png" for c in ("cats", "dogs") for i in range(3)] + ["no.png"],
            "class": ["cat"] * 3 + ["dog"] * 3 + ["dog"],
            "w": np.arange(7.0),
            "n": np.arange(7) * 0.5,
            "m": [["cat", "dog"], "cat", "dog", ["dog"], "cat", "dog", "cat"],
        }
    )
    for mode, yc in (
        ("categorical", "class"),
        ("categorical", "m"),
        ("sparse", "class"),
        ("binary", "class"),
        ("raw", "n"),
        ("raw", ["n", "w"]),
        ("multi_output", ["n", "w"]),
        ("input", "class"),
        (None, "class"),
    ):
        it = G(rotation_range=9).flow_from_dataframe(
            df, d, x_col="f", y_col=yc, class_mode=mode, target_size=(8, 8), batch_size=4, seed=3, weight_col="w" if mode == "raw" else None
        )
        b = next(it)
        b = b if isinstance(b, tuple) else (b,)
        for i, v in enumerate(b):
            for j, u in enumerate(v if isinstance(v, list) else [v]):
                rec(f"df{mode}{yc}{i}{j}", u)
    it = G().flow_from_dataframe(df, d, x_col="f", classes=["dog"], target_size=(8, 8))
    rec("dfc", next(it)[1])
    s = os.path.join(d, "out")
    os.makedirs(s)
    next(G().flow(x, batch_size=3, save_to_dir=s, save_prefix="aug", seed=1))
    out["saved"] = sorted(os.listdir(s))

    def err(f):
        try:
            f()
            return "none"
        except Exception as e:
            return [type(e).__name__, str(e)]

    out["errs"] = [
        err(f)
        for f in (
            lambda: G(zoom_range=(1, 2, 3)),
            lambda: G(data_format="x"),
            lambda: G(validation_split=2),
            lambda: G(brightness_range=3),
            lambda: G().flow(x[0]),
            lambda: G().flow(x, y[:3]),
            lambda: G().flow(x, subset="a"),
            lambda: G().flow_from_directory(d, class_mode="zzz"),
            lambda: G().flow_from_directory(d, color_mode="zzz"),
            lambda: G().flow(x, y)[9],
            lambda: I.apply_affine_transform(img, 1, row_axis=0, col_axis=0),
            lambda: I.random_zoom(img, (1,)),
            lambda: G().flow_from_dataframe(df, d, x_col="w"),
            lambda: G().flow_from_dataframe(df, d, x_col="f", y_col="w", class_mode="sparse"),
            lambda: G().fit(x[0]),
            lambda: G().flow_from_dataframe(df, d, x_col="f", y_col="n", class_mode="multi_output"),
            lambda: G().flow(x, y, sample_weight=y[:2]),
        )
    ]
    return out


if __name__ == "__main__":
    import tensorflow

    RECORDED.write_text(json.dumps(answers(tensorflow), indent=0))
