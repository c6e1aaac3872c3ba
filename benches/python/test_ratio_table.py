"""Claims about ratio_table.py: `python3 -m unittest discover benches/python`."""

import math
import unittest

import ratio_table

PEER = {"field": "a", "shape": "4x4", "dtype": "float32", "looks_quantised": "False", "kind": "rel", "bound": "0.1"}
PEER |= {"best_peer": "SPERR", "best_ratio": "20", "SZ3": "10"}
OURS = {"field": "a", "kind": "rel", "bound": "1e-1", "effort": "default", "ratio": "30"}


class RatioTable(unittest.TestCase):
    def test_bounds_join_however_they_are_written(self):
        cells, alone, unmet = ratio_table.join([OURS, OURS | {"bound": "1.0E-01", "effort": "fast"}], [PEER])
        self.assertEqual([(c["of_best"], c["of_sz3"]) for c in cells], [(1.5, 3.0)] * 2)
        self.assertEqual((alone, unmet), ([], {"default": [], "fast": []}))

    def test_lines_without_a_partner_are_told(self):
        _, alone, unmet = ratio_table.join([OURS, OURS | {"field": "b"}], [PEER, PEER | {"bound": "0.01"}])
        self.assertEqual(alone, [("b", "rel", 0.1)])
        self.assertEqual(unmet, {"default": [("a", "rel", 0.01)]})

    def test_losses_are_sorted_worst_first(self):
        ours = [OURS | {"field": name, "ratio": ratio} for name, ratio in (("a", "19.5"), ("b", "10"), ("c", "15"))]
        cells, _, _ = ratio_table.join(ours, [PEER | {"field": name} for name in "abc"])
        lines = ratio_table.losses_table(cells)
        self.assertEqual([line.split(" | ")[1] for line in lines if line.startswith("| 0.")], ["b", "c"])

    def test_means_are_geometric_and_skip_what_a_peer_could_not_do(self):
        self.assertAlmostEqual(ratio_table.mean([2.0, 8.0, None]), 4.0)
        self.assertTrue(math.isnan(ratio_table.mean([])))


if __name__ == "__main__":
    unittest.main()
