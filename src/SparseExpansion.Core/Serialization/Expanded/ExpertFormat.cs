namespace SparseExpansion.Serialization.Expanded;

/// <summary>The format in which a checkpoint stores the weights of experts; docs/format.md.</summary>
public enum ExpertFormat
{
    /// <summary>As the layer holds them: packed if it is packed, dense if it is not.</summary>
    Unchanged,

    /// <summary>Non-zero values and one bit per weight. float32 and bfloat16 only.</summary>
    Packed,

    /// <summary>
    /// One plain tensor <c>LAYER.experts.weight</c> [experts, out_features, in_features] with its zeros, which every
    /// reader of safetensors understands.
    /// </summary>
    Dense,
}
