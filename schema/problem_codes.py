"""Every code that a problem of a module file can have, with what it means. The documentation is made of this table."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

CODES: Mapping[str, str] = MappingProxyType(
    {
        # reading
        "alias": "A YAML alias points nowhere, at itself, or at too much.",
        "bad-character": "The file holds a character that cannot be seen or that changes the direction of text.",
        "bad-number": "A number cannot be stored: infinite, not a number, or too large.",
        "byte-order-mark": "The file starts with a byte order mark, which is skipped.",
        "duplicate-key": "A key is there twice in one mapping, or by two spellings.",
        "file-too-large": "The file is larger than 256 kB.",
        "key-not-text": "A list, mapping or alias is used as a key.",
        "no-module": "The file is empty, or holds something else than a module.",
        "not-utf8": "The file is not UTF-8.",
        "several-documents": "The file holds more than one YAML document.",
        "tag": "A YAML tag is used; tags make values of types that a module file has no use for.",
        "too-deep": "Values are nested more than 32 deep.",
        "too-many-fields": "The module has more than 200 fields.",
        "too-many-values": "The file holds more than 20,000 values.",
        "unreadable-file": "The file is a link out of its folder, a link to a folder, a pipe, a device, or may not be read.",
        "yaml-syntax": "The file is not YAML.",
        # keys and values
        "bad-argument": "An argument has a type that no argument can have.",
        "bad-column-name": "A text cannot name a column.",
        "bad-computed-field": "A computed field has both or neither of `lambda` and `sql`, or keys that do not go together.",
        "bad-cron": "A cron line cannot be read.",
        "bad-default": "A default does not fit the type of its field.",
        "bad-example": "An example of a lambda cannot be read.",
        "bad-expression": "An SQL expression cannot be read, or names a column that is not there.",
        "bad-lambda": "A lambda does not compile.",
        "bad-language": "A language code cannot be read.",
        "bad-name": "A text cannot be a name, or no name can be made of it.",
        "bad-needs": "A path of `needs` leads nowhere.",
        "bad-option": "An option's value does not fit the column, or cannot stand in a list.",
        "bad-pattern": "A pattern is not RE2.",
        "bad-query": "The query of a filter cannot be read, or names what is not there.",
        "bad-reference": "A reference does not say clearly which field of its target it equals.",
        "bad-relation": "A relation does not say clearly how both ends belong together.",
        "bad-rule": "A rule of `access` cannot be read; the module denies.",
        "bad-search": "What `search` says of full text cannot be done; it has no effect.",
        "bad-table-name": "A text cannot name a table.",
        "bad-type": "A value is of another type than its key takes.",
        "bad-value": "A value is not one of those that its key takes.",
        "duplicate-option": "Two options of a field have one name or one value.",
        "failed-example": "A lambda does not do what an example says.",
        "missing-key": "A key that is needed is not there.",
        "no-effect": "A key is known but does nothing, here or at all.",
        "not-in-extension": "An extension says what only the module itself can say.",
        "sql-off": "A lambda asks the database in SQL, which this installation does not allow.",
        "too-long": "A text or list is longer than allowed.",
        "unknown-action": "A button of `ui.actions` names an action that the module does not have.",
        "unknown-field": "Something names a field that the module does not have.",
        "unknown-key": "A key is not known.",
        "unknown-type": "A type is not known.",
        # names
        "name-collision": "Two members of a module have one name in the API.",
        "reserved-name": "A name is kept for something else.",
        # layers
        "duplicate-module": "Two files of one layer, or of two without `extend` or `replace`, define one module.",
        "nothing-to-extend": "There is no module that the file could extend.",
        # the database
        "missing-column": "The table has no such column.",
        "missing-module": "A reference or relation leads to a module that is not there; the member is left out.",
        "missing-table": "The table is not there.",
        "missing-target": "A reference or relation leads to a module whose table is not there; the member is left out.",
        "no-key": "Rows of the table cannot be told apart.",
        "no-validity": "A feature needs the column `valid_id`.",
        "secret-column": "Something would read a column that holds passwords, tokens or keys.",
        "secret-table": "The table holds sessions, tokens or keys and can be no module.",
        "table-refused": "A table or column could not be made.",
        "type-changed": "A field of a table that Lambdesk made has a type now that its column does not hold.",
        "wrong-column-type": "A field's type does not fit its column, or two joined columns do not fit each other.",
        # going live
        "breaking-change": "The new version would break clients, and such changes are set to be refused.",
        "name-clash": "Two modules make one GraphQL name.",
    }
)
