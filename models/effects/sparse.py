"""Which of many columns change an effect: Bayesian variable selection by a sum of single effects.

Each of a few effects belongs to one column, nobody knows which; the posterior says how likely each column is. Columns
that say the same share the chance, and where no column helps, none is used (Wang, Sarkar, Carbonetto and Stephens 2020,
"A simple new approach to variable selection in regression", JRSS B 82(5)).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from configs.arrays import Floats

SPREADS = (0.05, 0.05, 0.05, 0.15, 0.15, 0.15)
NEGLIGIBLE = 1e-3


@dataclass(frozen=True)
class SingleEffects:
    """Posterior of the effects.

    Parameters
    ----------
    chance, mean, variance
        Shape (effects, columns): that the effect is this column's, and if so, its coefficient. What is missing to 1
        in a row is the chance that the effect is none.
    """

    chance: Floats
    mean: Floats
    variance: Floats

    @classmethod
    def prior(cls, weights: Floats) -> SingleEffects:
        """Nothing seen yet: `weights` are the chances of the columns, together below 1."""
        shape = (len(SPREADS), len(weights))
        spread = np.broadcast_to(np.square(SPREADS)[:, None], shape)
        return cls(np.tile(weights, (len(SPREADS), 1)), np.zeros(shape), spread.copy())

    @property
    def coefficient(self) -> Floats:
        """Shape (columns,): expected coefficients."""
        return np.asarray((self.chance * self.mean).sum(axis=0))

    def variance_of(self, X: Floats) -> Floats:
        """Shape (rows,): posterior variance of what the columns add to each row."""
        total = np.zeros(len(X))
        for chance, mean, variance in zip(self.chance, self.mean, self.variance, strict=True):
            used = chance > NEGLIGIBLE
            part = X[:, used]
            total += part**2 @ (chance * (mean**2 + variance))[used] - (part @ (chance * mean)[used]) ** 2
        return np.maximum(total, 0.0)

    def draw(self, rng: np.random.Generator) -> Floats:
        """Shape (columns,): coefficients drawn from the posterior."""
        found = np.zeros(self.chance.shape[1])
        for chance, mean, variance in zip(self.chance, self.mean, self.variance, strict=True):
            at, noise = int(np.searchsorted(np.cumsum(chance), rng.random())), rng.standard_normal()
            if at < len(found):
                found[at] += mean[at] + noise * np.sqrt(variance[at])
        return found

    def updated(self, gram: Floats, target: Floats, weights: Floats) -> SingleEffects:
        """Take each effect anew, given the others.

        Parameters
        ----------
        gram, target
            `X'X` and `X'y` of rows scaled to noise of variance 1; shapes (columns, columns) and (columns,).
        weights
            Prior chance of each column; what is missing to 1 is that of none.
        """
        chance, mean, variance = self.chance.copy(), self.mean.copy(), self.variance.copy()
        total, precision = self.coefficient, np.diag(gram)
        none = np.log(max(1 - float(weights.sum()), 1e-12))
        for effect, spread in enumerate(np.square(SPREADS)):
            total = total - chance[effect] * mean[effect]
            left = target - gram @ total
            shrunk = spread / (1 + precision * spread)
            mean[effect], variance[effect] = shrunk * left, shrunk
            # Log Bayes factor of each column against none (Wakefield 2009).
            logs = np.log(weights) + 0.5 * np.log(shrunk / spread) + 0.5 * shrunk * left**2
            chance[effect] = np.exp(logs - logsumexp(np.r_[logs, none]))
            total = total + chance[effect] * mean[effect]
        return SingleEffects(chance, mean, variance)
