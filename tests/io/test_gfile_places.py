"""Files that are written and read at once: where reading stands, as TensorFlow has it."""

from __future__ import annotations

from pathlib import Path

import pytest

import tf2compat as tf

GFile = tf.io.gfile.GFile


def test_what_was_written_is_read_from_the_beginning(tmp_path: Path) -> None:
    file = GFile(str(tmp_path / "a"), "w+")
    file.write("testing")
    assert file.read() == "testing" and file.tell() == 7
    file.seek(0)
    assert file.read() == "testing"
    file.write("more")
    file.close()
    assert (tmp_path / "a").read_text() == "testingmore"


def test_r_plus_makes_a_file_and_is_read_after_it_is_closed(tmp_path: Path) -> None:
    with GFile(str(tmp_path / "a"), mode="r+") as file:
        file.write("one\ntwo\nthree")
    assert file.size() == 13 and file.read(2) == "on" and file.readline() == "e\n" and file.readlines() == ["two\n", "three"]


def test_appending(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("X")
    with GFile(str(tmp_path / "a"), "a+") as file:
        file.write("YZ")
        assert file.read() == "XYZ"
    with GFile(str(tmp_path / "a"), "a") as file:
        assert file.tell() == 3
        file.write("Q")
        assert file.tell() == 4
        with pytest.raises(tf.errors.PermissionDeniedError, match="reading"):
            file.read()


def test_places_that_do_not_exist(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("abcdef")
    with GFile(str(tmp_path / "a")) as file:
        file.seek(-2, 2)
        assert file.read() == "ef"
        with pytest.raises(tf.errors.OutOfRangeError, match="end of file"):
            file.seek(1, 1)
        with pytest.raises(tf.errors.InvalidArgumentError, match="whence argument: 7"):
            file.seek(0, 7)
    with pytest.raises(tf.errors.NotFoundError):
        GFile(str(tmp_path / "none"), "w+").read()
    with pytest.raises(tf.errors.PermissionDeniedError, match="reading"):
        GFile(str(tmp_path / "b"), "w").seek(0)
