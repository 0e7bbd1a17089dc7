// Dense convolution as products of matrices that are never written down: `conv2d`, and its gradients for the weight and for x.
//
// A block makes TILE × WIDE results, a thread HIGH × 4. It takes DEPTH terms of the sums at a time through shared memory, and
// fetches the next ones while it adds up these. CH is 4 where the channels that a kernel reads along are divisible by 4, otherwise
// 1: as many values a thread reads by one instruction.
//
// block: (TILE // HIGH * WIDE // 4, 1, 1), where HIGH = 8 if TILE == WIDE == 64 else 4
// WIDE, for N columns: the widest of those allowed beside TILE that pad N least: min(allowed, key=lambda w: (-N % w, -w))
// Allowed (TILE, WIDE): (64, 64), (64, 32), (64, 16), (32, 32), (32, 16); for the weight's gradient also (16, 32).
// All pointers lie at multiples of 4 values where the channels that they are read or written along are divisible by 4.
constexpr int DEPTH = 16, EACH = 4;

template <int TILE, int WIDE>
struct Block {
    static constexpr int HIGH = TILE == 64 && WIDE == 64 ? 8 : 4, THREADS = TILE / HIGH * (WIDE / EACH);
    static constexpr int GROUPS = TILE < 64 ? 4 : WIDE < 64 ? 2 : 1;
};

// A place within three nested loops: image, row and column; or row and column of a kernel, and channel.
struct Place {
    int n, i, j;
};

__device__ Place place(int number, int rows, int cols) { return {number / cols / rows, number / cols % rows, number % cols}; }

__device__ void advance(Place& p, int by, int rows, int cols)
{
    p.j += by;
    while (p.j >= cols) p.j -= cols, p.i++;
    while (p.i >= rows) p.i -= rows, p.n++;
}

// The first of `there` values and the three behind it, 0 beyond them. `whole`: `there` is divisible by 4.
__device__ Vector<float, EACH> four(const float* from, int there, bool whole)
{
    if (whole && there > 0) return vector<float, EACH>(from);
    Vector<float, EACH> found = {};
#pragma unroll
    for (int h = 0; h < EACH; h++)
        if (h < there) found.at[h] = from[h];
    return found;
}

__device__ void keep_four(float* to, const Vector<float, EACH>& values, int there, bool whole)
{
    if (whole && there > 0) {
        vector<float, EACH>(to) = values;
        return;
    }
#pragma unroll
    for (int h = 0; h < EACH; h++)
        if (h < there) to[h] = values.at[h];
}

// sum += the product of what lies in shared memory: a thread's rows of `as` from ty on, its columns of `bs` from tx on.
template <int HIGH, int A, int B>
__device__ void add_product(Vector<float, EACH>* sum, const float (*as)[A], const float (*bs)[B], int ty, int tx)
{
#pragma unroll
    for (int d = 0; d < DEPTH; d++) {
        Vector<float, EACH> u[HIGH / EACH], v = vector<float, EACH>(&bs[d][tx]);
#pragma unroll
        for (int i = 0; i < HIGH / EACH; i++) u[i] = vector<float, EACH>(&as[d][ty + i * EACH]);
#pragma unroll
        for (int i = 0; i < HIGH; i++)
#pragma unroll
            for (int j = 0; j < EACH; j++) sum[i].at[j] += u[i / EACH].at[i % EACH] * v.at[j];
    }
}

