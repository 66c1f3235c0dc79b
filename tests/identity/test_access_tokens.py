"""Access tokens: one algorithm, one key, every claim required, ten minutes. What else is called a token here is none."""

import base64
import hashlib
import hmac
import json
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import jwt
import pytest

from identity.access_tokens import LEEWAY_S, LIFETIME_S, AccessTokens
from identity.errors import NotSignedIn
from identity.keys import derive_keys
from identity.lean_jwt import load_jwt
from identity.principals import Agent, Customer, Kind
from tests.identity.world import SECRET, Clock

ADA = Agent(12, "ada")
SESSION = "0123456789abcdef0123456789abcdef"
KEY = derive_keys(SECRET).access


@pytest.fixture
def access(clock: Clock) -> AccessTokens:
    return AccessTokens(derive_keys(SECRET), issuer="https://desk.example", audience="lambdesk", clock=clock)


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def forge(payload: Any, header: Any = None, key: bytes = KEY, name: str = "sha256") -> str:
    """Sign anything with a key, by hand: libraries refuse to make most of what is tried here."""
    text = f"{part(header or {'alg': 'HS256', 'typ': 'JWT'})}.{part(payload)}"
    return f"{text}.{base64.urlsafe_b64encode(hmac.digest(key, text.encode(), name)).rstrip(b'=').decode()}"


def claims(clock: Clock, **changes: Any) -> dict[str, Any]:
    now = int(clock())
    good = {
        "iss": "https://desk.example",
        "aud": "lambdesk",
        "sub": "agent:12",
        "iat": now,
        "exp": now + LIFETIME_S,
        "jti": "1",
        "typ": "access",
        "sid": SESSION,
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not ...}


def test_a_token_says_whose_it_is_and_of_which_session(access: AccessTokens, clock: Clock) -> None:
    found = access.read(access.make(ADA, SESSION))
    assert (found.kind, found.account_id, found.session_id) == (Kind.AGENT, 12, SESSION)
    assert found.expires == clock() + 600


def test_agents_and_customers_of_the_same_number_are_different(access: AccessTokens) -> None:
    assert access.read(access.make(Customer(12, "ada", "acme"), SESSION)).kind is Kind.CUSTOMER


def test_a_token_holds_these_claims_and_nothing_else(access: AccessTokens) -> None:
    token = access.make(ADA, SESSION)
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "JWT"}
    payload = jwt.decode(token, options={"verify_signature": False})
    assert sorted(payload) == ["aud", "exp", "iat", "iss", "jti", "sid", "sub", "typ"]
    assert access.make(ADA, SESSION) != token


def test_what_is_forged_below_would_be_taken_were_it_not_changed(access: AccessTokens, clock: Clock) -> None:
    assert access.read(forge(claims(clock))).account_id == 12


def test_a_token_lasts_for_some_time_and_no_longer_than_it_may(access: AccessTokens, clock: Clock) -> None:
    now = int(clock())
    assert access.read(forge(claims(clock, exp=now + 1))).expires == now + 1
    for expires in (now, now - 1, now + LIFETIME_S + 1):
        with pytest.raises(NotSignedIn):
            access.read(forge(claims(clock, exp=expires)))


@pytest.mark.parametrize("missing", ["iss", "aud", "sub", "iat", "exp", "jti", "typ", "sid"])
def test_every_claim_is_required(access: AccessTokens, clock: Clock, missing: str) -> None:
    with pytest.raises(NotSignedIn):
        access.read(forge(claims(clock, **{missing: ...})))


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://other.example"},
        {"iss": ["https://desk.example"]},
        {"aud": "other"},
        {"aud": []},
        {"typ": "refresh"},
        {"sub": "agent"},
        {"sub": "agent:"},
        {"sub": "agent:-1"},
        {"sub": "agent:1 "},
        pytest.param({"sub": "agent:\N{ARABIC-INDIC DIGIT ONE}"}, id="another digit"),
        {"sub": "system:1"},
        {"sub": "token:1"},
        {"sub": 12},
        {"sid": 12},
        {"sid": None},
        {"exp": "soon"},
        {"exp": None},
        {"exp": 4_000_000_000},
        {"exp": 1e300},
        {"iat": True},
        {"iat": -1},
        {"admin": True},
        {"nbf": 0},
    ],
    ids=str,
)
def test_every_claim_must_be_what_was_given_out(access: AccessTokens, clock: Clock, changes: dict[str, Any]) -> None:
    with pytest.raises(NotSignedIn):
        access.read(forge(claims(clock, **changes)))


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none", "typ": "JWT"},
        {"alg": "None", "typ": "JWT"},
        {"alg": "hs256", "typ": "JWT"},
        {"alg": "HS384", "typ": "JWT"},
        {"alg": "RS256", "typ": "JWT"},
        {"typ": "JWT"},
        {"alg": "HS256"},
        {"alg": "HS256", "typ": "at+jwt"},
        {"alg": "HS256", "typ": "JWT", "kid": "../../dev/null"},
        {"alg": "HS256", "typ": "JWT", "kid": "' OR 1=1"},
        {"alg": "HS256", "typ": "JWT", "jku": "https://evil.example/keys"},
        {"alg": "HS256", "typ": "JWT", "x5u": "https://evil.example/keys"},
        {"alg": "HS256", "typ": "JWT", "jwk": {"kty": "oct", "k": "AAAA"}},
        {"alg": "HS256", "typ": "JWT", "crit": ["exp"]},
        {"alg": "HS256", "typ": "JWT", "crit": ["new"], "new": 1},
        {"alg": "HS256", "typ": "JWT", "b64": False},
    ],
    ids=str,
)
def test_no_other_header_is_taken_although_the_signature_is_right(
    access: AccessTokens, clock: Clock, header: dict[str, Any]
) -> None:
    with pytest.raises(NotSignedIn):
        access.read(forge(claims(clock), header))


