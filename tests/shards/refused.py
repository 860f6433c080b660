"""A real unwritable disk: builds the shards of ``tests.shards.rows`` there.

    python -m tests.shards.refused HOW FOLDER

``HOW`` is ``full`` (the disk behind the folder, which is a small one), ``readonly`` (that disk too) or ``limit`` (the
kernel refuses the largest file, as with a quota). Prints a line of JSON: the message; what was left in the folder; how
many clips were computed when the obstacle was gone; and whether the folder is then as without.
"""

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from pipeline.runtime.errors import PipelineError
from tests.shards.rows import IDS, build, tree

Undo = Callable[[], object]


def full(folder: Path, sizes: list[int]) -> Undo:
    """Space for half of the shards, in pages."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            file.truncate(file.tell() - 4096 * len(sizes))
    return ballast.unlink


def readonly(folder: Path, sizes: list[int]) -> Undo:
    subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
    return lambda: subprocess.run(["mount", "-o", "remount,rw", folder], check=True)


def limit(folder: Path, sizes: list[int]) -> Undo:
    free = resource.RLIM_INFINITY
    resource.setrlimit(resource.RLIMIT_FSIZE, (max(sizes) - 1, free))
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (free, free))


def main(obstacle: Callable[[Path, list[int]], Undo], folder: Path) -> None:
    reference = folder.parent / "reference"
    build(reference, IDS, per_shard=2)
    jobs = 2 if obstacle is full else 1
    undo = obstacle(folder, [len(content) for content in tree(reference).values()])
    try:
        build(folder, IDS, jobs=jobs, per_shard=2)
        message = ""
    except PipelineError as error:
        message = str(error)
    left = [name for name in tree(folder) if name != "ballast"]
    undo()
    computed = len(build(folder, IDS, jobs=jobs, per_shard=2))
    same = tree(folder) == tree(reference)
    print(json.dumps({"message": message, "left": left, "computed": computed, "same": same}))


if __name__ == "__main__":
    main({"full": full, "readonly": readonly, "limit": limit}[sys.argv[1]], Path(sys.argv[2]))
