"""Whether MLFLOW_TRACKING_URI can name a store, and whether a server answers there."""

import os
import re
import textwrap
from urllib.parse import urlsplit

PROBE_SECONDS = 5  # seconds that a server may take to answer
SERVERS = ("http", "https")


def unfit(uri: str) -> str | None:
    """Why `uri` cannot name a store, and what to write instead; None if it can, or if MLflow may know its scheme."""
    scheme, colon, rest = uri.partition(":")
    if not uri.strip():
        return "is blank. Unset it, or give it the address of a server"
    if scheme == "sqlite":
        return None if rest.startswith("///") else "has not three slashes. Write it as sqlite:///mlflow.db"
    if re.match(r"[^/\\:]+:\d+(/|$)", uri):
        return f"lacks how to speak to the server. Write it as http://{uri}"
    folder = not colon or scheme == "file" or re.match(r"[A-Za-z]:[\\/]|[./\\~]", uri)
    if folder and uri not in ("databricks", "databricks-uc"):
        return (
            "is a folder or file, in which MLflow no longer keeps runs. Set it to sqlite:///mlflow.db, which is in the "
            "project, or to the address of a server"
        )
    return _unfit_server(uri) if scheme.lower() in SERVERS else None


def _unfit_server(uri: str) -> str | None:
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        return f"is not an address ({error}). Write it as http://127.0.0.1:5000"
    if not host or " " in uri:
        return "names no server. Write it as http://127.0.0.1:5000"
    if "#" in uri or parts.query:
        served = f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")
        return f"is the address of a page. Write that of its server: {served}"
    return None


def unreachable(uri: str) -> str | None:
    """Why no server answers at `uri`, or None. Any answer counts, also an error; other stores are not asked."""
    if urlsplit(uri).scheme not in SERVERS:
        return None
    import requests

    insecure = os.environ.get("MLFLOW_TRACKING_INSECURE_TLS", "").lower() == "true"
    try:
        requests.get(f"{uri.rstrip('/')}/health", timeout=PROBE_SECONDS, verify=not insecure)
    except requests.Timeout:
        return f"no answer in {PROBE_SECONDS} s"
    except requests.exceptions.SSLError:
        return "its certificate is not one that this machine trusts"
    except requests.ConnectionError as error:
        known = {"refused": "connection refused", "resolve": "there is no host of that name"}
        return next((meaning for word, meaning in known.items() if word in str(error)), first_line(error))
    except requests.RequestException as error:
        return first_line(error)
    return None


def trouble(error: BaseException) -> str:
    """One line that explains an `error` raised by opening a store."""
    if isinstance(error, ImportError):
        return f"it needs the package {error.name}: pip install {error.name}"
    if "unsupported URI" in str(error):
        return "MLflow knows no store of that kind; it knows sqlite, postgresql, mysql, mssql, http and https"
    if "failed with error code 404" in str(error):
        return "what answers there is no MLflow server"
    return first_line(error)


def first_line(error: BaseException) -> str:
    """The first line of `error`, shortened between words."""
    lines = str(error).strip().splitlines()
    return textwrap.shorten(lines[0], 300, placeholder=" ...") if lines else type(error).__name__
