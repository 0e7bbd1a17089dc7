"""Deliberate faults in kernels, each of which turns a test of this folder red: the file, what stands in it once, what instead."""

from __future__ import annotations

FAULTS: tuple[tuple[str, str, str], ...] = (
    # What all activations share: places and guards.
    ("elementwise.cu", "= f(x[(size_t)n * x_pitch + i * x_row + at])", "= f(x[(size_t)n * x_pitch + i * y_row + at])"),
    ("elementwise.cu", "y[(size_t)n * y_pitch + i * y_row + at] = f", "y[(size_t)n * x_pitch + i * y_row + at] = f"),
    ("elementwise.cu", "if (n >= count) return;\n    y[", "if (n > count) return;\n    y["),
    ("elementwise.cu", "if (n >= count) return;\n    float grad", "if (n > count) return;\n    float grad"),
    ("elementwise.cu", "g[(size_t)n * g_pitch + i * g_row + at]", "g[(size_t)n * g_pitch + i * y_row + at]"),
    ("elementwise.cu", "gx[(size_t)n * gx_pitch + i * gx_row + at]", "gx[(size_t)n * gx_pitch + i * g_row + at]"),
    # relu, relu_back
    ("elementwise.cu", "x < 0 ? 0 : x", "x > 0 ? x : 0"),
    ("elementwise.cu", "x < 0 ? 0 : x", "x < 0 ? x : 0"),
    ("elementwise.cu", "y > 0 ? g : 0", "y >= 0 ? g : 0"),
    ("elementwise.cu", "y > 0 ? g : 0", "g > 0 ? g : 0"),
    # sigmoid, sigmoid_back
    ("elementwise.cu", "tanhf(0.5f * x)", "tanhf(x)"),
    ("elementwise.cu", "0.5f + 0.5f", "0.5f - 0.5f"),
    ("elementwise.cu", "g * y * (1 - y)", "g * y * (1 + y)"),
    ("elementwise.cu", "g * y * (1 - y)", "g * (1 - y)"),
    # tanh, tanh_back
    ("elementwise.cu", "return tanhf(x)", "return x"),
    ("elementwise.cu", "each<tanh_of>", "each<sigmoid_of>"),
    ("elementwise.cu", "1 - y * y", "1 - y"),
    ("elementwise.cu", "each_back<tanh_gradient>", "each_back<sigmoid_gradient>"),
    # softmax, softmax_back
    ("softmax.cu", "from[c] > largest", "from[c] < largest"),
    ("softmax.cu", "largest = from[0]", "largest = 0"),
    ("softmax.cu", "to[c] /= total", "to[c] = total"),
    ("softmax.cu", "x + (size_t)n * x_pitch + i * x_row", "x + (size_t)n * x_pitch + i * y_row"),
    ("softmax.cu", "grad[c] - total", "grad[c] + total"),
    ("softmax.cu", "total += value[c] * grad[c]", "total += grad[c]"),
    ("softmax.cu", "g + (size_t)n * g_pitch + i * g_row", "g + (size_t)n * g_pitch + i * y_row"),
    ("softmax.cu", "if (n >= count) return;\n    const float* from", "if (n > count) return;\n    const float* from"),
    ("softmax.cu", "if (n >= count) return;\n    const float *value", "if (n > count) return;\n    const float *value"),
    # dropout
    ("dropout.cu", "n >= count", "n > count"),
    ("dropout.cu", "bits >> 15", "bits >> 14"),
    ("dropout.cu", "bits >= threshold", "bits > threshold"),
    ("dropout.cu", "* layers + key", "+ key"),
    ("dropout.cu", "clock[NOW]", "clock[NEXT]"),
    ("dropout.cu", "first * rows * width + item", "first * width + item"),
    ("dropout.cu", " * scale;", ";"),
    # max_pool2d
    ("pooling.cu", "value > best", "value >= best"),
    ("pooling.cu", " || value != value", ""),
    ("pooling.cu", "who = k * kw + l", "who = k * kh + l"),
    ("pooling.cu", "winner[item] = who", "winner[item] = who % kw"),
    # avg_pool2d
    ("pooling.cu", "total * (1.f / (kh * kw))", "total * (1.f / (kh * kh))"),
    ("pooling.cu", "total += from[k * x_row + l * C]", "total += from[k * x_row + l]"),
    # Which windows hold a value: both ways back.
    ("pooling.cu", "at < size ? 0", "at <= size ? 0"),
    ("pooling.cu", "(at - size) / stride + 1", "(at - size) / stride + 2"),
    ("pooling.cu", "min(at / stride, windows - 1)", "min(at / stride, windows - 2)"),
    # max_pool2d_back
    ("pooling.cu", "(i - wi * sh) * kw + j", "(i - wi * sh) * kh + j"),
    ("pooling.cu", "won[(wi * cols + wj) * C]", "won[(wi * rows + wj) * C]"),
    ("pooling.cu", "j - wj * sw) total +=", "j - wj * sw) total ="),
    # avg_pool2d_back
    ("pooling.cu", "share = 1.f / (kh * kw)", "share = 1.f / kh"),
    ("pooling.cu", "total += share", "total = share"),
    # What all losses share: labels, sums over threads, results, clock.
    ("loss.cu", "z[c] > z[answer]", "z[c] >= z[answer]"),
    ("loss.cu", "batch + first + n", "batch + n"),
    ("loss.cu", "clock[NOW] * batch", "clock[NEXT] * 0"),
    ("loss.cu", "        __syncthreads();\n", ""),
    ("loss.cu", "half > 0", "half > 1"),
    ("loss.cu", "losses[0] / max(total, 1)", "losses[0] / total"),
    ("loss.cu", "(first ? results[2 * step] : 0)", "0"),
    ("loss.cu", "(first ? results[2 * step + 1] : 0)", "results[2 * step + 1]"),
    ("loss.cu", "t > 0 || clock[STOPPED]", "t > 0"),
    ("loss.cu", "    if (!last) return;\n", ""),
    ("loss.cu", "isfinite(mean)", "mean == mean"),
    ("loss.cu", "clock[NEXT] = step + 1", "clock[NEXT] = step"),
    # cross_entropy
    ("loss.cu", "(largest - scores[label])", "largest - scores[label]"),
    ("loss.cu", "loss += logf", "loss = logf"),
    ("loss.cu", "c == label ? (1 - smoothing) * share : 0", "c == answer ? (1 - smoothing) * share : 0"),
    ("loss.cu", "c == label ? (1 - smoothing) * share : 0", "c == label ? share : 0"),
    ("loss.cu", "- even * share", ""),
    ("loss.cu", "+ even * below", ""),
    ("loss.cu", "(1 - smoothing) * (largest", "(largest"),
    ("loss.cu", "even = smoothing / classes", "even = smoothing"),
    ("loss.cu", "below += largest - scores[c]", "below += scores[c]"),
    ("loss.cu", "(share / powers)", "share"),
    # probability
    ("loss.cu", "scores[label] < TINY ? TINY : scores[label]", "scores[label] > TINY ? scores[label] : TINY"),
    ("loss.cu", "-share / floored", "-share"),
    ("loss.cu", "loss -= logf", "loss += logf"),
    # hinge
    ("loss.cu", "!(excess <= 0)", "!(excess < 0)"),
    ("loss.cu", "!(excess <= 0)", "excess > 0"),
    ("loss.cu", "c != label && ", ""),
    ("loss.cu", "-share * inside", "-share"),
)
