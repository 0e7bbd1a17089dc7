// Activations that make each value from the value at the same place, which a network may hold in one memory for x and y, or for
// g and gx. One thread a value, of `count` images of `rows` rows of `width` values each.

// y = f(x). One thread a value.
template <float f(float)>
__device__ void each(
    const float* x, int x_pitch, int x_row, float* y, int y_pitch, int y_row, int rows, int width, int count)
{
    int item = blockIdx.x * blockDim.x + threadIdx.x, at = item % width, i = item / width % rows, n = item / width / rows;
    if (n >= count) return;
    y[(size_t)n * y_pitch + i * y_row + at] = f(x[(size_t)n * x_pitch + i * x_row + at]);
}

// gx = f(y, g). One thread a value.
template <float f(float, float)>
__device__ void each_back(
    const float* y, int y_pitch, int y_row, const float* g, int g_pitch, int g_row, float* gx, int gx_pitch, int gx_row, int rows,
    int width, int count)
{
    int item = blockIdx.x * blockDim.x + threadIdx.x, at = item % width, i = item / width % rows, n = item / width / rows;
    if (n >= count) return;
    float grad = f(y[(size_t)n * y_pitch + i * y_row + at], g[(size_t)n * g_pitch + i * g_row + at]);
    gx[(size_t)n * gx_pitch + i * gx_row + at] = grad;
}

__device__ float relu_of(float x) { return x < 0 ? 0 : x; }  // what is not a number stays so
__device__ float relu_gradient(float y, float g) { return y > 0 ? g : 0; }
__device__ float sigmoid_of(float x) { return 0.5f + 0.5f * tanhf(0.5f * x); }
__device__ float sigmoid_gradient(float y, float g) { return g * y * (1 - y); }
__device__ float tanh_of(float x) { return tanhf(x); }
__device__ float tanh_gradient(float y, float g) { return g * (1 - y * y); }

// y = max(x, 0). One thread a value.
__global__ void relu(
    const float* x, int x_pitch, int x_row, float* y, int y_pitch, int y_row, int rows, int width, int count)
{
    each<relu_of>(x, x_pitch, x_row, y, y_pitch, y_row, rows, width, count);
}

// gx = g where y > 0, else 0. One thread a value.
__global__ void relu_back(
    const float* y, int y_pitch, int y_row, const float* g, int g_pitch, int g_row, float* gx, int gx_pitch, int gx_row, int rows,
    int width, int count)
{
    each_back<relu_gradient>(y, y_pitch, y_row, g, g_pitch, g_row, gx, gx_pitch, gx_row, rows, width, count);
}

// y = 1 / (1 + exp(−x)) = (1 + tanh(x / 2)) / 2, which never overflows. One thread a value.
__global__ void sigmoid(
    const float* x, int x_pitch, int x_row, float* y, int y_pitch, int y_row, int rows, int width, int count)
{
    each<sigmoid_of>(x, x_pitch, x_row, y, y_pitch, y_row, rows, width, count);
}

// gx = g y (1 − y). One thread a value.
__global__ void sigmoid_back(
    const float* y, int y_pitch, int y_row, const float* g, int g_pitch, int g_row, float* gx, int gx_pitch, int gx_row, int rows,
    int width, int count)
{
    each_back<sigmoid_gradient>(y, y_pitch, y_row, g, g_pitch, g_row, gx, gx_pitch, gx_row, rows, width, count);
}

// y = tanh(x). One thread a value.
__global__ void tanh(
    const float* x, int x_pitch, int x_row, float* y, int y_pitch, int y_row, int rows, int width, int count)
{
    each<tanh_of>(x, x_pitch, x_row, y, y_pitch, y_row, rows, width, count);
}

// gx = g (1 − y²). One thread a value.
__global__ void tanh_back(
    const float* y, int y_pitch, int y_row, const float* g, int g_pitch, int g_row, float* gx, int gx_pitch, int gx_row, int rows,
    int width, int count)
{
    each_back<tanh_gradient>(y, y_pitch, y_row, g, g_pitch, g_row, gx, gx_pitch, gx_row, rows, width, count);
}
