"""What is shown of a job holds no secret that it was given: not whole, not in part, not as JSON."""

import json

import pytest

from lambdas.contract import Deed, Failure, Outcome, Rejection, Result
from lambdas.errors import FailureCode
from lambdas.masking import mask_result, mask_text

KEY = "s3cr3t-k3y"
PEM = "-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END KEY-----"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("nothing", "nothing"),
        (f"a {KEY} b {KEY}", "a [secret] b [secret]"),
        (f"Bearer {KEY}…", "Bearer [secret]…"),
        ("cut off at s3cr…", "cut off at [secret]"),
        ("cut off at s3cr3t-k3", "cut off at [secret]"),
        ("s3c", "s3c"),
        (PEM, "[secret]"),
        (json.dumps({"pem": PEM}), '{"pem": "[secret]"}'),
        ("line kqhkiG9w0BAQEF of it", "line [secret] of it"),
        (json.dumps("pässwört"), '"[secret]"'),
    ],
)
def test_a_text_does_not_tell_a_secret(text: str, shown: str) -> None:
    assert mask_text(text, [KEY, PEM, "pässwört"]) == shown


def test_all_that_is_shown_of_a_job_is_masked_and_what_it_asks_for_is_not() -> None:
    asked = (Deed("create", ("account", {"token": KEY})),)
    outcome = Outcome(
        value={"token": [KEY, 1, None]},
        failure=Failure(FailureCode.FAILED, f"no {KEY}", 3, 1),
        log=(f"got {KEY}",),
        rejections=(Rejection("token", f"{KEY} is bad"),),
        deeds=asked,
    )
    assert mask_result(Result(((outcome,),)), {KEY}) == Result(
        (
            (
                Outcome(
                    value={"token": ["[secret]", 1, None]},
                    failure=Failure(FailureCode.FAILED, "no [secret]", 3, 1),
                    log=("got [secret]",),
                    rejections=(Rejection("token", "[secret] is bad"),),
                    deeds=asked,
                ),
            ),
        )
    )


def test_without_secrets_nothing_is_looked_at() -> None:
    result = Result(((Outcome("x"),),))
    assert mask_result(result, ()) is result
