"""A bundle as MLflow serves it: the files of a picture and of speech in, the file of a video out.

MLflow imports this module, by this path, from the source code that is logged with the bundle.
"""

import base64
import binascii
import logging
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pandas as pd

from pipeline.config.generation import Settings, parse_face
from pipeline.inference.checks import with_name
from pipeline.inference.served_request import COLUMNS, refuse_unknown_names
from pipeline.inference.talking_head import TalkingHead
from pipeline.inference.video import generate_video
from pipeline.media.probe import check_self_contained
from pipeline.runtime.errors import PipelineError

log = logging.getLogger(__name__)


class ServedBundle:
    """Wraps a talking head for `mlflow.pyfunc`."""

    def __init__(self, head: TalkingHead) -> None:
        self.head = head

    def predict(self, table: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Return the column `video`, the bytes of an MP4, for each row of the columns `picture` and `speech`.

        These have the content of files, as bytes or text (`decode_file`). `params` are the fields of `Settings`. Raises
        MlflowException if a row or a param is wrong, or for an internal error; the client receives the message.
        """
        from mlflow.exceptions import MlflowException
        from mlflow.protos.databricks_pb2 import INTERNAL_ERROR, INVALID_PARAMETER_VALUE

        videos, where = [], ""
        try:
            values = {name: value for name, value in (params or {}).items() if value is not None}
            if "face" in values:
                values["face"] = parse_face(values["face"])
            settings = Settings(**values)
            for number, row in enumerate(table.to_dict("records"), 1):
                where = f"Row {number}: "
                picture, speech = (decode_file(row[name], name) for name in COLUMNS)
                videos.append(self._video(picture, speech, settings))
        except PipelineError as error:
            raise MlflowException(f"{where}{error}", INVALID_PARAMETER_VALUE) from error
        except Exception as error:  # without this, MLflow sends the client the traceback
            log.exception("A request failed.")
            message = f"{where}an internal error, whose cause is in the log of the server. Try other files."
            raise MlflowException(message, INTERNAL_ERROR) from error
        return pd.DataFrame({"video": videos})

    def _video(self, picture: bytes, speech: bytes, settings: Settings) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            picture_file, speech_file, out = (Path(folder) / name for name in ("picture", "speech", "video.mp4"))
            try:
                for file, content in ((picture_file, picture), (speech_file, speech)):
                    file.write_bytes(content)
                    check_self_contained(file)
                generate_video(self.head, picture_file, speech_file, out, settings)
            except PipelineError as error:  # the client must not see paths of the server
                raise with_name(error) from error
            return out.read_bytes()


def decode_file(value: Any, name: str) -> bytes:
    """Decode a file of a request: bytes, a data URL, or Base64 of either alphabet with or without white space.

    Raises PipelineError for anything else; the message begins with ``name``.
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
        text = f"{name} is not Base64 ({error}). Give the file's bytes as Base64 or as a data URL."
        raise PipelineError(text) from None


def _load_pyfunc(path: str) -> ServedBundle:
    refuse_unknown_names(__name__)
    return ServedBundle(TalkingHead.from_pretrained(path))
