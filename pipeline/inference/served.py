"""A bundle as MLflow serves it: the files of a picture and of speech in, that of a video out.

MLflow imports this module out of the source that was logged with the bundle.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.inference.generate import generate
from pipeline.inference.settings import Settings, parse_face
from pipeline.inference.talking_head import TalkingHead
from pipeline.media.formats import check_self_contained
from pipeline.runtime.errors import PipelineError


class ServedBundle:
    """Wraps a talking head for `mlflow.pyfunc`."""

    def __init__(self, head: TalkingHead) -> None:
        self.head = head

    def predict(self, table: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """For each row the bytes of an MP4, `video`, in which the face of `picture` says `speech`, both the bytes of a
        file as `generate` takes it; `params` are those of `Settings`.

        Raises MLflow's exception, which reaches a client with its message, where a row or a param is wrong.
        """
        from mlflow.exceptions import MlflowException
        from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE

        videos, where = [], ""
        try:
            given = {name: value for name, value in (params or {}).items() if value is not None}
            if "face" in given:
                given["face"] = parse_face(given["face"])
            settings = Settings(**given)
            for number, row in enumerate(table.to_dict("records"), 1):
                where = f"Row {number}: "
                videos.append(self._video(row["picture"], row["speech"], settings))
        except PipelineError as error:
            raise MlflowException(f"{where}{error}", INVALID_PARAMETER_VALUE) from error
        return pd.DataFrame({"video": videos})

    def _video(self, picture: bytes, speech: bytes, settings: Settings) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            seen, heard, made = (Path(folder) / name for name in ("picture", "speech", "video.mp4"))
            seen.write_bytes(picture)
            heard.write_bytes(speech)
            try:
                for given in (seen, heard):
                    check_self_contained(given)
                generate(self.head, seen, heard, made, settings)
            except PipelineError as error:  # where the files lay is nothing to the client
                raise PipelineError(str(error).replace(f"{folder}/", "")) from error
            return made.read_bytes()


def _load_pyfunc(path: str) -> ServedBundle:
    return ServedBundle(TalkingHead.from_pretrained(path))
