"""`lambdesk test`: the lambdas of module files, compiled and held against their examples in the sandbox, without a database."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from lambdas.pool import Sandbox
from resolvers.lambda_check import LambdaChecker, codes_of
from schema.check import with_excerpt
from schema.loading import Loader
from schema.spec import Module
from web.commands import CommandError, Told, choose_folders, tell_problems
from web.settings import Settings


@asynccontextmanager
async def open_sandbox(settings: Settings) -> AsyncIterator[Sandbox]:
    """Start a sandbox with one worker.

    Raises CommandError where lambdas do not run.
    """
    sandbox = Sandbox(size=1, trusted=settings.lambda_trust == "authors")
    await sandbox.start()
    try:
        if sandbox.reason is not None:
            raise CommandError(sandbox.reason)
        yield sandbox
    finally:
        await sandbox.close()


async def test(settings: Settings, arguments: Namespace) -> Told:
    """Try the lambdas of module files; 1 when one does not compile, or does not do what an example says."""
    folders, only = choose_folders(settings, [Path(path) for path in arguments.paths])
    drafts = Loader(folders).load()
    chosen = [draft for draft in drafts if not only or only & set(draft.files)]
    modules = [draft.first.module for draft in chosen if draft.first is not None]
    problems = [problem for draft in chosen for problem in draft.problems]
    async with open_sandbox(settings) as sandbox:
        failed = await LambdaChecker(sandbox).check(modules)
    for draft in chosen:
        problems += [with_excerpt(problem, draft.sources) for problem in failed.get(draft.name, ())]
    counts = _counts(modules)
    words = f"{counts['lambdas']} lambdas compile, and {counts['examples']} examples hold."
    return tell_problems(problems, words, counts)


def _counts(modules: list[Module]) -> dict[str, int]:
    examples = sum(len(computed.examples) for module in modules for computed in module.computed)
    return {"lambdas": sum(len(list(codes_of(module))) for module in modules), "examples": examples}
