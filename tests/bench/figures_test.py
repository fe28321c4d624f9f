"""The pure parts: medians, what is reached, reading /proc and perf, tables, notes."""
import unittest

import report
from figures import Figure, Result, median_of_splits, newer, percentile, seconds_of
from functions import functions_in
from usage import machine_seconds, stat_of, value_at


class Figures(unittest.TestCase):
    def test_the_ratio_is_the_median_of_the_pairs_not_of_the_medians(self):
        figure = Figure("x", "tips/s", runs=[100, 50, 30], ceilings=[200, 200, 30], ratio_at_least=0.5)
        self.assertEqual((figure.measured, figure.ceiling, figure.ratio), (50, 200, 0.5))
        self.assertTrue(figure.reached)

    def test_every_target_must_be_reached(self):
        figure = Figure("x", "tips/s", runs=[100], ceilings=[200], at_least=100, ratio_at_least=0.6)
        self.assertIs(figure.reached, False)
        self.assertIsNone(Figure("x", "s", runs=[1]).reached)
        self.assertIs(Figure("x", "ms", runs=[25], below=25).reached, False)

    def test_a_percentile_is_a_value_that_was_seen(self):
        values = list(range(1, 1_001))
        self.assertEqual([percentile(values, percent) for percent in (50, 99, 99.9, 100)], [500, 990, 999, 1_000])
        self.assertEqual(percentile([7], 99.9), 7)

    def test_times_keep_their_milliseconds(self):
        self.assertAlmostEqual(seconds_of("2026-03-14T12:00:00.158Z") - seconds_of("2026-03-14T12:00:00.131Z"), 0.027, 5)

    def test_a_part_that_a_run_lacks_counts_as_nothing(self):
        self.assertEqual(median_of_splits([{"node": 3}, {"node": 5, "idle": 2}, {"node": 4}]), {"node": 4, "idle": 0})

    def test_results_survive_being_written_and_read(self):
        result = Result("x", "X", [Figure("a", "s", runs=[1, 2])], split={"node": 1.5}, remarks=["yes"])
        self.assertEqual(Result.from_json(result.to_json()), result)


    def test_of_each_row_the_later_measurement_is_shown(self):
        def rows(**dates):
            return {name: Result(name, name, setting={"date": date}) for name, date in dates.items()}
        shown = newer(rows(a="2026-01-02 10:00 UTC", b="2026-01-02 10:00 UTC", c="2026-01-02 10:00 UTC"),
                      rows(b="2026-01-01 10:00 UTC", c="2026-02-01 10:00 UTC", d="2026-01-01 10:00 UTC"))
        self.assertEqual({name: one.setting["date"][:10] for name, one in shown.items()},
                         {"a": "2026-01-02", "b": "2026-01-02", "c": "2026-02-01", "d": "2026-01-01"})


class Reading(unittest.TestCase):
    def test_a_process_name_may_hold_brackets_and_spaces(self):
        line = "12 (a (b) c) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0"
        self.assertEqual(stat_of(line), ("a (b) c", 2.0))

    def test_waiting_for_the_disk_is_idle(self):
        self.assertEqual(machine_seconds("cpu  100 0 100 300 100 0 0 50 0 0\ncpu0 1 1"),
                         {"busy": 2.0, "idle": 4.0, "stolen": 0.5})

    def test_between_two_samples_time_was_used_evenly(self):
        samples = [(10, {"a": 1}), (12, {"a": 3}), (14, {})]
        self.assertEqual([value_at(samples, "a", at) for at in (9, 11, 12, 13)], [1, 2, 3, 3])
        self.assertEqual(value_at(samples, "b", 11), 0)

    def test_functions_of_perf(self):
        text = ("    12.34%  DrogonIoLoop0    [k] tcp_sendmsg\n"
                "     3.10%  one connection   [.] std::map<int, int>::find(int const&)      -      -\n\n")
        self.assertEqual(functions_in(text), [
            {"percent": 12.34, "thread": "DrogonIoLoop0", "kernel": True, "function": "tcp_sendmsg"},
            {"percent": 3.1, "thread": "one connection", "kernel": False, "function": "std::map<int, int>::find(int const&)"}])


class Report(unittest.TestCase):
    def test_numbers_have_three_digits_that_mean_something(self):
        self.assertEqual([report.number(value) for value in (None, 0, 0.4123, 8.254, 99.7, 31_412, 123_456, 999.6)],
                         ["—", "0", "0.412", "8.25", "99.7", "31,400", "123,000", "1,000"])

    def test_a_row_says_whether_it_was_reached(self):
        figure = Figure("tips", "tips/s", runs=[30_000], ceilings=[60_000], ceiling_what="empty handler",
                        at_least=25_000, ratio_at_least=0.35)
        self.assertIn("| tips | ≥ 25,000 tips/s, ≥ 0.35 of it | 30,000 tips/s | 60,000 (empty handler) | 0.5 | — | yes |",
                      report.figure_table([figure]))

    def test_a_row_names_its_machine_and_stands_with_its_notes(self):
        setting = {"date": "2026-01-02 10:00 UTC", "machine": {"processor": "2 × Abacus", "synced writes": "7/s, 4 KiB each"},
                   "versions": {"Tipflow": "1"}, "settings": {}, "runs": 3, "seconds": 5, "threads": 1}
        section = report.row_section(Result("x", "X", [Figure("a", "s", runs=[1])], setting=setting), {"x": "Why."})
        self.assertIn("Measured 2026-01-02 10:00 UTC on 2 × Abacus (synced writes: 7/s, 4 KiB each), Tipflow 1, 3 × 5 s", section)
        self.assertIn("Why.", section)

    def test_notes_are_found_by_their_row(self):
        notes = report.notes_of("# Notes\n\n## general\nA.\n\n## single\nB.\n\nC.\n")
        self.assertEqual(notes, {"general": "A.", "single": "B.\n\nC."})


if __name__ == "__main__":
    unittest.main()
