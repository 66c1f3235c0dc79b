"""After a day of work an OTRS on the same database sees what the API shows; many who work at once do not get in each other's way."""

from bench.bench_tickets import WORKERS, create
from bench.day import Day, counts_differ, history_differs
from tests.counts import count
from tests.desk.api import Api


async def test_after_a_day_of_work_otrs_counts_and_lists_what_the_api_does(api: Api) -> None:
    day = Day(api, seed=count(2, 3))

    await day.work(count(80, 5_000))

    assert await counts_differ(api) == []
    assert [found for ticket in day.tickets for found in await history_differs(api, ticket)] == []
    assert {"createTicket", "addArticle", "updateTicket", "mergeTickets", "splitArticle"} <= set(day.done)


async def test_twenty_who_create_tickets_at_once_get_numbers_of_their_own(api: Api) -> None:
    wanted = count(200, 10_000)

    numbers = await create(api, wanted, WORKERS)

    assert len(set(numbers)) == wanted
    listed = ", ".join(f"'{number}'" for number in numbers)
    assert len(await api.rows("ticket", f"tn IN ({listed})", "DISTINCT tn")) == wanted
