// Batch norm, with ReLU behind it where asked. Sums over all places of a batch are made of shares: a block makes one for each of
// its channels, and every block of the next launch merges the shares, all in the same order.
//
// block: (W, 256 // W, 1): W channels side by side, W = 32, or the least power of two ≥ C where that is less; below one another are
// walkers, which take the places of the block's share in turn.
// With places = count * rows * cols and turn = 256 // W * 8:
// grid of the two `…_sums`: (shares, ceil(C / W), 1) with shares = max(1, min(64, places // turn))
// grid of the others: (max(1, min(1024, places // turn)), ceil(C / W), 1)
constexpr int THREADS = 256, CHUNK = 8;  // CHUNK: places that a walker reads at a time

// The places that one walker takes: which one is next, as a number and as image, row and column.
struct Walk {
    int next, end, by, rows, cols, n, i, j;
};

// The walk of one thread through its block's share, the blockIdx.x-th of gridDim.x.
__device__ Walk walk(int places, int rows, int cols)
{
    int share = (places + gridDim.x - 1) / gridDim.x, begin = blockIdx.x * share, first = begin + threadIdx.y;
    return {first, min(begin + share, places), (int)blockDim.y, rows, cols, first / cols / rows, first / cols % rows, first % cols};
}

// How many places the walker's next chunk has: CHUNK, or what is left of its share.
__device__ int chunk_of(const Walk& w) { return min(CHUNK, (w.end - w.next + w.by - 1) / w.by); }

__device__ void advance(Walk& w)
{
    w.next += w.by, w.j += w.by;
    while (w.j >= w.cols) w.j -= w.cols, w.i++;
    while (w.i >= w.rows) w.i -= w.rows, w.n++;
}

// The place's offset in images of this pitch and row, at channel 0.
__device__ size_t offset(int pitch, int row, int C, const Walk& w) { return (size_t)w.n * pitch + w.i * row + w.j * C; }

// Some values by how many there are, their mean, and the sum of their squared distances from it.
struct Spread {
    float values, mean, square;
};

// Both together (Chan et al. 1979): no difference of large sums, so that a mean of thousands does not drown a small variance.
__device__ Spread merged(const Spread& a, const Spread& b)
{
    if (!(b.values > 0)) return a;
    float values = a.values + b.values, apart = b.mean - a.mean, part = b.values / values;
    return {values, a.mean + apart * part, a.square + b.square + apart * apart * a.values * part};
}

// What all walkers of a channel have found, merged. Every thread of the block calls it, and gets its own channel's.
__device__ Spread of_block(const Spread& mine)
{
    __shared__ Spread found[THREADS];
    Spread* all = found + threadIdx.x;
    int y = threadIdx.y, W = blockDim.x;
    all[y * W] = mine;
    for (int half = blockDim.y / 2; half > 0; half /= 2) {
        __syncthreads();
        if (y < half) all[y * W] = merged(all[y * W], all[(y + half) * W]);
    }
    __syncthreads();
    return all[0];
}

struct Sums {
    float weighted, plain;
};

// The same for sums.
__device__ Sums of_block(const Sums& mine)
{
    __shared__ Sums found[THREADS];
    Sums* all = found + threadIdx.x;
    int y = threadIdx.y, W = blockDim.x;
    all[y * W] = mine;
    for (int half = blockDim.y / 2; half > 0; half /= 2) {
        __syncthreads();
        if (y < half) {
            all[y * W].weighted += all[(y + half) * W].weighted;
            all[y * W].plain += all[(y + half) * W].plain;
        }
    }
    __syncthreads();
    return all[0];
}

