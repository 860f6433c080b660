"""HTTP with retries for temporary failures and one message for permanent ones, and Zenodo's records."""

import hashlib
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from pipeline.runtime.errors import PipelineError

_TEMPORARY = (408, 425, 429, 500, 502, 503, 504)
_LONGEST_PAUSE = 120


@dataclass(frozen=True)
class Retries:
    """How often and how long to retry."""

    count: int = 7
    """Failures in a row before giving up. With a pause of 1 s this is about two minutes without network."""
    pause: float = 1.0
    """Seconds before the second retry, doubled for each further one; a server's Retry-After takes precedence."""
    timeout: float = 30.0
    """Seconds without data before a connection counts as broken."""

    def before(self, retry: int) -> float:
        """Seconds to wait before retry number ``retry``, from 1; the first retry is immediate."""
        return float(min(self.pause * 2 ** (retry - 1), _LONGEST_PAUSE)) if retry > 1 else 0.0


class Web:
    """Opens addresses, with retries until a response begins. Readers handle interrupted bodies."""

    def __init__(self, retries: Retries | None = None) -> None:
        self.retries = retries or Retries()
        retry = Retry(
            self.retries.count,
            status_forcelist=_TEMPORARY,
            raise_on_status=False,
            backoff_factor=self.retries.pause,
            backoff_max=_LONGEST_PAUSE,
            retry_after_max=_LONGEST_PAUSE,
        )
        self._session = requests.Session()
        # Without compression, so that sizes and ranges are those of the file.
        self._session.headers.update({"User-Agent": "atvgnet", "Accept-Encoding": "identity"})
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=retry))

    def open(self, url: str, start: int = 0) -> requests.Response:
        """The response for ``url`` from byte ``start``, with unread body and status 200, 206 or 416.

        Raises PipelineError for no response and for any other status.
        """
        headers = {"Range": f"bytes={start}-"} if start else {}
        timeout = (min(10.0, self.retries.timeout), self.retries.timeout)
        try:
            response = self._session.get(url, headers=headers, stream=True, timeout=timeout)
        except requests.RequestException as error:
            raise PipelineError(
                f"{urlsplit(url).netloc or url} cannot be reached: {reason(error)}. Check the network (does it want a "
                f"login first?), then run the same command again; it goes on where it was."
            ) from error
        if response.status_code in (200, 206, 416):
            return response
        response.close()
        advice = "Is the address of the record (--record) right?"
        if response.status_code in _TEMPORARY:
            advice = "The server is busy or broken: run the same command again later; it goes on where it was."
        raise PipelineError(f"{url} is refused: {response.status_code} {response.reason}. {advice}")


def reason(error: Exception) -> str:
    """The innermost cause of an error of requests or urllib3."""
    while inner := [cause for cause in (*error.args, getattr(error, "reason", None)) if isinstance(cause, Exception)]:
        error = inner[-1]
    return getattr(error, "strerror", None) or str(error).rpartition(": ")[2] or type(error).__name__


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
