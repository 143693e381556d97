"""The cache of models unpacks what it fetched on every Python that the project supports, and only into its folder."""

from __future__ import annotations

import ast
import io
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.models import cache

ROOT = Path(__file__).parents[2]


def pack(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for member, content in members:
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, target, 0o4777
    return info


def test_an_npm_package_is_unpacked_without_the_filters_of_newer_pythons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def npm_pack(command: list[str], cwd: Path, **_: object) -> None:
        pack(cwd / "p-1.0.tgz", (member("package", tarfile.DIRTYPE), b""), (member("package/models/a.tflite"), b"abc"))

    def extractall(self: tarfile.TarFile, path: Path = Path()) -> None:
        """As in Python 3.11.2, which knows no filter."""

    monkeypatch.setattr(cache, "CACHE", tmp_path / "models")
    monkeypatch.setattr(subprocess, "run", npm_pack)
    monkeypatch.setattr(tarfile.TarFile, "extractall", extractall)
    file = cache.npm_package("p@1.0") / "models" / "a.tflite"
    assert file.read_bytes() == b"abc" and file.stat().st_mode & 0o7111 == 0


def test_nobody_else_unpacks() -> None:
    """``extractall(filter=…)`` came with Python 3.11.4; ``cache.unpack`` is what works on every Python here."""
    ours = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True)
    calls = [
        name
        for name in ours.stdout.split()
        for node in ast.walk(ast.parse((ROOT / name).read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if node.func.attr in ("extractall", "unpack_archive")
        and any(keyword.arg == "filter" for keyword in node.keywords)
    ]
    assert calls == []


@pytest.mark.parametrize(
    "bad",
    [
        member("../outside"),
        member("package/../../outside"),
        member("/etc/outside"),
        member("package/link", tarfile.SYMTYPE, "/etc/passwd"),
        member("package/link", tarfile.LNKTYPE, "package/a"),
        member("package/pipe", tarfile.FIFOTYPE),
    ],
    ids=lambda info: f"{info.name} {info.type.decode()}",
)
def test_an_archive_writes_only_files_and_only_into_its_folder(bad: tarfile.TarInfo, tmp_path: Path) -> None:
    archive = pack(tmp_path / "bad.tgz", (member("package/a"), b"abc"), (bad, b""))
    folder = tmp_path / "in" / "folder"
    folder.mkdir(parents=True)
    with pytest.raises(ValueError, match=r"lies outside|neither a file nor a folder"):
        cache.unpack(archive, folder)
    assert {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if not p.is_dir()} <= {
        "bad.tgz", "in/folder/package/a",
    }  # fmt: skip


def test_a_file_never_replaces_another(tmp_path: Path) -> None:
    archive = pack(tmp_path / "twice.tgz", (member("a"), b"1"), (member("a"), b"2"))
    with pytest.raises(FileExistsError):
        cache.unpack(archive, tmp_path)
    assert (tmp_path / "a").read_bytes() == b"1"
