"""Comparisons of two rates, by statsmodels where it is right and from the likelihood where not."""
import math
from fractions import Fraction

import mpmath
import numpy as np
from scipy import optimize, stats
from statsmodels.stats import proportion

import sequential

DIGITS = 40


def arm(x, n, alpha):
    wilson = proportion.proportion_confint(x, n, alpha, method="wilson")
    exact = proportion.proportion_confint(x, n, alpha, method="beta")
    return {
        "wilson": {"estimate": x / n, "lower": wilson[0], "upper": wilson[1]},
        "clopperPearson": {"estimate": x / n, "lower": exact[0], "upper": exact[1]},
    }


def product(*polynomials):
    """Coefficients of a product of polynomials, highest power first."""
    result = [mpmath.mpf(1)]
    for polynomial in polynomials:
        terms = [mpmath.mpf(0)] * (len(result) + len(polynomial) - 1)
        for i, a in enumerate(result):
            for j, b in enumerate(polynomial):
                terms[i + j] += a * b
        result = terms
    return result


def likeliest(x_t, n_t, x_c, n_c, rate):
    """
    The control's rate p of the highest likelihood when the treatment's is the line rate = (a, b),
    a p + b. Stationary points are roots of the likelihood's derivative with its denominators
    multiplied out; the best one is chosen by the likelihood itself.
    """
    a, b = map(mpmath.mpf, rate)
    p, q = [mpmath.mpf(1), mpmath.mpf(0)], [mpmath.mpf(-1), mpmath.mpf(1)]
    pt, qt = [a, b], [-a, 1 - b]
    terms = [
        product([x_c], q, pt, qt),
        product([-(n_c - x_c)], p, pt, qt),
        product([a * x_t], p, q, qt),
        product([-a * (n_t - x_t)], p, q, pt),
    ]
    roots = mpmath.polyroots([sum(column) for column in zip(*terms)], maxsteps=500, extraprec=200)

    def log_likelihood(rate_c):
        rate_t = a * rate_c + b
        return (
            x_c * mpmath.log(rate_c)
            + (n_c - x_c) * mpmath.log(1 - rate_c)
            + x_t * mpmath.log(rate_t)
            + (n_t - x_t) * mpmath.log(1 - rate_t)
        )

    inside = [
        mpmath.re(root)
        for root in roots
        if abs(mpmath.im(root)) < mpmath.mpf(10) ** (-DIGITS // 2)
        and 0 < mpmath.re(root) < 1
        and 0 < a * mpmath.re(root) + b < 1
    ]
    return max(inside, key=log_likelihood)


def score_z(x_t, n_t, x_c, n_c, rate):
    """Miettinen and Nurminen's statistic of the hypothesis that p_T = a p_C + b."""
    with mpmath.workdps(DIGITS):
        a, b = map(mpmath.mpf, rate)
        p_c = likeliest(x_t, n_t, x_c, n_c, rate)
        p_t = a * p_c + b
        n = n_t + n_c
        variance = p_t * (1 - p_t) / n_t + a * a * p_c * (1 - p_c) / n_c
        distance = mpmath.mpf(x_t) / n_t - a * x_c / n_c - b
        return float(distance / mpmath.sqrt(variance * n / (n - 1)))


def inverted(z_of, estimate, step, critical):
    """Where a statistic that falls in its argument is the critical value, and its negative."""
    return [
        optimize.brentq(lambda x: z_of(x) - z, *sorted((estimate, end)), xtol=1e-16, rtol=1e-15)
        for z, end in ((critical, estimate - step), (-critical, estimate + step))
    ]


def miettinen_nurminen(x_t, n_t, x_c, n_c, alpha):
    diff = x_t / n_t - x_c / n_c
    lower, upper = inverted(
        lambda delta: score_z(x_t, n_t, x_c, n_c, (1, delta)), diff, 0.1, stats.norm.isf(alpha / 2)
    )
    z = score_z(x_t, n_t, x_c, n_c, (1, 0))
    return {
        "diff": diff,
        "lower": lower,
        "upper": upper,
        "z": z,
        "pValue": 2 * stats.norm.sf(abs(z)),
    }


def score_lift(x_t, n_t, x_c, n_c, alpha):
    ratio = x_t / n_t * n_c / x_c
    lower, upper = inverted(
        lambda r: score_z(x_t, n_t, x_c, n_c, (r, 0)), ratio, 0.09, stats.norm.isf(alpha / 2)
    )
    return {
        "lift": ratio - 1,
        "liftLower": lower - 1,
        "liftUpper": upper - 1,
        "ratioLower": lower,
        "ratioUpper": upper,
    }


def newcombe(x_t, n_t, x_c, n_c, alpha):
    lower, upper = proportion.confint_proportions_2indep(
        x_t, n_t, x_c, n_c, method="newcomb", compare="diff", alpha=alpha
    )
    return {"diff": x_t / n_t - x_c / n_c, "lower": lower, "upper": upper}


def log_lift(x_t, n_t, x_c, n_c, alpha):
    lower, upper = proportion.confint_proportions_2indep(
        x_t, n_t, x_c, n_c, method="log", compare="ratio", alpha=alpha
    )
    ratio = x_t / n_t * n_c / x_c
    # Of the rate as a mean of zeros and ones, whose variance is p(1 − p).
    t, c = (np.repeat([1.0, 0.0], [x, n - x]) for x, n in ((x_t, n_t), (x_c, n_c)))
    return {
        "lift": ratio - 1,
        "seDelta": math.hypot(t.std() / n_t**0.5, ratio * c.std() / n_c**0.5) / c.mean(),
        "seLog": math.log(upper / lower) / (2 * stats.norm.isf(alpha / 2)),
        "liftLower": lower - 1,
        "liftUpper": upper - 1,
    }


def z_test(x_t, n_t, x_c, n_c, alpha):
    def test(alternative):
        return proportion.proportions_ztest([x_t, x_c], [n_t, n_c], alternative=alternative)

    lower, upper = proportion.confint_proportions_2indep(
        x_t, n_t, x_c, n_c, method="wald", compare="diff", alpha=alpha
    )
    return {
        "diff": x_t / n_t - x_c / n_c,
        "zPooled": test("two-sided")[0],
        "pValue": test("two-sided")[1],
        "pValueGreater": test("larger")[1],
        "pValueLess": test("smaller")[1],
        "waldLower": lower,
        "waldUpper": upper,
    }


def fisher(x_t, n_t, x_c, n_c):
    """In whole numbers: how many of all tables with these margins are as far out."""
    successes = x_t + x_c
    tables = {
        k: math.comb(n_t, k) * math.comb(n_c, successes - k)
        for k in range(max(0, successes - n_c), min(successes, n_t) + 1)
    }
    total, seen = sum(tables.values()), tables[x_t]

    def share(count):
        return float(Fraction(count, total))

    as_far = sum(count for count in tables.values() if count * 10**7 <= seen * (10**7 + 1))
    return {
        "pValue": share(as_far),
        "pValueGreater": share(sum(count for k, count in tables.items() if k >= x_t)),
        "pValueLess": share(sum(count for k, count in tables.items() if k <= x_t)),
        "midPValue": share(as_far - Fraction(seen, 2)),
    }


def farrington_manning(x_t, n_t, x_c, n_c, margin, alpha):
    def test(sign):
        z = sign * score_z(x_t, n_t, x_c, n_c, (1, -sign * margin))
        p_value = stats.norm.sf(z)
        return {"z": z, "pValue": p_value, "nonInferior": p_value < alpha}

    return {"increase": test(1), "decrease": test(-1)}


def beta_binomial(x_t, n_t, x_c, n_c):
    t, c = stats.beta(1 + x_t, 1 + n_t - x_t), stats.beta(1 + x_c, 1 + n_c - x_c)
    low = min(law.mean() - 20 * law.std() for law in (t, c))
    high = max(law.mean() + 20 * law.std() for law in (t, c))

    def integral(f):
        return sequential.integrate(f, max(0, low), min(1, high))

    return {
        "probTreatmentBeatsControl": integral(lambda p: t.pdf(p) * c.cdf(p)),
        "probControlBeatsTreatment": integral(lambda p: c.pdf(p) * t.cdf(p)),
        "expectedLossChooseTreatment": integral(lambda p: t.cdf(p) * c.sf(p)),
        "expectedLossChooseControl": integral(lambda p: c.cdf(p) * t.sf(p)),
        "posteriorMeanTreatment": t.mean(),
        "posteriorMeanControl": c.mean(),
        "treatmentLower": t.ppf(0.025),
        "treatmentUpper": t.isf(0.025),
        "controlLower": c.ppf(0.025),
        "controlUpper": c.isf(0.025),
    }


def compare(t, c, settings):
    """Everything that takes two rates, each as (successes, units)."""
    alpha = settings["alpha"]
    counts = (*t, *c)
    return {
        "miettinenNurminen": miettinen_nurminen(*counts, alpha),
        "newcombe": newcombe(*counts, alpha),
        "scoreLift": score_lift(*counts, alpha),
        "logLift": log_lift(*counts, alpha),
        "zTest": z_test(*counts, alpha),
        "fisher": fisher(*counts),
        "farringtonManning": farrington_manning(*counts, settings["margins"]["rate"], alpha),
        "betaBinomial": beta_binomial(*counts),
    }
