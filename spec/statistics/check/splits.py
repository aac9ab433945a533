"""The split of pupils over arms, families of p-values, caps."""
import mpmath
import numpy as np
from scipy import stats
from statsmodels.stats.multitest import multipletests

METHODS = {
    "bonferroni": "bonferroni",
    "holm": "holm",
    "hochberg": "simes-hochberg",
    "benjaminiHochberg": "fdr_bh",
    "benjaminiYekutieli": "fdr_by",
}


def adjusted(p_values):
    return {name: multipletests(p_values, method=method)[1] for name, method in METHODS.items()}


def chi_square(counts, weights):
    expected = np.array(weights) / np.sum(weights) * np.sum(counts)
    test = stats.chisquare(counts, expected)
    return {
        "chiSquare": test.statistic,
        "df": len(counts) - 1,
        "pValue": test.pvalue,
        "expected": expected,
    }


def sequential(looks, weights, concentration=10_000):
    """The Bayes factor of Lindon and Malek by its definition, in 40 digits."""
    with mpmath.workdps(40):
        shares = [mpmath.mpf(weight) / sum(weights) for weight in weights]

        def log_factor(counts):
            units = sum(counts)
            value = mpmath.loggamma(concentration) - mpmath.loggamma(concentration + units)
            for count, share in zip(counts, shares):
                prior = concentration * share
                value += mpmath.loggamma(prior + count) - mpmath.loggamma(prior)
                value -= count * mpmath.log(share)
            return value

        factors = [log_factor([int(count) for count in counts]) for counts in looks]
        p_values = [float(min(1, mpmath.exp(-factor))) for factor in factors]
        posterior = [float(1 / (1 + mpmath.exp(-factor))) for factor in factors]
    return {
        "logBayesFactor": [float(factor) for factor in factors],
        "pValue": np.minimum.accumulate(p_values),
        "posteriorProbabilityOfSrm": posterior,
    }


def winsorized(arms, percentile):
    """@param arms: the values of each arm."""
    cap = np.quantile(np.concatenate(arms), percentile)
    capped = [np.minimum(arm, cap) for arm in arms]
    return {
        "cap": cap,
        "arms": [
            {"n": len(arm), "mean": arm.mean(), "m2": np.sum((arm - arm.mean()) ** 2)}
            for arm in capped
        ],
    }
