"""Engines, dialect differences, the OTRS tables and their first rows."""
