"""The words of forms, of details and of histories."""

from __future__ import annotations

from collections.abc import Mapping

FORM: Mapping[str, Mapping[str, str]] = {
    "new-of": {"en": "New: {module}", "de": "Neu: {module}"},
    "edit-of": {"en": "Edit {row}", "de": "{row} bearbeiten"},
    "save": {"en": "Save", "de": "Speichern"},
    "save-new": {"en": "Create", "de": "Anlegen"},
    "required": {"en": "{field} is required.", "de": "{field} ist erforderlich."},
    "must": {"en": "required", "de": "erforderlich"},
    "form-wrong": {
        "en": "Nothing was saved. Please look at this:",
        "de": "Nichts wurde gespeichert. Bitte sehen Sie hier nach:",
    },
    "choose-none": {"en": "—", "de": "—"},
    "type-to-find": {"en": "type to find more", "de": "tippen, um mehr zu finden"},
    "keep-secret": {"en": "Leave it empty to keep what is there.", "de": "Leer lassen, damit es bleibt, wie es ist."},
    "keep-file": {
        "en": "Choose none to keep the file that is there.",
        "de": "Keine wählen, damit die vorhandene bleibt.",
    },
    "fields-other": {"en": "More", "de": "Weiteres"},
    "unsaved": {"en": "There are unsaved changes.", "de": "Es gibt ungespeicherte Änderungen."},
    "bad-whole": {"en": "Write a whole number.", "de": "Schreiben Sie eine ganze Zahl."},
    "bad-number": {"en": "Write a number such as 1.5.", "de": "Schreiben Sie eine Zahl wie 1.5."},
    "bad-moment": {"en": "Write a date and time.", "de": "Schreiben Sie Datum und Uhrzeit."},
    "bad-length": {"en": "Write a length such as 1h 30m.", "de": "Schreiben Sie eine Dauer wie 1h 30m."},
    "bad-json": {"en": "This is no JSON.", "de": "Das ist kein JSON."},
    "said-created": {"en": "It is created.", "de": "Es ist angelegt."},
    "said-saved": {"en": "It is saved.", "de": "Es ist gespeichert."},
    "said-deleted": {"en": "It is deleted.", "de": "Es ist gelöscht."},
    "said-set-off": {
        "en": "It is set invalid and can be restored.",
        "de": "Es ist ungültig gesetzt und lässt sich wiederherstellen.",
    },
    "said-restored": {"en": "It is restored.", "de": "Es ist wiederhergestellt."},
    "said-undone": {"en": "The change is taken back.", "de": "Die Änderung ist zurückgenommen."},
    "said-acted": {"en": "It is done.", "de": "Es ist getan."},
    # --- two people, one row ---
    "conflict-title": {"en": "Somebody was faster", "de": "Jemand war schneller"},
    "conflict-told": {
        "en": "{row} was changed while you edited it. Nothing of yours is saved yet. These fields differ:",
        "de": "{row} wurde geändert, während Sie es bearbeitet haben. Von Ihnen ist noch nichts gespeichert. Diese Felder sind verschieden:",
    },
    "conflict-same": {
        "en": "{row} was changed while you edited it, but in none of the fields that you changed.",
        "de": "{row} wurde geändert, während Sie es bearbeitet haben, aber in keinem der Felder, die Sie geändert haben.",
    },
    "conflict-lost": {
        "en": "Type this again afterwards: {fields}",
        "de": "Das geben Sie danach noch einmal ein: {fields}",
    },
    "conflict-mine": {"en": "Yours", "de": "Ihres"},
    "conflict-theirs": {"en": "Theirs", "de": "Das andere"},
    "conflict-field": {"en": "Field", "de": "Feld"},
    "keep-mine": {"en": "Keep mine", "de": "Meines behalten"},
    "take-theirs": {"en": "Take theirs", "de": "Das andere nehmen"},
    # --- details ---
    "delete": {"en": "Delete", "de": "Löschen"},
    "delete-ask": {"en": "Delete {row}?", "de": "{row} löschen?"},
    "delete-hard": {
        "en": "It is gone then; the history can bring it back.",
        "de": "Dann ist es weg; die Historie kann es zurückholen.",
    },
    "delete-soft": {
        "en": "It becomes invalid, and can be restored.",
        "de": "Es wird ungültig und lässt sich wiederherstellen.",
    },
    "restore": {"en": "Restore", "de": "Wiederherstellen"},
    "details": {"en": "Details", "de": "Einzelheiten"},
    "stamps": {"en": "Record", "de": "Datensatz"},
    "related": {"en": "Related", "de": "Zugehöriges"},
    "related-all": {"en": "Show all", "de": "Alle zeigen"},
    "related-none": {"en": "There are none.", "de": "Es gibt keine."},
    "loading": {"en": "Loading …", "de": "Wird geladen …"},
    "history": {"en": "History", "de": "Historie"},
    "history-of": {"en": "History of {row}", "de": "Historie von {row}"},
    "history-none": {"en": "No change is known.", "de": "Es ist keine Änderung bekannt."},
    "history-older": {"en": "Older changes", "de": "Ältere Änderungen"},
    "change-CREATED": {"en": "created", "de": "angelegt"},
    "change-UPDATED": {"en": "changed", "de": "geändert"},
    "change-DELETED": {"en": "deleted", "de": "gelöscht"},
    "change-by": {"en": "by {who}", "de": "von {who}"},
    "change-undoes": {"en": "took a change back", "de": "nahm eine Änderung zurück"},
    "change-empty": {"en": "empty", "de": "leer"},
    "undo": {"en": "Take back", "de": "Zurücknehmen"},
    "undo-of": {"en": "Take back the change of {when}", "de": "Die Änderung von {when} zurücknehmen"},
    "undo-refused": {
        "en": "The change cannot be taken back: {why}",
        "de": "Die Änderung lässt sich nicht zurücknehmen: {why}",
    },
    "deed-refused": {"en": "Nothing was changed: {why}", "de": "Nichts wurde geändert: {why}"},
}
