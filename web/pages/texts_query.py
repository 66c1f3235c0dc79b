"""The words of what has to do with queries: what a page asked for, GraphiQL and its examples, saved views, the search."""

from __future__ import annotations

from collections.abc import Mapping

QUERY: Mapping[str, Mapping[str, str]] = {
    # --- show me the query ---
    "query-show": {"en": "Show me the query", "de": "Die Abfrage zeigen"},
    "query-note": {
        "en": "This page was made of the answer to this operation. Anybody who may see the page can send it to /graphql.",
        "de": "Aus der Antwort auf diese Operation ist die Seite gemacht. Wer die Seite sehen darf, kann sie an /graphql senden.",
    },
    "query-unnamed": {"en": "Operation", "de": "Operation"},
    "query-open": {"en": "Open in GraphiQL", "de": "In GraphiQL öffnen"},
    "query-variables": {"en": "Variables", "de": "Variablen"},
    "query-too-long": {
        "en": "The variables are too long to be shown here.",
        "de": "Die Variablen sind zu lang, um sie hier zu zeigen.",
    },
    "query-of-save": {
        "en": "is what Save sends, with what you changed in `patch`",
        "de": "sendet Speichern, mit Ihren Änderungen in `patch`",
    },
    "query-of-create": {
        "en": "is what Create sends, with what you enter",
        "de": "sendet Anlegen, mit Ihren Eingaben",
    },
    "query-of-action": {"en": "is what the button sends", "de": "sendet der Knopf"},
    # --- GraphiQL ---
    "graphiql-back": {"en": "Back to the pages", "de": "Zurück zu den Seiten"},
    "graphiql-examples": {"en": "Examples", "de": "Beispiele"},
    "graphiql-module": {"en": "Examples of the module", "de": "Beispiele des Moduls"},
    "graphiql-choose": {"en": "choose a module …", "de": "Modul wählen …"},
    "graphiql-example": {"en": "Example", "de": "Beispiel"},
    "graphiql-choose-example": {"en": "choose an example …", "de": "Beispiel wählen …"},
    "graphiql-no-script": {
        "en": "GraphiQL needs JavaScript. The schema is at",
        "de": "GraphiQL braucht JavaScript. Das Schema steht unter",
    },
    "example-list": {"en": "A page of rows, filtered", "de": "Eine Seite Zeilen, gefiltert"},
    "example-one": {"en": "One row", "de": "Eine Zeile"},
    "example-aggregate": {"en": "Rows counted by group", "de": "Zeilen je Gruppe zählen"},
    "example-create": {"en": "Make a row", "de": "Eine Zeile anlegen"},
    "example-update": {"en": "Change a row", "de": "Eine Zeile ändern"},
    "example-delete": {"en": "Delete a row", "de": "Eine Zeile löschen"},
    "example-changes": {"en": "Follow changes", "de": "Änderungen verfolgen"},
}
