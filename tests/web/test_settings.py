"""Settings come from the environment; what is wrong is said by name, and secrets are never shown."""

import stat
import threading
from pathlib import Path

import pytest

from web.settings import KEY_FILE, Settings, SettingsError, find_unknown, load_secret_key, load_settings, settings_table


def refusal(**variables: str) -> str:
    with pytest.raises(SettingsError) as refused:
        load_settings({f"LAMBDESK_{name}": text for name, text in variables.items()})
    return str(refused.value)


def test_without_variables_everything_has_a_default() -> None:
    settings = load_settings({})

    assert settings == Settings()
    assert (settings.host, settings.port, settings.database_url) == ("127.0.0.1", 8000, "sqlite:///var/lambdesk.db")
    assert settings.modules_dir == (Path("modules"), Path("site"))


def test_variables_are_read_by_their_kind() -> None:
    settings = load_settings(
        {
            "LAMBDESK_PORT": "0",
            "LAMBDESK_MODULES_DIR": "modules:site:/srv/more",
            "LAMBDESK_DEMO": "yes",
            "LAMBDESK_ALLOWED_HOSTS": "desk.example.org, Other.example",
            "LAMBDESK_REQUEST_SECONDS": "2.5",
            "LAMBDESK_TOKENS": "10",
            "LAMBDESK_PUBLIC_URL": "https://desk.example/",
            "PORT": "9",
        }
    )

    assert settings.port == 0
    assert settings.modules_dir == (Path("modules"), Path("site"), Path("/srv/more"))
    assert settings.demo
    assert settings.host_names >= {"desk.example.org", "other.example", "desk.example", "localhost"}
    assert settings.request_seconds == 2.5
    assert settings.limits.tokens == 10
    assert settings.origins == {"https://desk.example"}


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("PORT", "70000", "LAMBDESK_PORT is '70000': write a number from 0 to 65535."),
        ("PORT", "-1", "LAMBDESK_PORT is '-1'"),
        ("DEMO", "maybe", "LAMBDESK_DEMO is 'maybe': write 1 or 0."),
        ("TOKENS", "0", "LAMBDESK_TOKENS is '0': write a whole number of at least 1."),
        ("TOKENS", "1e3", "LAMBDESK_TOKENS"),
        ("REQUEST_SECONDS", "nan", "LAMBDESK_REQUEST_SECONDS is 'nan': write a number of seconds above 0."),
        ("REQUEST_SECONDS", "inf", "LAMBDESK_REQUEST_SECONDS"),
        ("DB_TIME_ZONE", "Berlin", "LAMBDESK_DB_TIME_ZONE is 'Berlin': write the name of a time zone"),
        ("WATCH", "inotify", "LAMBDESK_WATCH is 'inotify': write one of auto, poll, off."),
        ("PUBLIC_URL", "desk.example", "LAMBDESK_PUBLIC_URL is 'desk.example': write an address"),
        ("ADMIN_PASSWORD", "seven77", "LAMBDESK_ADMIN_PASSWORD is (hidden): write 12 letters or more, up to 72 bytes."),
        ("ADMIN_PASSWORD", "ü" * 40, "LAMBDESK_ADMIN_PASSWORD is (hidden)"),
        ("ALLOWED_ORIGINS", "*", "LAMBDESK_ALLOWED_ORIGINS is '*': write origins such as"),
        ("LAMBDA_HTTP_HOSTS", "*.example.org", "write hosts such as api.example.org, api.example.org:8443 or"),
        ("MODULES_DIR", ":", "LAMBDESK_MODULES_DIR is ':': name at least one folder"),
    ],
)
def test_a_bad_value_is_named_with_what_to_write(name: str, text: str, words: str) -> None:
    assert words in refusal(**{name: text})


def test_all_mistakes_are_told_at_once() -> None:
    assert len(refusal(PORT="x", DEMO="x", TOKENS="x").splitlines()) == 3


def test_an_empty_variable_counts_as_not_set() -> None:
    assert load_settings({"LAMBDESK_PORT": "", "LAMBDESK_SECRET_KEY": ""}) == Settings()


def test_secrets_are_never_shown() -> None:
    settings = load_settings(
        {
            "LAMBDESK_SECRET_KEY": "k" * 40,
            "LAMBDESK_ADMIN_PASSWORD": "pass-word of tests",
            "LAMBDESK_DATABASE_URL": "mysql://me:pass-word@db/x",
        }
    )

    assert "k" * 40 not in repr(settings)
    assert "pass-word" not in repr(settings)
    assert refusal(SECRET_KEY="short-secret") == (
        "LAMBDESK_SECRET_KEY is (hidden): write at least 32 characters that nobody can guess."
    )


def test_the_first_start_makes_a_key_that_only_its_owner_reads(tmp_path: Path) -> None:
    settings = Settings(var_dir=tmp_path / "var")

    key = load_secret_key(settings)

    assert len(key) == 64
    assert stat.S_IMODE((tmp_path / "var" / KEY_FILE).stat().st_mode) == 0o600
    assert load_secret_key(settings) == key
    assert [path.name for path in (tmp_path / "var").iterdir()] == [KEY_FILE]


def test_servers_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    keys: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: keys.append(load_secret_key(Settings(var_dir=tmp_path)))) for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(keys) == 16
    assert len(set(keys)) == 1


def test_a_damaged_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_text("short", encoding="utf-8")

    with pytest.raises(SettingsError, match="is damaged"):
        load_secret_key(Settings(var_dir=tmp_path))


def test_every_setting_stands_in_the_documentation() -> None:
    page = (Path(__file__).parent.parent.parent / "docs" / "settings.md").read_text(encoding="utf-8")

    assert settings_table() in page


def test_a_misspelt_variable_is_noticed() -> None:
    given = {"LAMBDESK_PROT": "1", "LAMBDESK_PORT": "1", "LAMBDESK_SOAK": "1", "LAMBDESK_XYZZY": "1", "PATH": "1"}

    assert find_unknown(given) == [
        "LAMBDESK_PROT is no setting. Did you mean `LAMBDESK_PORT`?",
        "LAMBDESK_XYZZY is no setting.",
    ]
