"""The schema as text, put together from pieces that stay with their modules, so a reload prints changed modules only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from graphql import GraphQLField, GraphQLNamedType, print_type
from graphql.utilities.print_schema import print_args, print_deprecated, print_description

from schema.build import LambdeskSchema, build_schema
from schema.kernel import KERNEL, KERNEL_ROOTS
from schema.outline import kept, names_of, visible
from schema.spec import Audience, Module


def print_sdl(schema: LambdeskSchema) -> str:
    """Print the whole schema, letter for letter what graphql-core's `print_schema` makes of it."""
    printer = _Printer(schema.modules, schema.audience)
    parts = [_kernel()]
    parts += [printer.types(module) for module in schema.modules.values()]
    for name, type_ in schema.fixed_types.items():
        if name == "Query":
            parts.append(_query(printer, schema))
        elif _is_printed(type_):
            parts.append(print_type(type_))
    return "\n\n".join(parts)


def module_sdl(module: Module, modules: Mapping[str, Module], audience: Audience = Audience.AGENT) -> str:
    """Print what one module adds to an audience's schema: its types, and its root fields as an extension of Query.

    `modules` are the modules beside it. Empty when the audience sees nothing of it.
    """
    seen = visible(modules, audience)
    if module.name not in seen:
        return ""
    printer = _Printer(seen, audience)
    roots = printer.roots(module).lstrip("\n")
    return f"{printer.types(module)}\n\nextend type Query {{\n{roots}\n}}\n"


def _query(printer: _Printer, schema: LambdeskSchema) -> str:
    lines = [_root_lines(KERNEL_ROOTS, first=True)]
    lines += [printer.roots(module) for module in schema.modules.values()]
    if schema.hand_written.query:
        lines.append(_root_lines(schema.hand_written.query))
    return "type Query {\n" + "\n".join(lines) + "\n}"


class _Printer:
    """Prints modules, or takes the text from where it was kept. Types are made in a schema that is thrown away."""

    def __init__(self, modules: Mapping[str, Module], audience: Audience) -> None:
        self._modules = modules
        self._audience = audience
        self._scratch: LambdeskSchema | None = None

    def types(self, module: Module) -> str:
        """Print a module's types."""
        return self._piece(module, "types", _print_types)

    def roots(self, module: Module) -> str:
        """Print a module's root fields as they stand behind others."""
        return self._piece(module, "roots", _print_roots)

    def _piece(self, module: Module, what: str, make: Callable[[LambdeskSchema, Module], str]) -> str:
        shelf = kept(module, "sdl", self._audience, self._modules)
        found: str | None = shelf.get(what)
        if found is None:
            if self._scratch is None:
                self._scratch = build_schema(self._modules, self._audience)
            found = shelf[what] = make(self._scratch, module)
        return found


def _print_types(schema: LambdeskSchema, module: Module) -> str:
    names = names_of(module, schema.audience, schema.modules).types
    return "\n\n".join(print_type(schema.named(name)) for name in names)


def _print_roots(schema: LambdeskSchema, module: Module) -> str:
    names = names_of(module, schema.audience, schema.modules).roots
    return _root_lines({name: schema.query_fields[name] for name in names})


def _root_lines(fields: Mapping[str, GraphQLField], *, first: bool = False) -> str:
    return "\n".join(
        print_description(field, "  ", first and number == 0)  # type: ignore[arg-type]  # graphql-core prints fields with it too
        + f"  {name}{print_args(field.args, '  ')}: {field.type}{print_deprecated(field.deprecation_reason)}"
        for number, (name, field) in enumerate(fields.items())
    )


@cache
def _kernel() -> str:
    return "\n\n".join(print_type(type_) for type_ in KERNEL.values() if _is_printed(type_))


def _is_printed(type_: GraphQLNamedType) -> bool:
    return type_.name not in GraphQLNamedType.reserved_types
