"""Nothing of one row, caller or job is there for another, and every run sees the same world."""

import json
from typing import Any

import pytest

from lambdas.contract import Answer
from tests.lambdas.inside import ME, NOW_MS, Inside, job_of

# Every object that code can reach from globals, from what has no name, and from what a lambda is given.
WALK = """
    const words = new Intl.Segmenter('en', {granularity: 'word'}).segment('a b');
    const samples = [
        globalThis, arguments.callee, [][Symbol.iterator](), ''[Symbol.iterator](), new Map().entries(), new Set().values(),
        'a'.matchAll(/a/g), words, words[Symbol.iterator](), Iterator.from({next() {}}), [].values().map((x) => x),
        [].values().filter((x) => x), [].values().take(1), [].values().drop(1), [].values().flatMap((x) => x),
        function* () {}, function* () {}(), async function () {}, async () => {}, (async () => {})(), async function* () {},
        async function* () {}(), () => {}, class {}, new Error('x'), new Date(), /a/, /a/.exec('a'), new Proxy({}, {}), Symbol(), 1n,
        html`<b>`, link('a', '/'), badge('a'), now, me, arguments, (function () { 'use strict'; return arguments; })(),
        new Uint8Array(1), new ArrayBuffer(1), new DataView(new ArrayBuffer(1)), new Promise(() => {}), Promise.withResolvers(),
        new Intl.NumberFormat(), new Intl.DateTimeFormat(), new Intl.DateTimeFormat().format, new Intl.Collator().compare,
        new DisposableStack(), new AsyncDisposableStack(), new WeakMap(), new WeakSet(), Object.groupBy([1], (x) => x),
        Iterator.concat?.([1]), Iterator.zip?.([[1]]), Iterator.zipKeyed?.({a: [1]}), [].values().chunks?.(1), [].values().windows?.(1),
        new Intl.DurationFormat(), new Intl.Locale('en'), new Intl.ListFormat(), new Intl.PluralRules(), new Intl.DisplayNames('en', {type: 'region'}),
        Array.fromAsync([]), import('x').catch(() => 0), strings`a`,
    ];
    function strings(parts) { return parts; }
    const fresh = new Set(samples.slice(2));
    for (const own of samples.slice(2)) if (typeof own?.next === 'function' && own[Symbol.toStringTag].includes('Generator')) fresh.add(Object.getPrototypeOf(own));
    const seen = new Set();
    const open = [];
    const waiting = samples.map((value) => [value, 'sample']);
    while (waiting.length > 0) {
        const [value, path] = waiting.pop();
        if (Object(value) !== value || seen.has(value)) continue;
        seen.add(value);
        if (!fresh.has(value) && path !== 'sample' && !Object.isFrozen(value)) open.push(path);
        waiting.push([Object.getPrototypeOf(value), path + '.__proto__']);
        if (fresh.has(value)) continue;
        for (const key of Reflect.ownKeys(value)) {
            const found = Object.getOwnPropertyDescriptor(value, key);
            for (const part of ['value', 'get', 'set']) waiting.push([found[part], path + '.' + String(key)]);
        }
    }
    return {open, seen: seen.size};
"""


def test_f15_all_that_code_can_reach_is_frozen(inside: Inside) -> None:
    found = inside.value(WALK)

    assert found["open"] == []
    assert found["seen"] > 700


LEFT = "(() => { try { return String(%s); } catch (error) { return error.name; } })()"

