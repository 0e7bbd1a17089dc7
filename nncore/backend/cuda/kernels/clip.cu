// Gradients are made shorter where they are longer than max_norm, before the parameters follow them: g ← g · min(1, max_norm / (‖g‖ + ε)).

// partial[block] = the sum of the squares of the values of the summed gradient that fall to the block, one in gridDim.x · THREADS
// to each of its threads.
template <int THREADS>
__global__ void gradient_squares(const float* gradient, float* partial, int size)
{
    __shared__ float sums[THREADS];
    int t = threadIdx.x;
    float sum = 0;
    for (int i = blockIdx.x * THREADS + t; i < size; i += gridDim.x * THREADS) sum += gradient[i] * gradient[i];
    sums[t] = sum;
    for (int half = THREADS / 2; half > 0; half /= 2) {
        __syncthreads();
        if (t < half) sums[t] += sums[t + half];
    }
    if (t == 0) partial[blockIdx.x] = sums[0];
}

// Every copy of a share of the gradient, times the factor; their sum is then the gradient, times the factor. A thread a value.
__global__ void clip_copies(float* copies, const float* partial, float max_norm, int parts, int size)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    float squares = 0;
    for (int part = 0; part < parts; part++) squares += partial[part];
    float factor = max_norm / (sqrtf(squares) + 1e-6f);
    if (!(factor >= 1)) copies[i] *= factor;  // also where it is not a number
}
