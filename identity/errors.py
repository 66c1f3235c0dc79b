"""Everything that the identity room raises. No message holds a password, a token or a hash.

IdentityError
├── NotSignedIn (PermissionError)    a token or cookie that gives nobody in: wrong, expired, revoked, or of a disabled account
├── SignInRefused (PermissionError)  login and password do not belong together, or nobody may sign in with them
└── Throttled                        too many attempts: wait `retry_after_s` seconds
"""

from __future__ import annotations


class IdentityError(Exception):
    """The base of the tree above."""


class NotSignedIn(IdentityError, PermissionError):
    """A token or cookie that lets nobody in; why is not told, so that it teaches nothing."""

    def __init__(self) -> None:
        super().__init__("You are not signed in, or not any more.")


class SignInRefused(IdentityError, PermissionError):
    """The same answer for an unknown login, a wrong password and a disabled account."""

    def __init__(self) -> None:
        super().__init__("The login or the password is wrong.")


class Throttled(IdentityError):
    """Too many attempts from one address or for one account; the next is looked at after `retry_after_s` whole seconds."""

    def __init__(self, retry_after_s: int) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(f"Too many attempts; try again in {retry_after_s} s.")
