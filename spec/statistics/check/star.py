"""The STAR trial pupil by pupil, read from the project's own copy of the file."""
import csv
import pathlib

import numpy as np

CSV = pathlib.Path(__file__).parents[3] / "packages/server/data/star-kindergarten.csv"
CONTROL = "regular"
TREATMENTS = ["small", "regular-aide"]
ARMS = [CONTROL, *TREATMENTS]


class Trial:
    """One array per attribute, all in the order of the file."""

    def __init__(self, path=CSV):
        with open(path, encoding="utf-8") as file:
            rows = list(csv.DictReader(file))

        def column(of):
            return np.array([of(row) for row in rows])

        self.arm = column(lambda row: row["class_type"].replace("+", "-"))
        is_tested = [bool(row["reading_score"] and row["math_score"]) for row in rows]
        self.tested = np.array(is_tested, dtype=float)
        # Zero for the untested, as Assay counts a user without events.
        self.score = np.array(
            [
                float(row["reading_score"]) + float(row["math_score"]) if tested else 0.0
                for row, tested in zip(rows, is_tested)
            ]
        )
        self.free = column(lambda row: float(row["lunch"] == "free"))
        self.lunch_known = column(lambda row: float(row["lunch"] != ""))
        self.female = column(lambda row: float(row["gender"] == "female"))
        self.area = column(lambda row: row["school_area"])
        self.school = column(lambda row: row["school_id"])

    def of(self, arm, values):
        """The values of one arm's pupils."""
        return values[self.arm == arm]
