"""The words of the desk's own pages: the overview of queues, new tickets, templates and drafts, and what customers see."""

from __future__ import annotations

from collections.abc import Mapping

# key → language → text with {params}
WORK: Mapping[str, Mapping[str, str]] = {
    # --- the menu ---
    "my-tickets": {"en": "Your tickets", "de": "Ihre Tickets"},
    "my-new": {"en": "New request", "de": "Neue Anfrage"},
    # --- the overview ---
    "work": {"en": "Work", "de": "Arbeit"},
    "work-overview": {"en": "Queue overview", "de": "Queue-Übersicht"},
    "work-new-ticket": {"en": "New ticket", "de": "Neues Ticket"},
    "work-own": {"en": "For you", "de": "Für Sie"},
    "work-mine": {"en": "You own", "de": "Sie besitzen"},
    "work-locked": {"en": "Of these you have locked", "de": "Davon haben Sie gesperrt"},
    "work-responsible": {"en": "You are responsible for", "de": "Sie sind verantwortlich für"},
    "work-queue": {"en": "Queue", "de": "Queue"},
    "work-new": {"en": "New", "de": "Neu"},
    "work-open": {"en": "Open", "de": "Offen"},
    "work-pending": {"en": "Waiting", "de": "Wartend"},
    "work-late": {"en": "Escalated", "de": "Eskaliert"},
    "work-free": {"en": "Unlocked", "de": "Frei"},
    "work-all-queues": {"en": "All queues", "de": "Alle Queues"},
    "work-every": {"en": "Show empty queues too", "de": "Auch leere Queues zeigen"},
    "work-filled": {"en": "Show only queues with tickets", "de": "Nur Queues mit Tickets zeigen"},
    "work-most": {
        "en": "Only the first {count} queues are shown.",
        "de": "Nur die ersten {count} Queues werden gezeigt.",
    },
    "work-nothing": {"en": "Nothing is waiting in your queues.", "de": "In Ihren Queues wartet nichts."},
    "work-count": {"en": "{name}, {column}: {count}", "de": "{name}, {column}: {count}"},
    # --- a new ticket ---
    "work-customer": {"en": "Customer", "de": "Kunde"},
    "work-customer-help": {
        "en": "Type a part of the name, of the address or of the login, and choose.",
        "de": "Einen Teil des Namens, der Adresse oder des Anmeldenamens tippen und auswählen.",
    },
    "work-message": {"en": "Message", "de": "Nachricht"},
    "work-handling": {"en": "Handling", "de": "Bearbeitung"},
    "work-more": {"en": "More fields", "de": "Weitere Felder"},
    "work-contact": {"en": "Type of contact", "de": "Art des Kontakts"},
    "contact-phone-in": {"en": "The customer called", "de": "Der Kunde hat angerufen"},
    "contact-phone-out": {"en": "You called the customer", "de": "Sie haben den Kunden angerufen"},
    "contact-note-seen": {"en": "Note that the customer sees", "de": "Notiz, die der Kunde sieht"},
    "contact-note": {"en": "Internal note", "de": "Interne Notiz"},
    "work-body": {"en": "Text", "de": "Text"},
    "work-files": {"en": "Files", "de": "Dateien"},
    "work-files-help": {
        "en": "Up to 5 at once. A draft does not keep them.",
        "de": "Bis zu 5 auf einmal. Ein Entwurf behält sie nicht.",
    },
    "work-kept-files": {"en": "Files that are attached", "de": "Angehängte Dateien"},
    "work-refresh": {"en": "Update the choices", "de": "Auswahl aktualisieren"},
    "work-create": {"en": "Create the ticket", "de": "Ticket anlegen"},
    # --- templates and drafts ---
    "text-template": {"en": "Template", "de": "Vorlage"},
    "text-none": {"en": "No templates for this queue", "de": "Keine Vorlagen für diese Queue"},
    "text-choose": {"en": "Choose a template …", "de": "Vorlage wählen …"},
    "text-insert": {"en": "Insert", "de": "Einfügen"},
    "text-inserted": {"en": "The template is inserted.", "de": "Die Vorlage ist eingefügt."},
    "draft-keep": {"en": "Keep as a draft", "de": "Als Entwurf behalten"},
    "draft-discard": {"en": "Discard the draft", "de": "Entwurf verwerfen"},
    "draft-restored": {
        "en": "This is your draft of {moment}. It is kept until you send or discard it.",
        "de": "Dies ist Ihr Entwurf von {moment}. Er bleibt, bis Sie ihn absenden oder verwerfen.",
    },
    "draft-kept-at": {"en": "Draft kept at {moment}", "de": "Entwurf behalten um {moment}"},
    "draft-not-kept": {"en": "The draft could not be kept.", "de": "Der Entwurf konnte nicht behalten werden."},
    "draft-discarded": {"en": "The draft is discarded.", "de": "Der Entwurf ist verworfen."},
    "said-draft-kept": {"en": "The draft is kept.", "de": "Der Entwurf ist behalten."},
    "said-draft-discarded": {"en": "The draft is discarded.", "de": "Der Entwurf ist verworfen."},
    "said-answered": {"en": "Your answer is sent.", "de": "Ihre Antwort ist gesendet."},
    "said-sent": {"en": "Your request is sent.", "de": "Ihre Anfrage ist gesendet."},
}
