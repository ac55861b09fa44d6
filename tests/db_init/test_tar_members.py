"""Members of archives: plain files go round, everything else is refused before memory is taken."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fermiloop.db_init import tar_members
from fermiloop.platform.errors import InputError


def read(path: Path) -> dict[str, bytes]:
    return {name: b"".join(pieces) for name, _, pieces in tar_members.read(path)}


def written(folder: Path, members: dict[str, bytes]) -> Path:
    for number, content in enumerate(members.values()):
        (folder / str(number)).write_bytes(content)
    path = folder / "made.tar.gz"
    tar_members.write(path, ((name, folder / str(number)) for number, name in enumerate(members)))
    return path


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(contents=st.lists(st.binary(max_size=1500), max_size=4))
def test_what_is_written_is_read(tmp_path: Path, contents: list[bytes]) -> None:
    members = {f"files/{number}": content for number, content in enumerate(contents)}
    path = written(tmp_path, members)
    assert read(path) == members
    with tarfile.open(path) as archive:
        assert archive.getnames() == list(members)


def test_the_same_members_make_the_same_bytes(tmp_path: Path) -> None:
    first = written(tmp_path, {"a": b"1", "b": b"2"}).read_bytes()
    assert written(tmp_path, {"a": b"1", "b": b"2"}).read_bytes() == first


def test_an_archive_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        tar_members.write(tmp_path / "x.tar.gz", iter([("a", tmp_path / "none")]))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE, tarfile.GNUTYPE_LONGNAME],
)
def test_only_plain_files_are_read(tmp_path: Path, kind: bytes) -> None:
    info = tarfile.TarInfo("campaign.yaml")
    info.type, info.linkname = kind, "/etc/passwd"
    (tmp_path / "x.tar.gz").write_bytes(gzip.compress(info.tobuf(tarfile.USTAR_FORMAT) + bytes(1024)))
    with pytest.raises(InputError, match="no plain file"):
        read(tmp_path / "x.tar.gz")


def test_extended_headers_are_not_read(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("manifest.json")
        info.pax_headers = {"comment": "x" * 5000}
        archive.addfile(info, io.BytesIO())
    with pytest.raises(InputError, match="no plain file"):
        read(tmp_path / "x.tar.gz")


@pytest.mark.parametrize(("name", "value"), [("LARGEST", 400), ("MOST", 2000), ("MOST_MEMBERS", 1)])
def test_sizes_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: int) -> None:
    path = written(tmp_path, {"a": bytes(600), "b": bytes(600)})
    monkeypatch.setattr(tar_members, name, value)
    with pytest.raises(InputError, match="larger than what is read"):
        read(path)


def test_a_bomb_is_told_by_its_header_alone(tmp_path: Path) -> None:
    info = tarfile.TarInfo("manifest.json")
    info.size = 7 << 30
    (tmp_path / "bomb.tar.gz").write_bytes(gzip.compress(info.tobuf(tarfile.USTAR_FORMAT) + bytes(1 << 20)))
    with pytest.raises(InputError, match="larger than what is read"):
        read(tmp_path / "bomb.tar.gz")


def test_a_member_must_be_used_up_before_the_next(tmp_path: Path) -> None:
    path = written(tmp_path, {"a": bytes(600), "b": bytes(600)})
    with pytest.raises(InputError, match="was not read to its end"):
        list(tar_members.read(path))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"PK\x03\x04 not this", "damaged"),
        (gzip.compress(b"a poem, but no archive " * 100, mtime=0), "no tar archive"),
        (gzip.compress(b"short", mtime=0), "cut off"),
        (gzip.compress(bytes(2000), mtime=0)[:15], "damaged"),
    ],
)
def test_what_is_no_archive_is_told(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "x.tar.gz").write_bytes(content)
    with pytest.raises(InputError, match=told):
        read(tmp_path / "x.tar.gz")
    with pytest.raises(InputError, match="There is no file"):
        read(tmp_path / "none.tar.gz")
