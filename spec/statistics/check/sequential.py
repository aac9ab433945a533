"""Sequential methods from their definitions: integrals over a mixture, and over Brownian motion."""
import functools
import math

import numpy as np
from scipy import optimize, special, stats


legendre_rule = functools.cache(np.polynomial.legendre.leggauss)


def integrate(f, low, high, pieces=64, nodes=48):
    """A composite Gauss–Legendre rule for a smooth function of an array."""
    x, w = legendre_rule(nodes)
    edges = np.linspace(low, high, pieces + 1)
    half = np.diff(edges)[:, None] / 2
    middle = (edges[:-1] + edges[1:])[:, None] / 2
    return float(np.sum(f(middle + half * x) * half * w))


def log_mixture_ratio(z, spread):
    """ln of the likelihood ratio of z ~ N(m, 1) to N(0, 1), averaged over m ~ N(0, spread)."""
    centre = z * spread / (1 + spread)
    width = 12 * math.sqrt(spread / (1 + spread))
    top = z * centre - centre**2 / 2 * (1 + 1 / spread)

    def ratio(m):
        return np.exp(z * m - m * m / 2 * (1 + 1 / spread) - top)

    integral = integrate(ratio, centre - width, centre + width)
    return top + math.log(integral / math.sqrt(2 * math.pi * spread))


def mixture_test(estimate, se, spread, alpha):
    """The p-value, and the z at which the mixture ratio reaches 1/alpha."""
    log_ratio = log_mixture_ratio(estimate / se, spread)
    critical = optimize.brentq(
        lambda z: log_mixture_ratio(z, spread) + math.log(alpha), 1, 40, xtol=1e-14, rtol=1e-15
    )
    return log_ratio, min(1.0, math.exp(-log_ratio)), critical


def tuned_rho_squared(alpha, tuning_n):
    logs = -2 * math.log(alpha)
    return (logs + math.log(1 + logs)) / tuning_n


def confidence_sequence(estimate, se, n, alpha, tuning_n):
    rho_squared = tuned_rho_squared(alpha, tuning_n)
    _, p_value, critical = mixture_test(estimate, se, n * rho_squared, alpha)
    return {
        "rhoSquared": rho_squared,
        "zCritical": critical,
        "halfWidth": critical * se,
        "lower": estimate - critical * se,
        "upper": estimate + critical * se,
        "pValue": p_value,
    }


def monitored_sequence(looks, alpha, tuning_n):
    """@param looks: (estimate, standard error, units) of each."""
    sequence = [confidence_sequence(*look, alpha, tuning_n) for look in looks]
    lower, upper, p_value = (
        np.array([look[name] for look in sequence]) for name in ("lower", "upper", "pValue")
    )
    intersected = np.maximum.accumulate(lower), np.minimum.accumulate(upper)
    return {
        "pValue": p_value,
        "pValueRunningMin": np.minimum.accumulate(p_value),
        "lower": lower,
        "upper": upper,
        "lowerIntersected": intersected[0],
        "upperIntersected": intersected[1],
        "isIntersectionEmpty": intersected[0][-1] > intersected[1][-1],
    }


def msprt(estimate, se, mixing_variance, alpha):
    log_ratio, p_value, critical = mixture_test(estimate, se, mixing_variance / se**2, alpha)
    return {
        "logLikelihoodRatio": log_ratio,
        "pValue": p_value,
        "halfWidth": critical * se,
        "lower": estimate - critical * se,
        "upper": estimate + critical * se,
    }


SPENDING = {
    "obrienFleming": lambda budget, t: 2 * stats.norm.sf(stats.norm.isf(budget / 2) / np.sqrt(t)),
    "pocock": lambda budget, t: budget * np.log(1 + (math.e - 1) * t),
    "power": lambda budget, t: budget * t**2,
    "hsd": lambda budget, t: budget * (1 - np.exp(4 * t)) / (1 - math.exp(4)),
}


def crossing(times, criticals, drift=0.0, nodes=128):
    """
    P(first to leave upwards, or downwards, at the last look) as a function of the last critical
    value: the joint density of Brownian motion at all earlier looks, on one grid over the box
    between their boundaries, times the chance to get from there beyond the last one.
    """
    bounds = np.asarray(criticals) * np.sqrt(times[:-1])
    x, w = legendre_rule(nodes)
    grid = np.meshgrid(*(x * bound for bound in bounds), indexing="ij")
    weights = np.meshgrid(*(w * bound for bound in bounds), indexing="ij")
    density = np.ones([nodes] * len(bounds))
    mean, before = 0.0, 0.0
    for y, weight, time in zip(grid, weights, times):
        step = time - before
        density = density * weight * stats.norm.pdf((y - mean) / step**0.5 - drift * step**0.5)
        density /= step**0.5
        mean, before = y, time
    step = times[-1] - before

    def chances(critical):
        bound = critical * times[-1] ** 0.5
        upper = special.ndtr(-(bound - mean) / step**0.5 + drift * step**0.5)
        lower = special.ndtr((-bound - mean) / step**0.5 - drift * step**0.5)
        return float(np.sum(density * upper)), float(np.sum(density * lower))

    return chances


def boundaries(times, spent):
    """Critical values at which |Z| spends the error of each look. @param spent: of one side."""
    criticals = []
    for k, increment in enumerate(np.diff([0.0, *spent])):
        chances = crossing(times[: k + 1], criticals)
        criticals.append(
            optimize.brentq(
                lambda critical: math.log(chances(critical)[0] / increment),
                0.5,
                9,
                xtol=1e-14,
                rtol=1e-15,
            )
        )
    return np.array(criticals)


def monitored_group_sequential(looks, alpha, planned):
    """By O'Brien and Fleming's spending, the last look final. @param looks: as above."""
    times = np.array([n / planned for _, _, n in looks])
    spent = SPENDING["obrienFleming"](alpha / 2, times)
    spent[-1] = alpha / 2
    criticals = boundaries(times, spent)
    estimates, errors = (np.array([look[i] for look in looks]) for i in (0, 1))
    return {
        "informationFraction": times,
        "cumulativeAlpha": 2 * spent,
        "criticalZ": criticals,
        "z": estimates / errors,
        "reject": np.abs(estimates / errors) >= criticals,
        "repeatedLower": estimates - criticals * errors,
        "repeatedUpper": estimates + criticals * errors,
    }


def design(spending, alpha, looks, power):
    """Boundaries of equally spaced looks, and what they cost in sample size."""
    times = np.arange(1, looks + 1) / looks
    spent = SPENDING[spending](alpha / 2, times)
    criticals = boundaries(times, spent)

    def stops(drift):
        return np.array(
            [crossing(times[: k + 1], criticals[:k], drift)(criticals[k]) for k in range(looks)]
        )

    drift = optimize.brentq(lambda d: stops(d)[:, 0].sum() - power, 1, 9, xtol=1e-13, rtol=1e-15)
    fixed = stats.norm.isf(alpha / 2) + stats.norm.ppf(power)
    inflation = (drift / fixed) ** 2
    stop = stops(drift).sum(axis=1)
    # Who has not left before the end has come to it.
    expected = np.sum(stop * times) + (1 - stop.sum()) * times[-1]
    return {
        "cumulativeAlpha": 2 * spent,
        "criticalZ": criticals,
        "nominalP": 2 * stats.norm.sf(criticals),
        "totalAlpha": 2 * spent[-1],
        "drift": drift,
        "inflationFactor": inflation,
        "expectedSampleSizeRatioH1": inflation * expected,
        "probStopPerLookH1": stop,
    }