# What a row tries to leave behind → how another looks for it.
CHANNELS = [
    ("globalThis.left = 'secret';", "globalThis.left"),
    ("left = 'secret';", "typeof left"),
    ("var left = 'secret';", "typeof left"),
    ("this.left = 'secret';", "this.left"),
    ("Object.prototype.left = 'secret';", "({}).left"),
    ("Object.prototype.__defineGetter__('left', () => 'secret');", "({}).left"),
    ("Array.prototype.push = () => 'secret';", "[].push(1)"),
    ("Math.left = 'secret';", "Math.left"),
    ("JSON.stringify = () => 'secret';", "JSON.stringify(1)"),
    ("formatDate.left = 'secret';", "formatDate.left"),
    ("db.query.left = db.left = 'secret';", "db.query.left + db.left"),
    ("console.left = 'secret';", "console.left"),
    ("html`<b>`.constructor.left = 'secret';", "html`<b>`.constructor.left"),
    ("Object.getPrototypeOf(html`<b>`).left = 'secret';", "html`<b>`.left"),
    ("arguments.callee.left = arguments.callee.prototype.left = 'secret';", "arguments.callee.left + arguments.callee.prototype.left"),
    ("Object.getPrototypeOf(function* () {}).prototype.left = 'secret';", "(function* () {})().left"),
    ("[][Symbol.iterator]().__proto__.left = 'secret';", "[][Symbol.iterator]().left"),
    ("Object.getOwnPropertyDescriptor(new Error('x'), 'stack').get.left = 'secret';", "Object.getOwnPropertyDescriptor(new Error('x'), 'stack').get.left"),
    ("Object.getOwnPropertyDescriptor(new Error('x'), 'stack').set.call(Math, 'secret');", "Object.getOwnPropertyDescriptor(new Error('x'), 'stack').get.call(Math)"),
    ("try { set('a', 'x'.repeat(99999)); } catch (error) { error.stack = error.left = 'secret'; }", "(() => { try { set('a', 'x'.repeat(99999)); } catch (error) { return error.left + error.stack; } })()"),
    ("/(secret)/.exec('secret');", "RegExp.$1 + RegExp.lastMatch + RegExp['$&'] + RegExp.input + RegExp.leftContext"),
    ("'secret'.replace(/s(.*)/, '');", "RegExp['$`'] + RegExp.$_ + RegExp['$+'] + RegExp.rightContext + RegExp.lastParen"),
    ("Error.prepareStackTrace = () => 'secret';", "new Error('x').stack"),
    ("Error.stackTraceLimit = 77;", "Error.stackTraceLimit === 77 ? 'secret' : 'kept'"),
    ("Date.prototype.setTime.call(now, 5);", "now.getTime() === 5 ? 'secret' : 'kept'"),
    ("item.shared = args.shared = me.shared = me.groups.shared = 'secret';", "[item.shared, args.shared, me.shared, me.groups.shared]"),
    ("me.groups.push('secret'); args.list.push('secret');", "[me.groups, args.list]"),
    ("((parts) => { try { parts.left = 'secret'; } catch {} })`a`;", "((parts) => parts.left)`a`"),
    ("Symbol.for('left').description; Symbol.prototype.left = 'secret';", "Symbol.for('left').left"),
    ("formatDate(now, 'long', {toString: () => 'UTC', left: 'secret'});", "formatDate(now, 'long', 'UTC')"),
    ("Promise.resolve().then(() => { globalThis.left = 'secret'; });", "globalThis.left"),
    ("Intl.DateTimeFormat.prototype.left = Intl.left = 'secret';", "new Intl.DateTimeFormat().left + Intl.left"),
    ("ArrayBuffer.prototype.left = Date.left = 'secret';", "new ArrayBuffer(1).left + Date.left"),
    ("Reflect.defineProperty(globalThis, 'left', {value: 'secret'});", "globalThis.left"),
    ("Reflect.setPrototypeOf(Math, {left: 'secret'});", "Math.left"),
]  # fmt: skip


@pytest.mark.parametrize(("leave", "look"), CHANNELS)
def test_f15_no_row_and_no_job_leaves_anything_for_another(inside: Inside, leave: str, look: str) -> None:
    source = f"const found = {LEFT % look}; try {{ {leave} }} catch {{}} return found;"

    found = [
        outcome.value
        for me in (ME, {**ME, "login": "bob"})
        for outcome in inside.outcomes(source, [{}, {}], args={"list": []}, me=me)
    ]

    assert "secret" not in json.dumps(found)
    assert found == found[:1] * 4


def test_f15_what_a_waiting_row_is_thrown_is_no_channel(inside: Inside) -> None:
    """A frozen error would be one: its stack can be written to nevertheless."""
    source = "try { secret('s'); } catch (error) { const found = [error.stack, error.left]; error.stack = error.left = 'left'; log(found); }"

    outcomes, _ = inside.dialogue(job_of(f"{source} {source} return 1;", [{}, {}]), lambda _: Answer(error="secret"))

    assert "left" not in json.dumps([outcome.log for outcome in outcomes.values()])
    waiting = inside.round(
        job_of(f"{source} throw 1;".replace("log(found)", "if (found[1]) create('m', {})"), [{}, {}])
    )
    assert (waiting.waiting, waiting.outcomes) == (((0, 1),), {})


