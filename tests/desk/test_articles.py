"""Articles are written as OTRS writes them, with their files, their time and their history."""

import hashlib
from decimal import Decimal

import pytest

from desk.articles import HTML, ArticleKind, NewArticle, check_article
from desk.attachments import Attachment, read_attachments
from desk.plain_text import plain_text
from resolvers.faults import Faulty
from tests.callers import SYSTEM
from tests.desk.office import NOW, Office

MIME = "a_from, a_to, a_subject, a_content_type, incoming_time, content_path"


async def test_a_note_is_in_all_the_tables_where_otrs_looks_for_it(office: Office) -> None:
    ticket = await office.create()

    article, history = await add(office, ticket, NewArticle("Called back", "Nobody\r\nanswers"))

    rows = await office.rows(
        "article",
        f"id = {article}",
        "ticket_id, article_sender_type_id, communication_channel_id, is_visible_for_customer, search_index_needs_rebuild, create_by",
    )
    assert rows == [(ticket, 1, 3, 0, 1, 1)]
    mime = await office.rows("article_data_mime", f"article_id = {article}", MIME)
    assert [row[1:] for row in mime] == [
        ("", "Called back", "text/plain; charset=utf-8", int(NOW.timestamp()), "2026/01/15")
    ]
    texts = (
        await office.rows("article_data_mime", f"article_id = {article}", "a_body, a_message_id, a_message_id_md5")
    )[0]
    body = texts[0].decode() if isinstance(texts[0], bytes) else texts[0]
    assert body == "Nobody\nanswers"
    assert texts[1].startswith(f"<{int(NOW.timestamp())}.")
    assert texts[2] == hashlib.md5(texts[1].encode(), usedforsecurity=False).hexdigest()
    assert (await office.history(ticket))[1:] == [("AddNote", "%%"), ("Misc", "Reset of unlock time.")]
    assert history == max(row[0] for row in await office.rows("ticket_history", f"ticket_id = {ticket}", "id"))
    assert (await office.ticket(ticket))["timeout"] == int(NOW.timestamp())


@pytest.mark.parametrize(
    ("kind", "channel", "sender", "history"),
    [
        (ArticleKind.PHONE_CALL_IN, 2, 3, "PhoneCallCustomer"),
        (ArticleKind.PHONE_CALL_OUT, 2, 1, "PhoneCallAgent"),
        (ArticleKind.EMAIL_IN, 1, 3, "EmailCustomer"),
        (ArticleKind.WEB_REQUEST, 3, 3, "WebRequestCustomer"),
    ],
)
async def test_a_ticket_may_begin_with_an_article(
    office: Office, kind: ArticleKind, channel: int, sender: int, history: str
) -> None:
    article = NewArticle("Paper jam", "It is stuck", kind, is_visible=True)

    ticket = await office.create(extras={"article": article}, customer_user_id="jane@acme.example")

    columns = "communication_channel_id, article_sender_type_id, is_visible_for_customer"
    assert await office.rows("article", f"ticket_id = {ticket}", columns) == [(channel, sender, 1)]
    assert [name for name, _ in await office.history(ticket)] == ["NewTicket", "CustomerUpdate", history]


async def test_a_first_article_that_is_wrong_leaves_no_ticket(office: Office) -> None:
    with pytest.raises(Faulty) as caught:
        await office.create(extras={"article": {"subject": " ", "body": "x"}}, title="Nowhere")

    assert [(fault.key, fault.path) for fault in caught.value.faults] == [("required", ("article", "subject"))]
    assert await office.rows("ticket", "title = 'Nowhere'") == []


def test_what_is_wrong_with_an_article_is_said_all_at_once() -> None:
    article = NewArticle("\x00", "x" * 1_800_001, content_type="image/png", time_units=Decimal(0))

    assert [(fault.key, fault.path) for fault in check_article(article)] == [
        ("invalid", ("subject",)),
        ("too-long", ("body",)),
        ("option", ("contentType",)),
        ("out-of-range", ("timeUnits",)),
    ]


