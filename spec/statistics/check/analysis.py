"""An experiment's analysis by each of its methods, computed from one number per pupil."""
import math

import numpy as np
from scipy import optimize, stats

import adjusted
import means
import rates
import sequential
import splits
from star import ARMS, CONTROL, TREATMENTS

GOALS = ["avg_value", "value_per_user"]
GUARDRAILS = ["conversion_rate", "conversion_rate_cuped"]
GUARDRAIL_ALPHA = 0.05
POWER = 0.8


def metrics(trial):
    """Of each: raw rows, adjusted ones, the slope; and what the arms' counts are of."""
    arms = trial.arm
    ratio = adjusted.ratio_rows(arms, trial.score, trial.tested)
    ratio_before = adjusted.ratio_rows(arms, trial.free, trial.lunch_known)
    before = {
        "avg_value": (ratio_before, trial.free.sum() / trial.lunch_known.sum()),
        "value_per_user": (trial.free, trial.free.mean()),
        "conversion_rate": (trial.free, trial.free.mean()),
    }
    raw = {"avg_value": ratio, "value_per_user": trial.score, "conversion_rate": trial.tested}
    tree = {}
    for name, y in raw.items():
        x, centre = before[name]
        _, slopes, rows = adjusted.covariance(arms, y, x[:, None], centre)
        tree[name] = {"raw": y, "rows": y, "theta": None}
        tree[f"{name}_cuped"] = {"raw": y, "rows": rows, "theta": slopes[0]}
    return tree


def arm(trial, method, name, arm_name, raw, settings):
    """The arm by itself is not adjusted."""
    alpha = settings["alpha"]
    rows = trial.of(arm_name, raw)
    tested, score = trial.of(arm_name, trial.tested), trial.of(arm_name, trial.score)
    is_rate = name.startswith("conversion_rate")
    if method in ("fixed", "bayesian"):
        counts = int(tested.sum()), len(tested), alpha
        interval = rates.arm(*counts)["wilson"] if is_rate else means.mean(rows, alpha)
        lower, upper = interval["lower"], interval["upper"]
    else:
        # Any z will do: what it must reach does not depend on it.
        critical, _ = look_by(method, settings)(1, alpha, 2, len(rows))
        if is_rate:
            # Wilson's interval is that of a level, and a boundary is the quantile of one.
            level = 2 * stats.norm.sf(critical)
            interval = rates.arm(int(tested.sum()), len(tested), level)["wilson"]
            lower, upper = interval["lower"], interval["upper"]
        else:
            half = critical * robust_error(trial, arm_name, raw)
            lower, upper = rows.mean() - half, rows.mean() + half
    denominator = tested.sum() if name.startswith("avg_value") else len(tested)
    return {
        "value": rows.mean(),
        "sampleSize": denominator,
        "numerator": tested.sum() if is_rate else score.sum(),
        "denominator": denominator,
        "standardError": rows.std() / len(rows) ** 0.5 if is_rate else stats.sem(rows),
        "lower": lower,
        "upper": upper,
    }


def robust_error(trial, arm_name, raw):
    """Of an arm's mean, with the larger of its own variance and that within all arms."""
    each = [trial.of(key, raw) for key in ARMS]
    within = np.concatenate([rows - rows.mean() for rows in each])
    pooled = np.sum(within**2) / (len(within) - len(ARMS))
    own = trial.of(arm_name, raw)
    return (max(own.var(ddof=1), pooled) / len(own)) ** 0.5


def robust_variances(t, c):
    """Of both means, by the larger of Welch's and the pooled standard error of their difference."""
    errors = means.standard_errors(t, c)
    excess = errors["se"] ** 2 - errors["welchSe"] ** 2
    of_t, of_c = (excess, 0) if len(t) < len(c) else (0, excess)
    return errors["se"], stats.sem(t) ** 2 + of_t, stats.sem(c) ** 2 + of_c


