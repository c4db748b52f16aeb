"""What the verbs' --json looks like: shapes, checked key by key.

    fits(json.loads(text), TEMPLATE_LIST)

A shape is a type, a set of allowed values, a compiled pattern that a string must match whole, a
list with one shape (of every element), a tuple of a shape and None (or null), or a dict: every key
must be there, but those whose name ends in "?"; keys that are not in it are a mistake, so that a
new one is written down here.
"""
import re

HEX = re.compile(r"[0-9a-f]{16}")
HEX_OR_NOTHING = re.compile(r"([0-9a-f]{16})?")
NAME = re.compile(r"[a-z0-9_]+")
LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Z]{2,3})?")
CATEGORY = {"utility", "authentication", "marketing"}
HEADER = {"none", "text", "image", "video", "document", "location"}
FINDING = {"rule": str, "words": str}

TEMPLATE_LINT = {
    "files": [{
        "file": str, "good": bool, "name?": NAME, "lang?": LANGUAGE, "version?": HEX,
        "findings": [{"line": int, "column": int, "path": str, "rule": NAME,
                      "severity": {"error", "warning"}, "problem": str, "fix": str}]}],
    "errors": int, "warnings": int}

TEMPLATE_CHANGE = {
    "number": int, "dry_run": bool,
    "changes": [{"action": {"added", "changed", "unchanged", "removed"}, "name": NAME,
                 "lang": LANGUAGE, "before": HEX_OR_NOTHING, "after": HEX_OR_NOTHING}]}

TEMPLATE_LIST = {
    "number": int,
    "templates": [{"name": NAME, "lang": LANGUAGE, "category": CATEGORY, "header": HEADER,
                   "parameters": [NAME], "buttons": int, "version": HEX, "from": {"redis", "file"},
                   "who?": str, "at?": int, "why?": str}]}

TEMPLATE_SHOW = {
    "templates": [{"name": NAME, "lang": LANGUAGE, "version": HEX, "from": {"redis", "file"},
                   "who?": str, "at?": int, "why?": str, "template": dict}]}

TEMPLATE_PREVIEW = {
    "name": NAME, "lang": LANGUAGE, "version": HEX, "category": CATEGORY,
    "header": {"type": HEADER, "text": str}, "body": str, "footer": str,
    "buttons": [{"type": {"quick_reply", "url", "phone_number", "copy_code", "otp"}, "text": str,
                 "url": str, "phone": str, "value": str}],
    "text": str, "not_given": [str], "promotional": bool, "score": float, "findings": [FINDING]}

TEMPLATE_LOG = {
    "changes": [{"at": int, "number": int, "action": {"add", "change", "remove"}, "template": NAME,
                 "lang": LANGUAGE, "before": HEX_OR_NOTHING, "after": HEX_OR_NOTHING, "who": str,
                 "why": str}]}

DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
CURRENCY = re.compile(r"[A-Z]{3}")
RATE_CATEGORY = CATEGORY | {"authentication-international", "service"}

RATES_CHECK = {
    "errors": int, "warnings": int, "left_out": int,
    "findings": [{"level": {"error", "warning"}, "file": str, "line": int, "what": str,
                  "remedy": str}],
    "cards": [{"currency": CURRENCY, "effective_from": DAY, "rows": int}]}

RATES_LIST = {
    "cards": [{"currency": CURRENCY, "effective_from": DAY, "next_from": (DAY, None), "rows": int,
               "markets": int, "lacking": int, "categories": [RATE_CATEGORY], "in_force": [str],
               "file": str, "line": int, "source": str}]}

COST_REPORT = {
    "currency": re.compile(r"([A-Z]{3})?"),
    "rows": [{"country?": str, "market?": str, "category?": RATE_CATEGORY, "template?": str,
              "account?": str, "day?": DAY, "count": int, "millionths": int}],
    "total": {"count": int, "millionths": int}}


class Misfit(Exception):
    pass


def _keys(value, shape, place):
    known = {name.rstrip("?") for name in shape}
    for name in value:
        if name not in known:
            raise Misfit("%s: key %r is not in the schema" % (place, name))
    for name, inner in shape.items():
        if name.rstrip("?") in value:
            _check(value[name.rstrip("?")], inner, place + "." + name.rstrip("?"))
        elif not name.endswith("?"):
            raise Misfit("%s: key %r is missing" % (place, name))


def _check(value, shape, place):
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            raise Misfit("%s: %r is not an object" % (place, value))
        _keys(value, shape, place)
    elif isinstance(shape, list):
        if not isinstance(value, list):
            raise Misfit("%s: %r is not a list" % (place, value))
        for number, element in enumerate(value):
            _check(element, shape[0], "%s[%d]" % (place, number))
    elif isinstance(shape, tuple):
        if value is not None:
            _check(value, shape[0], place)
    elif isinstance(shape, (set, frozenset)):
        if value not in shape:
            raise Misfit("%s: %r is not one of %s" % (place, value, sorted(shape)))
    elif isinstance(shape, re.Pattern):
        if not isinstance(value, str) or not shape.fullmatch(value):
            raise Misfit("%s: %r is not as %s" % (place, value, shape.pattern))
    elif shape is float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise Misfit("%s: %r is not a number" % (place, value))
    elif not isinstance(value, shape) or (shape is int and isinstance(value, bool)):
        raise Misfit("%s: %r is not of type %s" % (place, value, shape.__name__))


def fits(value, shape, what="json"):
    """The value itself, or the end of the test with the place that does not fit."""
    try:
        _check(value, shape, what)
    except Misfit as misfit:
        raise SystemExit("does not fit its schema: %s" % misfit) from misfit
    return value
