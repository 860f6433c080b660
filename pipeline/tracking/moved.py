"""Correct the absolute paths that MLflow records in the database of a project that was moved, renamed or copied."""

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from sqlalchemy import Connection

ARTIFACTS = "mlartifacts"  # the folder of a project's artifacts, with a folder for each experiment
_FOLDERS = (ARTIFACTS, "mlruns")  # the second belongs to MLflow's experiment Default
_COLUMNS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "storage_location"),
)
SQLITE = "sqlite:///"


def follow(uri: str, project: Path) -> list[Path]:
    """Correct the paths in the SQLite database `uri` that are in an earlier place of `project`.

    Files that exist only there keep their path, such as those written after the project was copied. Returns the earlier
    places, usually none. Raises sqlalchemy.exc.SQLAlchemyError.
    """
    database = Path(uri.removeprefix(SQLITE))
    if not uri.startswith(SQLITE) or not database.exists():
        return []
    from sqlalchemy import create_engine, inspect
    from sqlalchemy.pool import NullPool

    with create_engine(uri, poolclass=NullPool).begin() as connection:
        if not {table for table, _ in _COLUMNS} <= set(inspect(connection).get_table_names()):
            return []  # a new database, or another version of MLflow
        folders = {_path(location).parent for location in _values(connection, *_COLUMNS[0])}
        places = sorted({folder.parent for folder in folders if folder.name == ARTIFACTS} - {project})
        return [place for place in places if _replace(connection, place, project, database)]


def _replace(connection: "Connection", old: Path, new: Path, database: Path) -> bool:
    """Replace `old` by `new` in paths, if `old` is an earlier place of this project; returns whether it is."""
    from sqlalchemy import text

    rows = [
        (table, column, value, new / _path(value).relative_to(old))
        for table, column in _COLUMNS
        for value in _values(connection, table, column)
        if any(_path(value).is_relative_to(old / folder) for folder in _FOLDERS)
    ]
    travelled, gone = any(after.exists() for *_, after in rows), not old.exists()
    if database.is_relative_to(new):
        known = travelled or gone or (old / database.relative_to(new)).exists()
    else:  # a database that other projects may share
        known = travelled and gone
    if not known:
        return False
    for table, column, value, after in rows:
        if table == "experiments" or after.exists() or not _path(value).exists():
            change = text(f"UPDATE {table} SET {column} = :after WHERE {column} = :before")
            location = after.as_uri() if value.startswith("file:") else str(after)
            connection.execute(change, {"after": location, "before": value})
    return True


def _values(connection: "Connection", table: str, column: str) -> list[str]:
    from sqlalchemy import text

    query = text(f"SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL")
    return [str(value) for value in connection.execute(query).scalars()]


def _path(location: str) -> Path:
    """The path of a location, which may be a file URI; for other URIs a path in no project."""
    return Path(unquote(location.removeprefix("file://")) if location.startswith("file:") else location)
