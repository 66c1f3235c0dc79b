"""Lambdas that mean harm, and what has to come of each: a code, or several where V8 may notice one thing before another."""

from lambdas.errors import FailureCode

Codes = set[FailureCode | None]
STOPPED: Codes = {FailureCode.TIMEOUT, FailureCode.MEMORY}
TIME: Codes = {FailureCode.TIMEOUT}
THREW: Codes = {FailureCode.FAILED}
GROWS: Codes = {
    FailureCode.TIMEOUT,
    FailureCode.MEMORY,
    FailureCode.FAILED,
}  # of the texts, V8 itself says when they are too long

HOSTILE: dict[str, tuple[str, Codes]] = {
    "endless loop": ("for (;;);", TIME),
    "endless loop that catches": ("for (;;) { try { for (;;); } catch {} }", TIME),
    "endless microtasks": ("const again = () => Promise.resolve().then(again); again(); return 1;", STOPPED),
    "endless await": ("(async () => { for (;;) await 0; })(); return 1;", STOPPED),
    "endless generator": ("function* all() { for (let i = 0; ; i++) yield i; } return [...all()];", STOPPED),
    "includes": ("return Array.prototype.includes.call({length: 2 ** 53 - 1}, 1);", TIME),
    "indexOf": ("return Array.prototype.indexOf.call({length: 2 ** 53 - 1}, 1);", TIME),
    "reverse": ("return Array.prototype.reverse.call({length: 2 ** 53 - 1});", TIME),
    "fill": ("return Array.prototype.fill.call({length: 2 ** 53 - 1}, 1);", STOPPED),
    "sort": ("return [].concat(Array.from({length: 3e6}, Math.random)).sort((a, b) => a - b).length;", STOPPED),
    "join": ("return Array(2 ** 27).join('xxxxxxxxxxxxxxxx').length;", GROWS | {FailureCode.OUTPUT}),
    "regex": ("return /^(a+)+$/.test('a'.repeat(40) + 'b') || /(x+x+)+y(?=z)/.test('x'.repeat(60));", TIME | {None}),
    "heap by objects": ("const all = []; for (;;) all.push({a: 1});", STOPPED),
    "heap by texts": ("let text = 'x'; const all = []; for (;;) { text += text; all.push(text); }", GROWS),
    "heap by map": ("const all = new Map(); for (let i = 0; ; i++) all.set(i, {i});", STOPPED),
    "heap by closures": ("let f = () => 0; for (;;) { const g = f; f = () => g; }", STOPPED),
    "heap by symbols": ("for (let i = 0; ; i++) Symbol.for('s' + i);", STOPPED),
    "typed arrays": ("const all = []; for (;;) all.push(new Uint8Array(1e7).fill(1));", GROWS),
    "one large buffer": ("return new ArrayBuffer(2 ** 32).byteLength;", THREW),
    "stack": ("const deeper = () => deeper() + 1; return deeper();", THREW),
    "large value": ("return 'x'.repeat(3e7);", {FailureCode.OUTPUT, *GROWS}),
    "deep value": ("let value = []; for (let i = 0; i < 1e5; i++) value = [value]; return value;", THREW | STOPPED),
    "endless getter": ("return {get value() { for (;;); }};", TIME),
    "endless proxy": ("return new Proxy({}, {ownKeys() { for (;;); }});", TIME),
    "endless toJSON": ("return {toJSON() { for (;;); }};", THREW),
    "thenable": ("return {then() { for (;;); }};", THREW | TIME),
    "throws what throws": ("throw {toString() { for (;;); }, get message() { for (;;); }};", TIME | THREW),
    "endless finally": ("try { return 1; } finally { for (;;); }", TIME),
    "log without end": ("for (;;) log('x'.repeat(1000));", STOPPED),
    "big integers": ("let n = 3n; for (;;) n = n * n;", GROWS),
    "dates": ("for (;;) new Intl.DateTimeFormat('de');", STOPPED | THREW),
    "json": ("let s = '['.repeat(1e6) + ']'.repeat(1e6); return JSON.parse(s);", STOPPED | THREW),
}
