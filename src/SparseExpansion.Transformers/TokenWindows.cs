using System.Runtime.InteropServices;
using SparseExpansion.Execution;
using SparseExpansion.Execution.Safetensors;
using SparseExpansion.Models;
using SparseExpansion.Serialization;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers;

/// <summary>Token ids cut into windows of equal length: the input of calibration and of perplexity.</summary>
public sealed class TokenWindows
{
    private const string DocumentEnd = "<|endoftext|>";

    /// <summary>Default number of tokens that go through a model at a time.</summary>
    private const int BatchTokens = 4096;

    /// <summary>Longest default window that a text is cut into, in tokens.</summary>
    internal const int LongestDefaultContext = 2048;

    /// <summary>Largest count that a span of bytes can hold.</summary>
    private const long LargestCount = int.MaxValue / sizeof(long);

    private const int LongestPath = 4096;

    private readonly long[] _ids;

    private TokenWindows(long[] ids, int context)
    {
        (_ids, Context) = (ids, context);
        LargestId = ids.Max();
        SmallestId = ids.Min();
    }

    /// <summary>Tokens of a window.</summary>
    public int Context { get; }

    /// <summary>Number of windows, at least 1.</summary>
    public int Count => _ids.Length / Context;

    /// <summary>The largest id in any window.</summary>
    public long LargestId { get; }

    /// <summary>The smallest id in any window.</summary>
    public long SmallestId { get; }

    /// <summary>Default number of windows in a batch: as many as make 4,096 tokens, at least 1.</summary>
    public int DefaultBatchSize => Math.Max(1, BatchTokens / Context);

    /// <summary>All ids, window after window.</summary>
    public ReadOnlySpan<long> Ids => _ids;

    /// <summary>
    /// Tokenizes documents. They are separated by lines that hold <c>&lt;|endoftext|&gt;</c> only (a text without such
    /// a line is one document) and trimmed of white space at both ends; empty ones are left out. What
    /// <see cref="TextTokenizer.Encode"/> gives for each, which starts as a prompt does, and the end token, as far as
    /// the tokenizer names one, are put one after the other and cut; tokens that fill no window are dropped.
    /// </summary>
    /// <param name="text">The documents.</param>
    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <param name="context">Tokens of a window, at least 2.</param>
    /// <exception cref="CalibrationException">The text is empty or gives fewer tokens than one window, or it is the
    /// path of a file.</exception>
    public static TokenWindows FromText(string text, TextTokenizer tokenizer, int context)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentOutOfRangeException.ThrowIfLessThan(context, 2);
        if (text.Length < LongestPath && !text.Contains('\n') && File.Exists(text))
        {
            throw new CalibrationException(
                $"The text is '{text}', the path of a file; pass its contents instead: File.ReadAllText(path).");
        }

        var ids = new List<int>();
        foreach (string document in Documents(text))
        {
            tokenizer.EncodeDocument(document, ids);
        }

