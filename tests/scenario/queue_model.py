"""What must be true of a queue while workers come and go: each member's place, each attempt, the
money, and what has to be told. For queue_property_test.py."""

PRICES = [12345678901231, 75000, 1, 1234567]  # sums of the first are soon beyond what a double holds
CATEGORIES = ["utility", "utility", "utility", "authentication"]
CELLS = [("2026-10-0%d" % (n % 2 + 1), "fr|C%d|Market %d|%s|t%d|2018" % (n, n, CATEGORIES[n], n),
          "USD", price) for n, price in enumerate(PRICES)]

OPEN, CHARGED, EXPOSED, REFUSED, FORGOTTEN = "open", "charged", "exposed", "refused", "forgotten"


class Attempt:
    """`is_true`: Meta accepted it; None: that is not decided yet, for nobody has heard of it."""

    def __init__(self, token, member, cell, state):
        self.token, self.member, self.cell, self.state = token, member, cell, state
        self.is_true = None


class Model:
    def __init__(self):
        self.place = {}      # member → stream, later, uncertain, dead or gone
        self.total = {}      # bulk entry → members
        self.ledger = {}     # (day, cell) → [count, millionths]
        self.granted = {}    # grant → [holder, source, members, cells of them, set of settled]
        self.claims = {}     # claim → [holder, source, members]
        self.owner = {}      # id → member
        self.attempts = {}   # token → Attempt
        self.unsettled = {}  # the same, of those that are open or exposed
        self.proven = {}     # member → tokens of accepted attempts, while it is claimed
        self.waits_for = {}  # uncertain member → its token
        self.to_tell = []    # [(member, type)] that events must hold next
        self.ended = set()   # members that had their outcome

    def live(self):
        return [member for member, place in self.place.items() if place in ("stream", "later")]

    def holder_of(self, member):
        for holder, _, members in self.claims.values():
            if member in members:
                return holder
        return None

    def place_told(self, member):
        """The word that facteur_receipt has for it."""
        holder = self.holder_of(member)
        if holder is None:
            return {"stream": "waiting"}.get(self.place[member], self.place[member])
        for grant, (other, _, members, _, done) in self.granted.items():
            if other == holder and any(member == one and i not in done
                                       for i, one in enumerate(members)):
                return "granted"
        return "claimed"

    def begin(self, token, member, cell, state=OPEN):
        attempt = self.attempts[token] = Attempt(token, member, cell, state)
        if state == OPEN:
            self.unsettled[token] = attempt
        return attempt

    def end(self, attempt, state, is_true):
        attempt.state, attempt.is_true = state, is_true
        if state != EXPOSED:
            self.unsettled.pop(attempt.token, None)

    def charge(self, attempt):
        assert attempt.state != CHARGED, "%s is charged twice" % attempt.token
        self.end(attempt, CHARGED, True)
        row = self.ledger.setdefault(CELLS[attempt.cell][:2], [0, 0])
        row[0] += 1
        row[1] += PRICES[attempt.cell]

    def tell(self, member, kind):
        self.to_tell.append((member, kind))

    def leave(self, member, kind):
        """It has an outcome. (One from dead had another before: an operator may requeue it.)"""
        assert member not in self.ended, "%s has two outcomes" % member
        self.ended.add(member)
        self.place[member] = "gone"
        self.tell(member, kind)
        self.waits_for.pop(member, None)

    def leave_accepted(self, member, kind="accepted"):
        """With what was proven of it besides: that was a message as well."""
        self.leave(member, kind)
        if self.proven.pop(member, None):
            self.tell(member, "corrected")

    def leave_proven(self, member):
        """With its proven outcome, whatever its worker says."""
        if member not in self.proven:
            return False
        del self.proven[member]
        self.leave(member, "accepted")
        return True

    # ---- what calls change ----------------------------------------------------------------------

    def settle(self, member, action, attempt):
        """One member of a group; `attempt`: of its grant, or None."""
        if action == "accept":
            self.charge(attempt)
            self.leave_accepted(member, "accept")
            return
        if attempt:
            if action == "uncertain":
                self.end(attempt, EXPOSED, None)
            else:
                self.end(attempt, REFUSED, False)
        if self.leave_proven(member):
            return
        if action in ("drop", "free"):
            self.leave(member, action)
            return
        self.place[member] = action
        if action != "later":
            self.tell(member, action)
        if action == "uncertain":
            self.waits_for[member] = attempt.token

    def lose(self, member, attempt):
        """Its worker died."""
        self.end(attempt, EXPOSED, None)
        if not self.leave_proven(member):
            self.place[member] = "uncertain"
            self.waits_for[member] = attempt.token
            self.tell(member, "uncertain")

    def end_grant(self, token):
        """The bit of an attempt that a receipt has settled. Returns its grant and index."""
        grant, index = token.rsplit("/", 1)
        row = self.granted[grant]
        row[4].add(int(index))
        if len(row[4]) == len(row[2]):
            del self.granted[grant]
        return grant, int(index)

    def accept(self, attempt):
        """A receipt: what it is answered. The caller takes who left out of the claims."""
        member, before = attempt.member, attempt.state
        place = self.place_told(member)
        if before in (CHARGED, REFUSED) or (before == FORGOTTEN and place == "gone"):
            return "known"
        self.charge(attempt)
        if before == OPEN:
            self.end_grant(attempt.token)
            self.leave_accepted(member)
            return "ok granted"
        if place == "gone":
            self.tell(member, "corrected")
        elif place not in ("claimed", "granted"):
            self.leave_accepted(member)
        elif member in self.proven:
            self.proven[member].append(attempt.token)
            self.tell(member, "corrected")
        else:
            self.proven[member] = [attempt.token]
        return "ok " + place

    def fail(self, attempt):
        member, before = attempt.member, attempt.state
        place = self.place_told(member)
        if before not in (OPEN, EXPOSED):
            return "known"
        self.end(attempt, REFUSED, False)
        if before == OPEN:
            self.end_grant(attempt.token)
            place = "granted"
        if before == OPEN or self.waits_for.get(member) == attempt.token:
            if not self.leave_proven(member):
                self.leave(member, "failed")
        return "ok " + place

    def overdue(self, member, policy):
        del self.waits_for[member]
        if policy == "drop":
            self.leave(member, "dropped")
        else:
            self.place[member] = "dead" if policy == "park" else "later"

    # ---- what must always hold ------------------------------------------------------------------

    def exposed(self):
        return {attempt.token: PRICES[attempt.cell] for attempt in self.unsettled.values()
                if attempt.state == EXPOSED}

    def check_attempts(self):
        """What Meta accepted is charged, exposed, or on its way."""
        for attempt in self.attempts.values():
            assert not attempt.is_true or attempt.state in (CHARGED, EXPOSED, OPEN), attempt.token
            assert attempt.state != CHARGED or attempt.is_true, attempt.token
