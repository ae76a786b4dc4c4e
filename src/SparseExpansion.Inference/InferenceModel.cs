using SparseExpansion.Inference.Caching;
using SparseExpansion.Inference.Decoder;
using SparseExpansion.Inference.Loading;
using SparseExpansion.Models;

namespace SparseExpansion.Inference;

/// <summary>
/// A language model that is decoded on the CPU in managed code. Its weights lie in the mapped files of its folder, which
/// must not be changed or truncated while the model lives; those in codes may be copies (<see cref="CodeForm"/>). Thread-safe, except for disposing: any number of sessions
/// may run at the same time, each used by one thread at a time. Dispose sessions and sequences first.
/// </summary>
public sealed class InferenceModel : IDisposable
{
    private readonly LoadedModel _loaded;
    private readonly int?[] _windows;
    private bool _disposed;

    private InferenceModel(LoadedModel loaded, InferenceOptions options, long rearrangedBytes)
    {
        _loaded = loaded;
        _windows = [.. Config.Layers.Select(layer => layer.Window)];
        Threads = options.Threads ?? Environment.ProcessorCount;
        Activations = options.Activations;
        ChunkTokens = options.ChunkTokens;
        var layout = new PageLayout(Config.KeyValueHeadCount, Config.HeadDimension, options.Cache);
        Pages = new PagePool(layout, options.CacheBytes ?? (GC.GetGCMemoryInfo().TotalAvailableMemoryBytes - rearrangedBytes) / 2);
    }

    /// <summary>The architecture.</summary>
    public ModelConfig Config => _loaded.Stack.Config;

    internal DecoderStack Stack
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _loaded.Stack;
        }
    }

    internal PagePool Pages { get; }

    internal int Threads { get; }

    internal ActivationPrecision Activations { get; }

    internal int ChunkTokens { get; }

    /// <summary>Loads a folder in Hugging Face layout, dense or expanded; all files are checked first.</summary>
    /// <param name="folder">Holds <c>config.json</c> and either <c>model.safetensors</c> or
    /// <c>model.safetensors.index.json</c> with its shards; or the files of an expanded model.</param>
    /// <param name="options">Threads, forms of numbers, memory; null means the defaults.</param>
    /// <returns>The model; the caller disposes it.</returns>
    /// <exception cref="CheckpointException">A file is missing or damaged, the configuration asks for something
    /// unsupported, or tensors do not fit the model; the message names file and tensor.</exception>
    /// <exception cref="ArgumentException">An option is out of range, or does not fit another one.</exception>
    public static InferenceModel Load(string folder, InferenceOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        options ??= new InferenceOptions();
        options.Validate();
        LoadedModel loaded = ModelReader.Read(folder);
        try
        {
            return new InferenceModel(loaded, options, CodeForms.Apply(loaded.Coded, options));
        }
        catch
        {
            loaded.Dispose();
            throw;
        }
    }

    /// <summary>Memory to run the model with; the caller disposes it.</summary>
    public InferenceSession CreateSession() => new(this, new DecoderPass(Stack.Config.Layers, Threads, Activations));

    /// <summary>An empty sequence, for any session of this model; the caller disposes it.</summary>
    public InferenceSequence CreateSequence()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return new InferenceSequence(this, new SequenceCache(Pages, _windows));
    }

    /// <summary>Closes the files and frees the memory.</summary>
    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            Pages.Dispose();
            _loaded.Dispose();
        }
    }
}
