"""A network whose training diverged has weights that are no numbers: it is looked at all the same, and finds nothing."""

from __future__ import annotations

import numpy as np
import pytest

from nncore.data import synthetic
from nncore.errors import DataError
from nncore.explain.activation_maximisation import activation_maximisation
from nncore.explain.adversarial import adversarial
from nncore.explain.counterfactual import counterfactual
from nncore.explain.embedding import layer_vectors
from nncore.explain.grad_cam import grad_cam
from nncore.explain.gradients import gradient
from nncore.explain.histograms import weight_histograms
from nncore.explain.integrated_gradients import integrated_gradients
from nncore.explain.occlusion import occlusion
from nncore.explain.pca import pca
from nncore.explain.sanity import check_completeness, check_occlusion
from nncore.explain.target import Target
from nncore.explain.top_images import top_images
from nncore.prediction import Predictor
from tests.nncore.explain.cases import image_for, network_of


def test_no_method_breaks_or_claims_to_have_found_anything() -> None:
    network = network_of("mnist-cnn")
    for parameter in network.parameters().values():
        parameter.data[...] = np.nan
    predictor, image, target = Predictor(network), image_for(network), Target(0)
    assert np.isnan(gradient(predictor, image, target).map).any()
    assert grad_cam(predictor, image, target).map.shape == (28, 28)
    assert not check_completeness(integrated_gradients(predictor, image, target)).passed
    assert not check_occlusion(predictor, image, occlusion(predictor, image, target, patch=14, stride=14)).passed
    for steps in (counterfactual(predictor, image, 0), adversarial(predictor, image, 0), adversarial(predictor, image, 0, "linf")):
        *_, end = steps
        assert end.result is not None and not end.result.found and not end.result.pixels
    *_, made = activation_maximisation(predictor, "relu2", 0, steps=3)
    assert made.result is not None and np.isfinite(made.result.image).all()
    data = synthetic("test", 5)
    *_, top = top_images(predictor, data, "relu2", 2)
    assert top.result is not None and not np.isfinite(top.result.values).any()
    *_, vectors = layer_vectors(predictor, data, "relu3")
    assert vectors.result is not None
    with pytest.raises(DataError, match="not; look at an earlier moment"):
        pca(vectors.result)
    assert not any(found.counts.any() for found in weight_histograms(network).values())