def planned_error(z, level, fraction):
    """
    P(Brownian motion has reached the level before the end at `fraction`, or Z is z at it), one
    side: the paths below the level have the density of the reflection principle.
    """
    root = fraction**0.5

    def below(x):
        return stats.norm.pdf(x, 0, root) - stats.norm.pdf(2 * level - x, 0, root)

    reached = 2 * stats.norm.sf(level / root)
    return reached + sequential.integrate(below, z * root, level)


def planned_look(z, alpha, sided, fraction):
    """Critical value and p-value when half of the error may be spent on the way to the end."""

    def level_of(budget):
        return stats.norm.isf(budget / 4)

    budget = alpha / sided
    running = level_of(budget) / fraction**0.5
    distance = abs(z) if sided == 2 else z
    p_running = min(1.0, 4 * sided * stats.norm.sf(distance * fraction**0.5))
    if fraction < 1:
        return running, p_running
    critical = optimize.brentq(
        lambda x: planned_error(x, level_of(budget), fraction) - budget,
        stats.norm.isf(budget),
        running,
        xtol=1e-14,
        rtol=1e-15,
    )

    def excess(log_alpha):
        side = math.exp(log_alpha) / sided
        return planned_error(distance, level_of(side), fraction) / side - 1

    once = math.log(sided * stats.norm.sf(distance))
    if excess(once) <= 0:
        return critical, math.exp(once)
    p_value = optimize.brentq(excess, once, math.log(p_running), xtol=1e-14, rtol=1e-15)
    return critical, math.exp(p_value)


def one_sided_sequence(z, n, alpha, tuning_n):
    """The p-value of specification §4.1 in its closed form."""
    if z <= 0:
        return 1.0
    spread = n * sequential.tuned_rho_squared(2 * alpha, tuning_n)
    exponent = z * z * spread / (2 * (1 + spread))
    return min(1.0, math.sqrt(1 + spread) / (2 * math.expm1(exponent)))


def detectable(critical, se, control):
    return (critical + stats.norm.ppf(POWER)) * se / abs(control)


def fixed_means(t, c, alpha):
    test, lift = means.welch(t, c, alpha), means.fieller_of_rows(t, c, alpha)
    critical = stats.t.isf(alpha / 2, test["df"])
    return shown(test["diff"], test["se"], (test["lower"], test["upper"]), lift, test["pValue"]) | {
        "detectableEffect": detectable(critical, test["se"], c.mean())
    }


def fixed_rates(t, c, alpha):
    counts = int(t.sum()), len(t), int(c.sum()), len(c)
    test, lift = rates.miettinen_nurminen(*counts, alpha), rates.score_lift(*counts, alpha)
    lift = {"lift": lift["lift"], "lower": lift["liftLower"], "upper": lift["liftUpper"]}
    se = math.hypot(t.std() / len(t) ** 0.5, c.std() / len(c) ** 0.5)
    return shown(test["diff"], se, (test["lower"], test["upper"]), lift, test["pValue"]) | {
        "detectableEffect": detectable(stats.norm.isf(alpha / 2), se, c.mean())
    }


def shown(difference, se, limits, lift, p_value=None):
    numbers = {
        "difference": difference,
        "standardError": se,
        "lower": limits[0],
        "upper": limits[1],
        "lift": lift["lift"],
        "liftLower": lift["lower"],
        "liftUpper": lift["upper"],
    }
    return numbers if p_value is None else {**numbers, "pValue": p_value}


def sequential_means(t, c, alpha, look):
    se, v_t, v_c = robust_variances(t, c)
    difference = t.mean() - c.mean()
    critical, p_value = look(difference / se, alpha, 2, len(t) + len(c))
    limits = difference - critical * se, difference + critical * se
    lift = means.fieller(t.mean(), c.mean(), v_t, v_c, critical)
    return shown(difference, se, limits, lift, p_value) | {
        "detectableEffect": detectable(critical, se, c.mean())
    }


