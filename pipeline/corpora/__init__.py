"""The corpora: where clips come from, behind one small protocol."""

from pathlib import Path

from pipeline.config.params import Params
from pipeline.corpora.base import Clip, Corpus
from pipeline.corpora.folder import Folder
from pipeline.corpora.grid import Grid
from pipeline.corpora.lrw import Lrw
from pipeline.runtime import paths

__all__ = ["Clip", "Corpus", "open_corpus"]


def open_corpus(params: Params, project: Path) -> Corpus:
    """The corpus that ``params.corpus`` names; its root, where relative, is below ``project``.

    The sample corpus is an out of the pipeline, so it is below the working directory. Nothing is read
    before ``clips()``.
    """
    if params.corpus == "grid":
        grid = params.corpora.grid
        return Grid(
            root=_root(project, grid.root),
            key="corpora.grid",
            seed=params.seed,
            val=grid.val,
            test=grid.test,
            split_by=grid.split_by,
            speakers=grid.speakers,
            max_clips=grid.max_clips,
        )
    if params.corpus == "lrw":
        lrw = params.corpora.lrw
        return Lrw(_root(project, lrw.root), "corpora.lrw", params.seed, lrw.words, lrw.max_clips)
    if params.corpus == "folder":
        folder = params.corpora.folder
        return Folder(
            root=_root(project, folder.root),
            key="corpora.folder",
            seed=params.seed,
            clip_seconds=folder.clip_seconds,
            val=folder.val,
            test=folder.test,
            min_frames=params.extract.min_frames,
            time_limit=params.extract.time_limit,
        )
    return Grid(
        root=_root(Path.cwd(), str(paths.SYNTHETIC)),
        key="corpora.sample",
        seed=params.seed,
        val=1 / 9,
        test=2 / 9,
        advice="Make it with `dvc repro sample`.",
    )


def _root(base: Path, root: str) -> Path:
    return Path(base, Path(root).expanduser()).absolute()
