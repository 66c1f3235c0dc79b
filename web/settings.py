"""Everything an operator can set, read once from `LAMBDESK_…` variables. `docs/settings.md` is made from the table in here."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from identity.passwords import BCRYPT_BYTES, SHORTEST
from lambdas.http_hosts import Host, read_hosts
from lambdas.limits import CPU_CEILING_MS, DEED_LIMITS, FIELD_LIMITS, WALL_CEILING_MS
from resolvers.lambda_limits import HEAP_CEILING_MB, LambdaLimits
from resolvers.limits import Limits
from schema.problems import suggest

PREFIX = "LAMBDESK_"
KEY_FILE = "secret.key"
KEY_BYTES = 32
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
FEW_LETTERS = 10
EXAMPLES = ("changeme", "change-me", "change_me", "secret", "password", "example", "default", "lambdesk", "0123456789")
NOT_SETTINGS = ("TEST_", "SOAK")  # for the suite
HIDDEN = "(hidden)"
MAX_PORT = 65_535
MAX_WORKERS = 64
USUAL_WORKERS = 2

Reader = Callable[[str], Any]


class SettingsError(ValueError):
    """One or more variables hold something that Lambdesk cannot use; the message names each of them."""


def read_text(text: str) -> str:
    """Read a text."""
    return text


def read_flag(text: str) -> bool:
    """Read a yes or no."""
    lowered = text.strip().lower()
    if lowered in {"1", "true", "yes", "on"}:
        return True
    if lowered in {"0", "false", "no", "off"}:
        return False
    raise ValueError("write 1 or 0")


def read_maybe(text: str) -> bool | None:
    """Read a yes, a no, or `auto`."""
    return None if text.strip().lower() == "auto" else read_flag(text)


def read_port(text: str) -> int:
    """Read a TCP port; 0 lets the system choose one."""
    port = int(text) if text.strip().isdigit() else -1
    if not 0 <= port <= MAX_PORT:
        raise ValueError(f"write a number from 0 to {MAX_PORT}")
    return port


def read_count(text: str) -> int:
    """Read a whole number of at least 1."""
    number = int(text) if text.strip().isdigit() else 0
    if number < 1:
        raise ValueError("write a whole number of at least 1")
    return number


def count_up_to(limit: int) -> Reader:
    """Return the reader of a whole number from 1 to a limit."""

    def read_limited(text: str) -> int:
        number = int(text) if text.strip().isdigit() else 0
        if not 1 <= number <= limit:
            raise ValueError(f"write a whole number from 1 to {limit}")
        return number

    return read_limited


def read_workers(text: str) -> int | None:
    """Read how many workers there are to be: a number, 0 for none, or `auto`."""
    if text.strip().lower() == "auto":
        return None
    number = int(text) if text.strip().isdigit() else MAX_WORKERS + 1
    if number > MAX_WORKERS:
        raise ValueError(f"write a whole number from 0 to {MAX_WORKERS}, or auto")
    return number


def read_seconds(text: str) -> float:
    """Read a duration in seconds."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise ValueError("write a number of seconds above 0")
    return seconds


def read_folders(text: str) -> tuple[Path, ...]:
    """Read folders, separated as in PATH."""
    folders = tuple(Path(part) for part in text.split(os.pathsep) if part)
    if not folders:
        raise ValueError(f"name at least one folder, several with `{os.pathsep}` between them")
    return folders


def read_folder(text: str) -> Path:
    """Read one path."""
    return Path(text)


def read_names(text: str) -> tuple[str, ...]:
    """Read names with commas between them."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def read_origins(text: str) -> tuple[str, ...]:
    """Read origins of web sites, as browsers name them: scheme, name, and a port that is not the usual one."""
    found = []
    for name in read_names(text):
        parts = urlsplit(name)
        is_origin = parts.scheme in {"http", "https"} and parts.hostname and parts.path in {"", "/"}
        if not is_origin or "*" in name or "@" in name or parts.query or parts.fragment:
            raise ValueError("write origins such as https://desk.example.org with commas between them, without `*`")
        found.append(origin_of(name))
    return tuple(found)


def origin_of(url: str) -> str:
    """Return the origin of a web address as browsers write it."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    usual = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port not in {None, usual} else "")


def read_http_hosts(text: str) -> tuple[Host, ...]:
    """Read the servers that lambdas may call."""
    return read_hosts(read_names(text))


