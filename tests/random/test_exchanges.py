"""The exchanges of a seeded shuffle, done all at once, leave what one after the other leaves."""

import numpy as np
import pytest

from tf2compat.random.stateful import _swapped


@pytest.mark.parametrize("n", [2, 3, 4, 7, 50, 3000])
def test_all_at_once_as_one_after_the_other(n):
    for seed in range(5):
        place = np.arange(n - 1)
        partners = place + np.random.RandomState(seed).randint(0, 1 << 31, n - 1) % (n - place)
        one_by_one = list(range(n))
        for i, j in enumerate(partners.tolist()):
            one_by_one[i], one_by_one[j] = one_by_one[j], one_by_one[i]
        assert _swapped(partners).tolist() == one_by_one
