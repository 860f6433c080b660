"""A bundle as MLflow serves it: the files of a picture and of speech in, that of a video out.

MLflow imports this module out of the source that was logged with the bundle.
"""

import base64
import binascii
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pandas as pd

from pipeline.inference.generate import generate
from pipeline.inference.settings import Settings, parse_face
from pipeline.inference.strict import COLUMNS, refuse_unknown_names
from pipeline.inference.talking_head import TalkingHead
from pipeline.media.formats import check_self_contained
from pipeline.runtime.errors import PipelineError


class ServedBundle:
    """Wraps a talking head for `mlflow.pyfunc`."""

    def __init__(self, head: TalkingHead) -> None:
        self.head = head

    def predict(self, table: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """For each row the bytes of an MP4, `video`, in which the face of `picture` says `speech`, both a file as
        `generate` takes it, as its bytes or as a text (`decode_file`); `params` are those of `Settings`.

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
                picture, speech = (decode_file(row[name], name) for name in COLUMNS)
                videos.append(self._video(picture, speech, settings))
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


def decode_file(value: Any, name: str) -> bytes:
    """A file of a request: bytes, a data URL as browsers write it, or Base64 of either alphabet, blanks ignored.

    Raises PipelineError, which begins with ``name``, for anything else.
    """
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise PipelineError(f"{name} is missing. Give the file's bytes as Base64.")
    head, comma, body = value.partition(",")
    data = value.encode()
    if comma and head.lstrip().lower().startswith("data:"):
        data = unquote_to_bytes(body)
        if not head.rstrip().lower().endswith(";base64"):
            return data
    data = b"".join(data.split()).rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    try:
        return base64.b64decode(data + b"=" * (-len(data) % 4), validate=True)
    except binascii.Error as error:
        raise PipelineError(
            f"{name} is not Base64 ({error}). Give the file's bytes as Base64 or as a data URL."
        ) from None


def _load_pyfunc(path: str) -> ServedBundle:
    refuse_unknown_names(__name__)
    return ServedBundle(TalkingHead.from_pretrained(path))
