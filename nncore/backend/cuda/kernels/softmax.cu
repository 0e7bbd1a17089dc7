// Softmax over the channels of each pixel, C values side by side. One thread a pixel; y may be x, and gx may be g.

// y = exp(x − max x) / Σ exp(x − max x). One thread a pixel. What is not a number makes all of its pixel so.
__global__ void softmax(
    const float* x, int x_pitch, int x_row, float* y, int y_pitch, int y_row, int rows, int cols, int C, int count)
{
    int item = blockIdx.x * blockDim.x + threadIdx.x, j = item % cols, i = item / cols % rows, n = item / cols / rows;
    if (n >= count) return;
    const float* from = x + (size_t)n * x_pitch + i * x_row + j * C;
    float* to = y + (size_t)n * y_pitch + i * y_row + j * C;
    float largest = from[0], total = 0;
    for (int c = 1; c < C; c++)
        if (from[c] > largest) largest = from[c];
    for (int c = 0; c < C; c++) total += to[c] = expf(from[c] - largest);
    for (int c = 0; c < C; c++) to[c] /= total;
}

// gx = y (g − Σ g y), the sum over the channels. One thread a pixel.
__global__ void softmax_back(
    const float* y, int y_pitch, int y_row, const float* g, int g_pitch, int g_row, float* gx, int gx_pitch, int gx_row, int rows,
    int cols, int C, int count)
{
    int item = blockIdx.x * blockDim.x + threadIdx.x, j = item % cols, i = item / cols % rows, n = item / cols / rows;
    if (n >= count) return;
    const float *value = y + (size_t)n * y_pitch + i * y_row + j * C, *grad = g + (size_t)n * g_pitch + i * g_row + j * C;
    float* to = gx + (size_t)n * gx_pitch + i * gx_row + j * C;
    float total = 0;
    for (int c = 0; c < C; c++) total += value[c] * grad[c];
    for (int c = 0; c < C; c++) to[c] = value[c] * (grad[c] - total);
}
