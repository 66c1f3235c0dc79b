"""The words around every page, of signing in and of refusals."""

from __future__ import annotations

from collections.abc import Mapping

# key → language → text with {params}
SHELL: Mapping[str, Mapping[str, str]] = {
    # --- everywhere ---
    "skip": {"en": "Skip to the content", "de": "Zum Inhalt springen"},
    "navigation": {"en": "Modules", "de": "Module"},
    "menu": {"en": "Menu", "de": "Menü"},
    "home": {"en": "Home", "de": "Start"},
    "other-section": {"en": "More", "de": "Weitere"},
    "close": {"en": "Close", "de": "Schließen"},
    "cancel": {"en": "Cancel", "de": "Abbrechen"},
    "back": {"en": "Back", "de": "Zurück"},
    "none": {"en": "none", "de": "keine"},
    "yes": {"en": "yes", "de": "ja"},
    "no": {"en": "no", "de": "nein"},
    "unknown": {"en": "unknown", "de": "unbekannt"},
    "signed-in-as": {"en": "Signed in as {login}.", "de": "Angemeldet als {login}."},
    "sign-out": {"en": "Sign out", "de": "Abmelden"},
    "account": {"en": "Account of {login}", "de": "Konto von {login}"},
    "jump": {"en": "Go to …", "de": "Gehe zu …"},
    "palette": {"en": "Go to a module or an action", "de": "Zu einem Modul oder einer Aktion gehen"},
    "palette-empty": {"en": "Nothing is called so.", "de": "Nichts heißt so."},
    "palette-list": {"en": "List", "de": "Liste"},
    "palette-new": {"en": "New", "de": "Neu"},
    "request-id": {"en": "Request {id}", "de": "Anfrage {id}"},
    # --- signing in ---
    "sign-in": {"en": "Sign in", "de": "Anmelden"},
    "login": {"en": "Login", "de": "Benutzername"},
    "password": {"en": "Password", "de": "Passwort"},
    "i-am": {"en": "I am", "de": "Ich bin"},
    "an-agent": {"en": "an agent", "de": "Agent"},
    "a-customer": {"en": "a customer", "de": "Kunde"},
    "stale-form": {
        "en": "This form is too old, or the browser keeps no cookies. Try again.",
        "de": "Dieses Formular ist zu alt, oder der Browser behält keine Cookies. Bitte noch einmal versuchen.",
    },
    # --- look ---
    "look": {"en": "Appearance", "de": "Darstellung"},
    "theme": {"en": "Colours", "de": "Farben"},
    "theme-system": {"en": "as the system", "de": "wie das System"},
    "theme-light": {"en": "light", "de": "hell"},
    "theme-dark": {"en": "dark", "de": "dunkel"},
    "density": {"en": "Rows", "de": "Zeilen"},
    "density-comfortable": {"en": "comfortable", "de": "bequem"},
    "density-compact": {"en": "compact", "de": "kompakt"},
    "language": {"en": "Language", "de": "Sprache"},
    "language-auto": {"en": "as the browser", "de": "wie der Browser"},
    "language-en": {"en": "English", "de": "English"},
    "language-de": {"en": "Deutsch", "de": "Deutsch"},
    "keys": {"en": "Single-key shortcuts", "de": "Kürzel mit einer Taste"},
    "keys-on": {"en": "on", "de": "an"},
    "keys-off": {"en": "off", "de": "aus"},
    "own-zone": {"en": "Time zone", "de": "Zeitzone"},
    "own-zone-auto": {"en": "as the browser ({zone})", "de": "wie der Browser ({zone})"},
    "apply": {"en": "Apply", "de": "Anwenden"},
    "keys-title": {"en": "Keyboard", "de": "Tastatur"},
    "keys-note": {
        "en": "Single keys can be turned off under Appearance.",
        "de": "Einzelne Tasten lassen sich unter Darstellung abschalten.",
    },
    "key-move": {"en": "next, previous row or article", "de": "nächste, vorige Zeile oder Artikel"},
    "key-open": {"en": "open the row", "de": "Zeile öffnen"},
    "key-choose": {"en": "choose the row", "de": "Zeile auswählen"},
    "key-edit": {"en": "edit the row", "de": "Zeile bearbeiten"},
    "key-new": {"en": "new row, new note", "de": "neue Zeile, neue Notiz"},
    "key-search": {"en": "search", "de": "suchen"},
    "key-palette": {"en": "go to a module or an action", "de": "zu einem Modul oder einer Aktion"},
    "key-home": {"en": "to the front page", "de": "zur Startseite"},
    "key-help": {"en": "this list", "de": "diese Liste"},
    # --- home ---
    "tools": {"en": "For developers", "de": "Für Entwickler"},
    "tool-graphiql": {"en": "GraphiQL: try the API", "de": "GraphiQL: die API ausprobieren"},
    "tool-schema": {"en": "The schema", "de": "Das Schema"},
    "tool-customer-schema": {"en": "The schema as customers see it", "de": "Das Schema, wie Kunden es sehen"},
    "tool-module-schema": {
        "en": "The JSON Schema of module files, for editors",
        "de": "Das JSON-Schema der Moduldateien, für Editoren",
    },
    "tool-lambda-types": {
        "en": "The TypeScript declarations of what lambdas see, for editors",
        "de": "Die TypeScript-Deklarationen dessen, was Lambdas sehen, für Editoren",
    },
    "tool-state": {"en": "The state of the server", "de": "Der Zustand des Servers"},
    "no-modules": {
        "en": "There is no module that you may view. Ask an administrator for a group or role.",
        "de": "Es gibt kein Modul, das Sie sehen dürfen. Bitten Sie einen Administrator um eine Gruppe oder Rolle.",
    },
    # --- refusals ---
    "error-400": {"en": "That cannot be read", "de": "Das ist nicht lesbar"},
    "error-403": {"en": "Not allowed", "de": "Nicht erlaubt"},
    "error-404": {"en": "Nothing here", "de": "Hier ist nichts"},
    "error-409": {"en": "Changed meanwhile", "de": "Inzwischen geändert"},
    "error-503": {"en": "Not available", "de": "Nicht verfügbar"},
    "error-other": {"en": "That did not work", "de": "Das hat nicht geklappt"},
    "told-403": {
        "en": "You have no right to this. Ask an administrator if you need it.",
        "de": "Dazu haben Sie kein Recht. Fragen Sie einen Administrator, wenn Sie es brauchen.",
    },
    "told-404": {
        "en": "There is no such page or record, or it is not for you.",
        "de": "Diese Seite oder diesen Datensatz gibt es nicht, oder er ist nicht für Sie.",
    },
    "told-503": {
        "en": "The database is away or the server is busy. Load the page again in a moment.",
        "de": "Die Datenbank ist nicht da oder der Server ausgelastet. Laden Sie die Seite gleich noch einmal.",
    },
    "told-form": {
        "en": "This page is too old: you signed in anew, or the server has a new key. Load it again.",
        "de": "Diese Seite ist zu alt: Sie haben sich neu angemeldet, oder der Server hat einen neuen Schlüssel. Laden Sie sie neu.",
    },
}
