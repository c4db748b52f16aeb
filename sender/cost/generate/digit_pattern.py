"""Patterns over digits, as numbering plans are written, made into positions of one automaton.

Understood: digits, \\d, [..] with ranges, (?:..), |, ?, {n}, {n,m}. Anything else is an error, so
that a plan which begins to use more is never half understood.

A `Positions` holds the places of all patterns together (Glushkov's construction). A set of places is
an int, bit p for place p; bit 0 is the beginning. So one walk follows all patterns at once.
"""

ANY = 0x3FF  # every digit


class PatternError(Exception):
    pass


class Parser:
    """text -> tree: ("set", digits) | ("all", parts) | ("one", alternatives) | ("times", part, n, m)"""

    def __init__(self, text):
        self.text = text
        self.at = 0

    def fail(self, what):
        raise PatternError(f"{what} at byte {self.at} of pattern {self.text!r}")

    def peek(self):
        return self.text[self.at : self.at + 1]

    def take(self, expected):
        if not self.text.startswith(expected, self.at):
            self.fail(f"no {expected!r}")
        self.at += len(expected)

    def parse(self):
        tree = self.alternatives()
        if self.at != len(self.text):
            self.fail("something not understood")
        return tree

    def alternatives(self):
        parts = [self.sequence()]
        while self.peek() == "|":
            self.at += 1
            parts.append(self.sequence())
        return parts[0] if len(parts) == 1 else ("one", parts)

    def sequence(self):
        parts = []
        while self.peek() not in ("", "|", ")"):
            parts.append(self.repeated(self.single()))
        if not parts:
            self.fail("an empty alternative")
        return ("all", parts)

    def repeated(self, part):
        if self.peek() == "?":
            self.at += 1
            return ("times", part, 0, 1)
        if self.peek() != "{":
            return part
        self.at += 1
        least = self.number()
        most = least
        if self.peek() == ",":
            self.at += 1
            most = self.number()
        self.take("}")
        if not least <= most <= 20:
            self.fail("a repetition out of range")
        return ("times", part, least, most)

    def number(self):
        start = self.at
        while self.peek().isdigit():
            self.at += 1
        if start == self.at:
            self.fail("no number")
        return int(self.text[start : self.at])

    def digit(self):
        c = self.peek()
        if c not in tuple("0123456789"):
            self.fail("no digit")
        self.at += 1
        return int(c)

    def single(self):
        c = self.peek()
        if c == "(":
            self.take("(?:")
            tree = self.alternatives()
            self.take(")")
            return tree
        if c == "[":
            return ("set", self.digits())
        if c == "\\":
            self.take("\\d")
            return ("set", ANY)
        return ("set", 1 << self.digit())

    def digits(self):
        self.take("[")
        mask = 0
        while self.peek() != "]":
            if self.peek() == "\\":
                self.take("\\d")
                mask |= ANY
                continue
            first = last = self.digit()
            if self.peek() == "-":
                self.at += 1
                last = self.digit()
            if last < first:
                self.fail("a range backwards")
            for digit in range(first, last + 1):
                mask |= 1 << digit
        self.take("]")
        if mask == 0:
            self.fail("an empty class")
        return mask


class Positions:
    def __init__(self):
        self.follow = [0]  # of each place: the places that may come next
        self.by_digit = [0] * 10  # places that take this digit

    def add_place(self, digits):
        place = len(self.follow)
        self.follow.append(0)
        for digit in range(10):
            if digits >> digit & 1:
                self.by_digit[digit] |= 1 << place
        return 1 << place

    def join(self, lasts, firsts):
        for place in places_of(lasts):
            self.follow[place] |= firsts

    def place_tree(self, tree):
        """-> (may be empty, first places, last places)"""
        if tree[0] == "set":
            place = self.add_place(tree[1])
            return False, place, place
        if tree[0] == "one":
            empty, firsts, lasts = False, 0, 0
            for part in tree[1]:
                e, f, l = self.place_tree(part)
                empty, firsts, lasts = empty or e, firsts | f, lasts | l
            return empty, firsts, lasts
        if tree[0] == "times":
            _, part, least, most = tree
            parts = [part] * least + [("maybe", part)] * (most - least)
            return self.place_parts(parts)
        if tree[0] == "maybe":
            _, firsts, lasts = self.place_tree(tree[1])
            return True, firsts, lasts
        return self.place_parts(tree[1])

    def place_parts(self, parts):
        empty, firsts, lasts = True, 0, 0
        for part in parts:
            e, f, l = self.place_tree(part)
            self.join(lasts, f)
            firsts |= f if empty else 0
            lasts = l | (lasts if e else 0)
            empty = empty and e
        return empty, firsts, lasts

    def add(self, pattern, and_more=False):
        """-> the places in which `pattern` is complete; `and_more`: whatever digits come after."""
        empty, firsts, lasts = self.place_tree(Parser(pattern).parse())
        if empty:
            raise PatternError(f"pattern {pattern!r} fits no digits at all")
        self.follow[0] |= firsts
        if and_more:
            more = self.add_place(ANY)
            self.join(lasts | more, more)
            lasts |= more
        return lasts

    def after(self, places):
        """The places one digit on, of all digits together: mask with by_digit."""
        result = 0
        for place in places_of(places):
            result |= self.follow[place]
        return result


def places_of(places):
    while places:
        low = places & -places
        yield low.bit_length() - 1
        places ^= low