def read_zone(text: str) -> str:
    """Read the name of a time zone."""
    if text not in available_timezones():
        raise ValueError("write the name of a time zone, such as UTC or Europe/Berlin")
    return text


def read_url(text: str) -> str:
    """Read a web address, or nothing."""
    if not text:
        return ""
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("write an address that starts with http:// or https://")
    return text.rstrip("/")


def read_key(text: str) -> str:
    """Read a secret key."""
    if len(text.encode()) < KEY_BYTES:
        raise ValueError(f"write at least {KEY_BYTES} characters that nobody can guess")
    return text


def read_password(text: str) -> str:
    """Read a password that somebody is to be given."""
    if len(text) < SHORTEST or len(text.encode()) > BCRYPT_BYTES:
        raise ValueError(f"write {SHORTEST} letters or more, up to {BCRYPT_BYTES} bytes")
    return text


def is_weak_key(text: str) -> bool:
    """Whether a secret key looks like one that somebody copied from an example or typed without thinking."""
    return len(set(text)) < FEW_LETTERS or any(word in text.lower() for word in EXAMPLES)


def one_of(*choices: str) -> Reader:
    """Return the reader of a word out of several."""

    def read_choice(text: str) -> str:
        if text not in choices:
            raise ValueError(f"write one of {', '.join(choices)}")
        return text

    return read_choice


def _setting(default: Any, reader: Reader, doc: str, *, secret: bool = False, shown: str | None = None) -> Any:
    return field(
        default=default, repr=not secret, metadata={"read": reader, "doc": doc, "secret": secret, "shown": shown}
    )