def test_every_row_gets_objects_of_its_own(inside: Inside) -> None:
    source = "args.n += 1; me.groups.push('x'); now.setTime(0); item.n += 1; return [args.n, me.groups.length, item.n];"

    assert [outcome.value for outcome in inside.outcomes(source, [{"n": 1}, {"n": 1}], args={"n": 1})] == [
        [2, 2, 2]
    ] * 2


ABSENT = [
    "SharedArrayBuffer", "Atomics", "WebAssembly", "FinalizationRegistry", "WeakRef", "Temporal", "ShadowRealm", "setTimeout",
    "clearTimeout", "setInterval", "setImmediate", "queueMicrotask", "gc", "require", "process", "Deno", "Bun", "fetch", "XMLHttpRequest",
    "WebSocket", "Worker", "importScripts", "__bootstrap", "__timer_manager", "__TimerManager", "performance", "structuredClone",
    "navigator", "window", "self", "global", "module", "exports", "Buffer", "crypto", "print", "load", "read", "quit", "d8", "version",
    "RealDate", "job", "row", "entry", "functions", "PRELUDE",
]  # fmt: skip


def test_f16_what_reaches_out_is_not_there(inside: Inside) -> None:
    source = f"return {json.dumps(ABSENT)}.filter((name) => globalThis[name] !== undefined);"

    assert inside.value(source) == []
    assert inside.value(f"return [{', '.join(f'typeof {name}' for name in ABSENT)}];") == ["undefined"] * len(ABSENT)


@pytest.mark.parametrize(
    "code",
    [
        "eval('1')",
        "(0, eval)('1')",
        "Function('return 1')()",
        "new Function('return 1')",
        "(() => {}).constructor('return 1')",
        "(async () => {}).constructor('return 1')",
        "(function* () {}).constructor('return 1')",
        "(async function* () {}).constructor('return 1')",
        "Reflect.construct(Function, ['return 1'])",
    ],
)
def test_f16_no_text_becomes_code(inside: Inside, code: str) -> None:
    assert inside.said(f"return {code};") == "EvalError: Code generation from strings disallowed for this context"


def test_f16_import_finds_nothing(inside: Inside) -> None:
    source = "import('fs').then(() => log('found'), () => {}); return 1;"

    assert inside.outcome(source).log == ()
    assert inside.said("return import.meta;") == "SyntaxError: Cannot use 'import.meta' outside a module"
    assert inside.said("return require('fs');") == "ReferenceError: require is not defined"


def test_f6_buffers_neither_grow_nor_change_hands(inside: Inside) -> None:
    source = """
        const buffer = new ArrayBuffer(8, {maxByteLength: 1e9});
        const names = ['resize', 'transfer', 'transferToFixedLength', 'maxByteLength', 'resizable', 'detached'];
        return [buffer.slice(2).byteLength, names.filter((name) => name in buffer), new Uint8Array(4).buffer.constructor === ArrayBuffer,
            buffer instanceof ArrayBuffer, ArrayBuffer.isView(new DataView(buffer)), ArrayBuffer.name, ArrayBuffer.length];
    """
    assert inside.value(source) == [6, [], True, True, True, "ArrayBuffer", 1]
    assert inside.said("return ArrayBuffer(1);") == "TypeError: Constructor ArrayBuffer requires 'new'"


CLOCKS = {
    "Date.now()": NOW_MS,
    "+now": NOW_MS,
    "+new Date()": NOW_MS,
    "+new (class extends Date {})()": NOW_MS,
    "+Reflect.construct(Date, [])": NOW_MS,
    "+new now.constructor()": NOW_MS,
    "Date()": "Sun Mar 01 2026 12:00:00 GMT+0000 (Coordinated Universal Time)",
    "new Intl.DateTimeFormat().format()": "3/1/2026",
    "Intl.DateTimeFormat('de').format(undefined)": "1.3.2026",
    "new Intl.DateTimeFormat().formatToParts().map((part) => part.value).join('')": "3/1/2026",
    "new Date().toLocaleString()": "3/1/2026, 12:00:00 PM",
    "typeof Date.prototype.toTemporalInstant": "undefined",
}


@pytest.mark.parametrize("code", CLOCKS)
def test_f23_the_clock_stands_still(inside: Inside, code: str) -> None:
    assert inside.value(f"for (let i = 0; i < 1e5; i++); return {code};") == CLOCKS[code]


