// What all kernels share. It is put in front of each source; there is nothing to include.

typedef unsigned char Byte;

template <typename T, int N>
struct alignas(sizeof(T) * N) Vector {  // moved by one instruction
    T at[N];
};

#ifndef ALIGNED
#define ALIGNED(at, bytes)  // shim.h looks whether it is
#endif

template <typename T, int N>
__device__ Vector<T, N>& vector(T* at) {
    ALIGNED(at, sizeof(T) * N);
    return *reinterpret_cast<Vector<T, N>*>(at);
}

template <typename T, int N>
__device__ const Vector<T, N>& vector(const T* at) {
    ALIGNED(at, sizeof(T) * N);
    return *reinterpret_cast<const Vector<T, N>*>(at);
}

// The steps of a run are counted on the device, in `clock`. `take` reads NEXT, the step to be taken, and writes NOW, the step that
// is being taken. The loss reads NOW and writes NEXT, or STOPPED where it is not finite: the same step is then taken again and
// again, and whoever changes parameters looks at STOPPED and leaves them. No kernel reads what it writes, so that no thread sees
// the count change under it.
enum { NEXT, NOW, STOPPED };
