"""Covariate adjustment by regressions on the pupils themselves."""
import numpy as np
from scipy import stats
from statsmodels.regression.linear_model import OLS
from statsmodels.tools import add_constant

import means
from star import CONTROL


def dummies(labels, names):
    return np.column_stack([(labels == name).astype(float) for name in names])


def covariance(arms, y, x, centre):
    """
    Analysis of covariance over all arms: an intercept for each by its name, common slopes, and the
    adjusted rows y − (x − centre) slope. @param x: one column per covariate
    """
    names = sorted(set(arms))
    fit = OLS(y, np.column_stack([dummies(arms, names), x])).fit()
    slopes = fit.params[len(names) :]
    return dict(zip(names, fit.params)), slopes, y - (x - centre) @ slopes


def adjusted(arms, treatment, y, x, centre, alpha):
    """The adjusted rows of two arms, compared as any others."""
    intercepts, slopes, rows = covariance(arms, y, x, centre)
    t, c = rows[arms == treatment], rows[arms == CONTROL]
    raw = means.standard_errors(y[arms == treatment], y[arms == CONTROL])["welchSe"]
    test = means.welch(t, c, alpha)
    # The difference is a contrast of the regression itself.
    test["diff"] = intercepts[treatment] - intercepts[CONTROL]

    def sample(part):
        return {"n": len(part), "mean": part.mean(), "variance": part.var(ddof=1)}

    return slopes, {
        **test,
        "treatment": sample(t),
        "control": sample(c),
        "varianceReduction": 1 - (test["se"] / raw) ** 2,
        "lift": means.fieller_of_rows(t, c, alpha),
    }


def cuped(arms, treatment, y, x, alpha):
    slopes, result = adjusted(arms, treatment, y, x[:, None], x.mean(), alpha)
    total = OLS(y, add_constant(x)).fit().params[1]
    return {**result, "theta": slopes[0], "thetaTotalSample": total}


def cuped_multiple(arms, treatment, y, covariates, alpha):
    x = np.column_stack(covariates)
    slopes, result = adjusted(arms, treatment, y, x, x.mean(axis=0), alpha)
    return {**result, "theta": slopes}


def ratio_rows(arms, numerator, denominator):
    """Pupils' parts in their arm's ratio of sums: their means are the ratios (delta method)."""
    rows = np.empty(len(arms))
    for name in set(arms):
        y, d = numerator[arms == name], denominator[arms == name]
        ratio = y.sum() / d.sum()
        rows[arms == name] = ratio + (y - ratio * d) / d.mean()
    return rows


def cuped_ratio(arms, treatment, after, before, alpha):
    """@param after, before: a numerator and a denominator per pupil."""
    y, x = ratio_rows(arms, *after), ratio_rows(arms, *before)
    centre = before[0].sum() / before[1].sum()
    slopes, result = adjusted(arms, treatment, y, x[:, None], centre, alpha)
    return {**result, "theta": slopes[0]}


def lin(arms, treatment, y, covariates, alpha):
    """Lin's estimator: the arm and its interactions with the centred covariates."""
    of_both = (arms == treatment) | (arms == CONTROL)
    y, x = y[of_both], np.column_stack(covariates)[of_both]
    x = x - x.mean(axis=0)
    is_treated = (arms[of_both] == treatment).astype(float)
    interacted = np.column_stack([np.ones(len(y)), is_treated, x, is_treated[:, None] * x])
    fit = OLS(y, interacted).fit()
    count = x.shape[1]
    t, c = (
        OLS(y[is_treated == arm], add_constant(x[is_treated == arm])).fit() for arm in (1, 0)
    )
    slope_difference = fit.params[2 + count :]
    v_t, v_c = t.mse_resid / t.nobs, c.mse_resid / c.nobs
    heterogeneity = np.var(x @ slope_difference, ddof=1) / len(y)
    diff, se = fit.params[1], np.sqrt(v_t + v_c + heterogeneity)
    df = (v_t + v_c) ** 2 / (v_t**2 / t.df_resid + v_c**2 / c.df_resid)
    return {
        **t_test(diff, se, df, alpha),
        "betaTreatment": t.params[1:],
        "betaControl": fit.params[2 : 2 + count],
        "adjustedMeanTreatment": fit.params[0] + fit.params[1],
        "adjustedMeanControl": fit.params[0],
        "residualVarianceTreatment": t.mse_resid,
        "residualVarianceControl": c.mse_resid,
        "slopeHeterogeneityVariance": heterogeneity,
    }


def t_test(diff, se, df, alpha):
    law = stats.t(df, diff, se)
    lower, upper = law.interval(1 - alpha)
    null = stats.t(df, 0, se)
    return {
        "diff": diff,
        "se": se,
        "df": df,
        "t": diff / se,
        "pValue": 2 * null.sf(abs(diff)),
        "pValueGreater": null.sf(diff),
        "pValueLess": null.cdf(diff),
        "lower": lower,
        "upper": upper,
    }


def post_stratified(arms, treatment, y, strata, alpha):
    """
    A saturated regression: one mean per stratum and arm, whose HC2 covariances are their squared
    standard errors. Strata without two pupils in an arm go into the largest.
    """
    of_both = (arms == treatment) | (arms == CONTROL)
    y, is_treated, strata = y[of_both], arms[of_both] == treatment, strata[of_both].astype(object)
    names, sizes = np.unique(strata, return_counts=True)
    largest = names[sizes.argmax()]
    for name in names:
        inside = strata == name
        if min(is_treated[inside].sum(), (~is_treated[inside]).sum()) < 2:
            strata[inside] = largest
    names, sizes = np.unique(strata, return_counts=True)
    weights, n = sizes / len(y), len(y)
    membership = dummies(strata, names)
    cells = np.column_stack([membership * is_treated[:, None], membership * ~is_treated[:, None]])
    fit = OLS(y, cells).fit(cov_type="HC2")
    t, c = np.split(fit.params, 2)
    of_t = np.concatenate([weights, 0 * weights])
    of_c = np.concatenate([0 * weights, weights])

    def within(contrast):
        return contrast @ fit.cov_params() @ contrast

    mean_t, mean_c = weights @ t, weights @ c
    between = np.cov(t, c, aweights=sizes, ddof=0) / n
    between_of_diff = np.average((t - c - (mean_t - mean_c)) ** 2, weights=weights) / n
    se = np.sqrt(within(of_t - of_c) + between_of_diff)
    df = n - 2 * len(names)
    return {
        **t_test(mean_t - mean_c, se, df, alpha),
        "strataUsed": len(names),
        "meanTreatment": mean_t,
        "meanControl": mean_c,
        "lift": means.fieller(
            mean_t,
            mean_c,
            within(of_t) + between[0, 0],
            within(of_c) + between[1, 1],
            stats.t.isf(alpha / 2, df),
            between[0, 1],
        ),
    }
