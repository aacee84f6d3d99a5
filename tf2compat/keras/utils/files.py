"""`get_file`: downloads with a cache and a hash check."""

from __future__ import annotations

import hashlib
import os
import sys
import tarfile
import tempfile
import urllib.error
import urllib.request
import zipfile
from typing import Any
from urllib.parse import urlsplit

_CHUNK = 1 << 16


def keras_home() -> str:
    """Where Keras keeps its files: KERAS_HOME, or ~/.keras."""
    return os.environ.get("KERAS_HOME") or os.path.join(os.path.expanduser("~"), ".keras")


def _digest(path: str, algorithm: str) -> str:
    h = hashlib.sha256() if algorithm == "sha256" else hashlib.md5(usedforsecurity=False)
    with open(path, "rb") as f:
        while chunk := f.read(_CHUNK):
            h.update(chunk)
    return h.hexdigest()


def validate_file(path: str, file_hash: str, algorithm: str = "auto") -> bool:
    """Whether a file has the given SHA-256 (or MD5) hash."""
    if algorithm in ("auto", None):
        algorithm = "sha256" if len(file_hash) == 64 else "md5"
    return _digest(path, algorithm) == str(file_hash)


def get_file(
    fname: Any = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: Any = "auto",
    cache_dir: str | None = None,
) -> str:
    """The path of a file, downloaded from `origin` unless the cache has it (`tf.keras.utils.get_file`).

    A cached file with another hash is downloaded again; ValueError when the download's hash differs; Exception with the
    address and the reason when it fails. `extract` unpacks an archive beside it.
    """
    if origin is None:
        raise ValueError('Please specify the "origin" argument (URL of the file to download).')
    cache_dir = cache_dir or keras_home()
    if md5_hash is not None and file_hash is None:
        file_hash, hash_algorithm = md5_hash, "md5"
    base = os.path.expanduser(cache_dir)
    if not os.access(base, os.W_OK):
        try:
            os.makedirs(base, exist_ok=True)
        except OSError:
            base = os.path.join(tempfile.gettempdir(), ".keras")
    folder = os.path.join(base, cache_subdir)
    os.makedirs(folder, exist_ok=True)
    fname = os.fspath(fname) if fname else os.path.basename(urlsplit(origin).path)
    if not fname:
        raise ValueError("Invalid origin '{}'".format(origin))
    if ".." in fname.replace("\\", "/").split("/"):
        raise ValueError(f"`fname` must stay inside the cache directory, got {fname!r}")
    if untar:
        if fname.endswith(".tar.gz"):
            fname = fname[: -len(".tar.gz")]
        unpacked = os.path.join(folder, fname)
        path = unpacked + ".tar.gz"
    else:
        path = os.path.join(folder, fname)
    download = True
    if os.path.exists(path):
        download = False
        if file_hash is not None and not validate_file(path, file_hash, hash_algorithm):
            sys.stdout.write(
                f"A local file was found, but it seems to be incomplete or outdated because the {hash_algorithm} file hash does not match "
                f"the original value of {file_hash} so we will re-download the data.\n"
            )
            download = True
    if download:
        sys.stdout.write(f"Downloading data from {origin}\n")
        _download(origin, path, file_hash, hash_algorithm)
    if untar:
        if not os.path.exists(unpacked):
            _extract(path, folder, "tar")
        return unpacked
    if extract:
        _extract(path, folder, archive_format)
    return path


def _download(origin: str, path: str, file_hash: str | None, algorithm: str) -> None:
    from .._base.progress import Progbar

    partial = f"{path}.{os.getpid()}.part"
    try:
        try:
            with urllib.request.urlopen(origin, timeout=60) as response, open(partial, "wb") as f:
                size = response.headers.get("Content-Length")
                bar = Progbar(int(size) if size and size.isdigit() and int(size) else None)
                seen = 0
                while chunk := response.read(_CHUNK):
                    f.write(chunk)
                    seen += len(chunk)
                    bar.update(seen, finalize=False)
                bar.update(seen, finalize=True)
        except urllib.error.HTTPError as error:
            raise Exception(f"URL fetch failure on {origin}: {error.code} -- {error.msg}") from error
        except urllib.error.URLError as error:
            raise Exception(f"URL fetch failure on {origin}: {error.errno} -- {error.reason}") from error
        if file_hash is not None and not validate_file(partial, file_hash, algorithm):
            raise ValueError(
                f"Incomplete or corrupted file detected. The {algorithm} file hash does not match the provided value of {file_hash}."
            )
        os.replace(partial, path)
    finally:
        if os.path.exists(partial):
            os.remove(partial)


def _extract(path: str, folder: str, kind: Any) -> bool:
    """Unpack a zip or tar archive; nothing may leave the folder."""
    if kind is None:
        return False
    kinds = ["tar", "zip"] if kind == "auto" else [kind] if isinstance(kind, str) else list(kind)
    if "tar" in kinds and tarfile.is_tarfile(path):
        with tarfile.open(path) as archive:
            if hasattr(tarfile, "data_filter"):
                archive.extractall(folder, filter="data")
            else:
                _check_names([m.name for m in archive.getmembers()], folder)
                archive.extractall(folder, members=[m for m in archive.getmembers() if m.isfile() or m.isdir()])
        return True
    if "zip" in kinds and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            _check_names(archive.namelist(), folder)
            archive.extractall(folder)
        return True
    return False


def _check_names(names: list[str], folder: str) -> None:
    root = os.path.realpath(folder)
    for name in names:
        if not os.path.realpath(os.path.join(root, name)).startswith(root + os.sep):
            raise ValueError(f"The archive wants to write outside of {folder}: {name!r}")


