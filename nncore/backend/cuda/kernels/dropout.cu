// y = x · scale where the random bits of the value's index in the batch reach the threshold, else 0. The way back is the same, from
// g to gx, and y may be x. The bits are a hash of the index and of the layer's key in this step, keys[step · layers + key]: the
// formula of nncore/layers/dropout.py. One thread a value; `first` is the number in the batch of the first image.
__global__ void dropout(
    const unsigned* keys, int key, int layers, const int* clock, unsigned threshold, float scale, const float* x, int x_pitch,
    int x_row, float* y, int y_pitch, int y_row, int rows, int width, int first, int count)
{
    int item = blockIdx.x * blockDim.x + threadIdx.x, at = item % width, i = item / width % rows, n = item / width / rows;
    if (n >= count) return;
    unsigned bits = ((unsigned)first * rows * width + item) ^ keys[clock[NOW] * layers + key];  // 32 bits, which may wrap round
    bits = (bits ^ (bits >> 16)) * 0x7FEB352Du;
    bits = (bits ^ (bits >> 15)) * 0x846CA68Bu;
    bits ^= bits >> 16;
    float value = x[(size_t)n * x_pitch + i * x_row + at] * scale;
    y[(size_t)n * y_pitch + i * y_row + at] = bits >= threshold ? value : 0;
}
