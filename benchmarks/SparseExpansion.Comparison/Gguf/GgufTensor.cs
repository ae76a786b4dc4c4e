namespace SparseExpansion.Comparison.Gguf;

/// <summary>A tensor of a GGUF file: a matrix, or the gains of a norm.</summary>
/// <param name="Name">Name in the file.</param>
/// <param name="Columns">Input features, or the length of a vector.</param>
/// <param name="Rows">Output features; 0 for a vector.</param>
internal sealed record GgufTensor(string Name, int Columns, int Rows = 0)
{
    public bool IsVector => Rows == 0;

    public long Weights => IsVector ? Columns : (long)Columns * Rows;

    /// <summary>All tensors of a model, in the order of the file.</summary>
    public static IReadOnlyList<GgufTensor> Of(ModelShape shape)
    {
        var tensors = new List<GgufTensor> { new("token_embd.weight", shape.Hidden, shape.Vocabulary) };
        for (int block = 0; block < shape.Blocks; block++)
        {
            string prefix = $"blk.{block}.";
            tensors.Add(new GgufTensor(prefix + "attn_norm.weight", shape.Hidden));
            tensors.Add(new GgufTensor(prefix + "ffn_norm.weight", shape.Hidden));
            tensors.AddRange(shape.Linears.Select(
                linear => new GgufTensor($"{prefix}{linear.Gguf}.weight", linear.Columns, linear.Rows)));
        }

        tensors.Add(new GgufTensor("output_norm.weight", shape.Hidden));
        tensors.Add(new GgufTensor("output.weight", shape.Hidden, shape.Vocabulary));
        return tensors;
    }
}
