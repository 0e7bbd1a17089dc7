// Pooling of windows of any size that no convolution takes along: y has rows × cols pixels of C channels; windows are kh × kw and
// lie sh and sw apart in x. The ways back gather: each value of gx looks at the windows that hold it, in order.

// y = the largest value of each window; `winner` (count, rows, cols, C) where in the window it stood, of equal ones the first.
// What is not a number passes through. One thread a value of y.
__global__ void max_pool2d(
    const float* x, int x_pitch, int x_row, float* y, int y_pitch, int y_row, int* winner, int rows, int cols, int C, int kh,
    int kw, int sh, int sw, int count)
{
    int item = blockIdx.x * blockDim.x + threadIdx.x, c = item % C, j = item / C % cols, i = item / C / cols % rows;
    int n = item / C / cols / rows, who = 0;
    if (n >= count) return;
    const float* from = x + (size_t)n * x_pitch + i * sh * x_row + j * sw * C + c;
    float best = from[0];
    for (int k = 0; k < kh; k++)
        for (int l = 0; l < kw; l++) {
            float value = from[k * x_row + l * C];
            if (value > best || value != value) best = value, who = k * kw + l;
        }
    y[(size_t)n * y_pitch + i * y_row + j * C + c] = best;
    winner[item] = who;
}

// y = the mean of each window. One thread a value of y.
__global__ void avg_pool2d(
    const float* x, int x_pitch, int x_row, float* y, int y_pitch, int y_row, int rows, int cols, int C, int kh, int kw, int sh,
    int sw, int count)
{
    int item = blockIdx.x * blockDim.x + threadIdx.x, c = item % C, j = item / C % cols, i = item / C / cols % rows;
    int n = item / C / cols / rows;
    if (n >= count) return;
    const float* from = x + (size_t)n * x_pitch + i * sh * x_row + j * sw * C + c;
    float total = 0;
    for (int k = 0; k < kh; k++)
        for (int l = 0; l < kw; l++) total += from[k * x_row + l * C];
    y[(size_t)n * y_pitch + i * y_row + j * C + c] = total * (1.f / (kh * kw));
}

// Along one side, the windows that hold the place `at`: from first_window to last_window. `size` is a window's, `windows` their
// number.
__device__ int first_window(int at, int size, int stride) { return at < size ? 0 : (at - size) / stride + 1; }
__device__ int last_window(int at, int stride, int windows) { return min(at / stride, windows - 1); }

// gx = the sum of g over the windows that this value won. One thread a value of gx, which has x_rows × x_cols pixels.
__global__ void max_pool2d_back(
    float* gx, int gx_pitch, int gx_row, const float* g, int g_pitch, int g_row, const int* winner, int rows, int cols, int C,
    int kh, int kw, int sh, int sw, int x_rows, int x_cols, int count)
{
    int item = blockIdx.x * blockDim.x + threadIdx.x, c = item % C, j = item / C % x_cols, i = item / C / x_cols % x_rows;
    int n = item / C / x_cols / x_rows;
    if (n >= count) return;
    const float* grad = g + (size_t)n * g_pitch + c;
    const int* won = winner + (size_t)n * rows * cols * C + c;
    float total = 0;
    for (int wi = first_window(i, kh, sh); wi <= last_window(i, sh, rows); wi++)
        for (int wj = first_window(j, kw, sw); wj <= last_window(j, sw, cols); wj++)
            if (won[(wi * cols + wj) * C] == (i - wi * sh) * kw + j - wj * sw) total += grad[wi * g_row + wj * C];
    gx[(size_t)n * gx_pitch + i * gx_row + j * C + c] = total;
}

// gx = an equal share of g of each window that holds this value. One thread a value of gx, which has x_rows × x_cols pixels.
__global__ void avg_pool2d_back(
    float* gx, int gx_pitch, int gx_row, const float* g, int g_pitch, int g_row, int rows, int cols, int C, int kh, int kw, int sh,
    int sw, int x_rows, int x_cols, int count)
{
    int item = blockIdx.x * blockDim.x + threadIdx.x, c = item % C, j = item / C % x_cols, i = item / C / x_cols % x_rows;
    int n = item / C / x_cols / x_rows;
    if (n >= count) return;
    const float* grad = g + (size_t)n * g_pitch + c;
    float total = 0, share = 1.f / (kh * kw);
    for (int wi = first_window(i, kh, sh); wi <= last_window(i, sh, rows); wi++)
        for (int wj = first_window(j, kw, sw); wj <= last_window(j, sw, cols); wj++) total += share * grad[wi * g_row + wj * C];
    gx[(size_t)n * gx_pitch + i * gx_row + j * C + c] = total;
}