// y[n,i,j,o] = bias[o] + Σ_{k,l,c} x[n, i·sh + k, j·sw + l, c] · weight[k,l,c,o], through ReLU where asked. x is the corner of
// the padding. Rows of the product are places (n, i, j), columns outputs; a sum runs along (k, l, c). For one k the window's
// values (l, c) lie side by side in x.
// grid: (ceil(count * rows * cols / TILE), ceil(O / WIDE), 1); N is O; CH = 4 if C % 4 == 0 else 1
// TILE: 64 where that makes at least 256 blocks, else 32
template <int TILE, int WIDE, int CH>
__global__ void conv2d(
    const float* x, int x_pitch, int x_row, const float* weight, const float* bias, float* y, int y_pitch, int y_row,
    int rows, int cols, int C, int O, int kh, int kw, int sh, int sw, int relu, int count)
{
    constexpr int HIGH = Block<TILE, WIDE>::HIGH, THREADS = Block<TILE, WIDE>::THREADS;
    constexpr int ACROSS = DEPTH / CH, QUADS = WIDE / EACH, LOADS = TILE * ACROSS / THREADS, MORE = DEPTH * QUADS / THREADS;
    // CH > 1: neighbouring threads read along the window, each for LOADS places; CH 1: of neighbouring places, LOADS values each
    constexpr int ROWS = CH > 1 ? LOADS : 1, DOWN = CH > 1 ? THREADS / ACROSS : 0, ON = CH > 1 ? DEPTH : THREADS / TILE;
    alignas(16) __shared__ float as[2][DEPTH][TILE + EACH], bs[2][DEPTH][WIDE + EACH];
    int t = threadIdx.x, low = blockIdx.x * TILE, left = blockIdx.y * WIDE, places = count * rows * cols;
    int ty = t / QUADS * HIGH, tx = t % QUADS * EACH, width = kw * C, K = kh * width;
    int row = CH > 1 ? t / ACROSS : t % TILE, depth = CH > 1 ? t % ACROSS * CH : t / TILE;
    bool whole = O % EACH == 0;
    const float* from[ROWS];
#pragma unroll
    for (int s = 0; s < ROWS; s++) {
        Place p = place(low + row + s * DOWN, rows, cols);
        from[s] = low + row + s * DOWN < places ? x + (size_t)p.n * x_pitch + p.i * sh * x_row + p.j * sw * C : nullptr;
    }
    int next = depth, along = depth, above = 0;  // the sum's term to be read: its number, and where it lies in the window
    Vector<float, CH> a[LOADS];
    Vector<float, EACH> b[MORE], sum[HIGH] = {};
    auto fetch = [&](int first) {
#pragma unroll
        for (int s = 0; s < LOADS; s++) {
            while (along >= width) along -= width, above += x_row;
            const float* at = from[CH > 1 ? s : 0];
            a[s] = at && next < K ? vector<float, CH>(at + above + along) : Vector<float, CH>();
            if (CH == 1 || s == LOADS - 1) next += ON, along += ON;
        }
#pragma unroll
        for (int s = 0; s < MORE; s++) {
            int d = first + t / QUADS + s * (THREADS / QUADS);
            b[s] = four(weight + (size_t)d * O + left + tx, d < K ? O - left - tx : 0, whole);
        }
    };
    auto keep = [&](int half) {
#pragma unroll
        for (int s = 0; s < LOADS; s++)
#pragma unroll
            for (int h = 0; h < CH; h++) as[half][depth + (CH > 1 ? h : s * ON)][row + s * DOWN] = a[s].at[h];
#pragma unroll
        for (int s = 0; s < MORE; s++) vector<float, EACH>(&bs[half][t / QUADS + s * (THREADS / QUADS)][tx]) = b[s];
    };
    fetch(0);
    keep(0);
    __syncthreads();
    for (int first = 0, half = 0; first < K; first += DEPTH, half ^= 1) {
        if (first + DEPTH < K) fetch(first + DEPTH);
        add_product<HIGH>(sum, as[half], bs[half], ty, tx);
        if (first + DEPTH < K) keep(half ^ 1);
        __syncthreads();
    }
    Vector<float, EACH> start = four(bias + left + tx, O - left - tx, whole);
    Place p = place(low + ty, rows, cols);
#pragma unroll
    for (int i = 0; i < HIGH; i++) {
        if (low + ty + i >= places) return;
#pragma unroll
        for (int j = 0; j < EACH; j++) {
            float value = sum[i].at[j] + start.at[j];
            sum[i].at[j] = relu && value < 0 ? 0 : value;  // what is not a number stays so
        }
        keep_four(y + (size_t)p.n * y_pitch + p.i * y_row + p.j * O + left + tx, sum[i], O - left - tx, whole);
        advance(p, 1, rows, cols);
    }
}

