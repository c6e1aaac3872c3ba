"""SPEC.md §9.5: trained states of the coders of integers."""
from container import Cursor, need

# Places, by their numbers.
PLACES = 11
INTERPOLATION, GUIDED, RASTER, WAVELET, WAVELET_RUNS, CORRECTIONS, CORRECTION_RUNS, CORE, FACTORS = range(9)
WAVELET_GUIDED = 9
WAVELET_GUIDED_RUNS = 10


class Coding(int):
    """The way in which integers are coded, and of a primed chunk's model the states, by place, and the networks, by name."""

    priors, networks = {}, {}

    def primed(self, priors, networks):
        coding = Coding(self)
        coding.priors, coding.networks = priors, networks
        return coding

    def start(self, place, coder):
        """Gives a coder its states."""
        states = self.priors.get(place)
        if states:
            states.give(coder)


class States:
    """The states of one place: tables by slot."""

    def __init__(self, cur):
        self.counters = [table(cur, counter) for _ in range(4)]
        self.signs = [table(cur, counter) for _ in range(2)]
        self.rows = [table(cur, row) for _ in range(4)]
        self.weights = table(cur, weights)
        self.weights_seen = seen(cur)
        self.logits = table(cur, logits)
        self.logits_seen = seen(cur)

    @classmethod
    def none(cls):
        states = cls.__new__(cls)
        states.counters, states.signs, states.rows = [{} for _ in range(4)], [{}, {}], [{} for _ in range(4)]
        states.weights, states.logits = {}, {}
        return states

    def doubled(self, slots, sets):
        """§8.4.4.3: the same once more behind so many slots of a context (None: it is not), and behind so many sets."""
        def again(told, n):
            return told if n is None else {at + k: v for at, v in told.items() if at < n for k in (0, n)}

        states = States.none()
        states.counters = [again(*both) for both in zip(self.counters, slots)]
        states.rows = [again(*both) for both in zip(self.rows, slots)]
        states.signs, states.weights_seen, states.logits_seen = self.signs, self.weights_seen, self.logits_seen
        states.weights, states.logits = again(self.weights, sets), again(self.logits, sets)
        return states

    def give(self, coder):
        for tables, ours in ((coder.zeros, self.counters), (coder.signs, self.signs)):
            for mine, told in zip(tables, ours):
                for slot, (n, p) in told.items():
                    if slot < len(mine.p):
                        mine.p[slot], mine.n[slot] = 64 * p, n
        for part, told in zip(coder.parts, self.rows):
            for slot, (n, above) in told.items():
                part[slot] = [list(above), n]
        more, logits = [], []
        if getattr(coder, "contexts", 4) == 6:
            # §8.10.3: half of the weights is left to contexts of which states know nothing.
            more, logits = [((65536 - 36) << 14) // 16 * 4] * 2, [13000] * 2
        for key, w in self.weights.items():
            coder.weights[key] = [[x // 16 * 8 for x in w] + more if more else list(w), self.weights_seen]
        for key, w in self.logits.items():
            coder.mixer.sets[key] = [list(w) + logits, self.logits_seen]


def read(body):
    """The states of every place that a section tells of."""
    cur, places, last = Cursor(body), {}, -1
    while cur.left():
        place = cur.u8()
        need(last < place < PLACES, "places of states out of order")
        places[place], last = States(cur), place
    return places


def table(cur, entry):
    told, slot = {}, 0
    for _ in range(cur.varint()):
        slot += cur.varint()
        need(slot < 1 << 14, "states of a slot that is too far")
        told[slot] = entry(cur)
        slot += 1
    return told


def counter(cur):
    n, p = cur.u8(), cur.uint(2)
    need(n > 0 and p > 0, "a counter that has seen nothing, or is certain")
    return n, p


def row(cur):
    n, some = cur.u8(), cur.u8()
    need(1 <= n <= 127 and some < 16, "a distribution over too many symbols")
    above = [cur.uint(2) for _ in range(some)]
    need(0 not in above and all(a >= b for a, b in zip(above, above[1:])), "a distribution that does not fall")
    return n, above + [0] * (16 - some)


def weights(cur):
    w = [cur.uint(2) for _ in range(4)]
    need(0 < sum(w) <= 65536 - 36, "weights that add up to too much")
    return [x << 14 for x in w]


def logits(cur):
    w = [(cur.uint(2) ^ 32768) - 32768 for _ in range(4)]
    need(any(w), "weights that are all 0")
    return [x << 4 for x in w]


def seen(cur):
    n = cur.varint()
    need(n < 1024, "weights that have seen too much")
    return n
