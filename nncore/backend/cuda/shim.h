// CUDA C on a CPU: enough of it that a kernel's source compiles with g++ and computes what it computes on a GPU.
//
// A kernel without barriers runs as loops over blocks and threads. One with barriers runs each thread of a block as a fibre, a
// stack of its own, up to its next barrier, until all have ended. `order` 1 turns the order of threads and blocks round: a result
// that differs between the two is an error in the kernel; so is a barrier that only some threads reach (status 1), or a vector
// at a place that is no multiple of its size (status 2).
//
// No headers of C++'s library: they would take longer to compile than the kernel.
#include <setjmp.h>
#include <stdint.h>
#include <ucontext.h>

extern "C" {
float expf(float), logf(float), sqrtf(float), tanhf(float), fabsf(float);
void* calloc(size_t, size_t);
void free(void*);
}
#define isfinite(x) __builtin_isfinite(x)

#define __global__ static
#define __device__ static inline
#define __shared__ static
#define __launch_bounds__(...)
#define ALIGNED(at, bytes) (shim::misaligned |= reinterpret_cast<uintptr_t>(at) % (bytes) != 0)

struct Index { unsigned x, y, z; };
static Index threadIdx, blockIdx, blockDim, gridDim;

template <class T> static inline T min(T a, T b) { return b < a ? b : a; }
template <class T> static inline T max(T a, T b) { return a < b ? b : a; }

namespace shim {

static int misaligned;  // whether a vector lay where a GPU could not read it

static unsigned number(Index size) { return size.x * size.y * size.z; }
static Index place(unsigned n, Index size) { return {n % size.x, n / size.x % size.y, n / size.x / size.y}; }

static unsigned begin(const unsigned* launch) {
    misaligned = 0;
    gridDim = {launch[1], launch[2], launch[3]}, blockDim = {launch[4], launch[5], launch[6]};
    return launch[0];
}

// `launch` holds the order, the grid's three sizes and the block's.
template <class Body> int loops(const unsigned* launch, Body body) {
    unsigned order = begin(launch), blocks = number(gridDim), threads = number(blockDim);
    for (unsigned b = 0; b < blocks; b++) {
        blockIdx = place(order ? blocks - 1 - b : b, gridDim);
        for (unsigned t = 0; t < threads; t++) {
            threadIdx = place(order ? threads - 1 - t : t, blockDim);
            body();
        }
    }
    return misaligned ? 2 : 0;
}

struct Fibre {
    ucontext_t start;
    jmp_buf at;
    bool begun, ended;
};
constexpr size_t STACK = 64 << 10;
static Fibre* fibres;
static char* stacks;
static unsigned room;  // for so many fibres
static jmp_buf scheduler;
static unsigned current;
static void (*call)(void*);
static void* argument;

static void leave() {
    if (!_setjmp(fibres[current].at)) _longjmp(scheduler, 1);
}

static void life() {
    for (;;) {
        call(argument);
        fibres[current].ended = true;
        leave();
    }
}

static void enter(unsigned t) {
    if (_setjmp(scheduler)) return;
    current = t;
    if (fibres[t].begun) _longjmp(fibres[t].at, 1);
    fibres[t].begun = true;
    setcontext(&fibres[t].start);
}

// Runs the fibres of every block; 1 where a barrier was not reached by all of a block's threads.
static int run_fibres(unsigned order, unsigned blocks, unsigned threads) {
    for (unsigned b = 0; b < blocks; b++) {
        blockIdx = place(order ? blocks - 1 - b : b, gridDim);
        for (unsigned t = 0; t < threads; t++) fibres[t].ended = false;
        for (unsigned alive = threads, left; alive; alive = left) {
            left = 0;
            for (unsigned n = 0; n < threads; n++) {
                unsigned t = order ? threads - 1 - n : n;
                threadIdx = place(t, blockDim);
                enter(t);
                left += !fibres[t].ended;
            }
            if (left && left != threads) return 1;
        }
    }
    return misaligned ? 2 : 0;
}

template <class Body> int barriers(const unsigned* launch, Body body) {
    unsigned order = begin(launch), blocks = number(gridDim), threads = number(blockDim);
    call = [](void* it) { (*static_cast<Body*>(it))(); };
    argument = &body;
    if (room < threads) {
        free(fibres), free(stacks);
        fibres = static_cast<Fibre*>(calloc(threads, sizeof(Fibre))), stacks = static_cast<char*>(calloc(threads, STACK));
        room = threads;
    }
    for (unsigned t = 0; t < threads; t++) {
        fibres[t].begun = false;
        getcontext(&fibres[t].start);
        fibres[t].start.uc_stack.ss_sp = &stacks[t * STACK];
        fibres[t].start.uc_stack.ss_size = STACK;
        makecontext(&fibres[t].start, life, 0);
    }
    int status = run_fibres(order, blocks, threads);
    argument = nullptr;
    return status;
}

}  // namespace shim

static inline void __syncthreads() { shim::leave(); }
