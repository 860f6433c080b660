"""What shows the quality of a corpus: the table, its plots and the contact sheet of the rejected."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.faces.crop import encode_jpeg
from pipeline.prepare.quality import HISTOGRAMS, PLOTTED, SHEET, TABLE
from pipeline.prepare.quality.contact_sheet import Sources, draw_sheet
from pipeline.prepare.quality.histograms import histograms_figure
from pipeline.prepare.quality.table import quality_table, write_quality
from pipeline.runtime.paths import StrPath

Rows = Sequence[Mapping[str, Any]]


def write_report(
    folder: StrPath, clips: Rows, faces: Rows, root: StrPath, shards: StrPath, params: Any
) -> pd.DataFrame:
    """Write the four files into ``folder``, and return the quality table.

    ``clips`` are the manifest's rows, ``faces`` those of the stage landmarks; ``root`` is the corpus's folder,
    ``shards`` that of the faces, ``params`` all params. The bytes depend on these alone.
    """
    folder, root, shards = Path(folder), Path(root), Path(shards)
    table = quality_table(clips, faces)
    folder.mkdir(parents=True, exist_ok=True)
    write_quality(table, folder / TABLE, folder / PLOTTED)
    histograms_figure(table, params).savefig(folder / HISTOGRAMS, dpi=90, metadata={"Software": None})
    sources = Sources(_by_id(clips), _by_id(faces), root, shards, params.landmarks.size, params.extract.time_limit)
    sheet = draw_sheet(table, sources)
    (folder / SHEET).write_bytes(encode_jpeg(sheet, 90))
    return table


def _by_id(rows: Rows) -> dict[str, Mapping[str, Any]]:
    return {row["id"]: row for row in rows}
