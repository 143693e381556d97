"""Zip archives from outside: the directory is judged before a single member is read, and nothing is extracted."""

from __future__ import annotations

import io
import stat
import zipfile
import zlib

from hwgen.errors import ModelError
from hwgen.model.onnx.source import shown

MAX_MEMBERS = 4096
MAX_TOTAL_BYTES = 1 << 30
MAX_RATIO = 200
_NAME_CHARACTERS = 240


class Archive:
    """A checked zip archive in memory.

    Raises:
        ModelError: it is damaged, or has too many members, members that unfold too far or overlap, duplicate,
            absolute, climbing, encrypted or linked names.
    """

    def __init__(self, data: bytes) -> None:
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
            raise ModelError("the zip archive is damaged; create it again") from error
        members = self._zip.infolist()
        if len(members) > MAX_MEMBERS:
            raise ModelError(
                f"the zip archive has {len(members)} members; at most {MAX_MEMBERS} are read", "unsafe-model"
            )
        if sum(m.file_size for m in members) > MAX_TOTAL_BYTES:
            raise ModelError(f"the zip archive unfolds to more than {MAX_TOTAL_BYTES} bytes", "unsafe-model")
        self._members = {m.filename: m for m in members if not m.is_dir()}
        if len({m.filename for m in members}) != len(members):
            raise ModelError("the zip archive has two members of one name", "unsafe-model")
        for member in members:
            _check_member(member)
        _check_overlap(members, len(data))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the members, directories left out."""
        return tuple(self._members)

    def read(self, name: str) -> bytes:
        """A member's bytes, never more than the directory announced.

        Raises:
            ModelError: the member is damaged or larger than announced.
        """
        member = self._members[name]
        try:
            with self._zip.open(member) as stream:
                data = stream.read(member.file_size + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
            raise ModelError(f"the member {shown(name)!r} of the zip archive is damaged; create it again") from error
        if len(data) != member.file_size:
            raise ModelError(
                f"the member {shown(name)!r} of the zip archive has another size than announced", "unsafe-model"
            )
        return data


def _check_member(member: zipfile.ZipInfo) -> None:
    name, shown_name = member.filename, shown(member.filename)
    parts = name.replace("\\", "/").split("/")
    if len(name) > _NAME_CHARACTERS or name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0] or "\0" in name:
        raise ModelError(f"the zip archive has a member with the unsafe name {shown_name!r}", "unsafe-model")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise ModelError(f"the member {shown_name!r} of the zip archive is a link", "unsafe-model")
    if member.flag_bits & 1:
        raise ModelError(f"the member {shown_name!r} of the zip archive is encrypted; store it plainly")
    if member.file_size > MAX_RATIO * max(member.compress_size, 1):
        raise ModelError(
            f"the member {shown_name!r} of the zip archive unfolds more than {MAX_RATIO} times", "unsafe-model"
        )


def _check_overlap(members: list[zipfile.ZipInfo], size: int) -> None:
    end = 0
    for member in sorted(members, key=lambda m: m.header_offset):
        if member.header_offset < end or member.header_offset + member.compress_size > size:
            raise ModelError("members of the zip archive overlap or reach beyond its end", "unsafe-model")
        end = member.header_offset + 30 + member.compress_size
