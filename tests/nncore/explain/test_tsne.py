"""t-SNE, where the library is installed."""

from __future__ import annotations

import numpy as np
import pytest

from nncore.errors import ConfigError
from nncore.explain import tsne as module
from nncore.explain.tsne import iterations, tsne


def test_without_the_library_a_sentence_names_it(monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"openTSNE.*digitlab\[map\]"):
        next(tsne(np.zeros((20, 5))))


@pytest.mark.skipif(not module.has_tsne(), reason="openTSNE is not installed")
def test_groups_lie_apart_and_the_way_there_is_told():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(3), 40)
    values = rng.normal(size=(3, 10))[groups] * 6 + rng.normal(size=(120, 10))
    told = list(tsne(values))
    assert [done for done, _ in told] == list(range(0, iterations(False) + 1, 10))
    places = told[-1][1]
    middles = np.array([places[groups == n].mean(axis=0) for n in range(3)])
    nearest = np.linalg.norm(places[:, None] - middles, axis=2).argmin(axis=1)
    assert (nearest == groups).all()
    assert len(list(tsne(values, places))) < len(told), "from places that are nearly right it is quicker"