        return ids.Count > 0
            ? FromTokens(ids, context)
            : throw new CalibrationException("The text holds no document: it is empty or white space.");
    }

    /// <summary>
    /// Default number of tokens in a window: as many as the model was made for, at most 2,048.
    /// </summary>
    /// <param name="config">The model's architecture.</param>
    public static int DefaultContext(ModelConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        return Math.Min(config.MaxPositions, LongestDefaultContext);
    }

    /// <summary>Cuts a stream of tokens; those that fill no window are dropped.</summary>
    /// <param name="ids">Token ids.</param>
    /// <param name="context">Tokens of a window, at least 2.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="context"/> is less than 2.</exception>
    /// <exception cref="CalibrationException">There are fewer tokens than one window.</exception>
    public static TokenWindows FromTokens(IReadOnlyList<int> ids, int context)
    {
        ArgumentNullException.ThrowIfNull(ids);
        ArgumentOutOfRangeException.ThrowIfLessThan(context, 2);
        int windows = ids.Count / context;
        return windows > 0
            ? new TokenWindows([.. ids.Take(windows * context).Select(id => (long)id)], context)
            : throw new CalibrationException($"The text has {ids.Count} tokens, fewer than one window of {context}; give more text or a shorter context.");
    }

    /// <summary>Reads windows from a safetensors file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="name">A tensor [windows, context] of int64 or int32.</param>
    /// <exception cref="CheckpointException">The file is damaged, or the tensor is missing or of another
    /// kind.</exception>
    public static TokenWindows FromSafetensors(string path, string name)
    {
        using SafetensorsReader reader = SafetensorsReader.Open(path);
        Check(reader, name);
        using Tensor tensor = reader.Read(name);
        using Tensor wide = tensor.to(int64);
        return new TokenWindows(MemoryMarshal.Cast<byte, long>(wide.bytes).ToArray(), (int)tensor.size(1));
    }

    /// <summary>Looks at the description, so that no large tensor is read in vain.</summary>
    private static void Check(SafetensorsReader reader, string name)
    {
        if (!reader.Entries.TryGetValue(name, out SafetensorsEntry? entry))
        {
            return; // Reading it says so.
        }

        if (entry.DType is not (ElementType.Int64 or ElementType.Int32)
            || entry.Shape.Count != 2
            || entry.Shape[0] < 1
            || entry.Shape[1] < 2)
        {
            throw new CheckpointException(
                $"{reader.FilePath}: the tensor '{name}' is {entry.DType} [{string.Join(", ", entry.Shape)}]; needed are token ids int64 [windows, context].");
        }

        if (entry.Shape[0] * entry.Shape[1] > LargestCount)
        {
            throw new CheckpointException(
                $"{reader.FilePath}: the tensor '{name}' holds {entry.Shape[0] * entry.Shape[1]} token ids; at most {LargestCount} are read. Store fewer windows.");
        }
    }

    /// <summary>The first windows.</summary>
    /// <param name="count">Number of windows, at least 1; more than there are gives all.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is less than 1.</exception>
    public TokenWindows Take(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return count >= Count ? this : new TokenWindows(_ids[..(count * Context)], Context);
    }

    /// <summary>The windows in batches.</summary>
    /// <param name="batchSize">Largest number of windows in a batch; null means <see cref="DefaultBatchSize"/>.</param>
    /// <param name="device">Their device; null means the CPU.</param>
    /// <returns>int64 tensors [at most <paramref name="batchSize"/>, <see cref="Context"/>]; the caller disposes each.
    /// An expansion takes the windows themselves and makes its own batches.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="batchSize"/> is less than 1.</exception>
    public IEnumerable<Tensor> Batches(int? batchSize = null, Device? device = null)
    {
        int size = batchSize ?? DefaultBatchSize;
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1, nameof(batchSize));
        return MakeBatches(size, device);
    }

    /// <exception cref="ArgumentException">The windows are longer than the model's context, or have ids outside of its
    /// vocabulary.</exception>
    internal static void RequireFit(TokenWindows windows, ModelConfig config)
    {
        if (windows.Context > config.MaxPositions)
        {
            throw new ArgumentException(
                $"Windows of {windows.Context} tokens are longer than the model's context of {config.MaxPositions}.",
                nameof(windows));
        }

        if (windows.SmallestId < 0 || windows.LargestId >= config.VocabularySize)
        {
            throw new ArgumentException(
                $"Windows hold ids from {windows.SmallestId} to {windows.LargestId}; the model's vocabulary has {config.VocabularySize}. Is it the model's own tokenizer?",
                nameof(windows));
        }
    }

    private IEnumerable<Tensor> MakeBatches(int batchSize, Device? device)
    {
        for (int start = 0; start < Count; start += batchSize)
        {
            int windows = Math.Min(batchSize, Count - start);
            yield return tensor(
                _ids.AsSpan(start * Context, windows * Context).ToArray(), [windows, Context], dtype: int64,
                device: device);
        }
    }

    private static IEnumerable<string> Documents(string text)
    {
        var lines = new List<string>();
        foreach (string line in text.Split('\n').Append(DocumentEnd))
        {
            if (line.Trim() != DocumentEnd)
            {
                lines.Add(line);
                continue;
            }

            string document = string.Join('\n', lines).Trim();
            lines.Clear();
            if (document.Length > 0)
            {
                yield return document;
            }
        }
    }
}
