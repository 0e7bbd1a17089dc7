// Augmentation: a variation of each image by the formula of nncore/data/augment.py, whose letters the arguments are.
enum { KNOTS = 8, NOISE = 65536 };  // as nncore/backend/variations.py

__device__ float clamped(float value, float most) { return min(max(value, 0.f), most); }

// x̃ at one value of an image: (1 − |t|) x + |t| · the largest (t > 0) or smallest of it and its four neighbours.
__device__ float thick(const Byte* image, int i, int j, int c, int rows, int cols, int C, float t)
{
    const Byte* at = image + (i * cols + j) * C + c;
    if (t == 0) return *at;
    int up = i > 0 ? -cols * C : 0, down = i < rows - 1 ? cols * C : 0, left = j > 0 ? -C : 0, right = j < cols - 1 ? C : 0;
    int x = *at, a = at[up], b = at[down], l = at[left], r = at[right];
    int best = t > 0 ? max(max(max(a, b), max(l, r)), x) : min(min(min(a, b), min(l, r)), x);
    return x + fabsf(t) * (best - x);
}

// out = variations of `count` images (rows, cols, C) of bytes. linear (count, 2, 2), shift (count, 2), control (count, KNOTS,
// KNOTS, 2), thickness, noise and noise_from (count); table (NOISE); by_row (rows, KNOTS), by_column (cols, KNOTS). One thread a
// pixel, which looks at the same place for all its channels.
// grid: (ceil(count * rows * cols / 256), 1, 1); block: (256, 1, 1)
__global__ void vary(
    const Byte* images, Byte* out, const float* linear, const float* shift, const float* control, const float* thickness,
    const float* noise, const int* noise_from, const float* table, const float* by_row, const float* by_column,
    int rows, int cols, int C, int count)
{
    int item = blockIdx.x * blockDim.x + threadIdx.x, j = item % cols, i = item / cols % rows, n = item / cols / rows;
    if (n >= count) return;
    float pull_x = 0, pull_y = 0;
    for (int k = 0; k < KNOTS; k++) {
        float down = by_row[i * KNOTS + k];
        if (down == 0) continue;  // a spline reaches over four knots of a side
        const float* knots = control + ((size_t)n * KNOTS + k) * KNOTS * 2;
        for (int l = 0; l < KNOTS; l++) {
            float weight = down * by_column[j * KNOTS + l];
            pull_x += weight * knots[2 * l], pull_y += weight * knots[2 * l + 1];
        }
    }
    float across = j - (cols - 1) * 0.5f, down = i - (rows - 1) * 0.5f;
    const float* m = linear + 4 * n;
    float u = m[0] * across + m[1] * down + shift[2 * n] + pull_x + (cols - 1) * 0.5f;
    float v = m[2] * across + m[3] * down + shift[2 * n + 1] + pull_y + (rows - 1) * 0.5f;
    u = clamped(u, cols - 1), v = clamped(v, rows - 1);
    int left = min((int)u, max(cols - 2, 0)), top = min((int)v, max(rows - 2, 0));
    int right = min(left + 1, cols - 1), below = min(top + 1, rows - 1);
    across = u - left, down = v - top;
    const Byte* image = images + (size_t)n * rows * cols * C;
    float t = thickness[n];
    for (int c = 0; c < C; c++) {
        float a = thick(image, top, left, c, rows, cols, C, t), b = thick(image, top, right, c, rows, cols, C, t);
        float d = thick(image, below, left, c, rows, cols, C, t), e = thick(image, below, right, c, rows, cols, C, t);
        float above = a + across * (b - a), under = d + across * (e - d);
        int to = (i * cols + j) * C + c;
        float value = above + down * (under - above) + noise[n] * table[(noise_from[n] + to) & (NOISE - 1)];
        out[(size_t)n * rows * cols * C + to] = (int)(clamped(value, 255) + 0.5f);
    }
}
