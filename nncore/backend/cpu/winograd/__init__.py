"""Convolution with fewer products: Winograd's minimal filtering (Lavin & Gray 2016, arXiv 1509.09308).

An output of a 3×3 convolution takes nine products a channel. F(m×m, r×r) computes a tile of m×m neighbouring outputs at once, from
the n×n inputs that they see, n = m + r − 1, with n² products instead of m²r²:

    Y = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A

g is the kernel (r×r), d the inputs (n×n), ⊙ multiplies element by element, and A, G, B are small constant matrices (matrices.py).
Over the channels the products add up, Σ over c of U[s, c, o] · V[s, c], for each of the n² positions s: n² products of matrices,
of tiles × channels by channels × outputs. So a convolution here is, for a block of some tens of tiles at a time:

    1. tiles in:      V[s, tile, c] = (Bᵀ d B)[s]                       rows_in.py
    2. products:      M[s, tile, o] = Σ over c of V[s, tile, c] · U[s, c, o]     blocks.py
    3. tiles out:     Y = Aᵀ M A, plus bias, ReLU, or 2×2 max pooling            rows_out.py

The input's gradient is a convolution of the output's gradient by the kernel turned around, so the same code does it. The weight's
gradient is the exact adjoint: dU[s] = Σ over tiles of V[s]ᵀ · (A dY Aᵀ)[s], then dg = Gᵀ dU G (gradient.py).

rule.py says where this pays, recording.py has a plan do it.
"""
