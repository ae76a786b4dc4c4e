using LLama;
using LLama.Common;
using LLama.Native;
using SparseExpansion.Comparison.Serving;

namespace SparseExpansion.Peers;

/// <summary>A GGUF file in llama.cpp, on all processors.</summary>
internal sealed class LlamaModel : IServedModel
{
    private const int BatchTokens = 512;

    private readonly LLamaWeights _weights;
    private readonly LLamaContext _context;
    private readonly LLamaBatch _batch = new();
    private int _length;

    public LlamaModel(string file)
    {
        var parameters = new ModelParams(file)
        {
            ContextSize = ServerRequest.Context,
            BatchSize = BatchTokens,
            UBatchSize = BatchTokens,
            Threads = Environment.ProcessorCount,
            BatchThreads = Environment.ProcessorCount,
            GpuLayerCount = 0,
        };
        _weights = LLamaWeights.LoadFromFile(parameters);
        _context = _weights.CreateContext(parameters);
    }

    public void Clear()
    {
        _context.NativeHandle.MemoryClear(data: false);
        _length = 0;
    }

    public float Read(ReadOnlySpan<int> tokens)
    {
        _batch.Clear();
        for (int i = 0; i < tokens.Length; i++)
        {
            _batch.Add(tokens[i], _length + i, LLamaSeqId.Zero, logits: i == tokens.Length - 1);
        }

        DecodeResult result = _context.Decode(_batch);
        if (result != DecodeResult.Ok)
        {
            throw new InvalidOperationException($"llama.cpp does not read {tokens.Length} tokens after {_length}: {result}.");
        }

        _length += tokens.Length;
        return _context.NativeHandle.GetLogitsIth(tokens.Length - 1)[0];
    }

    public void Dispose()
    {
        _context.Dispose();
        _weights.Dispose();
    }
}
