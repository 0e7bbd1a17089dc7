"""Single faults in conv.cu, norm.cu and vary.cu, each of which turns a test of this folder red: (file, old, new).

`old` is there exactly once.
"""

from __future__ import annotations

FAULTS: tuple[tuple[str, str, str], ...] = (
    # what the kernels of the convolution share
    ("conv.cu", "if (h < there) to[h] = values.at[h];", "if (h <= there) to[h] = values.at[h];"),
    ("conv.cu", "&as[d][ty + i * EACH]", "&as[d][ty]"),
    ("conv.cu", "while (p.i >= rows) p.i -= rows, p.n++;", "while (p.i > rows) p.i -= rows, p.n++;"),
    # conv2d
    ("conv.cu", "p.i * sh * x_row + p.j * sw * C : nullptr", "p.i * sh * x_row + p.j * C : nullptr"),
    ("conv.cu", "above += x_row;", "above += width;"),
    ("conv.cu", "from[CH > 1 ? s : 0]", "from[0]"),
    ("conv.cu", "relu && value < 0 ? 0 : value;", "relu && !(value > 0) ? 0 : value;"),
    ("conv.cu", "if (low + ty + i >= places) return;", "if (low + ty + i > places) return;"),
    ("conv.cu", "    fetch(0);\n    keep(0);\n    __syncthreads();\n", "    fetch(0);\n    keep(0);\n"),
    ("conv.cu", "        __syncthreads();\n    }\n    Vector<float, EACH> start", "    }\n    Vector<float, EACH> start"),
    # conv2d_weight_gradient
    ("conv.cu", "p.i * sh * x_row + p.j * sw * C;", "p.i * x_row + p.j * sw * C;"),
    ("conv.cu", "min(begin + slice, count * rows * cols)", "begin + slice"),
    ("conv.cu", "if (!(mask.at[h] > 0)) b[s].at[h] = 0;", "if (mask.at[h] < 0) b[s].at[h] = 0;"),
    ("conv.cu", "(size_t)blockIdx.z * (K + 1) * O", "(size_t)blockIdx.z * K * O"),
    ("conv.cu", "of_bias += bs[half][d][t];", "of_bias += bs[0][d][t];"),
    ("conv.cu", "(low + row) / width * (x_row - width)", "(low + row) / width * x_row"),
    ("conv.cu", "        __syncthreads();\n    }\n    for (int after", "    }\n    for (int after"),
    ("conv.cu", "sum[e / EACH].at[e % EACH] += total[e][t];", "sum[e / EACH].at[e % EACH] = total[e][t];"),
    ("conv.cu", "        __syncthreads();\n        if (group == after)", "        if (group == after)"),
    ("conv.cu", "advance(p, BESIDE - DEPTH, rows, cols);", "advance(p, BESIDE, rows, cols);"),
    # conv2d_input_gradient
    ("conv.cu", "top = (of_k - up % sh + sh) % sh", "top = of_k"),
    ("conv.cu", "taps_down = (kh - of_k + sh - 1) / sh", "taps_down = (kh + sh - 1) / sh"),
    ("conv.cu", "i < rows && j >= 0 && j < cols", "i < rows && j < cols"),
    ("conv.cu", "if (!(mask.at[h] > 0)) a[s].at[h] = 0;", "if (mask.at[h] < 0) a[s].at[h] = 0;"),
    ("conv.cu", "of_l + q.i * sw)", "of_l + q.i)"),
    ("conv.cu", "(first_col + r.j * sw) * C", "(r.j * sw) * C"),
    ("conv.cu", "        __syncthreads();\n    }\n    Place r", "    }\n    Place r"),
    # what the kernels of batch norm share
    ("norm.cu", "(places + gridDim.x - 1) / gridDim.x", "places / gridDim.x"),
    ("norm.cu", "(w.end - w.next + w.by - 1) / w.by", "(w.end - w.next) / w.by"),
    ("norm.cu", "apart * apart * a.values * part", "apart * apart * part"),
    ("norm.cu", "        __syncthreads();\n        if (y < half) all", "        if (y < half) all"),
    ("norm.cu", "        __syncthreads();\n        if (y < half) {", "        if (y < half) {"),
    ("norm.cu", ".plain += all[(y + half) * W].plain;", ".plain += all[y + half].plain;"),
    # batch_norm_sums
    ("norm.cu", "v < there ? (seen[v] - mean) * (seen[v] - mean) : 0;", "(seen[v] - mean) * (seen[v] - mean);"),
    ("norm.cu", "to[C] = all.mean, to[2 * C] = all.square;", "to[C] = all.mean, to[2 * C] = all.square / all.values;"),
    # batch_norm_apply
    ("norm.cu", "s * 3 * C + c;\n            mine", "s * 2 * C + c;\n            mine"),
    ("norm.cu", "if (blockIdx.x == 0 && threadIdx.y == 0) {", "if (threadIdx.y == 0) {"),
    ("norm.cu", "if (!clock[STOPPED] && all.values > 1)", "if (all.values > 1)"),
    ("norm.cu", "if (!clock[STOPPED] && all.values > 1)", "if (!clock[STOPPED])"),
    ("norm.cu", "all.square / (all.values - 1)", "all.square / all.values"),
    ("norm.cu", "relu && value < 0 ? 0 : value;", "relu && !(value > 0) ? 0 : value;"),
    # batch_norm_running
    ("norm.cu", "sqrtf(running[C + c] + eps)", "sqrtf(running[c] + eps)"),
    ("norm.cu", "y_pitch, y_row, running[c], scale", "y_pitch, y_row, running[C + c], scale"),
    # batch_norm_back_sums
    (
        "norm.cu",
        "passed = mask[v] > 0 ? grad[v] : 0;\n                mine",
        "passed = mask[v] >= 0 ? grad[v] : 0;\n                mine",
    ),
    ("norm.cu", "to[0] = all.weighted * found[C + c]", "to[0] = all.weighted * found[c]"),
    # batch_norm_back
    ("norm.cu", "copies[(size_t)s * 2 * C + C + c]", "copies[(size_t)s * C + C + c]"),
    ("norm.cu", "of_weight = all.weighted / M * inverse", "of_weight = all.weighted / M"),
    ("norm.cu", "passed = mask[v] > 0 ? grad[v] : 0;\n            if", "passed = mask[v] >= 0 ? grad[v] : 0;\n            if"),
    # vary
    ("vary.cu", "down = i < rows - 1 ? cols * C : 0", "down = i < rows ? cols * C : 0"),
    ("vary.cu", "left = j > 0 ? -C : 0", "left = j > 1 ? -C : 0"),
    ("vary.cu", "fabsf(t) * (best - x)", "t * (best - x)"),
    ("vary.cu", "if (n >= count) return;", ""),
    ("vary.cu", "pull_y += weight * knots[2 * l + 1]", "pull_y += weight * knots[2 * l]"),
    ("vary.cu", "(noise_from[n] + to) & (NOISE - 1)", "noise_from[n] + to"),
    ("vary.cu", "clamped(value, 255) + 0.5f", "clamped(value, 255)"),
    ("vary.cu", "d + across * (e - d)", "d + down * (e - d)"),
)
