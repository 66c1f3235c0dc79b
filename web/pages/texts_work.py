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
}
