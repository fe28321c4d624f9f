"""What a benchmark comes to: medians of runs, beside their ceilings, against what is to be reached. Pure."""
import dataclasses
import datetime
import math
import statistics


def median(values):
    return statistics.median(values) if values else None


def percentile(values, percent):
    """The smallest value that so many percent of the values do not exceed."""
    ordered = sorted(values)
    place = math.ceil(round(len(ordered) * percent / 100, 6))  # 999 of 1,000 for 99.9, in spite of binary fractions
    return ordered[max(1, place) - 1]


def seconds_of(text):
    """Seconds since 1970 of an RFC 3339 time."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


@dataclasses.dataclass
class Figure:
    """One line of the table. `ceilings` has a value for each run, from the same minute, or none."""
    what: str
    unit: str
    runs: list = dataclasses.field(default_factory=list)
    ceilings: list = dataclasses.field(default_factory=list)
    ceiling_what: str = ""
    at_least: float | None = None
    below: float | None = None
    ratio_at_least: float | None = None
    ratio_at_most: float | None = None
    latencies: list = dataclasses.field(default_factory=list)  # of each run: {p50, p99, p999} in ms

    def add(self, value, ceiling=None, latency=None):
        self.runs.append(value)
        if ceiling is not None:
            self.ceilings.append(ceiling)
        if latency is not None:
            self.latencies.append(latency)

    @property
    def measured(self):
        return median(self.runs)

    @property
    def ceiling(self):
        return median(self.ceilings)

    @property
    def ratio(self):
        """The median of the ratios within a pair: the machine's speed changes from minute to minute."""
        return median([run / ceiling for run, ceiling in zip(self.runs, self.ceilings) if ceiling])

    def latency(self):
        """Medians over the runs, or None."""
        if not self.latencies:
            return None
        return {name: median([one[name] for one in self.latencies]) for name in self.latencies[0]}

    @property
    def reached(self):
        """None when nothing is to be reached."""
        checks = []
        if self.at_least is not None:
            checks.append(self.measured >= self.at_least)
        if self.below is not None:
            checks.append(self.measured < self.below)
        if self.ratio_at_least is not None:
            checks.append(self.ratio is not None and self.ratio >= self.ratio_at_least)
        if self.ratio_at_most is not None:
            checks.append(self.ratio is not None and self.ratio <= self.ratio_at_most)
        return all(checks) if checks else None


@dataclasses.dataclass
class Result:
    """A row: its figures, the same at another size, and where the time went."""
    name: str
    title: str
    figures: list = dataclasses.field(default_factory=list)
    other_size: list = dataclasses.field(default_factory=list)
    split: dict = dataclasses.field(default_factory=dict)    # CPU time a tip in us, by process
    threads: dict = dataclasses.field(default_factory=dict)  # the same of the node's threads
    functions: list = dataclasses.field(default_factory=list)
    remarks: list = dataclasses.field(default_factory=list)
    setting: dict = dataclasses.field(default_factory=dict)  # when, with what

    def to_json(self):
        return dataclasses.asdict(self)

    @staticmethod
    def from_json(value):
        result = Result(**value)
        result.figures = [Figure(**one) for one in result.figures]
        result.other_size = [Figure(**one) for one in result.other_size]
        return result


def median_of_splits(splits):
    """The median of each part over the runs."""
    names = list(dict.fromkeys(name for split in splits for name in split))
    return {name: median([split.get(name, 0) for split in splits]) for name in names}


def newer(published, own):
    """Results by name: of each row what was measured later."""
    return published | {name: one for name, one in own.items()
                        if name not in published or one.setting["date"] >= published[name].setting["date"]}