@pytest.mark.parametrize(
    "key", [b"", b"lambdesk", hashlib.sha256(SECRET).digest(), SECRET, derive_keys(b"other").access]
)
def test_no_other_key_is_taken(access: AccessTokens, clock: Clock, key: bytes) -> None:
    with pytest.raises(NotSignedIn):
        access.read(forge(claims(clock), key=key))


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "x" * 5_000, "é.é.é", "\ud800", "\0", "null.null.null"])
def test_what_is_no_token_at_all_is_refused(access: AccessTokens, token: str) -> None:
    with pytest.raises(NotSignedIn):
        access.read(token)


def test_a_token_without_its_signature_is_refused(access: AccessTokens) -> None:
    head, body, signature = access.make(ADA, SESSION).split(".")
    for token in (f"{head}.{body}.", f"{head}.{body}", f"{head}.{body}.{signature[:-4]}", f"{head}..{signature}"):
        with pytest.raises(NotSignedIn):
            access.read(token)


def test_a_token_ends_after_ten_minutes_also_when_it_was_read_before(access: AccessTokens, clock: Clock) -> None:
    token = access.make(ADA, SESSION)
    for _ in range(2):
        access.read(token)
    clock.now += LIFETIME_S + LEEWAY_S - 1
    access.read(token)
    clock.now += 1
    for _ in range(2):
        with pytest.raises(NotSignedIn):
            access.read(token)


def test_servers_whose_clocks_differ_by_half_a_minute_take_each_other_s_tokens(
    access: AccessTokens, clock: Clock
) -> None:
    token = access.make(ADA, SESSION)
    clock.now -= LEEWAY_S
    access.read(token)
    clock.now -= 1
    with pytest.raises(NotSignedIn):
        access.read(token)


def test_what_is_remembered_of_tokens_is_bounded(access: AccessTokens, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("identity.access_tokens.REMEMBERED", 3)
    tokens = [access.make(ADA, SESSION) for _ in range(10)]
    for token in [*tokens, *tokens]:
        access.read(token)
    assert len(access._known) == 3


def test_reading_tokens_loads_no_other_cryptography() -> None:
    code = (
        "import sys; from identity.access_tokens import AccessTokens; from identity.keys import derive_keys;"
        "from identity.principals import Agent; tokens = AccessTokens(derive_keys(b'x'), issuer='i', audience='a');"
        "print(tokens.read(tokens.make(Agent(1, 'a'), 's')).account_id, 'cryptography' in sys.modules);"
        "import cryptography"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "1 False\n"


def test_a_token_of_the_greatest_length_is_looked_at(
    access: AccessTokens, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = forge(claims(clock))
    monkeypatch.setattr("identity.access_tokens.LONGEST", len(token))
    assert access.read(token).account_id == 12
    monkeypatch.setattr("identity.access_tokens.LONGEST", len(token) - 1)
    with pytest.raises(NotSignedIn):
        access.read(forge(claims(clock, jti="2")))


def test_times_are_looked_at_by_our_own_clock_alone(access: AccessTokens, clock: Clock) -> None:
    """A clock of long ago: what ended since then, by the machine's, counts."""
    clock.now = 1_000_000_000.0
    assert access.read(access.make(ADA, SESSION)).expires == 1_000_000_600


def test_a_token_that_was_refused_is_forgotten(access: AccessTokens, clock: Clock) -> None:
    token = access.make(ADA, SESSION)
    access.read(token)
    assert token in access._known
    clock.now += LIFETIME_S + LEEWAY_S
    with pytest.raises(NotSignedIn):
        access.read(token)
    assert access._known == {}


@pytest.mark.parametrize("loaded", ["", "jwt", "cryptography"])
def test_only_while_pyjwt_is_loaded_there_is_no_other_cryptography(
    monkeypatch: pytest.MonkeyPatch, loaded: str
) -> None:
    modules: dict[str, object] = {loaded: "there"}
    seen: list[tuple[str, object]] = []

    def load(name: str) -> str:
        seen.append((name, modules.get("cryptography", "to be had")))
        return "made"

    monkeypatch.setattr("identity.lean_jwt.sys", SimpleNamespace(modules=modules))
    monkeypatch.setattr("identity.lean_jwt.import_module", load)
    assert load_jwt() == "made"  # type: ignore[comparison-overlap] # nothing was loaded
    assert seen == [("jwt", {"": None, "jwt": "to be had", "cryptography": "there"}[loaded])]
    assert modules == {loaded: "there"}
