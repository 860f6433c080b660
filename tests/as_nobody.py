"""For tests of permissions, which do not stop root."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

NOBODY = 65534


@contextmanager
def not_as_root() -> Iterator[None]:
    """Root may read and write everything, so for this while we are nobody.

    What is imported meanwhile must have been imported before: nobody may not even read the environment. Folders of
    the test are to be made under the fixture ``public``, since pytest's own are closed to others.
    """
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
