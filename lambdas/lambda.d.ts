/**
 * What a lambda of Lambdesk sees, for editors: it is the body of a function of `item`, `args`, `me`, `now`, `before`.
 *
 * Nothing a lambda leaves behind is there for the next row: globals and everything built in are frozen. Clock, chance,
 * time zone (UTC) and language (en-US, where a helper does not take that of `me`) are the same each time a row is run.
 *
 * Not there: timers, `fetch`, `require`, `import()`, `eval`, `Function`, `WebAssembly`, `SharedArrayBuffer`, `Atomics`,
 * `WeakRef`, `FinalizationRegistry`, `Temporal`, `RegExp.$1` and its like. A lambda that returns a promise fails.
 */

/** What JSON can say. Whole numbers beyond 2^53 - 1 are texts. */
type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** A date: a Date, milliseconds since 1970, or a text such as `2026-01-31T12:00:00Z`. */
type DateLike = Date | number | string;

/** The colours of badges. */
type Tone = "gray" | "red" | "orange" | "amber" | "yellow" | "green" | "teal" | "blue" | "indigo" | "purple" | "pink";

interface Badge {
  text: string;
  tone: Tone;
}

/** Finished HTML, which `html` inserts without escaping it. It is a text wherever a text is wanted. */
interface HtmlPiece {
  toString(): string;
}

/** Who is calling. Of a token: the person that it stands for. */
interface Caller {
  kind: "agent" | "customer" | "system";
  /** The number of the agent or of the customer user. */
  id: number;
  login: string;
  email: string;
  /** Names of the groups that the caller may read. */
  groups: string[];
  /** Names of groups by OTRS's other keys: `me.keys.rw`. */
  keys: { [key in "move_into" | "create" | "note" | "owner" | "priority" | "rw"]: string[] };
  roles: string[];
  /** Customer numbers of the companies that a customer stands for. */
  companies: string[];
  /** A customer's own company. */
  company?: string;
  /** The name of the token, where the caller has come with one. */
  token?: string;
  /** The language of the request, such as `de`. */
  locale: string;
  /** In hooks after a write and schedules: a text that is the same for every attempt of this run, and like no other. */
  delivery?: string;
}

/** Opening hours. Without it: Monday to Friday, 8 to 18 o'clock, UTC. */
interface BusinessCalendar {
  /** A time zone such as `Europe/Berlin`; default UTC. */
  zone?: string;
  /** For each day hours as `[8, 17]`, or several such spans; days that are left out are closed. */
  days?: { [day in "Mon" | "Tue" | "Wed" | "Thu" | "Fri" | "Sat" | "Sun"]?: [number, number] | [number, number][] };
  /** Closed days: `2026-12-24`, or `12-25` for every year. */
  holidays?: string[];
}

/** The row: needed columns and fields under each of their names, and what is behind references through dotted `needs`. */
declare const item: { [name: string]: any };

/** The arguments of the field or action. */
declare const args: { [name: string]: any };

/** Who is calling. */
declare const me: Caller;

/** The time of the job; `new Date()` and `Date.now()` are the same moment. */
declare const now: Date;

/** In hooks around changes the row as it was, else null. */
declare const before: { [name: string]: any } | null;

// --- texts ---

/** A short text with a colour (default gray). */
declare function badge(text: unknown, tone?: Tone): Badge;

/** A link for fields of type `html`. The path begins with `/`, `#`, `?`, `https://`, `http://` or `mailto:`. */
declare function link(text: unknown, path: string): HtmlPiece;

/** HTML from a template; what is inserted is escaped, but for pieces made by `html` and `link`. Lists are joined. */
declare function html(strings: TemplateStringsArray, ...values: unknown[]): HtmlPiece;

/** The text that `translations` of the module file has for a key, in the caller's language; else the key. */
declare function t(key: string): string;

/** SHA-256 of a text (as UTF-8), in hexadecimal digits. */
declare function sha256(text: string): string;

/** HMAC with SHA-256, in hexadecimal digits. */
declare function hmac(key: string, text: string): string;

/** A text (as UTF-8) in base 64. */
declare function base64(text: string): string;

/** A random UUID, the same whenever the row is run again within the job. Not a secret. */
declare function uuid(): string;

// --- dates ---

/**
 * A date in the caller's language. Styles: `medium` (default), `short`, `long`, `date`, `time`, `iso`. Without a date
 * it is `-`, and a text that is no date stays as it is.
 */
declare function formatDate(
  value: DateLike | null | undefined,
  style?: "short" | "medium" | "long" | "date" | "time" | "iso",
  zone?: string,
): string;

/** How long ago or ahead, in the caller's language: `3 hours ago`. */
declare function ago(value: DateLike): string;

/** Hours between two dates that lie in opening hours; negative where the second is earlier. */
declare function businessHours(from: DateLike, to: DateLike, calendar?: BusinessCalendar): number;

// --- data. The lambda is run again when the answer is there; 20 questions a row at most ---

/** A GraphQL query, as the caller. The value of `data`; errors are thrown. */
declare function gql(query: string, variables?: { [name: string]: Json }): any;

/** SQL for files of GOTRS, where the operator allows it: one SELECT, with `$1` or `?` for parameters. */
declare const db: {
  /** All rows that are found. */
  query(sql: string, ...params: (string | number | boolean | null)[]): { [column: string]: any }[];
  /** The first row; null without one. A row with a single column can be used as its value, too. */
  queryRow(sql: string, ...params: (string | number | boolean | null)[]): any;
};

/** Requests to hosts that the operator allows; in actions, schedules and hooks after a write. */
declare const http: {
  get(url: string, options?: { headers?: { [name: string]: string } }): any;
  post(url: string, body?: Json, options?: { headers?: { [name: string]: string } }): any;
};

/** A secret that the operator has given to this module; in actions, schedules and hooks after a write. */
declare function secret(name: string): string;

// --- hooks before a write; `reject` in actions, too ---

/** Refuse the write or the action, with a message at a field or argument. The lambda goes on; several rejections are told together. */
declare function reject(field: string, message: string): void;
/** Refuse it with a message for the row as a whole. */
declare function reject(message: string): void;

/** Give a field another value than the one that was sent. */
declare function set(field: string, value: unknown): void;

// --- actions, schedules and hooks after a write: done in one transaction after the lambda returned; 100 at most ---

/** Make a row. */
declare function create(module: string, values: { [field: string]: unknown }): void;

/** Change a row. */
declare function update(module: string, key: string | number, values: { [field: string]: unknown }): void;

/** Delete a row. */
declare function remove(module: string, key: string | number): void;

/** Write a note to a ticket. */
declare function note(ticket: string | number, text: string): void;

// --- while developing ---

/** Write to the log of this row, 1 kB at most; it is shown in the lambda editor. */
declare function log(...values: unknown[]): void;

/** The same as `log`, whatever the method. */
declare const console: {
  log(...values: unknown[]): void;
  info(...values: unknown[]): void;
  warn(...values: unknown[]): void;
  error(...values: unknown[]): void;
  debug(...values: unknown[]): void;
};
