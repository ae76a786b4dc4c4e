namespace SparseExpansion.Models;

/// <summary>The non-linearity between the projections of a feed-forward network.</summary>
public enum ActivationKind
{
    /// <summary>x · sigmoid(x); "silu" or "swish".</summary>
    Silu,

    /// <summary>x · Φ(x), exact; "gelu".</summary>
    Gelu,

    /// <summary>The tanh approximation of GELU; "gelu_new", "gelu_fast" or "gelu_pytorch_tanh".</summary>
    GeluTanh,

    /// <summary>max(x, 0); "relu".</summary>
    Relu,
}
