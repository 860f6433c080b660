"""A Zenodo record: its files with sizes and checksums."""

import hashlib
from dataclasses import dataclass
from urllib.parse import urljoin

import requests

from pipeline.corpora.download.web import Web, reason
from pipeline.runtime.errors import PipelineError


@dataclass(frozen=True)
class Archive:
    """A file of a record: its size in bytes, and its checksum, hexadecimal, by an algorithm of hashlib."""

    name: str
    size: int
    algorithm: str
    digest: str
    url: str


def read_record(url: str, web: Web) -> dict[str, Archive]:
    """The files of the record at ``url`` (https://zenodo.org/api/records/NUMBER), by name.

    Links may be relative to ``url``, as in a mirror on a web server. Raises PipelineError if there is no record.
    """
    with web.open(url) as response:
        try:
            files = [_archive(file, response.url) for file in response.json()["files"]]
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise PipelineError(
                f"{url} is no Zenodo record. Is the address right, and does the network want a login first?"
            ) from error
        except requests.RequestException as error:
            raise PipelineError(f"{url} broke off: {reason(error)}. Run the same command again.") from error
    return {archive.name: archive for archive in files}


def _archive(tree: dict[str, object], base: str) -> Archive:
    name, size, checksum, links = tree["key"], tree["size"], tree["checksum"], tree["links"]
    if not (isinstance(name, str) and isinstance(size, int) and isinstance(checksum, str) and isinstance(links, dict)):
        raise TypeError
    algorithm, _, digest = checksum.partition(":")
    hashlib.new(algorithm, usedforsecurity=False)  # ValueError if unknown
    return Archive(name, size, algorithm, digest.lower(), urljoin(base, links["self"]))
