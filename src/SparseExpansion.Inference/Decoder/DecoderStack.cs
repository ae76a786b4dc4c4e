using System.Numerics.Tensors;
using SparseExpansion.Inference.Linears;
using SparseExpansion.Models;

namespace SparseExpansion.Inference.Decoder;

/// <summary>Embeddings, blocks, final norm and output projection. Does not change, so that threads may share it.</summary>
internal sealed unsafe class DecoderStack : IDisposable
{
    /// <summary>The architecture.</summary>
    public required ModelConfig Config { get; init; }

    /// <summary>Token embeddings: a row for each id.</summary>
    public required MatrixLinear Embedding { get; init; }

    /// <summary>Learned positions: a row for each, after those of the offset; or null.</summary>
    public MatrixLinear? Positions { get; init; }

    /// <summary>From the width of the embeddings to that of the residual stream; or null.</summary>
    public Linear? ProjectIn { get; init; }

    /// <summary>Back; or null.</summary>
    public Linear? ProjectOut { get; init; }

    /// <summary>The blocks. An array: going through a list by its interface would allocate.</summary>
    public required DecoderBlock[] Blocks { get; init; }

    /// <summary>Norm of what the last block gives; or null.</summary>
    public Norm? FinalNorm { get; init; }

    /// <summary>Output projection; the embeddings themselves where they are tied.</summary>
    public required Linear Head { get; init; }

    /// <summary>Runs the blocks; the tokens then count as those of the caches.</summary>
    /// <param name="pass">The tokens, with room for them in the caches.</param>
    /// <param name="ids">Their ids.</param>
    /// <returns>[tokens, hidden], until the next pass.</returns>
    public float* Run(DecoderPass pass, ReadOnlySpan<int> ids)
    {
        pass.Prepare();
        float* hidden = Embed(pass, ids);
        foreach (DecoderBlock block in Blocks)
        {
            block.Run(pass, hidden);
        }

        foreach (ref readonly PassSegment segment in pass.Segments)
        {
            segment.Cache.Advance(segment.Count);
        }

        return hidden;
    }

    /// <summary>Logits of hidden states, which it changes.</summary>
    /// <param name="pass">Memory and threads.</param>
    /// <param name="hidden">[count, hidden].</param>
    /// <param name="count">Number of tokens.</param>
    /// <param name="logits">[count, vocabulary].</param>
    public void Predict(DecoderPass pass, float* hidden, int count, float* logits)
    {
        FinalNorm?.Apply(hidden, hidden, count);
        pass.Input.Set(hidden, Config.HiddenSize, count);
        if (ProjectOut is not null)
        {
            float* narrow = pass.Reserve(PassMemory.Embeddings, (long)count * ProjectOut.OutFeatures);
            ProjectOut.Multiply(pass.Input, narrow, ProjectOut.OutFeatures);
            pass.Input.Set(narrow, ProjectOut.OutFeatures, count);
        }

        Head.Multiply(pass.Input, logits, Config.VocabularySize);
        for (int token = 0; token < count; token++)
        {
            Finish(new Span<float>(logits + (nint)token * Config.VocabularySize, Config.VocabularySize));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Embedding.Dispose();
        Positions?.Dispose();
        ProjectIn?.Dispose();
        ProjectOut?.Dispose();
        Head.Dispose();
        foreach (DecoderBlock block in Blocks)
        {
            block.Dispose();
        }
    }

    private float* Embed(DecoderPass pass, ReadOnlySpan<int> ids)
    {
        int width = Embedding.InFeatures;
        float* hidden = pass.Reserve(PassMemory.Hidden, (long)pass.Count * Config.HiddenSize);
        float* rows = ProjectIn is null ? hidden : pass.Reserve(PassMemory.Embeddings, (long)pass.Count * width);
        for (int token = 0; token < ids.Length; token++)
        {
            var row = new Span<float>(rows + (nint)token * width, width);
            Embedding.ReadRow(ids[token], row);
            if (Config.EmbeddingScale != 1)
            {
                TensorPrimitives.Multiply(row, (float)Config.EmbeddingScale, row);
            }
        }

        if (ProjectIn is not null)
        {
            pass.Input.Set(rows, width, pass.Count);
            ProjectIn.Multiply(pass.Input, hidden, Config.HiddenSize);
        }

        AddPositions(pass, hidden);
        return hidden;
    }

    private void AddPositions(DecoderPass pass, float* hidden)
    {
        if (Positions is null)
        {
            return;
        }

        var position = new Span<float>(pass.Reserve(PassMemory.Normed, Config.HiddenSize), Config.HiddenSize);
        foreach (ref readonly PassSegment segment in pass.Segments)
        {
            for (int token = 0; token < segment.Count; token++)
            {
                Positions.ReadRow(Config.LearnedPositionOffset!.Value + segment.Cache.Length + token, position);
                var row = new Span<float>(hidden + (nint)(segment.First + token) * Config.HiddenSize, Config.HiddenSize);
                TensorPrimitives.Add(row, position, row);
            }
        }
    }

    private void Finish(Span<float> logits)
    {
        if (Config.LogitScale != 1)
        {
            TensorPrimitives.Multiply(logits, (float)Config.LogitScale, logits);
        }

        if (Config.LogitSoftCap is { } cap)
        {
            TensorPrimitives.Divide(logits, (float)cap, logits);
            TensorPrimitives.Tanh(logits, logits);
            TensorPrimitives.Multiply(logits, (float)cap, logits);
        }
    }
}
