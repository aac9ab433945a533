"""Results of the demo as a running Assay gives them, beside the same numbers from the raw file."""
import datetime
import json
import urllib.error
import urllib.parse
import urllib.request

import numpy as np

import adjusted
import analysis
import rates
import splits
from star import ARMS, CONTROL, TREATMENTS

EXPERIMENT = "star-kindergarten"
SOURCES = ["postgresql", "clickhouse"]
METRICS = ["avg_value", "value_per_user", "conversion_rate"]
METHODS = ["fixed", "sequential", "bayesian"]
WEIGHTS = [35, 30, 35]
# Assay's own where nothing is planned.
SETTINGS = {"tuningN": 5000, "priorVariance": 0.09}
# As the demo dates the trial: pupil i on day i mod 30, the score 30 days later.
SCHOOL_DAYS = 30

# What the analysis calls otherwise.
NAMES = {
    "sampleSize": "sample_size",
    "standardError": "standard_error",
    "liftLower": "lift_ci_lower",
    "liftUpper": "lift_ci_upper",
    "lower": "ci_lower",
    "upper": "ci_upper",
    "pValue": "p_value",
    "chanceToWin": "chance_to_win",
    "expectedLoss": "expected_loss",
}
OF_BUCKET = ["count", "users", "assigned_users", "ci_lower", "ci_upper"]


def get(url, token, path, **query):
    address = urllib.parse.urljoin(url, f"{path}?{urllib.parse.urlencode(query)}")
    request = urllib.request.Request(address, headers={"authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def results_of(url, token, source, method):
    """Results by a method; None where this Assay does not have it."""
    try:
        return get(
            url,
            token,
            f"/v1/experiments/{EXPERIMENT}/results",
            source=source,
            method=method,
            event_type="test_score",
            metrics=",".join(METRICS),
        )
    except urllib.error.HTTPError as error:
        if error.code == 422 and json.load(error).get("code") == "method_not_available":
            return None
        raise


def numbers(trial, url, token):
    """Assay's numbers from both sources by every method, and the same from the file."""
    assay, python = {}, {}
    for source in SOURCES:
        for method in METHODS:
            results = results_of(url, token, source, method)
            if results is not None:
                name = f"{source} {method}"
                python[name] = expected(trial, method, results)
                assay[name] = given(results, python[name])
    return assay, python


def alike(tree, example):
    """The part of a tree that the example has too; None where it is missing."""
    if not isinstance(example, dict):
        return tree
    return {name: alike((tree or {}).get(name), branch) for name, branch in example.items()}


def given(results, example):
    """What an answer says of the numbers that are expected, and all of its buckets."""
    variants = {
        variant["key"]: {
            **variant,
            "time_series": {
                f"day {day_of(bucket['time'], results)}": {name: bucket[name] for name in OF_BUCKET}
                for bucket in variant["time_series"]
            },
        }
        for variant in results["variants"]
    }
    tree = {
        "total_users": results["metadata"]["total_users"],
        "srm": results["summary"]["health"]["srm"],
        "variants": variants,
    }
    picked = alike(tree, example)
    for key, variant in variants.items():
        picked["variants"][key]["time_series"] = variant["time_series"]
    return picked


def renamed(numbers):
    return {NAMES.get(name, name): number for name, number in numbers.items()}


def expected(trial, method, results):
    alpha = 1 - results["summary"]["confidence_level"] / 100
    last = day_of(results["metadata"]["end_date"], results)
    settings = {**SETTINGS, "alpha": alpha}
    split = splits.chi_square([int(np.sum(trial.arm == arm)) for arm in ARMS], WEIGHTS)
    rows = {
        "avg_value": adjusted.ratio_rows(trial.arm, trial.score, trial.tested),
        "value_per_user": trial.score,
        "conversion_rate": trial.tested,
    }
    variants = {
        arm: {
            "assigned_users": np.sum(trial.arm == arm),
            "metrics": {
                name: renamed(analysis.arm(trial, method, name, arm, values, settings))
                for name, values in rows.items()
            },
            "time_series": time_series(trial, arm, alpha, last),
        }
        for arm in ARMS
    }
    for arm in TREATMENTS:
        for name, values in rows.items():
            t, c = trial.of(arm, values), trial.of(CONTROL, values)
            versus = renamed(analysis.compare(method, name, t, c, settings))
            del versus["detectableEffect"]
            variants[arm]["metrics"][name]["vs_control"] = versus
            variants[arm]["metrics"][name]["lift_vs_control"] = 100 * versus["lift"]
    if method != "bayesian":
        # The trial's one goal, in both treatments, is the family.
        goals = [variants[arm]["metrics"]["avg_value"]["vs_control"] for arm in TREATMENTS]
        holm = splits.adjusted([goal["p_value"] for goal in goals])["holm"]
        for goal, p_value in zip(goals, holm):
            goal["p_value_adjusted"] = p_value
    return {
        "total_users": len(trial.arm),
        "srm": {
            "p_value": split["pValue"],
            "observed": [np.sum(trial.arm == arm) for arm in ARMS],
            "expected": split["expected"],
        },
        "variants": variants,
    }


def day_of(time, results):
    """Days from the trial's first to a bucket's, which begins with midnight in UTC."""
    day, start = (
        datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).date()
        for text in (time, results["metadata"]["start_date"])
    )
    return (day - start).days


def time_series(trial, arm, alpha, last):
    """Every day from the first pupil to the last day, by the days on which the demo says they came."""
    assigned = trial.of(arm, np.arange(len(trial.arm)) % SCHOOL_DAYS)
    tested = trial.of(arm, trial.tested)
    series = {}
    for day in range(last + 1):
        there = int(np.sum(assigned <= day))
        if there == 0:
            continue
        # The score of a pupil comes a month after the assignment.
        users = int(np.sum(tested[assigned == day - SCHOOL_DAYS]))
        wilson = rates.arm(users, there, alpha)["wilson"]
        series[f"day {day}"] = {
            "count": users,
            "users": users,
            "assigned_users": there,
            "ci_lower": wilson["lower"],
            "ci_upper": wilson["upper"],
        }
    return series
