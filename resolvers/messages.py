"""The texts of faults, in the languages that Lambdesk speaks. A key is stable: clients translate by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

LANGUAGES = ("en", "de")

# key → language → text with {params}
MESSAGES: Mapping[str, Mapping[str, str]] = {
    "required": {"en": "{field} is required.", "de": "{field} ist erforderlich."},
    "unique": {"en": "There is another row with this {field}.", "de": "{field} gibt es schon in einer anderen Zeile."},
    "unique-row": {"en": "There is such a row already.", "de": "Eine solche Zeile gibt es schon."},
    "reference": {"en": "{field}: there is no such row.", "de": "{field}: Eine solche Zeile gibt es nicht."},
    "referenced": {
        "en": "Other rows still refer to this one.",
        "de": "Andere Zeilen verweisen noch auf diese.",
    },
    "not-found": {"en": "There is no such row.", "de": "Eine solche Zeile gibt es nicht."},
    "conflict": {
        "en": "The row was changed since it was read.",
        "de": "Die Zeile wurde seit dem Lesen geändert.",
    },
    "forbidden": {"en": "You may not change this row.", "de": "Sie dürfen diese Zeile nicht ändern."},
    "invalid": {"en": "{field} is not valid.", "de": "{field} ist nicht gültig."},
    "too-long": {
        "en": "{field} may have {limit} characters; these are {length}.",
        "de": "{field} darf {limit} Zeichen haben; es sind {length}.",
    },
    "too-short": {
        "en": "{field} must have {limit} characters or more; these are {length}.",
        "de": "{field} muss mindestens {limit} Zeichen haben; es sind {length}.",
    },
    "too-small": {"en": "{field} must be {limit} or more.", "de": "{field} muss mindestens {limit} sein."},
    "too-large": {"en": "{field} must be {limit} or less.", "de": "{field} darf höchstens {limit} sein."},
    "pattern": {"en": "{field} does not have the form it must have.", "de": "{field} hat nicht die verlangte Form."},
    "custom": {"en": "{text}", "de": "{text}"},
    "option": {"en": "{field}: this is none of the options.", "de": "{field}: Das ist keine der Möglichkeiten."},
    "email": {"en": "{field} must be an email address.", "de": "{field} muss eine E-Mail-Adresse sein."},
    "url": {"en": "{field} must be a web address.", "de": "{field} muss eine Webadresse sein."},
    "phone": {"en": "{field} must be a telephone number.", "de": "{field} muss eine Telefonnummer sein."},
    "color": {"en": "{field} must be a colour such as #1f6feb.", "de": "{field} muss eine Farbe wie #1f6feb sein."},
    "out-of-range": {"en": "{field} is out of range.", "de": "{field} liegt außerhalb des Wertebereichs."},
    "limit": {
        "en": "{found} rows match, and {limit} may be changed at once.",
        "de": "{found} Zeilen passen, und {limit} dürfen auf einmal geändert werden.",
    },
    "not-written": {
        "en": "Nothing was written, because other rows have errors.",
        "de": "Nichts wurde geschrieben, weil andere Zeilen Fehler haben.",
    },
    "lambda-rejected": {"en": "{text}", "de": "{text}"},
    "lambda-failed": {
        "en": "The rule of this module could not be run, so nothing was written.",
        "de": "Die Regel dieses Moduls konnte nicht ausgeführt werden; nichts wurde geschrieben.",
    },
    "pending-time-required": {
        "en": "The state {state} needs a time until which the ticket waits.",
        "de": "Der Status {state} braucht einen Zeitpunkt, bis zu dem das Ticket wartet.",
    },
    "pending-time-past": {
        "en": "The time until which the ticket waits must be in the future.",
        "de": "Der Zeitpunkt, bis zu dem das Ticket wartet, muss in der Zukunft liegen.",
    },
    "pending-without-state": {
        "en": "In the state {state} a ticket waits for nothing; choose a pending state.",
        "de": "Im Status {state} wartet ein Ticket auf nichts; bitte einen wartenden Status wählen.",
    },
    "merged-by-merging": {
        "en": "A ticket becomes merged by merging it into another one.",
        "de": "Zusammengefasst wird ein Ticket, indem es mit einem anderen zusammengefasst wird.",
    },
    "merge-self": {
        "en": "A ticket cannot be merged into itself.",
        "de": "Ein Ticket kann nicht mit sich selbst zusammengefasst werden.",
    },
    "merge-merged": {
        "en": "The ticket is merged into another one already.",
        "de": "Das Ticket ist schon mit einem anderen zusammengefasst.",
    },
    "merge-no-state": {
        "en": "There is no state of the type merged.",
        "de": "Es gibt keinen Status vom Typ „merged“.",
    },
    "unmerge-nothing": {
        "en": "There is no merge of this ticket that could be taken back.",
        "de": "Es gibt keine Zusammenfassung dieses Tickets, die zurückgenommen werden könnte.",
    },
    "unmerge-chained": {
        "en": "The ticket that it was merged into is merged itself; take that back first.",
        "de": "Das Ticket, mit dem es zusammengefasst wurde, ist selbst zusammengefasst; bitte zuerst das zurücknehmen.",
    },
    "link-self": {
        "en": "A ticket cannot be linked with itself.",
        "de": "Ein Ticket kann nicht mit sich selbst verknüpft werden.",
    },
    "link-opposite": {
        "en": "These two are linked the other way round already.",
        "de": "Diese beiden sind schon andersherum verknüpft.",
    },
    "nothing-to-undo": {
        "en": "This change cannot be taken back.",
        "de": "Diese Änderung kann nicht zurückgenommen werden.",
    },
}


def text_of(key: str, params: Mapping[str, Any], languages: Sequence[str] = ()) -> str:
    """Write a message in the first of these languages that it has, else in English."""
    texts = MESSAGES[key]
    language = next((language for language in languages if language in texts), "en")
    return texts[language].format_map(params)
