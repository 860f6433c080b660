"""Unpack a zip from the network safely: nothing outside the folder, no zip bombs, no partial files."""

import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from pipeline.corpora.download.disk import need_room
from pipeline.runtime.errors import PipelineError

MAX_MEMBERS = 100_000
"""GRID's alignments are 34,000 files, twice as many with macOS's metadata."""
MAX_GROWTH = 4
"""Unpacked bytes per byte of the archive; about 1 for GRID, since videos do not shrink in a zip."""
_ALWAYS = 1 << 20  # unpacked bytes that are always allowed
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, NotImplementedError)


class SafeZip(zipfile.ZipFile):
    """A zip with checked names, types and sizes of members. A refused archive is deleted."""

    def __init__(self, path: Path, name: str) -> None:
        """Open the zip at ``path``, called ``name`` in messages; PipelineError if it is damaged or suspicious."""
        self._path, self._name = path, name
        try:
            super().__init__(path)
        except _BROKEN as error:
            raise self.refused(f"it is not a whole zip archive ({error})") from error
        members, size = self.infolist(), path.stat().st_size
        total = sum(member.file_size for member in members)
        if len(members) > MAX_MEMBERS:
            raise self.refused(f"it has {len(members)} members, and none of the corpus has more than {MAX_MEMBERS}")
        if total > _ALWAYS + MAX_GROWTH * size:
            raise self.refused(f"its {size} bytes would become {total}")
        for member in members:
            self._check(member)
        self._members = {PurePosixPath(member.filename): member for member in members if not member.is_dir()}

    @property
    def files(self) -> list[PurePosixPath]:
        """The members without folders, hidden files and macOS's metadata."""
        return [path for path in self._members if "__MACOSX" not in path.parts and not path.name.startswith(".")]

    def _check(self, member: zipfile.ZipInfo) -> None:
        name, kind = member.filename, stat.S_IFMT(member.external_attr >> 16)
        parts = PurePosixPath(name).parts
        if name.startswith("/") or ".." in parts or "\\" in name or name[1:2] == ":":
            raise self.refused(f"the name {name!r} leads outside the folder")
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise self.refused(f"{name} is a link or a device")
        if member.flag_bits & 0x1:
            raise self.refused(f"{name} is encrypted")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise self.refused(f"{name} is compressed by method {member.compress_type}")

    def unpack(self, wanted: Mapping[str, PurePosixPath], folder: Path) -> dict[str, int]:
        """Write the members ``wanted``, by path below ``folder``; files that exist with the right size are kept.

        Returns the sizes of the files. Raises PipelineError if the disk has too little space (nothing is written) or a
        member is damaged, and OSError if the disk refuses to write.
        """
        sizes = {path: self._members[member].file_size for path, member in wanted.items()}
        present = {path: (folder / path).stat().st_size for path in sizes if (folder / path).is_file()}
        missing = {path: size for path, size in sizes.items() if present.get(path) != size}
        need_room(folder, sum(missing.values()), f"unpacking {self._name}")
        for path in missing:
            self._write(self._members[wanted[path]], folder / path)
        return sizes

    def _write(self, member: zipfile.ZipInfo, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.tmp")
        try:
            # zipfile reads at most the header's size, and checks the CRC.
            with self.open(member) as source, temporary.open("wb") as file:
                shutil.copyfileobj(source, file, 1 << 20)
                written = file.tell()
            if written != member.file_size:
                raise self.refused(f"{member.filename} has {written} bytes, and its header says {member.file_size}")
            temporary.replace(path)
        except _BROKEN as error:
            raise self.refused(f"it is torn: {error}") from error
        finally:
            temporary.unlink(missing_ok=True)

    def refused(self, why: str) -> PipelineError:
        """Delete the archive; returns the error with the reason ``why``."""
        self.close()
        self._path.unlink(missing_ok=True)
        return PipelineError(
            f"{self._name} is refused: {why}. The archive was deleted. It is as the record offers it: is the address "
            f"(--record) right?"
        )
