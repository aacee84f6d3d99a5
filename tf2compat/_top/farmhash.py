"""FarmHash's 64-bit fingerprint of bytes, which TensorFlow uses for hash buckets and `tf.fingerprint`."""

from __future__ import annotations

_MASK = (1 << 64) - 1
_K0, _K1, _K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F


def _rotate(v: int, n: int) -> int:
    v &= _MASK
    return ((v >> n) | (v << (64 - n))) & _MASK


def _mix(v: int) -> int:
    v &= _MASK
    return v ^ (v >> 47)


def _join(u: int, v: int, mul: int) -> int:
    a = _mix((u ^ v) * mul)
    return _mix((v ^ a) * mul) * mul & _MASK


def _short(s: bytes) -> int:
    n = len(s)
    if n >= 8:
        mul = _K2 + n * 2
        a = int.from_bytes(s[:8], "little") + _K2 & _MASK
        b = int.from_bytes(s[-8:], "little")
        return _join((_rotate(b, 37) * mul + a) & _MASK, (_rotate(a, 25) + b) * mul & _MASK, mul)
    if n >= 4:
        return _join((n + (int.from_bytes(s[:4], "little") << 3)) & _MASK, int.from_bytes(s[-4:], "little"), _K2 + n * 2)
    if n:
        return _mix(((s[0] + (s[n >> 1] << 8)) * _K2) ^ ((n + (s[-1] << 2)) * _K0)) * _K2 & _MASK
    return _K2


def _pair(s: bytes, at: int, a: int, b: int) -> tuple[int, int]:
    """32 bytes mixed into two seeds."""
    w, x, y, z = (int.from_bytes(s[at + i : at + i + 8], "little") for i in (0, 8, 16, 24))
    a += w
    b = _rotate(b + a + z, 21)
    c = a
    a += x + y
    return (a + z) & _MASK, (b + _rotate(a, 44) + c) & _MASK


def fingerprint64(s: bytes) -> int:
    """The fingerprint of `s`, an unsigned 64-bit number that never changes."""
    n = len(s)
    if n <= 16:
        return _short(s)

    def at(i: int) -> int:
        return int.from_bytes(s[i : i + 8], "little")

    mul = (_K2 + n * 2) & _MASK
    if n <= 64:
        a = at(0) * (_K1 if n <= 32 else _K2) & _MASK
        b, c, d = at(8), at(n - 8) * mul & _MASK, at(n - 16) * _K2 & _MASK
        y = (_rotate(a + b, 43) + _rotate(c, 30) + d) & _MASK
        z = _join(y, (a + _rotate(b + _K2, 18) + c) & _MASK, mul)
        if n <= 32:
            return z
        e, f = at(16) * mul & _MASK, at(24)
        g, h = (y + at(n - 32)) * mul & _MASK, (z + at(n - 24)) * mul & _MASK
        return _join((_rotate(e + f, 43) + _rotate(g, 30) + h) & _MASK, (e + _rotate(f + a, 18) + g) & _MASK, mul)
    x = (81 * _K2 + at(0)) & _MASK
    y = (81 * _K1 + 113) & _MASK
    z = _mix(y * _K2 + 113) * _K2 & _MASK
    v, w = (0, 0), (0, 0)
    end = (n - 1) // 64 * 64
    mul = _K1
    for i in range(0, end, 64):
        x = _rotate(x + y + v[0] + at(i + 8), 37) * mul & _MASK
        y = _rotate(y + v[1] + at(i + 48), 42) * mul & _MASK
        x ^= w[1]
        y = (y + v[0] + at(i + 40)) & _MASK
        z = _rotate(z + w[0], 33) * mul & _MASK
        v = _pair(s, i, v[1] * mul, x + w[0])
        w = _pair(s, i + 32, z + w[1], y + at(i + 16))
        z, x = x, z
    mul = (_K1 + ((z & 0xFF) << 1)) & _MASK
    i = n - 64
    w0 = w[0] + ((n - 1) & 63)
    v0 = v[0] + w0
    w0 += v0
    x = _rotate(x + y + v0 + at(i + 8), 37) * mul & _MASK
    y = _rotate(y + v[1] + at(i + 48), 42) * mul & _MASK
    x = (x ^ (w[1] * 9)) & _MASK
    y = (y + v0 * 9 + at(i + 40)) & _MASK
    z = _rotate(z + w0, 33) * mul & _MASK
    v = _pair(s, i, v[1] * mul, x + w0)
    w = _pair(s, i + 32, z + w[1], y + at(i + 16))
    z, x = x, z
    return _join((_join(v[0], w[0], mul) + _mix(y) * _K0 + z) & _MASK, (_join(v[1], w[1], mul) + x) & _MASK, mul)


__all__ = ["fingerprint64"]
