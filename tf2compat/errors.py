"""TensorFlow's exception classes (`tf.errors`)."""

from __future__ import annotations

from typing import Any

OK = 0
CANCELLED = 1
UNKNOWN = 2
INVALID_ARGUMENT = 3
DEADLINE_EXCEEDED = 4
NOT_FOUND = 5
ALREADY_EXISTS = 6
PERMISSION_DENIED = 7
RESOURCE_EXHAUSTED = 8
FAILED_PRECONDITION = 9
ABORTED = 10
OUT_OF_RANGE = 11
UNIMPLEMENTED = 12
INTERNAL = 13
UNAVAILABLE = 14
DATA_LOSS = 15
UNAUTHENTICATED = 16


class OpError(Exception):
    """An error raised by an op. `message`, `error_code`, `op` and `node_def` say what failed (`tf.errors.OpError`)."""

    _code: int = UNKNOWN

    def __init__(self, node_def: Any, op: Any, message: str, error_code: int | None = None, *args: Any) -> None:
        super().__init__()
        self._node_def = node_def
        self._op = op
        self._message = message
        self._error_code = self._code if error_code is None else error_code
        self._experimental_payloads = args[0] if args else {}

    @property
    def message(self) -> str:
        return self._message

    @property
    def op(self) -> Any:
        return self._op

    @property
    def node_def(self) -> Any:
        return self._node_def

    @property
    def error_code(self) -> int:
        return self._error_code

    @property
    def experimental_payloads(self) -> Any:
        return self._experimental_payloads

    def __str__(self) -> str:
        return self._message

    def __reduce__(self) -> Any:
        return _rebuild, (type(self), self._message, self._error_code)


def _rebuild(cls: type[OpError], message: str, code: int) -> OpError:
    error = cls.__new__(cls)
    OpError.__init__(error, None, None, message, code)
    return error


class _CodedError(OpError):
    def __init__(self, node_def: Any, op: Any, message: str, *args: Any) -> None:
        super().__init__(node_def, op, message, self._code, *args)


class CancelledError(_CodedError):
    """The operation was cancelled."""

    _code = CANCELLED


class UnknownError(_CodedError):
    """An error whose kind is not known, such as an exception inside `tf.py_function`."""

    _code = UNKNOWN

    def __init__(self, node_def: Any, op: Any, message: str, *args: Any) -> None:
        OpError.__init__(self, node_def, op, message, args[0] if args and isinstance(args[0], int) else UNKNOWN)


class InvalidArgumentError(_CodedError):
    """An op received an argument that it cannot work with."""

    _code = INVALID_ARGUMENT


class DeadlineExceededError(_CodedError):
    """A deadline passed before the operation finished."""

    _code = DEADLINE_EXCEEDED


class NotFoundError(_CodedError):
    """A requested entity, such as a file, was not found."""

    _code = NOT_FOUND


class AlreadyExistsError(_CodedError):
    """An entity that was to be created exists already."""

    _code = ALREADY_EXISTS


class PermissionDeniedError(_CodedError):
    """The caller may not do this."""

    _code = PERMISSION_DENIED


class ResourceExhaustedError(_CodedError):
    """A resource, such as memory, ran out."""

    _code = RESOURCE_EXHAUSTED


class FailedPreconditionError(_CodedError):
    """The system is not in the state that the operation needs."""

    _code = FAILED_PRECONDITION


class AbortedError(_CodedError):
    """The operation was aborted."""

    _code = ABORTED


class OutOfRangeError(_CodedError):
    """An operation iterated past the valid range, such as the end of a dataset."""

    _code = OUT_OF_RANGE


class UnimplementedError(_CodedError):
    """The operation is not implemented for these arguments."""

    _code = UNIMPLEMENTED


class InternalError(_CodedError):
    """Something that should not happen did."""

    _code = INTERNAL


class UnavailableError(_CodedError):
    """The service is not available at present."""

    _code = UNAVAILABLE


class DataLossError(_CodedError):
    """Data is lost or corrupt."""

    _code = DATA_LOSS


class UnauthenticatedError(_CodedError):
    """The request has no valid credentials."""

    _code = UNAUTHENTICATED


class OperatorNotAllowedInGraphError(TypeError):
    """A symbolic tensor was used in a way that only eager tensors allow."""


class InaccessibleTensorError(ValueError):
    """A symbolic tensor was used outside the function that made it."""


_BY_CODE: dict[int, type[OpError]] = {
    cls._code: cls
    for cls in (
        CancelledError, UnknownError, InvalidArgumentError, DeadlineExceededError, NotFoundError, AlreadyExistsError,
        PermissionDeniedError, ResourceExhaustedError, FailedPreconditionError, AbortedError, OutOfRangeError,
        UnimplementedError, InternalError, UnavailableError, DataLossError, UnauthenticatedError,
    )
}  # fmt: skip


def exception_type_from_error_code(error_code: int) -> type[OpError]:
    return _BY_CODE[error_code]


def error_code_from_exception_type(cls: type[OpError]) -> int:
    return cls._code
