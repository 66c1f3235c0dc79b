"""The figures that are promised to operators and to clients."""

from identity import access_tokens, hashing, memory, passwords, refresh, sessions, sign_in, throttle

DAY_S = 86_400


def test_how_long_what_lasts() -> None:
    assert (access_tokens.LIFETIME_S, access_tokens.LEEWAY_S) == (600, 30)
    assert (refresh.GRACE_S, refresh.API.idle_s, refresh.API.longest_s) == (5, 14 * DAY_S, 90 * DAY_S)
    assert (sessions.PAGE.idle_s, sessions.PAGE.longest_s, sessions.TOUCH_S) == (2 * 3_600, 16 * 3_600, 60)
    assert memory.REMEMBER_S == 1


def test_how_much_an_attacker_gets() -> None:
    assert (throttle.ACCOUNT.free, throttle.ADDRESS.free) == (5, 50)
    assert (throttle.ACCOUNT.longest_s, throttle.ACCOUNT.forget_s) == (900, 3_600)
    assert (sign_in.REFUSAL_S, passwords.PASSWORD_BYTES, hashing.AT_ONCE) == (1, 1_024, 2)
