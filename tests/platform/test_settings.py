"""Settings come from the environment, and what is not one is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from fermiloop.platform.errors import DatabaseError, EngineError, FermiloopError, InputError, UserError
from fermiloop.platform.settings import settings


def test_values_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FERMILOOP_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("FERMILOOP_THREADS", "2")
    settings.cache_clear()
    assert settings().data_dir == tmp_path
    assert settings().threads == 2
    assert settings() is settings()


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("FERMILOOP_DATADIR", "x", "did you mean FERMILOOP_DATA_DIR"),
        ("FERMILOOP_QQQ", "x", "is no setting of fermiloop"),
        ("FERMILOOP_THREADS", "none", "FERMILOOP_THREADS"),
        ("FERMILOOP_THREADS", "0", "FERMILOOP_THREADS"),
        ("FERMILOOP_DATABASE", "a b$c", "FERMILOOP_DATABASE"),
        ("FERMILOOP_EMBEDDED_SYNC", "perhaps", "FERMILOOP_EMBEDDED_SYNC"),
    ],
)
def test_mistakes_are_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str) -> None:
    monkeypatch.setenv(name, value)
    settings.cache_clear()
    with pytest.raises(InputError, match=told):
        settings()


def test_exit_codes_tell_mistakes_from_failures() -> None:
    assert (UserError.exit_code, InputError.exit_code, DatabaseError.exit_code) == (2, 2, 2)
    assert (FermiloopError.exit_code, EngineError.exit_code) == (1, 1)


def test_the_key_of_the_materials_project_is_a_secret_with_two_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MP_API_KEY", "theirs")
    settings.cache_clear()
    assert settings().mp_api_key.get_secret_value() == "theirs"
    monkeypatch.setenv("FERMILOOP_MP_API_KEY", "ours")
    settings.cache_clear()
    assert settings().mp_api_key.get_secret_value() == "ours"
    assert "ours" not in f"{settings()!r}{settings()}"