// Copy z of the gradients, of the places z · slice ≤ (n, i, j) < (z + 1) · slice, at copies + z · (kh·kw·C + 1) · O:
// dL/dweight[k,l,c,o] = Σ x[n, i·sh + k, j·sw + l, c] · g[n,i,j,o], then dL/dbias[o] = Σ g[n,i,j,o]; where `relu`, g counts as 0
// unless y > 0. x is the corner of the padding. Rows of the product are (k, l, c), columns outputs; a sum runs along the places.
// With E = kh * kw * C: grid: (ceil(E / TILE), ceil(O / WIDE), shares); N is O; CH = 4 if C % 4 == 0 else 1
// TILE: 64 if E > 32 else 32 if E > 16 or O <= 16 else 16
// block: (as of all, groups, 1), where groups = 4 if TILE < 64 else 2 if WIDE < 64 else 1: groups of threads that take slices of
// the block's sum in turn. More threads then work on each copy, and the optimizer has fewer copies to add up.
// shares: max(1, min(64, 512 // (grid x * grid y), places // (64 * groups))); slice = ceil(places / shares) raised to a multiple of
// 16 * groups, then shares = ceil(places / slice), with the places of the count that is recorded for
template <int TILE, int WIDE, int CH>
__global__ void conv2d_weight_gradient(
    const float* x, int x_pitch, int x_row, const float* y, int y_pitch, int y_row, const float* g, int g_pitch, int g_row,
    float* copies, int rows, int cols, int C, int O, int kh, int kw, int sh, int sw, int relu, int slice, int count)
{
    constexpr int HIGH = Block<TILE, WIDE>::HIGH, THREADS = Block<TILE, WIDE>::THREADS;
    constexpr int ACROSS = TILE / CH, QUADS = WIDE / EACH, LOADS = DEPTH * ACROSS / THREADS, MORE = DEPTH * QUADS / THREADS;
    constexpr int GROUPS = Block<TILE, WIDE>::GROUPS, BESIDE = GROUPS * DEPTH;
    alignas(16) __shared__ float all_as[GROUPS][2][DEPTH][TILE + EACH], all_bs[GROUPS][2][DEPTH][WIDE + EACH];
    __shared__ float total[GROUPS > 1 ? HIGH * EACH : 1][THREADS], total_bias[WIDE];
    int t = threadIdx.x, group = threadIdx.y, low = blockIdx.x * TILE, left = blockIdx.y * WIDE, width = kw * C, K = kh * width;
    int ty = t / QUADS * HIGH, tx = t % QUADS * EACH, row = t % ACROSS * CH;
    int begin = blockIdx.z * slice, mine = begin + group * DEPTH, end = min(begin + slice, count * rows * cols);
    auto as = all_as[group];
    auto bs = all_bs[group];
    bool whole = O % EACH == 0, inside = low + row < K;
    const float* from = x + low + row + (low + row) / width * (x_row - width);
    int next = mine + t / ACROSS, other = mine + t / QUADS;  // the places to be read of x and of g
    Place p = place(next, rows, cols), q = place(other, rows, cols);
    Vector<float, CH> a[LOADS];
    Vector<float, EACH> b[MORE], sum[HIGH] = {};
    float of_bias = 0;
    auto fetch = [&] {
#pragma unroll
        for (int s = 0; s < LOADS; s++) {
            const float* at = from + (size_t)p.n * x_pitch + p.i * sh * x_row + p.j * sw * C;
            a[s] = inside && next < end ? vector<float, CH>(at) : Vector<float, CH>();
            next += THREADS / ACROSS;
            advance(p, THREADS / ACROSS, rows, cols);
        }
#pragma unroll
        for (int s = 0; s < MORE; s++) {
            int o = left + tx, there = other < end ? O - o : 0;
            b[s] = four(g + (size_t)q.n * g_pitch + q.i * g_row + q.j * O + o, there, whole);
            if (relu) {
                Vector<float, EACH> mask = four(y + (size_t)q.n * y_pitch + q.i * y_row + q.j * O + o, there, whole);
#pragma unroll
                for (int h = 0; h < EACH; h++)
                    if (!(mask.at[h] > 0)) b[s].at[h] = 0;
            }
            other += THREADS / QUADS;
            advance(q, THREADS / QUADS, rows, cols);
        }
        if (GROUPS == 1) return;  // the slices between belong to the other groups
        next += BESIDE - DEPTH, other += BESIDE - DEPTH;
        advance(p, BESIDE - DEPTH, rows, cols);
        advance(q, BESIDE - DEPTH, rows, cols);
    };
    auto keep = [&](int half) {
#pragma unroll
        for (int s = 0; s < LOADS; s++) vector<float, CH>(&as[half][t / ACROSS + s * (THREADS / ACROSS)][row]) = a[s];
#pragma unroll
        for (int s = 0; s < MORE; s++) vector<float, EACH>(&bs[half][t / QUADS + s * (THREADS / QUADS)][tx]) = b[s];
    };
    fetch();
    keep(0);
    __syncthreads();
    for (int first = begin, half = 0; first < end; first += BESIDE, half ^= 1) {
        if (first + BESIDE < end) fetch();
        add_product<HIGH>(sum, as[half], bs[half], ty, tx);
        if (blockIdx.x == 0 && t < WIDE) {
#pragma unroll
            for (int d = 0; d < DEPTH; d++) of_bias += bs[half][d][t];
        }
        if (first + BESIDE < end) keep(half ^ 1);
        __syncthreads();
    }
    for (int after = 1; after < GROUPS; after++) {  // each adds what those before it have found; the last one has it all
        if (group == after - 1) {
#pragma unroll
            for (int e = 0; e < HIGH * EACH; e++) total[e][t] = sum[e / EACH].at[e % EACH];
            if (t < WIDE) total_bias[t] = of_bias;
        }
        __syncthreads();
        if (group == after) {
#pragma unroll
            for (int e = 0; e < HIGH * EACH; e++) sum[e / EACH].at[e % EACH] += total[e][t];
            if (t < WIDE) of_bias += total_bias[t];
        }
    }
    if (group != GROUPS - 1) return;
    float* to = copies + (size_t)blockIdx.z * (K + 1) * O + left;
#pragma unroll
    for (int i = 0; i < HIGH; i++)
        if (low + ty + i < K) keep_four(to + (size_t)(low + ty + i) * O + tx, sum[i], O - left - tx, whole);
    if (blockIdx.x == 0 && t < WIDE && left + t < O) to[(size_t)K * O + t] = of_bias;
}

