"""Loaded once in the process from which tests fork programs: what each program would load again.

dlib unpacks its face detector for about a second, and numba starts LLVM for half a second. dlib copies a detector in
milliseconds, and LLVM stays started in a fork.
"""

import copy

import dlib
import numba

_DETECTOR = dlib.get_frontal_face_detector()

dlib.get_frontal_face_detector = lambda: copy.copy(_DETECTOR)


@numba.njit(cache=False)
def _nothing() -> None:
    pass


_nothing()
