// y[n] = images[order[step · batch + first + n]] · scale, inside y's padding. One thread a value; `size` values an image,
// `width` a row.
template <typename Pixel>
__global__ void take(
    const Pixel* images, const int* order, int* clock, float scale, float* y, int y_pitch, int y_row, int size, int width,
    int batch, int first, int count)
{
    int item = blockIdx.x * blockDim.x + threadIdx.x, n = item / size, at = item % size, step = clock[NEXT];
    if (item == 0) clock[NOW] = step;
    if (n >= count) return;
    size_t image = order[step * batch + first + n];
    y[(size_t)n * y_pitch + at / width * y_row + at % width] = images[image * size + at] * scale;
}

// The step that is being taken is done: for steps without a loss, which would say so. One thread.
__global__ void tick(int* clock)
{
    clock[NEXT] = clock[NOW] + 1;
}
