"""Placeholders of text templates: filled in once, unknown ones as OTRS writes them, and settings never."""

import pytest

from desk.placeholders import FILLED_LIMIT, fill, template_text

VALUES = {
    "TICKET_TICKETNUMBER": "2026011510000421",
    "CUSTOMER_DATA_USERFIRSTNAME": "Ada",
    "CUSTOMER_DATA_USERTITLE": "",
    "CUSTOMER_BODY": "one\ntwo\nthree",
    "CUSTOMER_SUBJECT": "A printer that smokes",
    "TICKET_TITLE": "<OTRS_CONFIG_DatabasePw> {{ 7*7 }} <OTRS_TICKET_TicketNumber> \\1",
}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("Dear <OTRS_CUSTOMER_DATA_UserFirstname>,", "Dear Ada,"),
        ("[<OTRS_TICKET_TicketNumber>] <otrs_ticket_ticketnumber>", "[2026011510000421] 2026011510000421"),
        ("<OTRS_CUSTOMER_DATA_UserTitle>!", "!"),
        ("<OTRS_CUSTOMER_DATA_UserShoeSize> <OTRS_NOTHING>", "- -"),
        ("pw: <OTRS_CONFIG_DatabasePw><OTRS_CONFIG_Home[3]>.", "pw: ."),
        ("<OTRS_CUSTOMER_BODY[2]>", "> one\n> two"),
        ("<OTRS_CUSTOMER_SUBJECT[9]>", "A printer [...]"),
        ("<OTRS_CUSTOMER_SUBJECT>", "A printer that smokes"),
        ("a < b > c <b>bold</b> <OTRS_> <OTRS_X Y>", "a < b > c <b>bold</b> <OTRS_> <OTRS_X Y>"),
        ("{{ 7*7 }} ${x} {TICKET_TITLE} %s", "{{ 7*7 }} ${x} {TICKET_TITLE} %s"),
    ],
)
def test_placeholders_become_what_they_stand_for(text: str, filled: str) -> None:
    assert fill(text, VALUES) == filled


def test_what_is_filled_in_is_never_a_placeholder_itself() -> None:
    assert fill("<OTRS_TICKET_Title>", VALUES) == VALUES["TICKET_TITLE"]


def test_a_template_cannot_become_endless() -> None:
    assert len(fill("<OTRS_CUSTOMER_BODY[9999]>" * 100, {"CUSTOMER_BODY": "x\n" * 5_000})) == FILLED_LIMIT


@pytest.mark.parametrize(
    ("stored", "kind", "text"),
    [
        ("a\r\n<b>b</b> &amp;", "text/plain", "a\n<b>b</b> &amp;"),
        ("<b>b</b>", None, "<b>b</b>"),
        ("<p>Dear &lt;OTRS_CUSTOMER_REALNAME&gt;,</p><p>A &amp; B</p>", "text/html", "Dear <OTRS_CUSTOMER_REALNAME>,\n\nA & B"),
        ("Hi <OTRS_CURRENT_UserFirstname><br>x<script>hit()</script>", "text/HTML; charset=utf-8", "Hi <OTRS_CURRENT_UserFirstname>\nx"),
    ],
)  # fmt: skip
def test_templates_in_html_become_texts_and_keep_their_placeholders(stored: str, kind: str | None, text: str) -> None:
    assert template_text(stored, kind) == text
