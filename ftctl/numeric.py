"""numpy, set to compute on one thread: the only door to it, for whoever loads it first.

The arrays here are small. Two threads on a busy machine wait for each other many times longer
than one computes, and one thread adds up in the same order on every machine of a kind. The
environment is as before once numpy has read it; a numpy that was loaded already stays as it is.
"""

from __future__ import annotations

import os

_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
_ours = [name for name in _THREADS if name not in os.environ]
os.environ.update(dict.fromkeys(_ours, "1"))
try:
    import numpy as np
    from numpy.typing import NDArray
finally:
    for _name in _ours:
        del os.environ[_name]

__all__ = ["NDArray", "np"]
