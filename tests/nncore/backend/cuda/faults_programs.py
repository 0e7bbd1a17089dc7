"""Deliberate faults in take.cu, product.cu, pooled.cu and update.cu: the file, what stands in it once, what instead."""

from __future__ import annotations

FAULTS: tuple[tuple[str, str, str], ...] = (
    # take, tick
    ("take.cu", "image * size + at", "image * size"),
    ("take.cu", "at / width * y_row", "at / width * width"),
    ("take.cu", "step * batch + first + n", "step * batch + n"),
    ("take.cu", "order[step * batch", "order[batch"),
    ("take.cu", "clock[NOW] = step", "clock[NOW] = 0"),
    ("take.cu", "* scale", "* 1"),
    ("take.cu", "if (n >= count) return;", "if (n > count) return;"),
    ("take.cu", "clock[NOW] + 1", "clock[NOW]"),
    # product
    ("product.cu", "        __syncthreads();\n        for (int k = 0", "        for (int k = 0"),
    ("product.cu", "        }\n        __syncthreads();\n    }", "        }\n    }"),
    ("product.cu", "mask && !(mask[at] > 0)", "mask && mask[at] < 0"),
    ("product.cu", ": ones;", ": 0;"),
    ("product.cu", "min(begin + slice, K)", "K"),
    ("product.cu", "k >= end ? 0", "k > end ? 0"),
    ("product.cu", "tx = threadIdx.x % SIDE", "tx = threadIdx.x / SIDE"),
    ("product.cu", "m * a_row + k * a_col", "m * a_row + k"),
    ("product.cu", "k * b_row + (left + r) * b_col", "k * b_row + r * b_col"),
    ("product.cu", "blockIdx.z * c_pitch", "blockIdx.z * M * N"),
    ("product.cu", "m >= M + ones || n >= N", "m >= M + ones"),
    ("product.cu", "bias ? bias[n] : 0", "bias ? bias[0] : 0"),
    ("product.cu", "m * c_row + n] = relu && value", "m * c_row + n] = value"),
    # finish
    ("product.cu", "p < parts", "p < parts - 1"),
    ("product.cu", "(size_t)p * pitch + i", "(size_t)p * size + i"),
    ("product.cu", "bias[i % O]", "bias[i / O]"),
    ("product.cu", "y[i] = relu && value <= 0", "y[i] = value <= 0"),
    ("product.cu", "if (i >= size) return;", "if (i > size) return;"),
    # pooled_convolution
    ("pooled.cu", "sum[q].at[h] > best.at[h]", "sum[q].at[h] >= best.at[h]"),
    ("pooled.cu", "|| sum[q].at[h] != sum[q].at[h]", ""),
    ("pooled.cu", "seen[k + q / 2][l + q % 2]", "seen[k + q % 2][l + q / 2]"),
    ("pooled.cu", "who.at[h] = CUT", "who.at[h] = 0"),
    ("pooled.cu", "if (relu && best.at[h] <= 0)", "if (best.at[h] <= 0)"),
    ("pooled.cu", "2 * i * x_row + 2 * j * C", "2 * i * x_row + j * C"),
    ("pooled.cu", "winner + (size_t)window * O + o) = who", "winner + (size_t)window * O) = who"),
    ("pooled.cu", "+ i * y_row + j * O + o) = best", "+ i * cols * O + j * O + o) = best"),
    # pooled_convolution_input_gradient
    ("pooled.cu", "        __syncthreads();\n        if (!inside) continue;", "        if (!inside) continue;"),
    ("pooled.cu", "        __syncthreads();\n        for (int e = threadIdx.x; e < K", "        for (int e = threadIdx.x; e < K"),
    ("pooled.cu", "k < 0 || ", ""),
    ("pooled.cu", "(i + up - K + 1) >> 1", "(i + up - K + 2) >> 1"),
    ("pooled.cu", "min(cols - 1, (j + left) >> 1)", "min(cols - 2, (j + left) >> 1)"),
    ("pooled.cu", "who[s] == CUT || ", ""),
    ("pooled.cu", "* O + first + s] : 0", "* O + s] : 0"),
    ("pooled.cu", "min(SLICE, O - first)", "min(SLICE, O - first) - 1"),
    ("pooled.cu", "lowest = blockIdx.y * WIDE", "lowest = 0"),
    ("pooled.cu", "gx + (size_t)n * gx_pitch + i * gx_row", "gx + (size_t)n * gx_pitch + i * x_cols * C"),
    # pooled_convolution_weight_gradient
    ("pooled.cu", "if (who == CUT) continue;", ""),
    ("pooled.cu", "        __syncthreads();\n    }\n    if (o >= O) return;", "    }\n    if (o >= O) return;"),
    ("pooled.cu", "(turn ? total[e][threadIdx.x] : 0)", "0"),
    ("pooled.cu", "(turn ? total[K * K * CH][threadIdx.x] : 0)", "0"),
    ("pooled.cu", "window += blockDim.y", "window += blockDim.y + 1"),
    ("pooled.cu", "min(first + share, windows)", "windows"),
    ("pooled.cu", "(windows + gridDim.x - 1) / gridDim.x", "windows / gridDim.x"),
    ("pooled.cu", "e / CH * C + c + e % CH) * O", "e / CH * C + e % CH) * O"),
    ("pooled.cu", "(size_t)blockIdx.x * (K * K * C + 1) * O", "(size_t)blockIdx.x * K * K * C * O"),
    ("pooled.cu", "if (c == 0 && threadIdx.y == 0)", "if (c == CH && threadIdx.y == 0)"),
    # gradient_squares
    ("clip.cu", "        __syncthreads();\n", ""),
    ("clip.cu", "sums[t] += sums[t + half]", "sums[t] = sums[t + half]"),
    ("clip.cu", "half > 0", "half > 1"),
    ("clip.cu", "sum += gradient[i] * gradient[i]", "sum += gradient[i]"),
    ("clip.cu", "i += gridDim.x * THREADS", "i += THREADS"),
    ("clip.cu", "partial[blockIdx.x] =", "partial[0] ="),
    # clip_copies
    ("clip.cu", "if (i >= size) return;", "if (i > size) return;"),
    ("clip.cu", "part < parts", "part < 1"),
    ("clip.cu", "sqrtf(squares)", "squares"),
    ("clip.cu", " + 1e-6f", ""),
    ("clip.cu", "!(factor >= 1)", "factor < 1"),
    ("clip.cu", "if (!(factor >= 1)) ", ""),
    # what sum_copies and every rule share
    ("update.cu", "row[SOURCE] + i - row[START]", "row[SOURCE] + i"),
    ("update.cu", "part < row[PARTS]", "part < 1"),
    ("update.cu", "pass < passes", "pass < 1"),
    ("update.cu", "(size_t)pass * pass_pitch", "(size_t)pass * row[PITCH]"),
    ("update.cu", "(size_t)part * row[PITCH]", "(size_t)part"),
    # sum_copies
    ("update.cu", "i < row[END] ? summed(i, row, copies, passes, pass_pitch) : 0", "summed(i, row, copies, passes, pass_pitch)"),
    # what every rule shares
    ("update.cu", "if (i >= size || clock[STOPPED]) return false;", "if (i >= size) return false;"),
    ("update.cu", "i >= row[END] || ", ""),
    ("update.cu", " || lr_mult == 0", ""),
    ("update.cu", "8 * clock[NOW]", "0 * clock[NOW]"),
    ("update.cu", "at.lr = lr_mult * at.rate[0];", "at.lr = at.rate[0];"),
    # update_sgd
    ("update.cu", "theta[at.i] -= at.lr * g;", "theta[at.i] += at.lr * g;"),
    # update_momentum
    ("update.cu", "at.rate[1] * first[at.i] + g;", "first[at.i] + g;"),
    ("update.cu", "theta[at.i] -= at.lr * velocity;", "theta[at.i] += at.lr * velocity;"),
    # update_nesterov
    ("update.cu", "= g + at.rate[1] * first[at.i];", "= g + first[at.i];"),
    ("update.cu", "(g + at.rate[1] * velocity)", "velocity"),
    # update_adam
    ("update.cu", "at.rate[1] * first[at.i] + at.rate[4] * g;", "at.rate[1] * first[at.i] + g;"),
    ("update.cu", "at.rate[5] * g * g", "at.rate[4] * g * g"),
    ("update.cu", "sqrtf(square * at.rate[6]) + at.rate[3]", "sqrtf(square * at.rate[6])"),
    # update_adamw
    ("update.cu", "at.rate[4] * g + at.rate[1] * first[at.i];", "g + at.rate[1] * first[at.i];"),
    ("update.cu", "at.rate[5] * (g * g)", "at.rate[4] * (g * g)"),
    ("update.cu", "(1 - at.lr * at.decay) * theta[at.i]", "theta[at.i]"),
    ("update.cu", "at.lr * at.rate[7] * (mean", "at.lr * (mean"),
)

EVERYWHERE: tuple[tuple[str, str, str], ...] = (("update.cu", " + at.decay * theta[at.i]", ""),)
"""Faults in what each rule of update.cu says for itself, in all of them at once."""