@dataclass(frozen=True)
class Settings:
    """The settings of one server. A name here is the variable `LAMBDESK_<NAME>`."""

    # --- where things are ---
    database_url: str = _setting(
        "sqlite:///var/lambdesk.db",
        read_text,
        "The database: `sqlite:///path`, `mysql://`, `mariadb://` or `postgresql://user:password@host/name`.",
        secret=True,
    )
    modules_dir: tuple[Path, ...] = _setting(
        (Path("modules"), Path("site")),
        read_folders,
        "Folders of module files, lowest layer first, with `:` between them.",
        shown="modules:site",
    )
    var_dir: Path = _setting(  # noqa: RUF009 - a Path is immutable
        Path("var"), read_folder, "Where Lambdesk keeps what it makes itself: the secret key, and the demo's password."
    )
    files_dir: Path | None = _setting(  # noqa: RUF009 - the same
        None,
        read_folder,
        "Folder for uploaded files, the same for all servers; without one they go into the database.",
        shown="",
    )
    db_time_zone: str = _setting("UTC", read_zone, "The time zone of the database's columns without one.")
    time_zone: str = _setting("UTC", read_zone, "The time zone of the site, in which schedules run.")
    host: str = _setting("127.0.0.1", read_text, "The address to listen on.")
    port: int = _setting(8000, read_port, "The port to listen on; 0 lets the system choose.")
    public_url: str = _setting(
        "", read_url, "What browsers see, when a proxy stands before Lambdesk. With https, cookies are for https only."
    )
    # --- who may come ---
    secret_key: str = _setting(
        "", read_key, "Signs tokens, cursors and row versions. Created in `VAR_DIR` on the first start.", secret=True
    )
    admin_password: str = _setting(
        "",
        read_password,
        "The password that `root@localhost` gets in a database which Lambdesk makes; without it one is generated and printed once.",
        secret=True,
    )
    plain_passwords: bool = _setting(
        False, read_flag, "Take a `pw` of no known form for the password itself, as OTRS 6 does with `CryptType` plain."
    )
    access_seconds: int = _setting(600, read_count, "How long an access token of the API is good.")
    refresh_idle_seconds: float = _setting(
        1_209_600.0, read_seconds, "Longest time between two uses of a refresh token."
    )
    refresh_longest_seconds: float = _setting(7_776_000.0, read_seconds, "Longest session of a client of the API.")
    page_idle_seconds: float = _setting(7_200.0, read_seconds, "Longest time that a browser's session lasts unused.")
    page_longest_seconds: float = _setting(57_600.0, read_seconds, "Longest session of a browser.")
    account_tries: int = _setting(
        5, read_count, "Failed sign-ins for one account before each further one has to wait, longer every time."
    )
    address_tries: int = _setting(50, read_count, "The same from one address; an IPv6 client's is its /64.")
    audit_days: int = _setting(365, read_count, "For how many days it is kept who signed in and who was refused.")
    allowed_hosts: tuple[str, ...] = _setting(
        (), read_names, "Host names that requests may name, beside loopback and the one of `PUBLIC_URL`."
    )
    allowed_origins: tuple[str, ...] = _setting(
        (),
        read_origins,
        "Origins of other sites whose pages may use the API (CORS), such as `https://app.example.org`; `*` is refused.",
    )
    trusted_proxies: tuple[str, ...] = _setting(
        (), read_names, "Addresses of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed."
    )
    # --- how it behaves ---
    dev: bool = _setting(False, read_flag, "Development: `SUGGESTIONS` are on.")
    demo: bool = _setting(False, read_flag, "Fill an empty database with demo data on start.")
    log_format: str = _setting(
        "auto", one_of("auto", "json", "text"), "How log lines look: `json`, `text`, or `auto`: text on a terminal."
    )
    log_level: str = _setting(
        "info", one_of("debug", "info", "warning", "error"), "The least important line that is logged."
    )
    watch: str = _setting(
        "auto", one_of("auto", "poll", "off"), "How changed module files are noticed: `auto`, `poll` or `off`."
    )
    refuse_breaking: bool = _setting(
        False, read_flag, "Keep the old version of a module when the new one would break clients."
    )
    introspection: bool = _setting(True, read_flag, "Whether clients may ask for the schema.")
    suggestions: bool | None = _setting(
        None, read_maybe, "Whether errors suggest names (“Did you mean …?”); `auto` follows `DEV`.", shown="auto"
    )
    persisted: str = _setting(
        "automatic",
        one_of("off", "automatic", "only"),
        "Persisted operations: `off`, `automatic` (Apollo's APQ), or `only` the documents of `PERSISTED_DIR`.",
    )
    persisted_dir: Path = _setting(  # noqa: RUF009 - a Path is immutable
        Path("operations"), read_folder, "Folder of the allowed `*.graphql` documents for `PERSISTED=only`."
    )
    # --- lambdas ---
    lambda_workers: int | None = _setting(
        None, read_workers, "Processes that run lambdas: `auto` is one for a core, up to 2; 0 runs none.", shown="auto"
    )
    lambda_trust: str = _setting(
        "nobody",
        one_of("nobody", "authors"),
        "`authors`: run lambdas even where the host does not let their processes be locked up. For machines of developers.",
    )
    lambda_sql: bool = _setting(False, read_flag, "Whether lambdas may ask by SQL (`db.query`), as files of GOTRS do.")
    lambda_cpu_ms: int = _setting(
        50, count_up_to(CPU_CEILING_MS), "CPU time of a computed field's job in milliseconds, beside one for each row."
    )
    lambda_deed_cpu_ms: int = _setting(
        500, count_up_to(CPU_CEILING_MS), "CPU time of a hook, an action or a schedule in milliseconds."
    )
    lambda_wall_ms: int = _setting(
        1_000, count_up_to(WALL_CEILING_MS), "Longest time that a lambda runs at a stretch, in milliseconds."
    )
    lambda_heap_mb: int = _setting(32, count_up_to(HEAP_CEILING_MB), "Memory of a lambda's engine in megabytes.")
    lambda_cpu_ceiling_ms: int = _setting(
        CPU_CEILING_MS,
        count_up_to(CPU_CEILING_MS),
        "CPU time that a module's `lambda_config` can raise its lambdas to.",
    )
    lambda_wall_ceiling_ms: int = _setting(
        WALL_CEILING_MS, count_up_to(WALL_CEILING_MS), "The same for the time at a stretch."
    )
    lambda_heap_ceiling_mb: int = _setting(
        HEAP_CEILING_MB, count_up_to(HEAP_CEILING_MB), "The same for the engine's memory."
    )
    lambda_http_hosts: tuple[Host, ...] = _setting(
        (),
        read_http_hosts,
        "Servers that lambdas may call, such as `api.example.org`, `api.example.org:8443` or `http://intranet:8080`; none without it.",
    )
    lambda_http_private: bool = _setting(
        False,
        read_flag,
        "Whether entries of `LAMBDA_HTTP_HOSTS` with a port, or that are addresses, may lead to private addresses.",
    )
    # --- limits of one request ---
    body_bytes: int = _setting(1_000_000, read_count, "Largest request body.")
    body_seconds: float = _setting(20.0, read_seconds, "Longest time for a body to arrive.")
    body_rate: int = _setting(1_000, read_count, "Slowest body, in bytes a second, after the first five seconds.")
    file_bytes: int = _setting(25_000_000, read_count, "Largest uploaded file.")
    file_seconds: float = _setting(600.0, read_seconds, "Longest time for an uploaded file to arrive.")
    document_bytes: int = _setting(100_000, read_count, "Largest GraphQL document.")
    tokens: int = _setting(2_000, read_count, "Most tokens in a document; a comment counts as one.")
    depth: int = _setting(12, read_count, "Deepest selection; `edges`, `node` and `nodes` do not count.")
    introspection_depth: int = _setting(15, read_count, "Deepest selection below `__schema` and `__type`.")
    aliases: int = _setting(30, read_count, "Most aliases in a document.")
    selections: int = _setting(
        300, read_count, "Most selections in a document, as written and with its fragments in place."
    )
    equal_siblings: int = _setting(20, read_count, "Most selections of one response name at one place.")
    directives: int = _setting(50, read_count, "Most directives in a document.")
    values: int = _setting(500, read_count, "Most arguments and literal values in a document.")
    variables: int = _setting(100, read_count, "Most variables in a document.")
    fragments: int = _setting(50, read_count, "Most fragments in a document.")
    operations: int = _setting(5, read_count, "Most operations in a document.")
    root_fields: int = _setting(20, read_count, "Most root fields of an operation.")
    mutation_fields: int = _setting(10, read_count, "Most root fields of a mutation.")
    variable_depth: int = _setting(32, read_count, "Deepest nesting of `variables` and `extensions`.")
    variable_items: int = _setting(500, read_count, "Longest list in `variables` and `extensions`.")
    # --- limits of the server ---
    request_seconds: float = _setting(
        5.0, read_seconds, "Longest time for an operation; then its statements are stopped."
    )
    statement_seconds: float = _setting(2.0, read_seconds, "Longest time for one statement.")
    queue_seconds: float = _setting(2.0, read_seconds, "Longest wait for a free place; then the answer is 503.")
    concurrency: int = _setting(32, read_count, "Operations that run at the same time.")
    queue_length: int = _setting(1_000, read_count, "Operations that wait for a free place.")
    file_transfers: int = _setting(16, read_count, "Uploads, and downloads, that run at the same time.")
    pool_size: int = _setting(10, read_count, "Connections to the database.")
    connections: int = _setting(1_000, read_count, "Open connections of clients.")
    header_seconds: float = _setting(10.0, read_seconds, "Longest time for the headers of a request.")
    keep_alive_seconds: float = _setting(15.0, read_seconds, "Longest silence on an open connection.")
    stop_seconds: float = _setting(8.0, read_seconds, "Longest time for running requests after a stop signal.")
    document_cache: int = _setting(500, read_count, "Documents kept parsed and validated.")
    subscriptions: int = _setting(20, read_count, "Operations at the same time on one WebSocket.")
    sockets: int = _setting(500, read_count, "Open WebSockets and event streams.")
    socket_bytes: int = _setting(100_000, read_count, "Largest WebSocket message.")
    socket_init_seconds: float = _setting(
        10.0, read_seconds, "Longest time from opening a WebSocket to `connection_init`."
    )

    @cached_property
    def shows_suggestions(self) -> bool:
        """Whether errors suggest names."""
        return self.dev if self.suggestions is None else self.suggestions

    @cached_property
    def limits(self) -> Limits:
        """The limits of documents."""
        return Limits(**{item.name: getattr(self, item.name) for item in fields(Limits)})

    @cached_property
    def lambda_limits(self) -> LambdaLimits:
        """The limits of lambdas."""
        used = {"wall_ms": self.lambda_wall_ms, "heap_mb": self.lambda_heap_mb}
        return LambdaLimits(
            replace(FIELD_LIMITS, cpu_ms=self.lambda_cpu_ms, **used),
            replace(DEED_LIMITS, cpu_ms=self.lambda_deed_cpu_ms, **used),
            self.lambda_cpu_ceiling_ms,
            self.lambda_wall_ceiling_ms,
            self.lambda_heap_ceiling_mb,
        )

    @cached_property
    def lambda_processes(self) -> int:
        """How many processes run lambdas."""
        if self.lambda_workers is not None:
            return self.lambda_workers
        return min(len(os.sched_getaffinity(0)), USUAL_WORKERS) if hasattr(os, "sched_getaffinity") else 1

    @cached_property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return self.host in LOOPBACK

    @cached_property
    def origins(self) -> frozenset[str]:
        """Origins of pages that may use the API, beside the one that the request itself names as its host."""
        return frozenset((*self.allowed_origins, *([self.public_origin] if self.public_origin else [])))

    @cached_property
    def public_origin(self) -> str:
        """The origin of our own pages where it is set; else the one that a request names as its host."""
        return origin_of(self.public_url) if self.public_url else ""

    @cached_property
    def is_https(self) -> bool:
        """Whether browsers reach us over TLS."""
        return self.public_url.startswith("https://")

    @cached_property
    def host_names(self) -> frozenset[str]:
        """Host names that a request may name, in lower case and without ports."""
        public = urlsplit(self.public_url).hostname if self.public_url else None
        own = {self.host} if self.host not in {"0.0.0.0", "::"} else set()  # noqa: S104 - compared, not bound
        return frozenset(name.lower() for name in {*LOOPBACK, *own, *self.allowed_hosts, *([public] if public else [])})


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from the environment. Every bad or unknown variable is named in one error."""
    given = {
        name.removeprefix(PREFIX): text
        for name, text in (os.environ if environment is None else environment).items()
        if name.startswith(PREFIX)
    }
    known = {item.name.upper(): item for item in fields(Settings)}
    values: dict[str, Any] = {}
    mistakes: list[str] = []
    for name, item in known.items():
        if not given.get(name):  # compose files pass what is not set as an empty text
            continue
        try:
            values[item.name] = item.metadata["read"](given[name])
        except ValueError as error:
            shown = HIDDEN if item.metadata["secret"] else repr(given[name])
            mistakes.append(f"{PREFIX}{name} is {shown}: {error}.")
    if mistakes:
        raise SettingsError("\n".join(mistakes))
    return Settings(**values)


def find_unknown(environment: Mapping[str, str] | None = None) -> list[str]:
    """Say of every variable that looks like a setting and is none what it may have been meant to be."""
    known = [item.name.upper() for item in fields(Settings)]
    mistakes = []
    for name in os.environ if environment is None else environment:
        short = name.removeprefix(PREFIX)
        if short != name and short not in known and not short.startswith(NOT_SETTINGS):
            hint = (suggest(short, known) or "").replace("`", f"`{PREFIX}", 1)
            mistakes.append(f"{name} is no setting. {hint}".rstrip())
    return mistakes


def require_modules(settings: Settings) -> list[Path]:
    """Return the configured module folders that are missing; raise where none is there at all."""
    missing = [folder for folder in settings.modules_dir if not folder.is_dir()]
    if len(missing) == len(settings.modules_dir):
        names = ", ".join(str(folder) for folder in missing)
        raise SettingsError(f"{PREFIX}MODULES_DIR names no folder that exists ({names}).")
    return missing


def load_secret_key(settings: Settings) -> bytes:
    """Return the secret key: the one that is set, or the one in `var/`, which the first start creates with mode 0600."""
    if settings.secret_key:
        return settings.secret_key.encode()
    path = settings.var_dir / KEY_FILE
    if not path.exists():
        _create_key(path)
    key = path.read_bytes().strip()
    if len(key) < KEY_BYTES:
        raise SettingsError(f"{path} is damaged: delete it, and the next start makes a new one.")
    return key


def _create_key(path: Path) -> None:
    # Written aside and linked into place: two servers that start at once agree on one whole key.
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_hex(KEY_BYTES).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(draft)
    except FileExistsError:
        return
    finally:
        draft.unlink(missing_ok=True)


def settings_table() -> str:
    """Make the table of all settings for the documentation."""
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for item in fields(Settings):
        shown = item.metadata["shown"]
        default = _show(item.default) if shown is None else shown
        rows.append(f"| `{PREFIX}{item.name.upper()}` | {f'`{default}`' if default else ''} | {item.metadata['doc']} |")
    return "\n".join(rows) + "\n"


def _show(value: Any) -> str:
    if value is MISSING or value in ("", ()):
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    return f"{value:g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":  # `python -m web.settings` prints the table of docs/settings.md
    sys.stdout.write(settings_table())