// Share s of x: partial[(3s + 0) · C + c] = number of values, partial[(3s + 1) · C + c] = mean, partial[(3s + 2) · C + c] =
// Σ (x − mean)². A thread takes CHUNK values at a time, their mean first, and merges them with what it has.
__global__ void batch_norm_sums(
    const float* x, int x_pitch, int x_row, float* partial, int rows, int cols, int C, int count)
{
    int c = blockIdx.y * blockDim.x + threadIdx.x;
    Spread mine = {0, 0, 0};
    if (c < C)
        for (Walk at = walk(count * rows * cols, rows, cols); at.next < at.end;) {
            float seen[CHUNK], sum = 0, square = 0;
            int there = chunk_of(at);
#pragma unroll
            for (int v = 0; v < CHUNK; v++) {
                seen[v] = v < there ? x[offset(x_pitch, x_row, C, at) + c] : 0;
                advance(at);
            }
#pragma unroll
            for (int v = 0; v < CHUNK; v++) sum += seen[v];
            float mean = sum / there;
#pragma unroll
            for (int v = 0; v < CHUNK; v++) square += v < there ? (seen[v] - mean) * (seen[v] - mean) : 0;
            mine = merged(mine, {(float)there, mean, square});
        }
    Spread all = of_block(mine);
    if (c >= C || threadIdx.y > 0) return;
    float* to = partial + (size_t)blockIdx.x * 3 * C + c;
    to[0] = all.values, to[C] = all.mean, to[2 * C] = all.square;
}

// y = (x − mean) · scale + bias. The difference comes first: it is exact where the mean is far larger than what x varies by.
__device__ void apply(
    const float* x, int x_pitch, int x_row, float* y, int y_pitch, int y_row, float mean, float scale, float bias, int relu,
    int rows, int cols, int C, int c, int count)
{
    Walk at = walk(count * rows * cols, rows, cols);
    while (at.next < at.end) {
        float seen[CHUNK];
        int there = chunk_of(at);
        Walk to = at;
#pragma unroll
        for (int v = 0; v < CHUNK; v++) {
            seen[v] = v < there ? x[offset(x_pitch, x_row, C, at) + c] : 0;
            advance(at);
        }
#pragma unroll
        for (int v = 0; v < CHUNK; v++) {
            float value = (seen[v] - mean) * scale + bias;
            if (v < there) y[offset(y_pitch, y_row, C, to) + c] = relu && value < 0 ? 0 : value;  // what is not a number stays so
            advance(to);
        }
    }
}

// In training: y = weight · x̂ + bias with x̂ = (x − μ) / √(σ² + ε), from the shares of batch_norm_sums. The first block of each
// channel writes found = (μ, 1 / √(σ² + ε)), (2, C), and, unless the run has STOPPED, running ← (1 − momentum) · running +
// momentum · (μ, σ² · n / (n − 1)), (2, C). Without a single value, nothing is known: running stays.
__global__ void batch_norm_apply(
    const float* x, int x_pitch, int x_row, float* y, int y_pitch, int y_row, const float* partial, int shares, float* found,
    float* running, const int* clock, const float* weight, const float* bias, float eps, float momentum, int relu,
    int rows, int cols, int C, int count)
{
    int c = blockIdx.y * blockDim.x + threadIdx.x;
    Spread mine = {0, 0, 0};
    if (c < C)
        for (int s = threadIdx.y; s < shares; s += blockDim.y) {
            const float* from = partial + (size_t)s * 3 * C + c;
            mine = merged(mine, {from[0], from[C], from[2 * C]});
        }
    Spread all = of_block(mine);
    if (c >= C) return;
    float inverse = 1 / sqrtf(all.square / max(all.values, 1.f) + eps);
    if (blockIdx.x == 0 && threadIdx.y == 0) {
        found[c] = all.mean, found[C + c] = inverse;
        if (!clock[STOPPED] && all.values > 1) {
            running[c] = (1 - momentum) * running[c] + momentum * all.mean;
            running[C + c] = (1 - momentum) * running[C + c] + momentum * (all.square / (all.values - 1));
        }
    }
    apply(x, x_pitch, x_row, y, y_pitch, y_row, all.mean, weight[c] * inverse, bias[c], relu, rows, cols, C, c, count);
}

// In use: as batch_norm_apply, with (μ, σ²) = running.
__global__ void batch_norm_running(
    const float* x, int x_pitch, int x_row, float* y, int y_pitch, int y_row, const float* running, const float* weight,
    const float* bias, float eps, int relu, int rows, int cols, int C, int count)
{
    int c = blockIdx.y * blockDim.x + threadIdx.x;
    if (c >= C) return;
    float scale = weight[c] / sqrtf(running[C + c] + eps);
    apply(x, x_pitch, x_row, y, y_pitch, y_row, running[c], scale, bias[c], relu, rows, cols, C, c, count);
}

