"""Results of the demo as a running Assay gives them, beside the same numbers from the raw file."""
import datetime
import json
import urllib.parse
import urllib.request

import numpy as np

import adjusted
import means
import rates
import splits
from star import ARMS, CONTROL, TREATMENTS

EXPERIMENT = "star-kindergarten"
SOURCES = ["postgresql", "clickhouse"]
METRICS = ["avg_value", "value_per_user", "conversion_rate"]
WEIGHTS = [35, 30, 35]
# As the demo dates the trial: pupil i on day i mod 30, the score 30 days later.
SCHOOL_DAYS = 30

OF_ARM = [
    "value",
    "sample_size",
    "numerator",
    "denominator",
    "standard_error",
    "ci_lower",
    "ci_upper",
]
OF_COMPARISON = [
    "difference",
    "standard_error",
    "ci_lower",
    "ci_upper",
    "lift",
    "lift_ci_lower",
    "lift_ci_upper",
    "p_value",
]
OF_BUCKET = ["count", "users", "assigned_users", "ci_lower", "ci_upper"]


def get(url, token, path, **query):
    address = urllib.parse.urljoin(url, f"{path}?{urllib.parse.urlencode(query)}")
    request = urllib.request.Request(address, headers={"authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def pick(tree, names):
    return {name: tree[name] for name in names}


def numbers(trial, url, token):
    """Assay's numbers from both sources, and the same from the file."""
    assay, python = {}, {}
    for source in SOURCES:
        results = get(
            url,
            token,
            f"/v1/experiments/{EXPERIMENT}/results",
            source=source,
            method="fixed",
            event_type="test_score",
            metrics=",".join(METRICS),
        )
        assay[source] = given(results)
        python[source] = expected(trial, results)
    return assay, python


def given(results):
    def of_variant(variant):
        metrics = {}
        for name in METRICS:
            metric = variant["metrics"][name]
            metrics[name] = pick(metric, OF_ARM)
            if not variant["is_control"]:
                metrics[name]["vs_control"] = pick(metric["vs_control"], OF_COMPARISON)
                metrics[name]["lift_vs_control"] = metric["lift_vs_control"]
        if not variant["is_control"]:
            adjusted_p = variant["metrics"]["avg_value"]["vs_control"]["p_value_adjusted"]
            metrics["avg_value"]["vs_control"]["p_value_adjusted"] = adjusted_p
        return {
            "assigned_users": variant["assigned_users"],
            "metrics": metrics,
            "time_series": {
                f"day {day_of(bucket['time'], results)}": pick(bucket, OF_BUCKET)
                for bucket in variant["time_series"]
            },
        }

    return {
        "total_users": results["metadata"]["total_users"],
        "srm": pick(results["summary"]["health"]["srm"], ["p_value", "observed", "expected"]),
        "variants": {variant["key"]: of_variant(variant) for variant in results["variants"]},
    }


def expected(trial, results):
    alpha = 1 - results["summary"]["confidence_level"] / 100
    split = splits.chi_square([int(np.sum(trial.arm == arm)) for arm in ARMS], WEIGHTS)
    rows = {
        "avg_value": adjusted.ratio_rows(trial.arm, trial.score, trial.tested),
        "value_per_user": trial.score,
        "conversion_rate": trial.tested,
    }

    def of_arm(arm, metric):
        tested, score = trial.of(arm, trial.tested), trial.of(arm, trial.score)
        users = len(tested)
        denominator = tested.sum() if metric == "avg_value" else users
        numerator = tested.sum() if metric == "conversion_rate" else score.sum()
        values = trial.of(arm, rows[metric])
        interval = means.mean(values, alpha)
        if metric == "conversion_rate":
            interval = rates.arm(int(tested.sum()), users, alpha)["wilson"]
            interval["se"] = values.std() / users**0.5
        return {
            "value": interval["estimate"],
            "sample_size": denominator,
            "numerator": numerator,
            "denominator": denominator,
            "standard_error": interval["se"],
            "ci_lower": interval["lower"],
            "ci_upper": interval["upper"],
        }

    def versus(arm, metric):
        t, c = trial.of(arm, rows[metric]), trial.of(CONTROL, rows[metric])
        if metric == "conversion_rate":
            counts = int(t.sum()), len(t), int(c.sum()), len(c)
            test = rates.miettinen_nurminen(*counts, alpha)
            lift = rates.score_lift(*counts, alpha)
            return {
                "difference": test["diff"],
                "standard_error": np.hypot(t.std() / len(t) ** 0.5, c.std() / len(c) ** 0.5),
                "ci_lower": test["lower"],
                "ci_upper": test["upper"],
                "lift": lift["lift"],
                "lift_ci_lower": lift["liftLower"],
                "lift_ci_upper": lift["liftUpper"],
                "p_value": test["pValue"],
            }
        test, lift = means.welch(t, c, alpha), means.fieller_of_rows(t, c, alpha)
        return {
            "difference": test["diff"],
            "standard_error": test["se"],
            "ci_lower": test["lower"],
            "ci_upper": test["upper"],
            "lift": lift["lift"],
            "lift_ci_lower": lift["lower"],
            "lift_ci_upper": lift["upper"],
            "p_value": test["pValue"],
        }

    variants = {
        arm: {
            "assigned_users": np.sum(trial.arm == arm),
            "metrics": {metric: of_arm(arm, metric) for metric in METRICS},
            "time_series": time_series(trial, arm, alpha),
        }
        for arm in ARMS
    }
    for arm in TREATMENTS:
        for metric in METRICS:
            comparison = versus(arm, metric)
            variants[arm]["metrics"][metric]["vs_control"] = comparison
            variants[arm]["metrics"][metric]["lift_vs_control"] = 100 * comparison["lift"]
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


def time_series(trial, arm, alpha):
    """The buckets with a score, by the days on which the demo says that they came."""
    assigned = trial.of(arm, np.arange(len(trial.arm)) % SCHOOL_DAYS)
    tested = trial.of(arm, trial.tested)
    series = {}
    for day in range(SCHOOL_DAYS):
        users = int(np.sum(tested[assigned == day]))
        if users == 0:
            continue
        # All pupils were assigned before the first score came.
        wilson = rates.arm(users, len(tested), alpha)["wilson"]
        series[f"day {SCHOOL_DAYS + day}"] = {
            "count": users,
            "users": users,
            "assigned_users": len(tested),
            "ci_lower": wilson["lower"],
            "ci_upper": wilson["upper"],
        }
    return series
