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
    # --- saved views ---
    "views": {"en": "Views", "de": "Ansichten"},
    "views-of": {"en": "Saved views of {module}", "de": "Gespeicherte Ansichten von {module}"},
    "views-none": {"en": "No view is saved yet.", "de": "Noch ist keine Ansicht gespeichert."},
    "view-new": {
        "en": "Keep search, filters, order and columns of this list as",
        "de": "Suche, Filter, Ordnung und Spalten dieser Liste behalten als",
    },
    "view-keep": {"en": "Save the view", "de": "Ansicht speichern"},
    "view-name": {"en": "Name", "de": "Name"},
    "view-share": {"en": "other agents see it too", "de": "auch andere Agenten sehen sie"},
    "view-shared": {"en": "shared", "de": "geteilt"},
    "view-foreign": {"en": "of another agent", "de": "von einem anderen Agenten"},
    "view-change": {"en": "Change", "de": "Ändern"},
    "view-change-of": {"en": "Change the view {view}", "de": "Die Ansicht {view} ändern"},
    "view-replace": {
        "en": "replace it by what the list shows now",
        "de": "durch das ersetzen, was die Liste gerade zeigt",
    },
    "view-gone": {"en": "This view is gone.", "de": "Diese Ansicht gibt es nicht mehr."},
    "said-view-saved": {"en": "The view is saved.", "de": "Die Ansicht ist gespeichert."},
    "said-view-deleted": {"en": "The view is deleted.", "de": "Die Ansicht ist gelöscht."},
    # --- lists ---
    "filters-ready": {"en": "Ready filters", "de": "Fertige Filter"},
    "ready-today": {"en": "today", "de": "heute"},
    "ready-week": {"en": "since 7 days ago", "de": "seit 7 Tagen"},
    "ready-month": {"en": "since 30 days ago", "de": "seit 30 Tagen"},
    # --- search over all modules ---
    "search-all": {"en": "Search everything", "de": "Alles durchsuchen"},
    "search-all-of": {"en": "All that is found for “{word}”", "de": "Alles, was zu „{word}“ gefunden wird"},
    "search-short": {"en": "Enter two letters at least.", "de": "Geben Sie mindestens zwei Zeichen ein."},
    "search-nothing": {"en": "Nothing is found for “{word}”.", "de": "Zu „{word}“ wird nichts gefunden."},
    "search-others": {"en": "Search in other modules", "de": "In anderen Modulen suchen"},
    "search-rows": {"en": "Rows", "de": "Zeilen"},
}
