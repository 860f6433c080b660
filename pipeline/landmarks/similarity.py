"""The least-squares similarity transform between two sets of points."""

import numpy as np
from numpy.typing import NDArray


def fit_similarity(source_P2: NDArray[np.floating], target_P2: NDArray[np.floating]) -> NDArray[np.float64]:
    """The rotation, scale and shift (2, 3) that best maps ``source_P2`` to ``target_P2``, without reflection.

    Umeyama 1991. For centred points as complex numbers z and w, the best factor is sum(conj(z) w) / sum(|z|^2).
    """
    source, target = source_P2.astype(np.float64), target_P2.astype(np.float64)
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    z = (source - source_mean) @ (1, 1j)
    w = (target - target_mean) @ (1, 1j)
    factor = np.vdot(z, w) / max(np.vdot(z, z).real, 1e-12)
    linear = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    return np.column_stack([linear, target_mean - linear @ source_mean])


def apply_similarity(transform_2x3: NDArray[np.floating], points_P2: NDArray[np.floating]) -> NDArray[np.float64]:
    """Transform ``points_P2``."""
    return np.asarray(points_P2 @ transform_2x3[:, :2].T + transform_2x3[:, 2], dtype=np.float64)


def invert_similarity(transform_2x3: NDArray[np.floating]) -> NDArray[np.float64]:
    """The inverse transform."""
    inverse = np.linalg.inv(transform_2x3[:, :2].astype(np.float64))
    return np.column_stack([inverse, -inverse @ transform_2x3[:, 2]])
