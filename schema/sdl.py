"""The schema as text, put together from pieces that stay with their modules, so a reload prints changed modules only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, cached_property

from graphql import GraphQLField, GraphQLNamedType, print_type
from graphql.utilities.print_schema import print_args, print_deprecated, print_description

from schema.build import HandWritten, LambdeskSchema, build_schema
from schema.kernel import KERNEL
from schema.outline import kept, names_of, visible
from schema.roots import ROOTS, Roots
from schema.spec import Audience, Module


def print_sdl(schema: LambdeskSchema) -> str:
    """Print the whole schema, letter for letter what graphql-core's `print_schema` makes of it."""
    printer = _Printer(schema.modules, schema.audience, schema.hand_written)
    parts = [_kernel()]
    parts += [printer.types(module) for module in schema.modules.values()]
    parts += [print_type(printer.scratch.named(name)) for item in schema.contributions for name in item.types]
    for name, type_ in schema.fixed_types.items():
        root = _ROOT_TYPES.get(name)
        if root is not None:
            parts.append(_root(printer, root))
        elif _is_printed(type_):
            parts.append(print_type(type_))
    return "\n\n".join(parts)


def module_sdl(module: Module, modules: Mapping[str, Module], audience: Audience = Audience.AGENT) -> str:
    """Print what one module adds to an audience's schema: its types, and its root fields as extensions of the root types.

    `modules` are the modules beside it. Empty when the audience sees nothing of it.
    """
    seen = visible(modules, audience)
    if module.name not in seen:
        return ""
    printer = _Printer(seen, audience, HandWritten())
    roots = {root.type_name: printer.roots(root, module).lstrip("\n") for root in ROOTS}
    extended = [f"extend type {name} {{\n{lines}\n}}\n" for name, lines in roots.items() if lines]
    return f"{printer.types(module)}\n\n" + "\n".join(extended)


_ROOT_TYPES: Mapping[str, Roots] = {root.type_name: root for root in ROOTS}


def _root(printer: _Printer, root: Roots) -> str:
    before, behind = root.around(printer.scratch)
    lines = [_root_lines(before), *(printer.roots(root, module) for module in printer.modules.values())]
    text = "\n".join(line for line in (*lines, _root_lines(behind)) if line)
    # graphql-core leaves no empty line above the first field, whether or not it is described.
    return f"type {root.type_name} {{\n{text.removeprefix(chr(10))}\n}}"


class _Printer:
    """Prints modules, or takes the text from where it was kept. Types are made in a schema that is thrown away."""

    def __init__(self, modules: Mapping[str, Module], audience: Audience, hand_written: HandWritten) -> None:
        self.modules = modules
        self._audience = audience
        self._hand_written = hand_written

    @cached_property
    def scratch(self) -> LambdeskSchema:
        """The schema to print from."""
        return build_schema(self.modules, self._audience, self._hand_written)

    def types(self, module: Module) -> str:
        """Print a module's types."""
        return self._piece(module, "types", _print_types)

    def roots(self, root: Roots, module: Module) -> str:
        """Print a module's fields of a root as they stand behind others."""
        return self._piece(module, root.type_name, lambda schema, item: _root_lines(root.of(schema, item)))

    def _piece(self, module: Module, what: str, make: Callable[[LambdeskSchema, Module], str]) -> str:
        shelf = kept(module, "sdl", self._audience, self.modules)
        found: str | None = shelf.get(what)
        if found is None:
            found = shelf[what] = make(self.scratch, module)
        return found


def _print_types(schema: LambdeskSchema, module: Module) -> str:
    names = names_of(module, schema.audience, schema.modules).types
    return "\n\n".join(print_type(schema.named(name)) for name in names)


def _root_lines(fields: Mapping[str, GraphQLField]) -> str:
    return "\n".join(
        print_description(field, "  ", False)  # type: ignore[arg-type]  # graphql-core prints fields with it too
        + f"  {name}{print_args(field.args, '  ')}: {field.type}{print_deprecated(field.deprecation_reason)}"
        for name, field in fields.items()
    )


@cache
def _kernel() -> str:
    return "\n\n".join(print_type(type_) for type_ in KERNEL.values() if _is_printed(type_))


def _is_printed(type_: GraphQLNamedType) -> bool:
    return type_.name not in GraphQLNamedType.reserved_types
