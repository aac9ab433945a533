"""Everything that the statistics of packages/core say of the trial, computed anew."""
import numpy as np
from scipy import stats

import adjusted
import analysis
import means
import quantiles
import rates
import sequential
import splits
from star import ARMS, CONTROL, TREATMENTS


def per_arm(of):
    return {arm: of(arm) for arm in ARMS}


def looks(trial, treatment, settings):
    def estimate(count):
        arm, score = trial.arm[:count], trial.score[:count]
        t, c = score[arm == treatment], score[arm == CONTROL]
        return t.mean() - c.mean(), means.standard_errors(t, c)["se"], len(t) + len(c)

    estimates = [estimate(count) for count in settings["looks"]]
    return {
        "sequence": sequential.monitored_sequence(
            estimates, settings["alpha"], settings["tuningN"]
        ),
        "groupSequential": sequential.monitored_group_sequential(
            estimates, settings["alpha"], settings["plannedUnits"]
        ),
    }


def value_per_user(trial, settings):
    alpha = settings["alpha"]
    arms, y = trial.arm, trial.score

    def versus(treatment):
        several = [trial.free, trial.female]
        return {
            **means.compare(trial.of(treatment, y), trial.of(CONTROL, y), settings),
            "cuped": adjusted.cuped(arms, treatment, y, trial.free, alpha),
            "cupedMultiple": adjusted.cuped_multiple(arms, treatment, y, several, alpha),
            "lin": adjusted.lin(arms, treatment, y, several, alpha),
            "strataOfArea": adjusted.post_stratified(arms, treatment, y, trial.area, alpha),
            "strataOfSchool": adjusted.post_stratified(arms, treatment, y, trial.school, alpha),
            "looks": looks(trial, treatment, settings),
        }

    def merged(arm):
        rows = np.stack([trial.of(arm, y), trial.of(arm, trial.free)])
        n = rows.shape[1]
        return {"n": n, "mean": rows.mean(axis=1), "products": np.cov(rows) * (n - 1)}

    return {
        **per_arm(lambda arm: {"mean": means.mean(trial.of(arm, y), alpha)}),
        "versus": {treatment: versus(treatment) for treatment in TREATMENTS},
        "merged": per_arm(merged),
    }


def avg_value(trial, settings):
    alpha = settings["alpha"]
    after, before = (trial.score, trial.tested), (trial.free, trial.lunch_known)
    rows = adjusted.ratio_rows(trial.arm, *after)

    def versus(treatment):
        return {
            **means.compare(trial.of(treatment, rows), trial.of(CONTROL, rows), settings),
            "cuped": adjusted.cuped_ratio(trial.arm, treatment, after, before, alpha),
        }

    return {
        **per_arm(lambda arm: {"mean": means.mean(trial.of(arm, rows), alpha)}),
        "versus": {treatment: versus(treatment) for treatment in TREATMENTS},
    }


def counts(trial, arm):
    tested = trial.of(arm, trial.tested)
    return int(tested.sum()), len(tested)


def conversion_rate(trial, settings):
    return {
        **per_arm(lambda arm: rates.arm(*counts(trial, arm), settings["alpha"])),
        "versus": {
            treatment: rates.compare(counts(trial, treatment), counts(trial, CONTROL), settings)
            for treatment in TREATMENTS
        },
    }


def quantile(trial, p, alpha):
    arms = per_arm(
        lambda arm: quantiles.arm(trial.of(arm, trial.score), trial.of(arm, trial.tested), p, alpha)
    )
    return {
        **arms,
        "versus": {
            treatment: quantiles.compare(arms[treatment], arms[CONTROL], alpha)
            for treatment in TREATMENTS
        },
    }


def split(trial, settings):
    def sizes(count=None):
        return [int(np.sum(trial.arm[:count] == arm)) for arm in ARMS]

    weights = settings["weights"]
    regular, small, _ = sizes()
    share = weights[1] / (weights[0] + weights[1])
    return {
        "chiSquare": splits.chi_square(sizes(), weights),
        "exact": {"pValue": stats.binomtest(small, regular + small, share).pvalue},
        "sequential": splits.sequential([sizes(count) for count in settings["looks"]], weights),
    }


def numbers(trial, settings):
    """All of them, as a tree whose paths are the names."""
    value, average, rate = (
        of(trial, settings) for of in (value_per_user, avg_value, conversion_rate)
    )
    family = [
        p_value
        for treatment in TREATMENTS
        for p_value in (
            value["versus"][treatment]["welch"]["pValue"],
            average["versus"][treatment]["welch"]["pValue"],
            rate["versus"][treatment]["miettinenNurminen"]["pValue"],
        )
    ]
    plan = settings["design"]
    return {
        "value_per_user": value,
        "avg_value": average,
        "conversion_rate": rate,
        "quantiles": [quantile(trial, p, settings["alpha"]) for p in settings["quantiles"]],
        "winsorized": splits.winsorized(
            [trial.of(arm, trial.score) for arm in ARMS], settings["capPercentile"]
        ),
        "adjusted": splits.adjusted(family),
        "split": split(trial, settings),
        "analysis": analysis.numbers(trial, settings),
        "design": {
            spending: sequential.design(spending, settings["alpha"], plan["looks"], plan["power"])
            for spending in sequential.SPENDING
        },
    }