// Share s of the gradients of weight and bias: copies[2s · C + c] = Σ g · x̂, copies[(2s + 1) · C + c] = Σ g; where `relu`, g
// counts as 0 unless y > 0.
__global__ void batch_norm_back_sums(
    const float* x, int x_pitch, int x_row, const float* y, int y_pitch, int y_row, const float* g, int g_pitch, int g_row,
    const float* found, float* copies, int relu, int rows, int cols, int C, int count)
{
    int c = blockIdx.y * blockDim.x + threadIdx.x;
    Sums mine = {0, 0};
    if (c < C) {
        float mean = found[c];
        for (Walk at = walk(count * rows * cols, rows, cols); at.next < at.end;) {
            float seen[CHUNK], grad[CHUNK], mask[CHUNK];
            int there = chunk_of(at);
#pragma unroll
            for (int v = 0; v < CHUNK; v++) {
                bool valid = v < there;
                seen[v] = valid ? x[offset(x_pitch, x_row, C, at) + c] : 0;
                grad[v] = valid ? g[offset(g_pitch, g_row, C, at) + c] : 0;
                mask[v] = valid && relu ? y[offset(y_pitch, y_row, C, at) + c] : 1;
                advance(at);
            }
#pragma unroll
            for (int v = 0; v < CHUNK; v++) {
                float passed = mask[v] > 0 ? grad[v] : 0;
                mine.plain += passed, mine.weighted += passed * (seen[v] - mean);
            }
        }
    }
    Sums all = of_block(mine);
    if (c >= C || threadIdx.y > 0) return;
    float* to = copies + (size_t)blockIdx.x * 2 * C + c;
    to[0] = all.weighted * found[C + c], to[C] = all.plain;
}

// gx = weight · inverse · (g − Σ g / M − x̂ · Σ g x̂ / M), with M values a channel and the sums as shares in `copies`, which every
// block adds up in the same order. gx may be g itself.
__global__ void batch_norm_back(
    const float* x, int x_pitch, int x_row, const float* y, int y_pitch, int y_row, const float* g, int g_pitch, int g_row,
    float* gx, int gx_pitch, int gx_row, const float* found, const float* copies, int shares, const float* weight, int relu,
    int rows, int cols, int C, int count)
{
    int c = blockIdx.y * blockDim.x + threadIdx.x;
    Sums mine = {0, 0};
    if (c < C)
        for (int s = threadIdx.y; s < shares; s += blockDim.y) {
            mine.weighted += copies[(size_t)s * 2 * C + c];
            mine.plain += copies[(size_t)s * 2 * C + C + c];
        }
    Sums all = of_block(mine);
    if (c >= C) return;
    float mean = found[c], inverse = found[C + c], scale = weight[c] * inverse, M = (float)count * rows * cols;
    float of_bias = all.plain / M, of_weight = all.weighted / M * inverse;
    Walk at = walk(count * rows * cols, rows, cols);
    while (at.next < at.end) {
        float seen[CHUNK], grad[CHUNK], mask[CHUNK];
        int there = chunk_of(at);
        Walk to = at;
#pragma unroll
        for (int v = 0; v < CHUNK; v++) {
            bool valid = v < there;
            seen[v] = valid ? x[offset(x_pitch, x_row, C, at) + c] : 0;
            grad[v] = valid ? g[offset(g_pitch, g_row, C, at) + c] : 0;
            mask[v] = valid && relu ? y[offset(y_pitch, y_row, C, at) + c] : 1;
            advance(at);
        }
#pragma unroll
        for (int v = 0; v < CHUNK; v++) {
            float passed = mask[v] > 0 ? grad[v] : 0;
            if (v < there) gx[offset(gx_pitch, gx_row, C, to) + c] = scale * (passed - of_bias - (seen[v] - mean) * of_weight);
            advance(to);
        }
    }
}
