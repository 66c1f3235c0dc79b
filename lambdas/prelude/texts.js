// Helpers that make texts: badges, links, HTML, digests.

const TONES = ["gray", "red", "orange", "amber", "yellow", "green", "teal", "blue", "indigo", "purple", "pink"];

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

const escapeHtml = (text) => text.replace(/[&<>"']/g, (letter) => ENTITIES[letter]);

// Finished HTML. What `html` inserts is escaped unless it is such a piece.
class Piece {
  #text;

  constructor(text) {
    this.#text = String(text);
    Object.freeze(this);
  }

  static text(piece) {
    return piece.#text;
  }

  static of(value) {
    if (typeof value === "object" && value !== null && #text in value) return value.#text;
    if (Array.isArray(value)) return value.map(Piece.of).join("");
    return value === null || value === undefined ? "" : escapeHtml(String(value));
  }

  toString() {
    return this.#text;
  }

  toJSON() {
    return this.#text;
  }
}

const ADDRESS = /^(https?:\/\/|mailto:|\/(?![/\\])|[#?])/i;

const utf8 = (text) => unescape(encodeURIComponent(String(text).toWellFormed()));

const bytesOf = (text) => Uint8Array.from(utf8(text), (letter) => letter.charCodeAt(0));

const hexOf = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

// The first 32 bits of the fractions of the roots of the first primes, as FIPS 180-4 has it.
const [SQUARES, CUBES] = (() => {
  const primes = [];
  for (let number = 2; primes.length < 64; number++) {
    if (primes.every((prime) => number % prime !== 0)) primes.push(number);
  }
  const fraction = (root) => Math.floor((root - Math.floor(root)) * 4294967296) | 0;
  return [
    primes.slice(0, 8).map((prime) => fraction(Math.sqrt(prime))),
    primes.map((prime) => fraction(Math.cbrt(prime))),
  ];
})();

const turn = (word, by) => (word >>> by) | (word << (32 - by));

function padded(bytes) {
  const length = Math.ceil((bytes.length + 9) / 64) * 64;
  const message = new Uint8Array(length);
  message.set(bytes);
  message[bytes.length] = 0x80;
  const view = new DataView(message.buffer);
  view.setUint32(length - 8, Math.floor(bytes.length / 0x20000000));
  view.setUint32(length - 4, bytes.length * 8);
  return view;
}

function schedule(view, offset) {
  const words = new Int32Array(64);
  for (let at = 0; at < 16; at++) words[at] = view.getInt32(offset + at * 4);
  for (let at = 16; at < 64; at++) {
    const early = words[at - 15];
    const late = words[at - 2];
    const low = turn(early, 7) ^ turn(early, 18) ^ (early >>> 3);
    const high = turn(late, 17) ^ turn(late, 19) ^ (late >>> 10);
    words[at] = words[at - 16] + low + words[at - 7] + high;
  }
  return words;
}

function compress(state, words) {
  let [a, b, c, d, e, f, g, h] = state;
  for (let at = 0; at < 64; at++) {
    const choice = (e & f) ^ (~e & g);
    const first = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + choice + CUBES[at] + words[at]) | 0;
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const second = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + majority) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((word, at) => {
    state[at] += word;
  });
}

function digest(bytes) {
  const view = padded(bytes);
  const state = Int32Array.from(SQUARES);
  for (let offset = 0; offset < view.byteLength; offset += 64) compress(state, schedule(view, offset));
  return state;
}

function digestBytes(bytes) {
  const view = new DataView(new ArrayBuffer(32));
  digest(bytes).forEach((word, at) => view.setInt32(at * 4, word));
  return new Uint8Array(view.buffer);
}

function joined(first, second) {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}

function hmacBytes(key, message) {
  const block = new Uint8Array(64);
  block.set(key.length > 64 ? digestBytes(key) : key);
  const inner = digestBytes(
    joined(
      block.map((byte) => byte ^ 0x36),
      message,
    ),
  );
  return digestBytes(
    joined(
      block.map((byte) => byte ^ 0x5c),
      inner,
    ),
  );
}

const textHelpers = {
  badge(text, tone = "gray") {
    if (!TONES.includes(tone))
      throw new TypeError(`badge: ${cut(String(tone), 40)} is no tone; tones are ${TONES.join(", ")}.`);
    return { text: text === null || text === undefined ? "" : String(text), tone };
  },

  link(text, path) {
    const address = String(path);
    if (!ADDRESS.test(address)) throw new TypeError("link: the path must begin with /, http://, https:// or mailto:.");
    return new Piece(`<a href="${escapeHtml(address)}">${Piece.of(text)}</a>`);
  },

  html(strings, ...values) {
    if (!Array.isArray(strings) || !Array.isArray(strings.raw))
      throw new TypeError("html is written before a template: html`…`.");
    return new Piece(strings.map((text, at) => text + (at < values.length ? Piece.of(values[at]) : "")).join(""));
  },

  sha256: (text) => hexOf(digestBytes(bytesOf(text))),

  hmac: (key, text) => hexOf(hmacBytes(bytesOf(key), bytesOf(text))),

  base64: (text) => bytesOf(text).toBase64(),
};
