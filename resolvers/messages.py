"""The texts of faults, in the languages that Lambdesk speaks. A key is stable: clients translate by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from schema.spec import Caption

LANGUAGES = ("en", "de")

# key → language → text with {params}
MESSAGES: Mapping[str, Mapping[str, str]] = {
    "required": {"en": "{field} is required.", "de": "{field} ist erforderlich."},
    "unique": {"en": "There is another row with this {field}.", "de": "{field} gibt es schon in einer anderen Zeile."},
    "unique-row": {"en": "There is such a row already.", "de": "Eine solche Zeile gibt es schon."},
    "reference": {"en": "{field}: there is no such row.", "de": "{field}: Eine solche Zeile gibt es nicht."},
    "upload": {
        "en": "{field}: there is no such upload of yours that is still free.",
        "de": "{field}: Es gibt keinen solchen Upload von Ihnen, der noch frei ist.",
    },
    "undo-changed": {
        "en": "{field} was changed again since; taking this change back would lose that.",
        "de": "{field} wurde seitdem wieder geändert; das ginge beim Zurücknehmen verloren.",
    },
    "reference-row": {
        "en": "A row that this one refers to is not there (any more).",
        "de": "Eine Zeile, auf die diese verweist, ist nicht (mehr) da.",
    },
    "referenced": {
        "en": "Other rows still refer to this one.",
        "de": "Andere Zeilen verweisen noch auf diese.",
    },
    "not-found": {"en": "There is no such row.", "de": "Eine solche Zeile gibt es nicht."},
    "conflict": {
        "en": "The row was changed since it was read.",
        "de": "Die Zeile wurde seit dem Lesen geändert.",
    },
    "forbidden-key": {
        "en": "This needs the permission {key} for the queue.",
        "de": "Dafür ist die Berechtigung {key} für die Queue nötig.",
    },
    "follow-up-refused": {
        "en": "This ticket takes no more answers; please open a new one.",
        "de": "Dieses Ticket nimmt keine Antworten mehr an; bitte öffnen Sie ein neues.",
    },
    "forbidden-value": {
        "en": "You may not make such a row, or make this of it.",
        "de": "Sie dürfen keine solche Zeile anlegen oder diese dazu machen.",
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
    "password-common": {
        "en": "This password is one of the first that anybody would try; take words that do not belong together.",
        "de": "Dieses Passwort würde jeder zuerst versuchen; bitte Wörter nehmen, die nicht zusammengehören.",
    },
    "password-login": {
        "en": "The password is little more than the login.",
        "de": "Das Passwort ist kaum mehr als der Anmeldename.",
    },
    "login-taken": {
        "en": "{field}: another account has this login, perhaps in other letter case.",
        "de": "{field}: Ein anderes Konto hat diesen Anmeldenamen, vielleicht in anderer Groß- und Kleinschreibung.",
    },
    "permission-unknown": {
        "en": "{field} must be one of {keys}.",
        "de": "{field} muss eines von {keys} sein.",
    },
    "permission-implied": {
        "en": "rw is given already, which holds all permissions; take it away to give single ones.",
        "de": "rw ist schon gegeben, das alle Berechtigungen umfasst; um einzelne zu geben, muss es erst weg.",
    },
    "permission-not-granted": {
        "en": "{field} must be true; what is not granted has no row.",
        "de": "{field} muss wahr sein; was nicht erteilt ist, hat keine Zeile.",
    },
    "one-holder": {
        "en": "Name one of agent, role, company and customerUser.",
        "de": "Bitte genau eines von agent, role, company und customerUser angeben.",
    },
    "last-administrator": {
        "en": "Nobody would be left who may administrate; give somebody else rw of the group admin first.",
        "de": "Niemand könnte mehr verwalten; bitte zuerst jemand anderem rw der Gruppe admin geben.",
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
    "action-undone": {
        "en": "Operation {number} ({what}) could not be done, so nothing was: {text}",
        "de": "Vorgang {number} ({what}) war nicht möglich, darum ist nichts geschehen: {text}",
    },
    "action-failed": {
        "en": "{action} failed, and nothing was changed.",
        "de": "{action} ist fehlgeschlagen; nichts wurde geändert.",
    },
    "deed-unknown": {
        "en": "Lambdas cannot do this here: {verb}.",
        "de": "Das können Lambdas hier nicht: {verb}.",
    },
    "deed-absent": {"en": "There is no {mutation} here.", "de": "{mutation} gibt es hier nicht."},
    "deed-values": {"en": "The values must be an object.", "de": "Die Werte müssen ein Objekt sein."},
    "deed-field": {
        "en": "{module} has no field {name} that takes a value here.",
        "de": "{module} hat kein Feld {name}, das hier einen Wert annimmt.",
    },
    "deed-refused": {"en": "{text}", "de": "{text}"},
    "rule-broken": {
        "en": "{field} does not meet a rule of its module.",
        "de": "{field} entspricht einer Regel seines Moduls nicht.",
    },
    "lambda-set": {
        "en": "A hook sets what cannot be written here: {fields}.",
        "de": "Ein Hook setzt, was hier nicht geschrieben werden kann: {fields}.",
    },
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
    "attachments-limit": {
        "en": "An article may have {limit} files; these are {found}.",
        "de": "Ein Artikel darf {limit} Dateien haben; es sind {found}.",
    },
    "upload-unknown": {
        "en": "There is no such upload, or it was used already.",
        "de": "Einen solchen Upload gibt es nicht, oder er ist schon verwendet.",
    },
    "given-twice": {
        "en": "{field} is given in two ways; give it in one.",
        "de": "{field} ist auf zwei Arten angegeben; bitte nur auf eine.",
    },
    "invalid-row": {
        "en": "A value does not fit where it is to be stored.",
        "de": "Ein Wert passt nicht dorthin, wo er gespeichert werden soll.",
    },
    "key-mismatch": {
        "en": "The key and the new row name different rows.",
        "de": "Der Schlüssel und die neue Zeile meinen verschiedene Zeilen.",
    },
    "nothing-to-undo": {
        "en": "This change cannot be taken back.",
        "de": "Diese Änderung kann nicht zurückgenommen werden.",
    },
    "csv-empty": {"en": "The file is empty.", "de": "Die Datei ist leer."},
    "csv-size": {
        "en": "The file has more than {limit} bytes.",
        "de": "Die Datei hat mehr als {limit} Bytes.",
    },
    "csv-rows": {
        "en": "The file has more than {limit} rows. Split it.",
        "de": "Die Datei hat mehr als {limit} Zeilen. Teilen Sie sie auf.",
    },
    "csv-columns": {
        "en": "The file has more than {limit} columns.",
        "de": "Die Datei hat mehr als {limit} Spalten.",
    },
    "csv-encoding": {
        "en": "Line {line} is not UTF-8. Save the file as “CSV UTF-8”.",
        "de": "Zeile {line} ist kein UTF-8. Speichern Sie die Datei als „CSV UTF-8“.",
    },
    "csv-quotes": {
        "en": "Row {row}: quotes do not match, or a cell is longer than 131,072 characters.",
        "de": "Zeile {row}: Anführungszeichen passen nicht zueinander, oder eine Zelle hat mehr als 131.072 Zeichen.",
    },
    "csv-ragged": {
        "en": "The header has {count} columns; these rows have more or fewer: {rows}.",
        "de": "Die Kopfzeile hat {count} Spalten; diese Zeilen haben mehr oder weniger: {rows}.",
    },
    "csv-header": {
        "en": "Column {column} has no name, or a name that is too long.",
        "de": "Spalte {column} hat keinen oder einen zu langen Namen.",
    },
    "csv-twice": {
        "en": "Two columns are called {name}.",
        "de": "Zwei Spalten heißen {name}.",
    },
    "csv-same-field": {
        "en": "The columns {first} and {second} both stand for {field}.",
        "de": "Die Spalten {first} und {second} stehen beide für {field}.",
    },
    "csv-no-field": {
        "en": "{column} cannot be mapped to {field}: there is no such field that can be written.",
        "de": "{column} kann nicht {field} zugeordnet werden: Ein solches Feld, das man schreiben kann, gibt es nicht.",
    },
    "csv-no-column": {
        "en": "The file has no column {column}.",
        "de": "Die Datei hat keine Spalte {column}.",
    },
    "csv-int": {"en": "{found} is no whole number.", "de": "{found} ist keine ganze Zahl."},
    "csv-number": {
        "en": "{found} is no number; write it like 1234.5 without separators of thousands.",
        "de": "{found} ist keine Zahl; schreiben Sie sie wie 1234.5 ohne Tausendertrennzeichen.",
    },
    "csv-bool": {
        "en": "{found} is neither yes nor no; write yes, no, true, false, 1 or 0.",
        "de": "{found} ist weder ja noch nein; schreiben Sie ja, nein, true, false, 1 oder 0.",
    },
    "csv-date": {
        "en": "{found} is no date; write it like 2026-01-31 or 31.01.2026.",
        "de": "{found} ist kein Datum; schreiben Sie es wie 2026-01-31 oder 31.01.2026.",
    },
    "csv-time": {
        "en": "{found} is no time of day; write it like 14:30 or 14:30:00.",
        "de": "{found} ist keine Uhrzeit; schreiben Sie sie wie 14:30 oder 14:30:00.",
    },
    "csv-datetime": {
        "en": "{found} is no date with a time; write it like 2026-01-31 14:30 or 31.01.2026 14:30.",
        "de": "{found} ist kein Datum mit Uhrzeit; schreiben Sie es wie 2026-01-31 14:30 oder 31.01.2026 14:30.",
    },
    "csv-duration": {
        "en": "{found} is no length of time; write it like PT1H30M or 1:30.",
        "de": "{found} ist keine Dauer; schreiben Sie sie wie PT1H30M oder 1:30.",
    },
    "csv-json": {"en": "{found} is no JSON.", "de": "{found} ist kein JSON."},
    "csv-option": {
        "en": "{found} is none of the options; there are {options}.",
        "de": "{found} ist keine der Möglichkeiten; es gibt {options}.",
    },
    "csv-key": {
        "en": "{found} names no {target}: the key {key} is {wanted}.",
        "de": "{found} benennt kein {target}: Der Schlüssel {key} ist {wanted}.",
    },
    "csv-unknown-row": {"en": "There is no {target} {found}.", "de": "{target} {found} gibt es nicht."},
    "csv-required": {"en": "A value is required here.", "de": "Hier ist ein Wert erforderlich."},
    "import-off": {"en": "{name} cannot be imported.", "de": "{name} können nicht importiert werden."},
    "import-no-update": {
        "en": "{name} cannot be changed by an import. Leave upsertBy out.",
        "de": "{name} können durch einen Import nicht geändert werden. Lassen Sie upsertBy weg.",
    },
    "import-source": {
        "en": "Give the file in one way: as an upload, or as csv.",
        "de": "Geben Sie die Datei auf eine Art an: als upload oder als csv.",
    },
    "import-upload": {
        "en": "There is no such upload of yours that is still free.",
        "de": "Es gibt keinen solchen Upload von Ihnen, der noch frei ist.",
    },
    "import-no-columns": {
        "en": "No column of the file is a field of {name} that can be written.",
        "de": "Keine Spalte der Datei ist ein Feld von {name}, das man schreiben kann.",
    },
    "import-no-key": {
        "en": "{found} is no key; there are {keys}.",
        "de": "{found} ist kein Schlüssel; es gibt {keys}.",
    },
    "import-key-column": {
        "en": "No column of the file is the key {key}.",
        "de": "Keine Spalte der Datei ist der Schlüssel {key}.",
    },
    "import-key-twice": {
        "en": "Row {row} of the file has this key already.",
        "de": "Zeile {row} der Datei hat diesen Schlüssel schon.",
    },
    "import-key": {
        "en": "A new row needs a key that fits.",
        "de": "Eine neue Zeile braucht einen passenden Schlüssel.",
    },
    "import-busy": {
        "en": "There are {limit} imports already. Try again when one has ended.",
        "de": "Es laufen schon {limit} Importe. Versuchen Sie es noch einmal, wenn einer fertig ist.",
    },
    "import-stopped": {
        "en": "The server was stopped before the import was done.",
        "de": "Der Server wurde angehalten, bevor der Import fertig war.",
    },
    "import-died": {
        "en": "The server ended before the import was done.",
        "de": "Der Server endete, bevor der Import fertig war.",
    },
    "import-late": {
        "en": "The import took longer than {limit} seconds and was stopped.",
        "de": "Der Import dauerte länger als {limit} Sekunden und wurde angehalten.",
    },
    "import-away": {
        "en": "The database went away during the import.",
        "de": "Während des Imports war die Datenbank nicht zu erreichen.",
    },
    "import-rows": {
        "en": "Rows of the file are wrong, so none was written.",
        "de": "Zeilen der Datei sind falsch, darum wurde keine geschrieben.",
    },
    "import-broken": {
        "en": "The import failed by an internal error. The operator finds it under the job's number.",
        "de": "Der Import ist an einem internen Fehler gescheitert. Der Betreiber findet ihn unter der Nummer des Auftrags.",
    },
    "file-too-large": {
        "en": "The source has {size} bytes; a module file may have {limit}.",
        "de": "Der Quelltext hat {size} Bytes; eine Moduldatei darf {limit} haben.",
    },
    "module-file": {
        "en": "{file} is no place for a module file: name one in a module folder, such as {example}.",
        "de": "{file} ist kein Ort für eine Moduldatei: Nennen Sie eine in einem Modulordner, etwa {example}.",
    },
    "module-problems": {
        "en": "The file has errors and was not published.",
        "de": "Die Datei hat Fehler und wurde nicht veröffentlicht.",
    },
    "module-breaking": {
        "en": "The new version would break clients and was not published. Say allowBreaking if that is meant.",
        "de": "Die neue Version würde Clients stören und wurde nicht veröffentlicht. Mit allowBreaking geschieht es trotzdem.",
    },
    "module-breaking-refused": {
        "en": "The new version would break clients, and this server refuses that.",
        "de": "Die neue Version würde Clients stören, und dieser Server lehnt das ab.",
    },
    "module-changed": {
        "en": "The module file was changed since it was read.",
        "de": "Die Moduldatei wurde seit dem Lesen geändert.",
    },
    "module-draft-too-many": {
        "en": "You have {limit} drafts of module files; publish or forget one of them first.",
        "de": "Sie haben {limit} Entwürfe von Moduldateien; veröffentlichen oder vergessen Sie erst einen davon.",
    },
    "module-busy": {
        "en": "Somebody else is publishing at this moment. Try again.",
        "de": "Gerade veröffentlicht jemand anders. Versuchen Sie es noch einmal.",
    },
    "module-read-only": {
        "en": "The folder of module files cannot be written ({reason}), so nothing was changed.",
        "de": "In den Ordner der Moduldateien kann nicht geschrieben werden ({reason}); nichts wurde geändert.",
    },
    "module-not-live": {
        "en": "The file is in place, but it does not serve: see its problems.",
        "de": "Die Datei liegt an ihrem Platz, ist aber nicht in Betrieb: siehe ihre Probleme.",
    },
    "module-version": {
        "en": "Module {name} has no such version to go back to.",
        "de": "Modul {name} hat keine solche Version, zu der man zurückkehren könnte.",
    },
    "view-name": {
        "en": "A view needs a name of at most {limit} characters.",
        "de": "Eine Ansicht braucht einen Namen mit höchstens {limit} Zeichen.",
    },
    "view-taken": {
        "en": "You have another view of this name here.",
        "de": "Sie haben hier schon eine andere Ansicht mit diesem Namen.",
    },
    "view-too-large": {
        "en": "A view may have {limit} characters in all; this one has {size}.",
        "de": "Eine Ansicht darf insgesamt {limit} Zeichen haben; diese hat {size}.",
    },
    "view-too-many": {
        "en": "You may keep {limit} views of a module.",
        "de": "Sie dürfen {limit} Ansichten eines Moduls behalten.",
    },
    "draft-place": {
        "en": "A draft belongs to a form: a name of letters, digits and - : _ . with {limit} characters at most.",
        "de": "Ein Entwurf gehört zu einem Formular: ein Name aus Buchstaben, Ziffern und - : _ . mit höchstens {limit} Zeichen.",
    },
    "draft-content": {
        "en": "A draft is an object of texts, with {limit} of them at most.",
        "de": "Ein Entwurf ist ein Objekt aus Texten, höchstens {limit}.",
    },
    "draft-too-large": {
        "en": "A draft may have {limit} characters in all; this one has {size}.",
        "de": "Ein Entwurf darf insgesamt {limit} Zeichen haben; dieser hat {size}.",
    },
    "draft-too-many": {
        "en": "You may keep {limit} drafts; send or discard one first.",
        "de": "Sie dürfen {limit} Entwürfe behalten; bitte erst einen absenden oder verwerfen.",
    },
    "view-invalid": {"en": "{field} does not fit the list: {text}", "de": "{field} passt nicht zur Liste: {text}"},
    "view-share": {"en": "Only agents may share views.", "de": "Nur Agenten dürfen Ansichten teilen."},
    "view-foreign": {
        "en": "This view belongs to somebody else.",
        "de": "Diese Ansicht gehört jemand anderem.",
    },
    "token-name": {
        "en": "A token has a name of 1 to {most} letters.",
        "de": "Ein Token hat einen Namen von 1 bis {most} Zeichen.",
    },
    "token-expires": {
        "en": "A token ends within {days} days from now.",
        "de": "Ein Token endet innerhalb von {days} Tagen ab jetzt.",
    },
    "token-scope": {
        "en": "A token is for one module and one operation at least.",
        "de": "Ein Token ist für mindestens ein Modul und eine Operation.",
    },
    "password-short": {
        "en": "A password has {least} letters at least.",
        "de": "Ein Passwort hat mindestens {least} Zeichen.",
    },
    "password-long": {
        "en": "A password has {most} bytes at most.",
        "de": "Ein Passwort hat höchstens {most} Bytes.",
    },
    "password-letters": {
        "en": "The password holds characters that cannot be typed.",
        "de": "Das Passwort enthält Zeichen, die man nicht eingeben kann.",
    },
    "password-same": {
        "en": "The new password is the old one, or the login.",
        "de": "Das neue Passwort ist das alte oder der Anmeldename.",
    },
    "password-wrong": {"en": "The old password is wrong.", "de": "Das alte Passwort ist falsch."},
    "password-by-post": {
        "en": "Over a WebSocket a page cannot get its new session; send this with POST.",
        "de": "Über einen WebSocket kann eine Seite ihre neue Sitzung nicht bekommen; senden Sie dies mit POST.",
    },
    "throttled": {
        "en": "Too many attempts; try again in {seconds} seconds.",
        "de": "Zu viele Versuche; versuchen Sie es in {seconds} Sekunden noch einmal.",
    },
    "delivery-not-failed": {
        "en": "Only what has failed or was given up can be tried again.",
        "de": "Nur was fehlgeschlagen ist oder aufgegeben wurde, kann noch einmal versucht werden.",
    },
    "schedule-running": {
        "en": "A run of this schedule is not over yet.",
        "de": "Ein Lauf dieses Zeitplans ist noch nicht zu Ende.",
    },
    "secret-name": {
        "en": "A secret has a name of up to 63 small letters, digits and underscores, a letter first.",
        "de": "Ein Geheimnis hat einen Namen aus bis zu 63 Kleinbuchstaben, Ziffern und Unterstrichen, zuerst ein Buchstabe.",
    },
    "secret-size": {
        "en": "A secret is a text of {shortest} letters or more, up to {limit} bytes.",
        "de": "Ein Geheimnis ist ein Text aus mindestens {shortest} Zeichen, bis zu {limit} Bytes.",
    },
    "module-not-found": {"en": "There is no module {name}.", "de": "Ein Modul {name} gibt es nicht."},
}


def text_of(key: str, params: Mapping[str, Any], languages: Sequence[str] = ()) -> str:
    """Write a message in the first of these languages that it has, else in English."""
    texts = MESSAGES[key]
    language = next((language for language in languages if language in texts), "en")
    return texts[language].format_map(plain_params(params, language))


def plain_params(params: Mapping[str, Any], language: str = "en") -> dict[str, Any]:
    """Return the parameters as JSON has them: captions as texts of a language."""
    return {
        name: value.in_language(language) if isinstance(value, Caption) else value for name, value in params.items()
    }
