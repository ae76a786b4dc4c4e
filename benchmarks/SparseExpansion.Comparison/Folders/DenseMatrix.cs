namespace SparseExpansion.Comparison.Folders;

/// <summary>A weight of a model that is no mixture.</summary>
/// <param name="Module">Path of its module.</param>
/// <param name="Rows">Rows.</param>
/// <param name="Columns">Columns.</param>
/// <param name="Gain">Factor of its random values.</param>
internal sealed record DenseMatrix(string Module, int Rows, int Columns, float Gain = 1)
{
    /// <summary>Embeddings of deviation 2, larger than what the blocks add: tokens stay different in all blocks. With
    /// small ones the attention makes them all alike, and routers send them to one expert.</summary>
    private const float EmbeddingGain = 2 / RandomWeights.Deviation;

    /// <summary>Embedding and head, and the blocks' linears where they are dense.</summary>
    public static IEnumerable<DenseMatrix> Of(ModelShape shape, bool linears)
    {
        yield return new DenseMatrix("model.embed_tokens", shape.Vocabulary, shape.Hidden, EmbeddingGain);
        yield return new DenseMatrix("lm_head", shape.Vocabulary, shape.Hidden);
        for (int block = 0; linears && block < shape.Blocks; block++)
        {
            foreach (LinearShape linear in shape.Linears)
            {
                yield return new DenseMatrix(
                    $"model.layers.{block}.{linear.Module}", linear.Rows, linear.Columns, linear.Gain);
            }
        }
    }
}
