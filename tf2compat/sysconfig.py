"""`tf.sysconfig`."""

from __future__ import annotations

from typing import Any

import torch

from . import errors
from ._names import module_getattr

CXX11_ABI_FLAG = int(torch.compiled_with_cxx11_abi())
CXX_VERSION = 201703
MONOLITHIC_BUILD = 0


def get_build_info() -> dict[str, Any]:
    """What the kernels were built with: torch's build, under TensorFlow's keys."""
    cuda = torch.version.cuda
    info: dict[str, Any] = {"is_cuda_build": cuda is not None, "is_rocm_build": torch.version.hip is not None, "is_tensorrt_build": False}
    if cuda is not None:
        info["cuda_version"] = cuda
        info["cudnn_version"] = str(torch.backends.cudnn.version())
    return info


def _none(what: str) -> errors.UnimplementedError:
    return errors.UnimplementedError(None, None, f"{what}: there is no TensorFlow C++ library here; extend torch with torch.utils.cpp_extension")


def get_include() -> str:
    raise _none("tf.sysconfig.get_include")


def get_lib() -> str:
    raise _none("tf.sysconfig.get_lib")


def get_compile_flags() -> list[str]:
    raise _none("tf.sysconfig.get_compile_flags")


def get_link_flags() -> list[str]:
    raise _none("tf.sysconfig.get_link_flags")


__getattr__ = module_getattr("tf.sysconfig")
