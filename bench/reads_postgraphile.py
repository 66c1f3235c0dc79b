"""PostGraphile 5 beside ours, where `make install-postgraphile` has fetched it: our questions in the words of its schema."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import reads_peer
from bench.reads_world import QUEUE, QUEUES_WITH_TICKETS, THIRD_PAGE, TICKET_PAGE, Operation
from bench.server import free_port

HERE = Path(__file__).parent
PROGRAM = HERE / "postgraphile" / "server.mjs"
INSTALLED = HERE / "postgraphile" / "node_modules" / ".installed"
NODE = HERE.parent / ".venv-clients" / "node" / "bin" / "node"
MISSING = """
  ************************************************************************************
  *  PostGraphile is not here: ITS FIGURES ARE LEFT OUT. Fetch it with               *
  *      make install-postgraphile                                                   *
  ************************************************************************************
"""
# Aliases make the answers the same as ours.
OPERATIONS = {
    "q1": Operation(
        """query Queue($id: Int!) {
  queue: queueByRowId(rowId: $id) {
    databaseId: rowId name comment: comments unlockTimeout
    group: permissionGroupByGroupId { databaseId: rowId name comment: comments }
  }
}""",
        QUEUE.variables,
    ),
    "q2": Operation(
        """query Tickets($first: Int!, $queues: [Int!]!, $states: [Int!]!) {
  tickets: allTickets(
    first: $first
    filter: {queueId: {in: $queues}, ticketStateId: {in: $states}}
    orderBy: [CREATE_TIME_DESC, ROW_ID_DESC]
  ) {
    nodes {
      databaseId: rowId number: tn title createdAt: createTime
      queue: queueByQueueId { name group: permissionGroupByGroupId { name } }
      priority: ticketPriorityByTicketPriorityId { name }
      owner: userByUserId { login firstName lastName }
    }
  }
}""",
        TICKET_PAGE.variables,
    ),
    "q3": Operation(
        """query Queues($queues: [Int!]!, $first: Int!, $newest: Int!) {
  queues: allQueues(first: $first, filter: {rowId: {in: $queues}}, orderBy: [NAME_ASC]) {
    nodes {
      databaseId: rowId name
      tickets: ticketsByQueueId(first: $newest, orderBy: [CREATE_TIME_DESC, ROW_ID_DESC]) {
        nodes { databaseId: rowId number: tn title createdAt: createTime owner: userByUserId { login firstName lastName } }
      }
    }
  }
}""",
        QUEUES_WITH_TICKETS.variables,
    ),
    "q4": Operation(
        """query Page($first: Int!, $offset: Int!, $queues: [Int!]!, $states: [Int!]!) {
  tickets: allTickets(
    first: $first
    offset: $offset
    filter: {queueId: {in: $queues}, ticketStateId: {in: $states}}
    orderBy: [CHANGE_TIME_DESC, ROW_ID_DESC]
  ) {
    totalCount
    nodes {
      databaseId: rowId number: tn title changedAt: changeTime
      queue: queueByQueueId { name }
      state: ticketStateByTicketStateId { name }
      owner: userByUserId { login }
    }
  }
}""",
        THIRD_PAGE.variables,
    ),
}


@contextmanager
def running(url: str, folder: Path) -> Iterator[tuple[int, int] | None]:
    """Serve a database until the block ends; lend the port and the process's id, or None, loudly, where it is not fetched."""
    if not (INSTALLED.exists() and NODE.exists()):
        print(MISSING, file=sys.stderr, flush=True)
        yield None
        return
    port = free_port()
    command = [str(NODE), str(PROGRAM), url, str(port)]
    environment = {**os.environ, "NODE_ENV": "production", "GRAPHILE_ENV": "production"}
    with reads_peer.started("postgraphile", command, port, folder, environment) as process:
        yield port, process
