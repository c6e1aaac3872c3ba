"""SPEC.md §8.4.4.3: trellises."""

NEXT = [(0, 2), (5, 7), (1, 3), (6, 4), (2, 0), (4, 6), (3, 1), (7, 5)]
# The contexts whose slots tell the quantisers apart.
DOUBLED = (1, 2)


def states(integers):
    """The state of every coefficient of a band."""
    state, found = 0, []
    for q in integers:
        found.append(state)
        state = NEXT[state][abs(q) % 2]
    return found


def code(c, odd):
    """The code of an integer that is clamped already."""
    halves = 2 * c - (odd and (c > 0) - (c < 0))
    return max(-32767, min(32767, halves))


def half(code):
    """A code in whole steps."""
    return (abs(code) + 1) // 2 * (1 if code > 0 else -1)


def both(slots, sets, coding, place):
    """Slots of a coder of both quantisers, and a coding with states of both."""
    doubled = [n if k in DOUBLED else None for k, n in enumerate(slots)]
    priors = dict(coding.priors)
    if place in priors:
        priors[place] = priors[place].doubled(doubled, sets)
    return [n * 2 if k in DOUBLED else n for k, n in enumerate(slots)], coding.primed(priors, coding.networks)
