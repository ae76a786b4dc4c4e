using SparseExpansion.Execution.Memory;
using SparseExpansion.Inference.Linears;
using SparseExpansion.Models;

namespace SparseExpansion.Inference.Decoder;

/// <summary>
/// The tokens that a model processes together, and the memory that its parts need for it, which is used again by the
/// next pass. Used by one thread at a time.
/// </summary>
internal sealed unsafe class DecoderPass : IDisposable
{
    private readonly NativeBuffer[] _memory = new NativeBuffer[Enum.GetValues<PassMemory>().Length];
    private readonly Dictionary<RotaryOptions, RotaryAngles> _angles = [];
    private readonly RotaryAngles?[] _layerAngles;
    private PassSegment[] _segments = new PassSegment[1];
    private int _segmentCount;

    /// <param name="layers">Positions of each layer.</param>
    /// <param name="threads">Threads to use.</param>
    /// <param name="activations">Form of the tokens that meet weights in codes.</param>
    public DecoderPass(IReadOnlyList<LayerOptions> layers, int threads, ActivationPrecision activations)
    {
        Threads = threads;
        Input = new TokenBlock(threads, activations);
        for (int i = 0; i < _memory.Length; i++)
        {
            _memory[i] = new NativeBuffer();
        }

        _layerAngles = [.. layers.Select(layer => layer.Rotary is { } rotary ? AnglesOf(rotary) : null)];
    }

    /// <summary>Threads to use.</summary>
    public int Threads { get; }

    /// <summary>Input of the linears that run next.</summary>
    public TokenBlock Input { get; }

    /// <summary>The tokens, by sequence.</summary>
    public ReadOnlySpan<PassSegment> Segments => _segments.AsSpan(0, _segmentCount);

    /// <summary>Number of tokens.</summary>
    public int Count { get; private set; }

    /// <summary>Begins a pass without tokens.</summary>
    public void Clear() => (_segmentCount, Count) = (0, 0);

    /// <summary>Adds the new tokens of a sequence.</summary>
    public void Add(PassSegment segment)
    {
        if (_segmentCount == _segments.Length)
        {
            Array.Resize(ref _segments, 2 * _segmentCount);
        }

        _segments[_segmentCount++] = segment;
        Count += segment.Count;
    }

    /// <summary>Computes what the layers share.</summary>
    public void Prepare()
    {
        foreach (RotaryAngles angles in _angles.Values)
        {
            angles.Prepare(Segments, Count);
        }
    }

    /// <summary>The angles of a layer; null where it does not rotate.</summary>
    public RotaryAngles? Angles(int layer) => _layerAngles[layer];

    /// <summary>Memory for float32 numbers; what was in it is lost when it grows.</summary>
    public float* Reserve(PassMemory memory, long numbers) =>
        (float*)_memory[(int)memory].Reserve((nuint)numbers * sizeof(float));

    /// <summary>Lets go of the caches.</summary>
    public void Forget()
    {
        _segments.AsSpan(0, _segmentCount).Clear();
        Clear();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Input.Dispose();
        Array.ForEach(_memory, buffer => buffer.Dispose());
        foreach (RotaryAngles angles in _angles.Values)
        {
            angles.Dispose();
        }
    }

    private RotaryAngles AnglesOf(RotaryOptions options)
    {
        if (!_angles.TryGetValue(options, out RotaryAngles? angles))
        {
            angles = new RotaryAngles(options);
            _angles.Add(options, angles);
        }

        return angles;
    }
}
