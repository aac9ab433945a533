"""Quantiles of scores, with pupils as clusters of at most one score."""
import numpy as np
from scipy import stats

import adjusted
import means


def arm(score, tested, p, alpha):
    values = np.sort(score[tested == 1])
    n, units = len(values), len(tested)
    z = stats.norm.isf(alpha / 2)
    half = z * np.sqrt(n * p * (1 - p))
    lower, upper = max(1, int(np.floor(n * p - half))), min(n, int(np.ceil(n * p + half)) + 1)
    count = stats.binom(n, p)
    exact = int(count.ppf(alpha / 2)), int(count.ppf(1 - alpha / 2)) + 1
    quantile = np.quantile(values, p)
    # The share of scores at or below the quantile is a ratio of sums over pupils.
    below = ((score <= quantile) & (tested == 1)).astype(float)
    share = below.sum() / tested.sum()
    clustered = np.var((below - share * tested) / tested.mean(), ddof=1) / units
    independent = p * (1 - p) / n
    se = (values[upper - 1] - values[lower - 1]) / (2 * z)
    return {
        "quantile": quantile,
        "ranks": {
            "normalLower": lower,
            "normalUpper": upper,
            "exactLower": exact[0],
            "exactUpper": exact[1],
            "exactCoverage": count.cdf(exact[1] - 1) - count.cdf(exact[0] - 1),
        },
        "error": {
            "lowerRank": lower,
            "upperRank": upper,
            "varianceOfProportionClustered": clustered,
            "varianceOfProportionIid": independent,
            "designEffect": clustered / independent,
            "seIid": se,
            "seClustered": se * np.sqrt(clustered / independent),
        },
    }


def compare(t, c, alpha):
    """@param t, c: what `arm` says of each."""
    (q_t, se_t), (q_c, se_c) = ((a["quantile"], a["error"]["seClustered"]) for a in (t, c))
    return {
        **adjusted.t_test(q_t - q_c, np.hypot(se_t, se_c), np.inf, alpha),
        "lift": means.fieller(q_t, q_c, se_t**2, se_c**2, stats.norm.isf(alpha / 2)),
    }