PLACES = {
    "new Date(2026, 6, 1).toISOString()": "2026-07-01T00:00:00.000Z",
    "new Date(0).getTimezoneOffset()": 0,
    "new Date('2026-07-01T00:00').toISOString()": "2026-07-01T00:00:00.000Z",
    "new Intl.DateTimeFormat().resolvedOptions().timeZone": "UTC",
    "new Intl.DateTimeFormat().resolvedOptions().locale": "en-US",
    "(1234.5).toLocaleString()": "1,234.5",
    "['ä', 'z', 'a'].sort((a, b) => a.localeCompare(b))": ["a", "ä", "z"],
    "'I'.toLocaleLowerCase()": "i",
}


@pytest.mark.parametrize("code", PLACES)
def test_f23_zone_and_language_are_fixed(inside: Inside, code: str) -> None:
    assert inside.value(f"return {code};", me={**ME, "locale": "tr"}) == PLACES[code]


def test_f23_chance_follows_from_the_seed_and_the_row(inside: Inside) -> None:
    source = "return [Math.random(), Math.random(), uuid()];"

    def run(seed: int, rows: int) -> list[Any]:
        return [outcome.value for outcome in inside.outcomes(source, [{}] * rows, seed=seed)]

    assert run(1, 3) == run(1, 3)
    assert run(1, 1) == run(1, 3)[:1]
    numbers = [value for seed in (1, 2, 2**64) for row in run(seed, 3) for value in row]
    assert len(set(numbers)) == len(numbers)


def test_chance_is_spread_evenly(inside: Inside) -> None:
    source = (
        "const n = Array(10).fill(0); for (let i = 0; i < 10000; i++) n[Math.floor(Math.random() * 10)]++; return n;"
    )

    assert all(850 < count < 1150 for count in inside.value(source))


OVERRIDES = [
    "const o = {}; o.toString = () => 'own'; return `${o}`;",
    "const o = {}; o.constructor = 'own'; return o.constructor;",
    "const o = {}; o.valueOf = () => 'own'; return o + '';",
    "const o = {}; o.hasOwnProperty = 'own'; return o.hasOwnProperty;",
    "'use strict'; const o = {}; o.toString = () => 'own'; return `${o}`;",
    "class E extends Error {} E.prototype.name = 'own'; return new E('').name;",
    "const e = new Error('x'); e.name = 'own'; return e.name;",
    "const e = new TypeError(); e.message = 'own'; return e.message;",
    "function F() {} F.prototype.toString = () => 'own'; return `${new F()}`;",
    "function F() {} F.toString = () => 'own'; return `${F}`;",
    "function F() { this.constructor = 'own'; } return new F().constructor;",
    "const a = []; a.toString = () => 'own'; return `${a}`;",
    "const d = new Date(0); d.toString = () => 'own'; return `${d}`;",
    "const o = Object.create({}); o.toString = () => 'own'; o.toString = () => 'own'; return `${o}`;",
]


@pytest.mark.parametrize("source", OVERRIDES)
def test_frozen_names_can_still_be_given_to_objects_of_ones_own(inside: Inside, source: str) -> None:
    assert inside.value(source) == "own"


def test_an_object_that_got_such_a_name_is_like_any_other(inside: Inside) -> None:
    source = "const o = {}; o.toString = 1; return [Object.keys(o), delete o.toString, typeof o.toString];"

    assert inside.value(source) == [["toString"], True, "function"]


def test_sloppy_and_strict_bodies_both_run(inside: Inside) -> None:
    assert inside.value("var a = 1; function f() { return a; } with ({b: 2}) { return f() + b + 010; }") == 11
    assert inside.value("'use strict'; return this === undefined;") is True
    assert inside.said("'use strict'; left = 1;") == "ReferenceError: left is not defined"


def test_a_lambda_cannot_find_the_way_into_the_prelude(inside: Inside) -> None:
    source = """
        const seen = [];
        const trace = (error, frames) => { seen.push(...frames.map((frame) => [frame.getThis(), frame.getFunction()])); };
        try { Error.prepareStackTrace = trace; } catch {}
        const text = [String(new Error('x').stack), String(arguments.callee.caller), Object.getOwnPropertyNames(globalThis)].join();
        return {seen, text};
    """
    found = inside.value(source)

    assert found["seen"] == []
    assert inside.isolate._name not in found["text"]
