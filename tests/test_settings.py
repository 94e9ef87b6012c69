"""Settings: all faults at once, each with a hint, no value ever shown."""

from pathlib import Path

import pytest

from optout_service.core.errors import Misconfigured
from optout_service.knobs import Secret
from optout_service.settings import Settings


def test_nothing_has_to_be_set() -> None:
    settings = Settings.from_env({"PATH": "/bin"})
    assert settings == Settings()
    assert settings.embedded
    assert settings.effective_database_url.reveal().endswith("/optout-data/optout.db")


def test_every_kind_of_knob_is_read() -> None:
    settings = Settings.from_env(
        {
            "OPTOUT_DATA_DIR": "/srv/optout",
            "OPTOUT_DATABASE_URL": "postgresql://u:p@db/optout",
            "OPTOUT_PUBLIC_URL": "https://optout.example.com/",
            "OPTOUT_SIGNING_KEYS": "older, newer",
            "OPTOUT_PORT": "9000",
            "OPTOUT_ACCESS_LOG": "off",
            "OPTOUT_LOG_LEVEL": "WARNING",
        }
    )
    assert settings.data_dir == Path("/srv/optout")
    assert not settings.embedded
    assert settings.public_url == "https://optout.example.com"
    assert settings.signing_keys == (Secret("older"), Secret("newer"))
    assert (settings.port, settings.access_log, settings.log_level) == (
        9000,
        False,
        "warning",
    )


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("OPTOUT_PUBLIC_ULR", "https://x.example", "did you mean OPTOUT_PUBLIC_URL?"),
        ("OPTOUT_NONSENSE", "1", "no such setting"),
        ("OPTOUT_PORT", "http", "whole number"),
        ("OPTOUT_PORT", "70000", "between"),
        ("OPTOUT_ACCESS_LOG", "maybe", "true"),
        ("OPTOUT_DATABASE_URL", "mysql://x", "postgresql://"),
        ("OPTOUT_DATABASE_URL", "postgresql://u:p@host:port/x", "cannot be read"),
        ("OPTOUT_DATABASE_URL", "postgresql://u:p@[::1/x", "cannot be read"),
        ("OPTOUT_PUBLIC_URL", "http://optout.example.com", "https"),
        ("OPTOUT_PUBLIC_URL", "optout.example.com", "URL"),
        ("OPTOUT_PUBLIC_URL", "https://x.example/?a=b", "query"),
        ("OPTOUT_PUBLIC_URL", "https://x.example/a,b", "without commas"),
        ("OPTOUT_PUBLIC_URL", "https://bücher.example", "ASCII"),
        ("OPTOUT_MAILTO", "Jo <jo@example.com>", "no mail address"),
        ("OPTOUT_LOG_LEVEL", "loud", "info"),
        ("OPTOUT_PEPPER_FILE", "/nowhere/pepper", "cannot be read"),
        ("OPTOUT_PORT_FILE", "/nowhere", "secrets only"),
        ("OPTOUT_DATA_DIR", "", "directory"),
    ],
)
def test_a_senseless_value_is_refused_with_a_hint(name: str, value: str, hint: str) -> None:
    with pytest.raises(Misconfigured) as refusal:
        Settings.from_env({name: value})
    assert name in refusal.value.detail
    assert hint in refusal.value.detail


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(Misconfigured) as refusal:
        Settings.from_env({"OPTOUT_PORT": "x", "OPTOUT_WORKERS": "y", "OPTOUT_TYPO": "z"})
    assert len(refusal.value.detail.splitlines()) == 3


def test_http_is_for_this_machine_alone() -> None:
    for host in ("127.0.0.1:8000", "localhost", "[::1]:8000"):
        url = f"http://{host}"
        assert Settings.from_env({"OPTOUT_PUBLIC_URL": url}).public_url == url


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "pepper"
    path.write_text("first\nsecond\n")
    read = Settings.from_env({"OPTOUT_PEPPER_FILE": str(path)})
    assert read.pepper == (Secret("first"), Secret("second"))
    with pytest.raises(Misconfigured, match="both set"):
        Settings.from_env({"OPTOUT_PEPPER_FILE": str(path), "OPTOUT_PEPPER": "other"})


def test_no_secret_is_ever_shown() -> None:
    secret = "hunter2-hunter2"
    settings = Settings.from_env(
        {
            "OPTOUT_PEPPER": secret,
            "OPTOUT_SIGNING_KEYS": secret,
            "OPTOUT_ENCRYPTION_KEYS": secret,
            "OPTOUT_DATABASE_URL": f"postgresql://u:{secret}@db/x",
        }
    )
    assert secret not in f"{settings!r} {settings}"
    with pytest.raises(Misconfigured) as refusal:
        Settings.from_env({"OPTOUT_DATABASE_URL": f"mysql://u:{secret}@db/x"})
    assert secret not in refusal.value.detail


def test_sqlite_has_one_process_with_threads() -> None:
    assert Settings().effective_workers == 1
    assert Settings().effective_threads == 16
    postgresql = Settings(database_url=Secret("postgresql://db/x"))
    assert postgresql.effective_threads == 8
    assert Settings(workers=3, threads=2, pool_size=5).effective_pool_size == 5
