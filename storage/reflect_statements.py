"""The statements of reflection: one each for columns, keys, foreign keys and indexes, for all tables or for some."""

from __future__ import annotations

from collections.abc import Collection, Mapping

# `{only}` is empty, or a condition on the table's name made by `one_table`.
COLUMNS: Mapping[str, str] = {
    "sqlite": (
        'SELECT m.name, p.name, p.type, p."notnull", p.pk, p.dflt_value IS NOT NULL '
        "FROM sqlite_master m JOIN pragma_table_info(m.name) p "
        "WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'{only} ORDER BY m.name, p.cid"
    ),
    "mysql": (
        "SELECT c.table_name, c.column_name, c.data_type, c.column_type, c.is_nullable, c.character_maximum_length, "
        "c.column_default, c.extra FROM information_schema.columns c "
        "WHERE c.table_schema = DATABASE(){only} ORDER BY c.table_name, c.ordinal_position"
    ),
    "postgresql": (
        "SELECT c.relname, a.attname, t.typname, a.atttypmod, a.attnotnull, pg_get_expr(d.adbin, d.adrelid), "
        "a.attidentity <> '', c.relkind IN ('r', 'p') AND NOT c.relhasrules "
        "AND c.oid NOT IN (SELECT tgrelid FROM pg_trigger WHERE NOT tgisinternal), "
        "EXISTS (SELECT FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam "
        "WHERE i.indrelid = c.oid AND i.indkey[0] = a.attnum AND i.indisvalid AND i.indpred IS NULL AND m.amname = 'btree') "
        "FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
        "JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum "
        "WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f') "
        "AND a.attnum > 0 AND NOT a.attisdropped{only} ORDER BY c.relname, a.attnum"
    ),
}

KEYS: Mapping[str, str] = {
    "sqlite": (
        "SELECT m.name, l.name, 0, i.name FROM sqlite_master m JOIN pragma_index_list(m.name) l "
        "JOIN pragma_index_info(l.name) i WHERE m.type = 'table' AND l.\"unique\" AND l.origin <> 'pk' "
        "AND NOT l.partial AND i.name IS NOT NULL{only} ORDER BY m.name, l.seq DESC, i.seqno"
    ),
    "mysql": (
        "SELECT c.table_name, c.index_name, c.index_name = 'PRIMARY', c.column_name FROM information_schema.statistics c "
        "WHERE c.table_schema = DATABASE() AND NOT c.non_unique{only} ORDER BY c.table_name, c.index_name, c.seq_in_index"
    ),
    "postgresql": (
        "SELECT c.relname, i.indexrelid::regclass::text, i.indisprimary, a.attname FROM pg_class c "
        "JOIN pg_index i ON i.indrelid = c.oid "
        "CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(number, place) "
        "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number "
        "WHERE c.relnamespace = current_schema()::regnamespace AND i.indisunique AND i.indpred IS NULL "
        "AND i.indexprs IS NULL AND k.place <= i.indnkeyatts{only} ORDER BY c.relname, 2, k.place"
    ),
}

FOREIGN_KEYS: Mapping[str, str] = {
    "sqlite": (
        'SELECT m.name, f.id, f."from", f."table", f."to" FROM sqlite_master m '
        "JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table'{only} ORDER BY m.name, f.id DESC, f.seq"
    ),
    "mysql": (
        "SELECT c.table_name, c.constraint_name, c.column_name, c.referenced_table_name, c.referenced_column_name "
        "FROM information_schema.key_column_usage c WHERE c.table_schema = DATABASE() "
        "AND c.referenced_table_name IS NOT NULL{only} ORDER BY c.table_name, c.constraint_name, c.ordinal_position"
    ),
    "postgresql": (
        "SELECT c.relname, f.conname, a.attname, t.relname, b.attname FROM pg_constraint f "
        "JOIN pg_class c ON c.oid = f.conrelid JOIN pg_class t ON t.oid = f.confrelid "
        "CROSS JOIN LATERAL unnest(f.conkey, f.confkey) WITH ORDINALITY AS k(here, there, place) "
        "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.here "
        "JOIN pg_attribute b ON b.attrelid = t.oid AND b.attnum = k.there "
        "WHERE f.contype = 'f' AND c.relnamespace = current_schema()::regnamespace{only} ORDER BY c.relname, f.conname, k.place"
    ),
}

# Table, index, whether it finds any row by its columns, column (null for an expression); unique ones too.
INDEXES: Mapping[str, str] = {
    "sqlite": (
        "SELECT m.name, l.name, NOT l.partial, i.name FROM sqlite_master m JOIN pragma_index_list(m.name) l "
        "JOIN pragma_index_info(l.name) i WHERE m.type = 'table'{only} ORDER BY m.name, l.name, i.seqno"
    ),
    "mysql": (
        "SELECT c.table_name, c.index_name, c.index_type = 'BTREE', CASE WHEN c.sub_part IS NULL THEN c.column_name END "
        "FROM information_schema.statistics c WHERE c.table_schema = DATABASE(){only} "
        "ORDER BY c.table_name, c.index_name, c.seq_in_index"
    ),
    "postgresql": (
        "SELECT c.relname, x.relname, i.indisvalid AND i.indpred IS NULL AND m.amname = 'btree', a.attname "
        "FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid JOIN pg_class x ON x.oid = i.indexrelid "
        "JOIN pg_am m ON m.oid = x.relam CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(number, place) "
        "LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number "
        "WHERE c.relnamespace = current_schema()::regnamespace{only} ORDER BY c.relname, x.relname, k.place"
    ),
}

_TABLE_NAME: Mapping[str, str] = {"sqlite": "m.name", "mysql": "c.table_name", "postgresql": "c.relname"}


def one_table(dialect: str, names: Collection[str]) -> str:
    """Write the condition that keeps some tables only. Names come from module files, so what ends a literal is doubled."""
    quoted = ", ".join(f"'{_escaped(dialect, name)}'" for name in names)
    return f" AND {_TABLE_NAME[dialect]} IN ({quoted})"


def _escaped(dialect: str, name: str) -> str:
    """Write a name for the inside of a literal; MySQL's driver reads percent signs, its server backslashes."""
    name = name.replace("'", "''")
    return name.replace("\\", "\\\\").replace("%", "%%") if dialect == "mysql" else name