// dL/dx[n,i,j,c] = Σ g[n, (i + up − k) / sh, (j + left − l) / sw, o] · weight[k,l,c,o] over all k, l, o for which both divide and
// lie within g; where `relu`, g counts as 0 unless y > 0. (up, left) is x's padding, of which nothing is written; grad_x is the
// first value inside. Pixels of x with the same (i + up) mod sh and (j + left) mod sw meet the same k and l: they are one
// blockIdx.z. Rows of the product are pixels, columns inputs; a sum runs along (k, l, o).
// grid: (ceil(count * ceil(x_rows / sh) * ceil(x_cols / sw) / TILE), ceil(C / WIDE), sh * sw); N is C; CH = 4 if O % 4 == 0 else 1
// TILE: 64 where that makes at least 256 blocks, else 32
template <int TILE, int WIDE, int CH>
__global__ void conv2d_input_gradient(
    const float* weight, const float* y, int y_pitch, int y_row, const float* g, int g_pitch, int g_row,
    float* gx, int gx_pitch, int gx_row, int rows, int cols, int x_rows, int x_cols, int up, int left, int C, int O,
    int kh, int kw, int sh, int sw, int relu, int count)
{
    constexpr int HIGH = Block<TILE, WIDE>::HIGH, THREADS = Block<TILE, WIDE>::THREADS;
    constexpr int ACROSS = DEPTH / CH, QUADS = WIDE / EACH, LOADS = TILE * ACROSS / THREADS, MORE = WIDE * ACROSS / THREADS;
    constexpr int ROWS = CH > 1 ? LOADS : 1, DOWN = CH > 1 ? THREADS / ACROSS : 0, ON = CH > 1 ? DEPTH : THREADS / TILE;
    alignas(16) __shared__ float as[2][DEPTH][TILE + EACH], bs[2][DEPTH][WIDE + EACH];
    int t = threadIdx.x, low = blockIdx.x * TILE, lowest = blockIdx.y * WIDE;
    int ty = t / QUADS * HIGH, tx = t % QUADS * EACH, of_k = blockIdx.z / sw, of_l = blockIdx.z % sw;
    // the first pixel of this class, how many rows and columns of them there are, and of the kernel
    int top = (of_k - up % sh + sh) % sh, first_col = (of_l - left % sw + sw) % sw;
    int high = (x_rows - top + sh - 1) / sh, wide = (x_cols - first_col + sw - 1) / sw, pixels = count * high * wide;
    int taps_down = (kh - of_k + sh - 1) / sh, taps = (kw - of_l + sw - 1) / sw, K = taps_down * taps * O;
    if (low >= pixels) return;
    int row = CH > 1 ? t / ACROSS : t % TILE, depth = CH > 1 ? t % ACROSS * CH : t / TILE;
    Place seen[ROWS];  // where a pixel's first tap lies in g; the next ones lie further up and left
#pragma unroll
    for (int s = 0; s < ROWS; s++) {
        seen[s] = place(low + row + s * DOWN, high, wide);
        seen[s].i += (top + up - of_k) / sh, seen[s].j += (first_col + left - of_l) / sw;
        if (low + row + s * DOWN >= pixels) seen[s] = {0, -1, 0};
    }
    int next = depth, other = t % ACROSS * CH;  // the sum's terms to be read of g, and of the weight
    Place p = place(next, max(taps, 1), O), q = place(other, max(taps, 1), O);
    Vector<float, CH> a[LOADS], b[MORE];
    Vector<float, EACH> sum[HIGH] = {};
    auto fetch = [&] {
#pragma unroll
        for (int s = 0; s < LOADS; s++) {
            Place at = seen[CH > 1 ? s : 0];
            int i = at.i - p.n, j = at.j - p.i;
            bool there = next < K && i >= 0 && i < rows && j >= 0 && j < cols;
            a[s] = there ? vector<float, CH>(g + (size_t)at.n * g_pitch + i * g_row + j * O + p.j) : Vector<float, CH>();
            if (relu && there) {
                Vector<float, CH> mask = vector<float, CH>(y + (size_t)at.n * y_pitch + i * y_row + j * O + p.j);
#pragma unroll
                for (int h = 0; h < CH; h++)
                    if (!(mask.at[h] > 0)) a[s].at[h] = 0;
            }
            if (CH == 1 || s == LOADS - 1) next += ON, advance(p, ON, taps, O);
        }
#pragma unroll
        for (int s = 0; s < MORE; s++) {
            int c = lowest + t / ACROSS + s * (THREADS / ACROSS);
            const float* from = weight + ((size_t)((of_k + q.n * sh) * kw + of_l + q.i * sw) * C + c) * O + q.j;
            b[s] = other < K && c < C ? vector<float, CH>(from) : Vector<float, CH>();
        }
        other += DEPTH, advance(q, DEPTH, taps, O);
    };
    auto keep = [&](int half) {
#pragma unroll
        for (int h = 0; h < CH; h++) {
#pragma unroll
            for (int s = 0; s < LOADS; s++) as[half][depth + (CH > 1 ? h : s * ON)][row + s * DOWN] = a[s].at[h];
#pragma unroll
            for (int s = 0; s < MORE; s++) bs[half][t % ACROSS * CH + h][t / ACROSS + s * (THREADS / ACROSS)] = b[s].at[h];
        }
    };
    if (K > 0) {
        fetch();
        keep(0);
    }
    __syncthreads();
    for (int first = 0, half = 0; first < K; first += DEPTH, half ^= 1) {
        if (first + DEPTH < K) fetch();
        add_product<HIGH>(sum, as[half], bs[half], ty, tx);
        if (first + DEPTH < K) keep(half ^ 1);
        __syncthreads();
    }
    Place r = place(low + ty, high, wide);
#pragma unroll
    for (int i = 0; i < HIGH; i++) {
        if (low + ty + i >= pixels) return;
        float* to = gx + (size_t)r.n * gx_pitch + (top + r.i * sh) * gx_row + (first_col + r.j * sw) * C + lowest + tx;
        keep_four(to, sum[i], C - lowest - tx, C % EACH == 0);
        advance(r, 1, high, wide);
    }
}
