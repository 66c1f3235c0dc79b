"""The words of the home page and of the dashboard."""

from __future__ import annotations

from collections.abc import Mapping

# key → language → text with {params}
HOME: Mapping[str, Mapping[str, str]] = {
    # --- the dashboard ---
    "dashboard": {"en": "Dashboard", "de": "Dashboard"},
    "dash-at": {"en": "As of", "de": "Stand"},
    "dash-open": {"en": "{count} open tickets", "de": "{count} offene Tickets"},
    "dash-open-one": {"en": "{count} open ticket", "de": "{count} offenes Ticket"},
    "dash-tickets": {"en": "Tickets", "de": "Tickets"},
    "dash-nothing": {"en": "Nothing is open.", "de": "Nichts ist offen."},
    "dash-queues": {"en": "Open tickets by queue", "de": "Offene Tickets nach Queue"},
    "dash-queue": {"en": "Queue", "de": "Queue"},
    "dash-rest": {"en": "In other queues: {count}", "de": "In anderen Queues: {count}"},
    "dash-ages": {"en": "Open tickets by age", "de": "Offene Tickets nach Alter"},
    "dash-age": {"en": "Age", "de": "Alter"},
    "dash-age-1": {"en": "less than a day", "de": "weniger als ein Tag"},
    "dash-age-3": {"en": "1 to 3 days", "de": "1 bis 3 Tage"},
    "dash-age-7": {"en": "3 to 7 days", "de": "3 bis 7 Tage"},
    "dash-age-30": {"en": "7 to 30 days", "de": "7 bis 30 Tage"},
    "dash-age-90": {"en": "30 to 90 days", "de": "30 bis 90 Tage"},
    "dash-age-more": {"en": "more than 90 days", "de": "mehr als 90 Tage"},
    "dash-link": {"en": "{what}: {count}", "de": "{what}: {count}"},
    "dash-days": {"en": "The last 30 days", "de": "Die letzten 30 Tage"},
    "dash-chart": {
        "en": "Tickets created and closed a day over the last 30 days; the table below has the numbers",
        "de": "Erstellte und geschlossene Tickets je Tag der letzten 30 Tage; die Zahlen stehen in der Tabelle darunter",
    },
    "dash-table": {"en": "The numbers as a table", "de": "Die Zahlen als Tabelle"},
    "dash-day": {"en": "Day", "de": "Tag"},
    "dash-created": {"en": "Created", "de": "Erstellt"},
    "dash-closed": {"en": "Closed", "de": "Geschlossen"},
    "dash-days-note": {
        "en": "Days begin at midnight in the time zone of the database ({zone}).",
        "de": "Tage beginnen um Mitternacht in der Zeitzone der Datenbank ({zone}).",
    },
    "dash-closed-note": {
        "en": "“Closed” counts changes to a closed state in the history of tickets: a ticket that was opened and closed again counts twice, one that was created closed does not count.",
        "de": "„Geschlossen“ zählt Wechsel in einen geschlossenen Status in der Historie: Ein Ticket, das wieder geöffnet und geschlossen wurde, zählt zweimal, ein geschlossen angelegtes nicht.",
    },
    "dash-server": {"en": "Server", "de": "Server"},
    "dash-lambdas": {"en": "Lambdas", "de": "Lambdas"},
    "dash-sandbox-off": {"en": "Lambdas do not run.", "de": "Lambdas laufen nicht."},
    "dash-failing": {"en": "Resting after failures:", "de": "Ruhen nach Fehlern:"},
    # --- home ---
    "home-next": {"en": "Next", "de": "Als Nächstes"},
    "home-mine": {"en": "Your open tickets", "de": "Ihre offenen Tickets"},
    "home-due": {"en": "Reminders that are due", "de": "Fällige Erinnerungen"},
    "home-newest": {"en": "Newest in your queues", "de": "Neueste in Ihren Queues"},
    "home-drafts": {"en": "Your drafts", "de": "Ihre Entwürfe"},
    "home-all": {"en": "All ({count})", "de": "Alle ({count})"},
    "home-nothing": {"en": "Nothing.", "de": "Nichts."},
    "home-modules": {"en": "Modules", "de": "Module"},
    "home-broken": {"en": "{count} modules are broken.", "de": "{count} Module sind kaputt."},
    "home-broken-one": {"en": "{count} module is broken.", "de": "{count} Modul ist kaputt."},
    "home-look": {"en": "Look at it", "de": "Ansehen"},
    "home-off": {"en": "Lambdas do not run.", "de": "Lambdas laufen nicht."},
}