def bayesian(t, c, alpha, prior_variance):
    relative, test = means.delta(t, c, alpha), means.welch(t, c, alpha)
    posterior = means.bayes_normal(
        relative["lift"], relative["se"], prior_variance, credibility=1 - alpha
    )
    critical = stats.norm.isf(alpha / 2) * relative["se"] / posterior["posteriorSd"]
    limits = posterior["lower"], posterior["upper"]
    lift = {"lift": relative["lift"], "lower": limits[0], "upper": limits[1]}
    numbers = shown(test["diff"], test["se"], [limit * c.mean() for limit in limits], lift)
    return numbers | {
        "chanceToWin": posterior["chanceToWin"],
        "expectedLoss": posterior["expectedLossChooseTreatment"],
        "detectableEffect": detectable(critical, test["se"], c.mean()),
    }


def look_by(method, settings):
    """Of a sequential method, a function of (z, alpha, sides, units)."""
    tuning_n = settings["tuningN"]

    def sequence(z, alpha, sided, n):
        if sided == 1:
            return None, one_sided_sequence(z, n, alpha, tuning_n)
        look = sequential.confidence_sequence(z, 1, n, alpha, tuning_n)
        return look["zCritical"], look["pValue"]

    def planned(planned_users):
        fraction = min(1.0, settings["looks"][-1] / planned_users)
        return lambda z, alpha, sided, n: planned_look(z, alpha, sided, fraction)

    return sequence if method == "sequential" else planned(settings["plans"][method])


def guardrail(method, t, c, settings):
    """The margin, and how surely it holds."""
    margin = settings["guardrailMargin"]
    if method == "fixed":
        test = means.non_inferiority_relative(t, c, margin, GUARDRAIL_ALPHA)
        return {"margin": margin, "pValue": test["pValue"]}
    if method == "bayesian":
        relative = means.delta(t, c, settings["alpha"])
        weight = 1 / (1 + relative["se"] ** 2 / settings["priorVariance"])
        law = stats.norm(weight * relative["lift"], relative["se"] * weight**0.5)
        return {"margin": margin, "chance": law.sf(-margin)}
    worsened = (1 - margin) * c
    z = (t.mean() - worsened.mean()) / robust_variances(t, worsened)[0]
    _, p_value = look_by(method, settings)(z, GUARDRAIL_ALPHA, 1, len(t) + len(c))
    return {"margin": margin, "pValue": p_value}


def compare(method, name, t, c, settings):
    alpha = settings["alpha"]
    if method == "fixed":
        return (fixed_rates if name == "conversion_rate" else fixed_means)(t, c, alpha)
    if method == "bayesian":
        return bayesian(t, c, alpha, settings["priorVariance"])
    return sequential_means(t, c, alpha, look_by(method, settings))


def cuped_note(theta, raw, t, c):
    raw_t, raw_c = raw
    errors = [means.standard_errors(*pair)["welchSe"] for pair in ((t, c), raw)]
    return {
        "theta": theta,
        # A covariate that explains nothing may add a little variance; the share gone is 0 then.
        "varianceReduction": max(0.0, 1 - (errors[0] / errors[1]) ** 2),
        "unadjustedDifference": raw_t.mean() - raw_c.mean(),
        "unadjustedStandardError": errors[1],
    }


def by_method(method, trial, settings):
    tree = {}
    for name, metric in metrics(trial).items():
        raw, rows = metric["raw"], metric["rows"]
        tree[name] = {key: arm(trial, method, name, key, raw, settings) for key in ARMS}
        for treatment in TREATMENTS:
            t, c = trial.of(treatment, rows), trial.of(CONTROL, rows)
            versus = compare(method, name, t, c, settings)
            if metric["theta"] is not None:
                pair = trial.of(treatment, raw), trial.of(CONTROL, raw)
                versus["cuped"] = cuped_note(metric["theta"], pair, t, c)
            if name in GUARDRAILS:
                versus["guardrail"] = guardrail(method, t, c, settings)
            tree[name][treatment]["versus"] = versus
    if method != "bayesian":
        family = [tree[name][treatment]["versus"] for name in GOALS for treatment in TREATMENTS]
        holm = splits.adjusted([versus["pValue"] for versus in family])["holm"]
        for versus, p_value in zip(family, holm):
            versus["pValueAdjusted"] = p_value
    return tree


def numbers(trial, settings):
    methods = ["fixed", "sequential", *settings["plans"], "bayesian"]
    return {method: by_method(method, trial, settings) for method in methods}
