"""Comparisons of two arms from one number per pupil, by SciPy's and statsmodels' own tests."""
import mpmath
import numpy as np
from scipy import stats
from statsmodels.regression.linear_model import OLS
from statsmodels.tools import add_constant

import sequential


def mean(rows, alpha):
    interval = stats.ttest_1samp(rows, 0).confidence_interval(1 - alpha)
    return {
        "estimate": rows.mean(),
        "se": stats.sem(rows),
        "lower": interval.low,
        "upper": interval.high,
    }


def welch(t, c, alpha):
    test = stats.ttest_ind(t, c, equal_var=False)
    interval = test.confidence_interval(1 - alpha)
    return {
        "diff": t.mean() - c.mean(),
        "se": standard_errors(t, c)["welchSe"],
        "df": test.df,
        "t": test.statistic,
        "pValue": test.pvalue,
        "pValueGreater": stats.ttest_ind(t, c, equal_var=False, alternative="greater").pvalue,
        "pValueLess": stats.ttest_ind(t, c, equal_var=False, alternative="less").pvalue,
        "lower": interval.low,
        "upper": interval.high,
    }


def standard_errors(t, c):
    """Of the coefficient of an arm in a regression: with HC2 weights it is Welch's."""
    y = np.concatenate([t, c])
    is_treated = np.repeat([1.0, 0.0], [len(t), len(c)])
    model = OLS(y, add_constant(is_treated))
    welch_se = model.fit(cov_type="HC2").bse[1]
    pooled_se = model.fit().bse[1]
    return {"welchSe": welch_se, "pooledSe": pooled_se, "se": max(welch_se, pooled_se)}


def fieller(t, c, v_t, v_c, critical, covariance=0.0):
    """The ratios r at which (t − r c)² = critical² Var(t − r c), as roots in 40 digits."""
    with mpmath.workdps(40):
        square = mpmath.mpf(critical) ** 2
        t, c, v_t, v_c, covariance = map(mpmath.mpf, (t, c, v_t, v_c, covariance))
        quadratic = [
            c * c - square * v_c,
            -2 * (t * c - square * covariance),
            t * t - square * v_t,
        ]
        low, high = sorted(mpmath.re(root) for root in mpmath.polyroots(quadratic, maxsteps=200))
        return {
            "lift": float(t / c - 1),
            "lower": float(low - 1),
            "upper": float(high - 1),
            "g": float(square * v_c / c**2),
        }


def fieller_of_rows(t, c, alpha):
    critical = stats.t.isf(alpha / 2, welch(t, c, alpha)["df"])
    return fieller(t.mean(), c.mean(), stats.sem(t) ** 2, stats.sem(c) ** 2, critical)


def linearised(t, c, slope_t, slope_c):
    """Standard error of a function of two means, from each pupil's part in it."""
    return np.hypot(stats.sem(slope_t * t), stats.sem(slope_c * c))


def delta(t, c, alpha):
    lift = t.mean() / c.mean() - 1
    se = linearised(t, c, 1 / c.mean(), t.mean() / c.mean() ** 2)
    half = stats.t.isf(alpha / 2, welch(t, c, alpha)["df"]) * se
    return {"lift": lift, "se": se, "lower": lift - half, "upper": lift + half}


def log_lift(t, c, alpha):
    se = linearised(t, c, 1 / t.mean(), 1 / c.mean())
    half = stats.t.isf(alpha / 2, welch(t, c, alpha)["df"]) * se
    log_ratio = np.log(t.mean() / c.mean())
    return {
        "lift": t.mean() / c.mean() - 1,
        "seLog": se,
        "lower": np.expm1(log_ratio - half),
        "upper": np.expm1(log_ratio + half),
    }


def non_inferiority_absolute(t, c, margin, alpha):
    test = stats.ttest_ind(t + margin, c, equal_var=False, alternative="greater")
    return {
        "t": test.statistic,
        "df": test.df,
        "pValue": test.pvalue,
        "oneSidedBound": test.confidence_interval(1 - alpha).low - margin,
        "nonInferior": test.pvalue < alpha,
    }


def non_inferiority_relative(t, c, margin, alpha):
    test = stats.ttest_ind(t, (1 - margin) * c, equal_var=False, alternative="greater")
    return {
        "t": test.statistic,
        "df": test.df,
        "pValue": test.pvalue,
        "nonInferior": test.pvalue < alpha,
    }


def bayes_normal(estimate, se, prior_variance, is_less_better=False, credibility=0.95):
    """The posterior as a law of SciPy; losses by integrating over it."""
    precision = 1 / se**2 + (0 if prior_variance is None else 1 / prior_variance)
    law = stats.norm(estimate / se**2 / precision, precision**-0.5)
    high, low = max(0, law.mean()) + 40 * law.std(), min(0, law.mean()) - 40 * law.std()
    loss_above = sequential.integrate(lambda x: x * law.pdf(x), 0, high)
    loss_below = sequential.integrate(lambda x: -x * law.pdf(x), low, 0)
    lower, upper = law.interval(credibility)
    of_treatment, of_control = (
        (loss_above, loss_below) if is_less_better else (loss_below, loss_above)
    )
    return {
        "posteriorMean": law.mean(),
        "posteriorSd": law.std(),
        "lower": lower,
        "upper": upper,
        "chanceToWin": law.cdf(0) if is_less_better else law.sf(0),
        "expectedLossChooseTreatment": of_treatment,
        "expectedLossChooseControl": of_control,
    }


def compare(t, c, settings):
    """Everything that takes one number per pupil of two arms."""
    alpha = settings["alpha"]
    test = welch(t, c, alpha)
    errors = standard_errors(t, c)
    relative = delta(t, c, alpha)
    simultaneous = stats.ttest_ind(t, c, equal_var=False).confidence_interval(1 - alpha / 6)
    return {
        "welch": test,
        "bonferroni": {"lower": simultaneous.low, "upper": simultaneous.high},
        "fieller": fieller_of_rows(t, c, alpha),
        "delta": relative,
        "log": log_lift(t, c, alpha),
        "absolute": non_inferiority_absolute(t, c, settings["margins"]["absolute"], alpha),
        "relative": non_inferiority_relative(t, c, settings["margins"]["relative"], alpha),
        "robust": errors,
        "sequence": sequential.confidence_sequence(
            test["diff"], errors["se"], len(t) + len(c), alpha, settings["tuningN"]
        ),
        "msprt": sequential.msprt(test["diff"], test["se"], settings["mixingVariance"], alpha),
        "bayes": bayes_normal(relative["lift"], relative["se"], settings["priorVariance"]),
        "bayesFlat": bayes_normal(relative["lift"], relative["se"], None, is_less_better=True),
    }