async def test_time_adds_up_over_the_articles_of_a_ticket(office: Office) -> None:
    ticket = await office.create()

    for units in ("2.5", "10"):
        await add(office, ticket, NewArticle("Work", "done", time_units=Decimal(units)))

    told = [name for kind, name in await office.history(ticket) if kind == "TimeAccounting"]
    assert told == ["%%2.5%%2.5", "%%10%%12.5"]


async def test_files_are_read_as_they_were_written(office: Office) -> None:
    ticket = await office.create()
    content = bytes(range(256))
    files = [
        Attachment("a/b\n.bin", "application/octet-stream", content),
        *[Attachment("log.txt", "text/plain", b"") for _ in "12"],
    ]

    article, _ = await add(office, ticket, NewArticle("Files", "see there", attachments=files))

    async with office.work() as work:
        read = await read_attachments(work, article)
    assert [(item.filename, item.content) for item in read] == [
        ("a_b_.bin", content),
        ("log.txt", b""),
        ("log-1.txt", b""),
    ]
    sizes = await office.rows("article_data_mime_attachment", f"article_id = {article}", "content_size, disposition")
    assert sizes == [("0", "attachment"), ("0", "attachment"), ("256", "attachment")]


async def test_html_is_kept_as_a_file_beside_its_text_as_otrs_does(office: Office) -> None:
    ticket = await office.create()

    article, _ = await add(office, ticket, NewArticle("Hello", "<p>Hello <b>you</b></p>", content_type=HTML))

    bodies = await office.rows("article_data_mime", f"article_id = {article}", "a_body, a_content_type")
    assert [row[1] for row in bodies] == ["text/plain; charset=utf-8"]
    assert str(bodies[0][0]).strip("b'") == "Hello you"
    async with office.work() as work:
        read = await read_attachments(work, article)
    assert [(item.filename, item.content_type, item.content) for item in read] == [
        ("file-2", 'text/html; charset="utf-8"', b"<p>Hello <b>you</b></p>")
    ]


def test_the_text_of_html_is_what_one_reads() -> None:
    html = "<html><head><title>t</title><style>p{}</style></head><body><p>Dear&nbsp;Jo,</p>\n<ul><li>one<li>two</ul><script>x</script>bye<br>Jane"

    assert plain_text(html) == "Dear\xa0Jo,\n\n- one\n- two\nbye\nJane"


async def test_the_unlock_time_counts_anew_when_a_customer_answers_an_agent_and_not_twice(office: Office) -> None:
    ticket = await office.create()
    call = NewArticle("Again", "Hello?", ArticleKind.PHONE_CALL_IN)

    await add(office, ticket, call)
    assert (await office.ticket(ticket))["timeout"] == 0
    await add(office, ticket, NewArticle("Note", "x"))
    first = office.now
    office.now = office.later(minutes=5)
    await add(office, ticket, call)
    office.now = office.later(minutes=5)
    await add(office, ticket, call)

    assert (await office.ticket(ticket))["timeout"] == int(first.timestamp()) + 300


async def test_a_new_article_is_unread_for_everybody_but_its_author(office: Office) -> None:
    ticket = await office.create()
    async with office.work() as work:
        await work.transaction.execute(
            "INSERT INTO ticket_flag (ticket_id, ticket_key, ticket_value, create_time, create_by) "  # noqa: S608 - our words
            f"VALUES ({ticket}, 'Seen', '1', '2026-01-01', 1)"
        )

    article, _ = await add(office, ticket, NewArticle("News", "x"))
    office.caller = SYSTEM
    other, _ = await add(office, ticket, NewArticle("News", "x"))

    assert await office.rows("ticket_flag", f"ticket_id = {ticket}") == []
    assert await office.rows("article_flag", f"article_id = {article}", "article_key, create_by") == [("Seen", 1)]
    assert await office.rows("article_flag", f"article_id = {other}") == []


async def add(office: Office, ticket: int, article: NewArticle) -> tuple[int, int | None]:
    assert check_article(article) == []
    change = await office.update(ticket, extras={"article": article})
    return (await office.rows("article", f"ticket_id = {ticket}", "MAX(id)"))[0][0], change.source
